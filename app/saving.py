"""The server's half of the save protocol (the browser's half is components/workbench/outbox.js).

Drafts arrive as untrusted JSON, again and again until acknowledged. Each is checked, appended to the project's
database, and only after COMMIT acknowledged. Handling the same drafts twice changes nothing, so callbacks, reruns,
reloads and restarts of the server may all deliver them, and the page may show another case by then.

A draft brings the hash of the generated text that it judged: the text on disk may be another one by now. A draft
without the hash is kept, but it does not count for the present text.

Who reviews, and what they may review, is never the browser's word. What is submitted incomplete is kept as a draft.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.document import ReviewDocument, sha256
from app.protocol.completeness import missing
from app.protocol.model import Protocol
from app.store import reviews
from app.store.engine import Database
from app.store.reviews import Draft, Revision
from xray.errors import DataError

_LARGEST = 2**31 - 1  # what a whole number of the database holds
_LONGEST_NAME = 500
_LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a review belongs, and what it has to hold before it can be submitted.

    `judged_sha256` is of the text that is there now, `sentences` the number of its sentences.
    """

    run_id: str
    case_id: str
    task: str
    protocol: Protocol
    judged_sha256: str
    sentences: int


PlaceFinder = Callable[[str, str, str], Place | None]
"""Finds the place for a run, a case and a task as the browser names them."""


class _SentDraft(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    run: str = Field(default="", max_length=_LONGEST_NAME)
    case: str = Field(default="", max_length=_LONGEST_NAME)
    task: str = Field(default="", pattern="^[!-~]{0,200}$")
    client: str = Field(pattern="^[A-Za-z0-9_-]{8,64}$")
    sequence: int = Field(ge=1, le=_LARGEST)
    base_revision: int = Field(ge=0)
    ancestors: tuple[tuple[str, int], ...] = Field(default=(), max_length=1000)
    document: ReviewDocument
    submit: bool = False
    reason: str = Field(default="", max_length=_LONGEST_REASON, pattern=r"^[^\x00]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one draft: stored as `revision`, or refused (None) because of `latest`, the newest of its review.

    `thread` names the review to the browser. `missing` is why it was stored as a draft and not submitted as asked.
    """

    thread: str
    client: str
    sequence: int
    revision: int | None
    latest: Revision
    missing: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether another page had saved what the draft's page had not seen."""
        return self.revision is None


def thread_name(*, run_id: str, case_id: str, task: str) -> str:
    """Return the name of a review in a browser; it tells neither run nor case, and of a task only itself."""
    return sha256(task or "\0".join((run_id, case_id)))[:24]


def receive(outbox: object, *, find_place: PlaceFinder, database: Database, reviewer: str) -> tuple[Answer, ...]:
    """Store every draft of an outbox as reviews by `reviewer` and answer each.

    `find_place` knows what the reviewer may write to. No answer, so that the browser keeps the text, is for malformed
    drafts and for those that it finds no place for.
    """
    drafts = outbox.get("drafts") if isinstance(outbox, Mapping) else None
    if not isinstance(drafts, list):
        return ()
    answers = (_store_one(draft, find_place=find_place, database=database, reviewer=reviewer) for draft in drafts)
    return tuple(answer for answer in answers if answer)


def _store_one(untrusted: object, *, find_place: PlaceFinder, database: Database, reviewer: str) -> Answer | None:
    try:
        sent = _SentDraft.model_validate(untrusted)
        place = find_place(sent.run, sent.case, sent.task)
        if place is None:
            return None
        lacking = _lacking(sent, place=place, database=database, reviewer=reviewer) if sent.submit else ()
        outcome = reviews.save(database, _draft(sent, place=place, reviewer=reviewer, complete=not lacking))
    except (ValidationError, DataError):  # one that cannot be stored must not hold up the others
        return None
    return Answer(
        thread=thread_name(run_id=place.run_id, case_id=place.case_id, task=place.task),
        client=sent.client,
        sequence=sent.sequence,
        revision=outcome.acknowledged,
        latest=outcome.latest,
        missing=lacking,
    )


def _lacking(sent: _SentDraft, *, place: Place, database: Database, reviewer: str) -> tuple[str, ...]:
    """Name what a submission lacks: `text` where it judged another text than the present one, or nothing yet."""
    if sent.document.generated_sha256 != place.judged_sha256:
        return ("text",)
    lacking = missing(sent.document, protocol=place.protocol, sentences=place.sentences)
    if lacking or sent.reason.strip():
        return lacking
    rows = reviews.history(database, place.run_id, place.case_id, reviewer=reviewer, task=place.task)
    if not reviews.is_given(rows):
        return ()
    given = reviews.last_said(rows)
    is_given_up = given is not None and given.document.says_the_same_as(sent.document)  # an amendment
    return () if is_given_up else ("reason",)


def _draft(sent: _SentDraft, *, place: Place, reviewer: str, complete: bool) -> Draft:
    return Draft(
        reviewer=reviewer,
        run_id=place.run_id,
        case_id=place.case_id,
        task=place.task,
        client=sent.client,
        sequence=sent.sequence,
        base_revision=sent.base_revision,
        ancestors=sent.ancestors,
        document=sent.document,
        submit=sent.submit and complete,
        reason=sent.reason.strip(),
    )
