"""Which text a review judged: a verdict is never put beside a text that it was not said of."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.document import ReviewDocument, sha256
from app.run import ADAPTER_SYSTEM, ReviewCase
from app.store.studies import Arm, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A text with whoever wrote it. `arm` is its neutral label where several were compared, else empty."""

    text: str
    run_id: str
    system: str
    purpose: Purpose = "study"
    arm: str = ""


def text_of_run(case: ReviewCase, *, run_id: str) -> Judged:
    """Return the text that the run holds for a case today."""
    return Judged(text=case.generated or "", run_id=run_id, system=ADAPTER_SYSTEM)


def texts_of_task(arms: Sequence[Arm]) -> tuple[Judged, ...]:
    """Return the texts of an assignment, as they were when it was given out."""
    several = len(arms) > 1
    return tuple(
        Judged(
            text=arm.text,
            run_id=arm.source_run,
            system=arm.source_system,
            purpose=arm.purpose,
            arm=arm.label if several else "",
        )
        for arm in arms
    )


def judged_by(document: ReviewDocument, texts: Sequence[Judged]) -> Judged | None:
    """Return the text that a document was written about, by its hash; None where it is none of them."""
    known = document.generated_sha256
    return next((judged for judged in texts if known and sha256(judged.text) == known), None)
