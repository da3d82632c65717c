"""The server's half of the save protocol (the browser's half is components/editor.js).

Drafts arrive as untrusted JSON, again and again until acknowledged. Each is checked, appended to the project's
database, and only after COMMIT acknowledged. Handling the same drafts twice changes nothing, so callbacks, reruns,
reloads and restarts of the server may all deliver them, and the page may show another run by then.

A draft brings the hash of the generated text that its verdict judged: the text on disk may be another one by now. A
draft without the hash is kept, but its verdict does not count for the present text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.document import LONGEST_TEXT, ReviewDocument, Verdict
from app.run import Run
from app.store import reviews
from app.store.engine import Database
from app.store.reviews import Draft, Revision
from xray.errors import DataError

RunFinder = Callable[[str], Run | None]
_LARGEST = 2**31 - 1  # what a whole number of the database holds


class _SentDraft(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    run: str
    case: str
    client: str = Field(pattern="^[A-Za-z0-9_-]{8,64}$")
    sequence: int = Field(ge=1, le=_LARGEST)
    base_revision: int = Field(ge=0)
    ancestors: tuple[tuple[str, int], ...] = Field(default=(), max_length=1000)
    verdict: Verdict | None = None
    comment: str = Field(default="", max_length=LONGEST_TEXT)
    corrected: str = Field(default="", max_length=LONGEST_TEXT)
    generated_sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one draft: stored as `revision`, or refused (None) because of `latest`, the newest of its case."""

    run_id: str
    case_id: str
    client: str
    sequence: int
    revision: int | None
    latest: Revision

    @property
    def refused(self) -> bool:
        """Whether another page had saved what the draft's page had not seen."""
        return self.revision is None


def receive(outbox: object, *, find_run: RunFinder, database: Database, reviewer: str) -> tuple[Answer, ...]:
    """Store every draft of an outbox as reviews by `reviewer` and answer each.

    No answer, so that the browser keeps the text, is for malformed drafts, those of unknown runs or cases, and those
    whose run cannot be read: the page of that run tells why.
    """
    drafts = outbox.get("drafts") if isinstance(outbox, Mapping) else None
    if not isinstance(drafts, list):
        return ()
    answers = (_store_one(draft, find_run=find_run, database=database, reviewer=reviewer) for draft in drafts)
    return tuple(answer for answer in answers if answer)


def _store_one(untrusted: object, *, find_run: RunFinder, database: Database, reviewer: str) -> Answer | None:
    try:
        sent = _SentDraft.model_validate(untrusted)
        run = find_run(sent.run)
        case = run.case(sent.case) if run else None
        if run is None or case is None:
            return None
    except (ValidationError, DataError):  # one that cannot be stored must not hold up the others
        return None
    outcome = reviews.save(database, _draft(sent, reviewer=reviewer))
    return Answer(
        run_id=run.id,
        case_id=case.id,
        client=sent.client,
        sequence=sent.sequence,
        revision=outcome.acknowledged,
        latest=outcome.latest,
    )


def _draft(sent: _SentDraft, *, reviewer: str) -> Draft:
    return Draft(
        reviewer=reviewer,
        run_id=sent.run,
        case_id=sent.case,
        client=sent.client,
        sequence=sent.sequence,
        base_revision=sent.base_revision,
        ancestors=sent.ancestors,
        document=ReviewDocument(
            verdict=sent.verdict,
            comment=sent.comment,
            corrected=sent.corrected,
            generated_sha256=sent.generated_sha256,
        ),
    )
