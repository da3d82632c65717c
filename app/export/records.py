"""What an export knows of a review: typed records, whichever store they were read from."""

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from app.protocol.assignment import REFERENCE
from xray.records import Record
from xray.types import Split, View

AI_LABEL = "人工智能生成"
HUMAN_LABEL = "参考报告，非人工智能生成"
Status = Literal["draft", "submitted", "amended", "approved", "void"]
Verdict = Literal["accept", "edit", "reject"]
Decision = Literal["accept", "edit", "reject", "add"]
ReXValCategory = Literal[1, 2, 3, 4, 5, 6]
SIGNABLE: tuple[Status, ...] = ("submitted", "amended", "approved")
"""The status of a review that its reader has handed in."""


class Person(Record):
    """A reader. `person_name` is the DICOM form with ideographs (`Zhang^San=张^三`), where the hospital gives one."""

    id: str = Field(min_length=1)
    name: str = Field(min_length=1)
    person_name: str = ""
    organization: str = ""


class Signature(Record):
    """Who stands for the text, since when and in what sense: the three parts that 21 CFR 11.50 asks to print."""

    by: Person
    at: AwareDatetime
    meaning: str = Field(min_length=1)


class ReviewedFilm(Record):
    """A film as the model saw it; `dicom` is the file it was rendered from, where the hospital gives that.

    The DICOM file is what ties a structured report to the patient of the PACS: all else here is under pseudonyms.
    """

    path: Path
    view: View = "unknown"
    dicom: Path | None = None


class PromptTurn(Record):
    """One message before the generated text."""

    role: Literal["system", "user", "assistant"]
    text: str


class SentenceEdit(Record):
    """What the reader decided on one sentence of the generated text; `text` is empty where a sentence was added.

    `category` is the ReXVal category: 1 false finding, 2 omission, 3 wrong place, 4 wrong severity, 5 spurious
    comparison, 6 omitted comparison. The two kinds are names of kinds of error, the program's and the reader's.
    """

    text: str
    decision: Decision
    replacement: str = ""
    suggested_kind: str | None = None
    reader_kind: str | None = None
    category: ReXValCategory | None = None
    significant: bool = False

    @property
    def changes_text(self) -> bool:
        """Whether the generated text no longer says what the reader wants once this is decided."""
        if self.decision == "edit":
            return self.replacement.strip() != self.text.strip()
        return self.decision == "reject" or (self.decision == "add" and bool(self.replacement.strip()))


class Answer(Record):
    """The reader's answer to one question of the protocol; several texts where several were chosen."""

    question: str
    value: str | int | float | bool | tuple[str, ...] | None


class ProtocolUsed(Record):
    """The protocol that a review followed, and the sha256 of its text."""

    name: str
    sha256: str


class ReviewedReport(Record):
    """One reader's review of one generated text, in its newest revision.

    `study_uid` and `patient_key` are pseudonyms. `turns` are what the model was asked, to the user's question.
    `reference` is None where there is none. `sentinel` marks a case that was planted to test readers, `repeat` one that
    the reader had read before. A signature counts only on a review that was handed in, and is of this revision.

    `system` says who wrote the judged text: `adapter`, the run's model, or another name of `finetune.manifest`, or
    `reference`, a person. `study` and `task` name the reader study and its assignment, empty outside of studies. Where
    a reader compared several texts, each is a record of its own under its neutral label `arm`, and `preference` is the
    label that was preferred, or `neither`. `asks_for_report` is False where the data set asked something else.
    """

    run_id: str = Field(min_length=1)
    case_id: str = Field(min_length=1)
    study_uid: str = Field(min_length=1)
    patient_key: str = Field(min_length=1)
    split: Split | None
    language: str
    films: tuple[ReviewedFilm, ...] = Field(min_length=1)
    turns: tuple[PromptTurn, ...]
    generated: str
    reference: str | None
    corrected: str
    verdict: Verdict | None
    comment: str = ""
    edits: tuple[SentenceEdit, ...] = ()
    answers: tuple[Answer, ...] = ()
    reader: Person
    status: Status
    revision: int = Field(ge=1)
    saved_at: AwareDatetime
    amend_reason: str = ""
    signature: Signature | None = None
    sentinel: bool = False
    repeat: bool = False
    model_name: str
    system: str = "adapter"
    protocol: ProtocolUsed
    study: str = ""
    task: str = ""
    arm: str = ""
    preference: str = ""
    preference_reason: str = ""
    asks_for_report: bool = True
    active_ms: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _ends_with_a_question(self) -> "ReviewedReport":
        if not self.turns or self.turns[-1].role != "user":
            raise ValueError("the turns of a review end with the user's question")
        return self

    @property
    def id(self) -> str:
        """16 hex digits, as `review_id` makes them."""
        who = {"reader": self.reader.id, "protocol_sha256": self.protocol.sha256}
        return review_id(self.run_id, self.case_id, **who, task=self.task, arm=self.arm)

    @property
    def is_of_generated_text(self) -> bool:
        """Whether a model wrote the text that was judged."""
        return self.system != REFERENCE

    @property
    def handed_in(self) -> bool:
        """Whether the reader has submitted the review, and it was not voided."""
        return self.status in SIGNABLE

    @property
    def signed(self) -> Signature | None:
        """The signature, if it counts."""
        return self.signature if self.handed_in else None

    @property
    def final_text(self) -> str:
        """The text that the reader stands for, empty where there is none: of a report that they rejected, nothing.

        Without a corrected report that is the generated one, unless it was said to need changes, or a sentence of it
        was rejected or rewritten: nobody stands for a sentence that they have struck out.
        """
        if self.verdict == "reject":
            return ""
        if corrected := self.corrected.strip():
            return corrected
        is_wanting = self.verdict == "edit" or any(edit.changes_text for edit in self.edits)
        return "" if is_wanting else self.generated.strip()

    @property
    def has_significant_edit(self) -> bool:
        """Whether a change to the generated text matters to the patient."""
        return any(edit.significant and edit.decision != "accept" for edit in self.edits)

    @property
    def ai_label(self) -> str:
        """What every file says of where its text is from: generated, and by whom it was checked once it is signed."""
        if not self.is_of_generated_text:
            return HUMAN_LABEL
        if self.signed is None:
            return AI_LABEL
        when = self.signed.at.isoformat(sep=" ", timespec="seconds")
        done = "审核" if self.final_text == self.generated.strip() else "修改审核"
        return f"{AI_LABEL}初稿，经{self.signed.by.name}于{when}{done}"


def review_id(run_id: str, case_id: str, *, reader: str, protocol_sha256: str, task: str = "", arm: str = "") -> str:
    """Return 16 hex digits, the same for all revisions of a reader's review of a case under a protocol.

    In a study, each task of a reader and each text under its label has its own.
    """
    names = (run_id, case_id, reader, protocol_sha256, *((task, arm) if task or arm else ()))
    return hashlib.sha256("\0".join(names).encode()).hexdigest()[:16]


class Exclusion(Record):
    """A review that is not in an export, or not in one of its parts (`preferences.jsonl: ...`), and why."""

    review_id: str
    reason: str


class Seed(Record):
    """A seed of the reader study, such as that of the order of cases."""

    name: str
    value: int


class ExportContext(Record):
    """What an export says besides the reviews.

    `producer` names who generates, as the labelling rules want it (name or code). `institution` stands for readers
    without an organisation of their own. `audit_head` is the newest hash of the audit chain: kept outside, it shows
    whether the chain was changed. `evaluation_patients` are further patients whom no training pair may come from.
    `others` are handed-in reviews that were not chosen: a report that one of them overrules is nobody's final word.
    """

    producer: str = "xray-report-kit"
    institution: str = ""
    seeds: tuple[Seed, ...] = ()
    audit_head: str = ""
    evaluation_patients: frozenset[str] = frozenset()
    made_by: str = ""
    reason: str = ""
    left_out: tuple[Exclusion, ...] = ()
    original_films_only: bool = False
    others: tuple[ReviewedReport, ...] = ()
