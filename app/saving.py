"""The server's half of the save protocol (the browser's half is components/editor.js).

Drafts arrive as untrusted JSON, again and again until acknowledged. Each is checked, appended to the store, and only
after COMMIT acknowledged. Handling the same drafts twice changes nothing, so callbacks, reruns, reloads and restarts
of the server may all deliver them.

A draft brings the hash of the generated text that its verdict judged: the text on disk may be another one by now. A
draft without the hash is kept, but its verdict does not count for the present text.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.run import Run
from app.store import Draft, ReviewStore, Revision, Verdict

LONGEST_TEXT = 50_000


class _SentDraft(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    case: str
    client: str = Field(min_length=8, max_length=64)
    sequence: int = Field(ge=1)
    base_revision: int = Field(ge=0)
    ancestors: tuple[str, ...] = Field(default=(), max_length=1000)
    verdict: Verdict | None = None
    comment: str = Field(default="", max_length=LONGEST_TEXT)
    corrected: str = Field(default="", max_length=LONGEST_TEXT)
    generated_sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one draft: acknowledged as `latest.revision`, or refused because of `latest`."""

    case_id: str
    client: str
    sequence: int
    latest: Revision
    refused: bool


def receive(outbox: object, *, run: Run, store: ReviewStore) -> tuple[Answer, ...]:
    """Store every draft of an outbox and answer each. Malformed ones, and those of other runs or cases, get none."""
    drafts = outbox.get("drafts") if isinstance(outbox, Mapping) and outbox.get("run") == run.id else None
    if not isinstance(drafts, list):
        return ()
    return tuple(answer for draft in drafts if (answer := _store_one(draft, run=run, store=store)))


def _store_one(untrusted: object, *, run: Run, store: ReviewStore) -> Answer | None:
    try:
        sent = _SentDraft.model_validate(untrusted)
    except ValidationError:
        return None
    case = run.case(sent.case)
    if case is None:
        return None
    outcome = store.save(
        Draft(
            run_id=run.id,
            case_id=case.id,
            client=sent.client,
            sequence=sent.sequence,
            base_revision=sent.base_revision,
            ancestors=sent.ancestors,
            verdict=sent.verdict,
            comment=sent.comment,
            corrected=sent.corrected,
            generated_sha256=sent.generated_sha256,
        )
    )
    return Answer(
        case_id=case.id,
        client=sent.client,
        sequence=sent.sequence,
        latest=outcome.latest,
        refused=outcome.conflict,
    )
