"""Which cases the worklist shows, and in what order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.mark_file import Findings
from app.run import ReviewCase
from app.store.ledger import Progress
from xray.metrics.marks import KINDS, Kind

Status = Literal["unreviewed", "draft", "submitted", "amending", "outdated"]
"""outdated: what was said is of an earlier generated text. amending: submitted, and written on since."""
STATUSES: tuple[Status, ...] = ("unreviewed", "draft", "submitted", "amending", "outdated")
Flaw = Literal["missing", "blank", "cut_off"]
FLAWS: tuple[Flaw, ...] = ("missing", "blank", "cut_off")
BY_DISAGREEMENTS = "disagreements"
BY_TIME = "saved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the worklist: a case, its findings with their kinds, and how far the reader's own review is.

    `findings` is None while it is not known how the two reports compare.
    """

    case: ReviewCase
    findings: Findings | None
    review: Progress | None

    @property
    def status(self) -> Status:
        """How far the reader is with the present generated text."""
        if self.review is None or self.review.status == "void":
            return "unreviewed"
        if self.is_outdated:
            return "outdated"
        if self.review.status == "draft":
            return "amending" if self.review.given_at else "draft"
        return "submitted"

    @property
    def verdict(self) -> str | None:
        """The reader's verdict on the present generated text."""
        return self.review.verdict if self.review and self.status not in {"unreviewed", "outdated"} else None

    @property
    def is_done(self) -> bool:
        """Whether the reader has submitted a review of the present generated text."""
        return self.status in {"submitted", "amending"}

    @property
    def is_outdated(self) -> bool:
        """Whether the saved review judged another generated text than the present one."""
        return self.review is not None and self.review.generated_sha256 != self.case.generated_sha256

    @property
    def flaw(self) -> Flaw | None:
        """What the generated report as a whole lacks."""
        if self.case.generated is None:
            return "missing"
        if not self.case.generated.strip():
            return "blank"
        return "cut_off" if self.case.cut_off else None

    @property
    def disagreements(self) -> tuple[Kind, ...]:
        """The kinds other than `agree` that occur in this case."""
        found = {kind for kind, _ in self.findings or ()}
        return tuple(kind for kind in KINDS if kind != "agree" and kind in found)

    def concepts(self, kind: Kind) -> tuple[str, ...]:
        """Concepts of a kind, in reading order, each once."""
        return tuple(dict.fromkeys(concept for found, concept in self.findings or () if found == kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A range of one score, both ends included; studies without that score are outside of it."""

    metric: str
    low: float = 0.0
    high: float = 1.0

    def holds(self, case: ReviewCase) -> bool:
        """Whether the case's score is in the range."""
        value = case.score(self.metric)
        return value is not None and self.low <= value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The reader's filters; empty ones let everything through. Several values of one filter mean any of them.

    `order` is a score's name (studies without it come last), `disagreements` (their number), `saved` (time of the
    reader's last word) or "", the order of the run.
    """

    text: str = ""
    concepts: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    statuses: frozenset[Status] = frozenset()
    verdicts: frozenset[str] = frozenset()
    flaws: frozenset[Flaw] = frozenset()
    band: Band | None = None
    order: str = ""
    descending: bool = False

    def apply(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """Return the entries that pass every filter, in the chosen order; equal ones keep the order of the run."""
        words = self.text.casefold().split()
        kept = [entry for entry in entries if self._keeps(entry) and _says(entry.case, words)]
        if not self.order:
            return tuple(kept)
        known = [(self._value(entry), entry) for entry in kept]
        ordered = sorted(
            ((value, entry) for value, entry in known if value is not None),
            key=lambda pair: pair[0],
            reverse=self.descending,
        )
        return (*(entry for _, entry in ordered), *(entry for value, entry in known if value is None))

    def _keeps(self, entry: Entry) -> bool:
        return (
            (not self.statuses or entry.status in self.statuses)
            and (not self.verdicts or entry.verdict in self.verdicts)
            and (not self.flaws or entry.flaw in self.flaws)
            and (self.band is None or self.band.holds(entry.case))
            and (not self.kinds or any(kind in self.kinds for kind, _ in entry.findings or ()))
            and (not self.concepts or any(concept in self.concepts for _, concept in entry.findings or ()))
        )

    def _value(self, entry: Entry) -> tuple[float, str] | None:
        if self.order == BY_TIME:
            return (0.0, entry.review.saved_at) if entry.review else None
        if self.order == BY_DISAGREEMENTS:
            return None if entry.findings is None else (sum(kind != "agree" for kind, _ in entry.findings), "")
        value = entry.case.score(self.order)
        return None if value is None else (value, "")


def next_unsubmitted(entries: Sequence[Entry], *, after: str | None = None) -> str | None:
    """Id of the first case behind case `after` that is not submitted, searching round; None if all others are."""
    ids = [entry.case.id for entry in entries]
    start = ids.index(after) + 1 if after in ids else 0
    rotated = [*entries[start:], *entries[:start]]
    return next((entry.case.id for entry in rotated if not entry.is_done and entry.case.id != after), None)


def neighbour(entries: Sequence[Entry], *, of: str, step: int) -> str | None:
    """Id of the case `step` places from case `of`; None beyond the ends or when `of` is not listed."""
    ids = [entry.case.id for entry in entries]
    if of not in ids:
        return ids[0] if ids else None
    place = ids.index(of) + step
    return ids[place] if 0 <= place < len(ids) else None


def _says(case: ReviewCase, words: Sequence[str]) -> bool:
    if not words:
        return True
    haystack = f"{case.id}\n{case.case.text}\n{case.generated or ''}".casefold()
    return all(word in haystack for word in words)
