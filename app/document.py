"""What a reviewer says of one case, as one document: stored, exported and compared whole.

A document is validated when it is read as well as when it is written, and its text is in Unicode NFC, so that the same
words typed on two systems are the same document. `canonical` is its one spelling; hashes are taken of that.
"""

import hashlib
from typing import Annotated, Literal
from unicodedata import normalize

from pydantic import AfterValidator, AwareDatetime, Field, StrictBool, StrictInt

from xray.records import Record

LONGEST_TEXT = 50_000
Verdict = Literal["accept", "edit", "reject"]
VERDICTS: tuple[Verdict, ...] = ("accept", "edit", "reject")
# The kinds of xray.metrics.alignment and of xray.metrics.differences, as a test checks. Importing those would load
# scikit-learn: seconds for every command that opens a database.
SentenceKind = Literal["agree", "false", "omitted", "side", "place", "degree", "polarity"]
ErrorCategory = Literal["false", "omission", "location", "severity", "added_comparison", "omitted_comparison"]
Decision = Literal["accept", "edit", "reject"]
_Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(lambda text: normalize("NFC", text))]
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Milliseconds = Annotated[int, Field(ge=0)]


class SentenceDecision(Record):
    """What the reader decided about one sentence, counted from 0 in its report (xray.metrics.alignment).

    A sentence of the reference is there when it was omitted by the generated report: accepted, its absence is no error;
    edited, `replacement` is what the report should say of it. `suggested_kind` is what the
    machine had proposed and `reader_kind` what the reader chose: one field for both would hide who anchored whom.
    `category` is the error of ReXVal, `significant` whether it matters clinically; both None until they are judged.
    """

    report: Literal["generated", "reference"] = "generated"
    sentence: int = Field(ge=0)
    decision: Decision | None = None
    suggested_kind: SentenceKind | None = None
    reader_kind: SentenceKind | None = None
    category: ErrorCategory | None = None
    significant: bool | None = None
    replacement: _Text = ""


class QuestionAnswer(Record):
    """The answer to one question of the study's protocol, named as the protocol names it."""

    question: str = Field(min_length=1, max_length=100)
    value: StrictBool | StrictInt | _Number | _Text | tuple[_Text, ...]


class Preference(Record):
    """Which of the reports shown under neutral labels the reader prefers; `neither` is always a choice."""

    choice: str = Field(pattern="^([A-Z]|neither)$")
    reason: _Text = ""


class Timings(Record):
    """When and how long the reader worked. Times with their zone, lengths in milliseconds.

    `active_ms` counts only while the page was visible and in use, `viewer_ms` the part of it at the films.
    """

    first_view: AwareDatetime | None = None
    first_key: AwareDatetime | None = None
    last_key: AwareDatetime | None = None
    active_ms: _Milliseconds = 0
    idle_ms: _Milliseconds = 0
    viewer_ms: _Milliseconds = 0
    edits: int = Field(default=0, ge=0)


class ReviewDocument(Record):
    """The whole review of a case by one reader.

    `generated_sha256` is of the text that was judged, "" where that is unknown.
    """

    verdict: Verdict | None = None
    comment: _Text = ""
    corrected: _Text = ""
    generated_sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    sentences: tuple[SentenceDecision, ...] = Field(default=(), max_length=1000)
    answers: tuple[QuestionAnswer, ...] = Field(default=(), max_length=1000)
    preference: Preference | None = None
    timings: Timings = Timings()

    def says_the_same_as(self, other: "ReviewDocument") -> bool:
        """Whether both say the same of the case, however long it took."""
        return self.model_copy(update={"timings": other.timings}) == other


def canonical(document: Record) -> str:
    """Return the one JSON text of a record."""
    return document.model_dump_json(exclude_defaults=True)


def sha256(text: str) -> str:
    """Return the hexadecimal SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
