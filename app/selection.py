"""Which cases the worklist shows, and in what order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.document import Verdict
from app.run import ReviewCase
from app.store.reviews import Revision
from xray.metrics.marks import Kind, MarkedReports

Status = Literal["undecided", "draft", "submitted", "outdated"]
STATUSES: tuple[Status, ...] = ("undecided", "draft", "submitted", "outdated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the worklist: a case, its marks, and the reader's latest review of it."""

    case: ReviewCase
    marks: MarkedReports
    review: Revision | None

    @property
    def status(self) -> Status:
        """How far the review of the present generated text is; a void review counts as none."""
        if self.review is None or self.review.status == "void":
            return "undecided"
        if self.is_outdated:
            return "outdated"
        return "draft" if self.review.status == "draft" else "submitted"

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the present generated text."""
        return None if self.review is None or self.status in ("undecided", "outdated") else self.review.document.verdict

    @property
    def is_outdated(self) -> bool:
        """Whether the saved review judged another generated text than the present one."""
        return self.review is not None and self.review.document.generated_sha256 != self.case.generated_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The reader's filters; empty ones let everything through. Several findings or kinds mean any of them.

    `statuses` holds words of `STATUSES` and verdicts: a case passes whose status or verdict is among them.
    `metric` orders by that score (studies without it last); None keeps the order of the run.
    """

    text: str = ""
    concepts: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    statuses: frozenset[str | None] = frozenset()
    metric: str | None = None
    descending: bool = False

    def apply(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Return the entries that pass every filter, in the chosen order; equal scores keep the order of the run."""
        kept = [entry for entry in entries if self._keeps(entry)]
        if self.metric is None:
            return tuple(kept)
        return tuple(sorted(kept, key=self._rank))

    def _keeps(self, entry: Entry) -> bool:
        return (
            (not self.statuses or not self.statuses.isdisjoint((entry.status, entry.verdict)))
            and (not self.kinds or bool(self.kinds & set(entry.marks.disagreements)))
            and (not self.concepts or bool(self.concepts & {concept for _, concept in entry.marks.findings}))
            and self._matches_text(entry.case)
        )

    def _matches_text(self, case: ReviewCase) -> bool:
        haystack = f"{case.id}\n{case.case.text}\n{case.generated or ''}".casefold()
        return all(word in haystack for word in self.text.casefold().split())

    def _rank(self, entry: Entry) -> tuple[bool, float]:
        value = entry.case.score(self.metric) if self.metric else None
        if value is None:
            return (True, 0.0)
        return (False, -value if self.descending else value)


def next_unsubmitted(entries: Sequence[Entry], *, after: str | None = None) -> str | None:
    """Id of the first case that is not submitted behind case `after`, searching round; None if all are."""
    ids = [entry.case.id for entry in entries]
    start = ids.index(after) + 1 if after in ids else 0
    rotated = [*entries[start:], *entries[:start]]
    return next((entry.case.id for entry in rotated if entry.status != "submitted" and entry.case.id != after), None)


def neighbour(entries: Sequence[Entry], *, of: str, step: int) -> str | None:
    """Id of the case `step` places from case `of`; None beyond the ends or when `of` is not listed."""
    ids = [entry.case.id for entry in entries]
    if of not in ids:
        return ids[0] if ids else None
    place = ids.index(of) + step
    return ids[place] if 0 <= place < len(ids) else None
