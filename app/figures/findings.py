"""Finding by finding: how often the generated reports got it right, invented it, or left it out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from app.figures.table import Interval
from app.mark_file import Findings
from xray.metrics.marks import Kind
from xray.metrics.statistics import FloatArray, bootstrap_sums, interval

DRAWS = 1000
_MATCHED: tuple[Kind, ...] = ("agree", "side", "place", "degree")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The findings of one study, and the patient by whom studies are resampled."""

    patient: str
    findings: Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingScores:
    """One concept over all studies, a pair of answering findings counted once.

    `kinds` are the counts by kind; a finding at another side, place or degree is found. Precision and recall are None
    where no generated or no reference report states the concept. `f1` has its interval over resampled patients.
    """

    concept: str
    kinds: Mapping[Kind, int]
    f1: Interval

    @property
    def matched(self) -> int:
        """Findings of the reference that the generated report states, if with an error of side, place or degree."""
        return sum(self.kinds.get(kind, 0) for kind in _MATCHED)

    @property
    def stated(self) -> int:
        """Number in the reference reports."""
        return self.matched + self.kinds.get("omitted", 0)

    @property
    def generated(self) -> int:
        """Number in the generated reports."""
        return self.matched + self.kinds.get("false", 0)

    @property
    def precision(self) -> float | None:
        """Share of the generated findings that the reference states."""
        return self.matched / self.generated if self.generated else None

    @property
    def recall(self) -> float | None:
        """Share of the reference's findings that were generated."""
        return self.matched / self.stated if self.stated else None


def finding_scores(cases: Iterable[Case], *, seed: int = 0) -> tuple[FindingScores, ...]:
    """Count the findings of all studies by concept, the most frequent first. Deterministic by `seed`."""
    rows = tuple(cases)
    counts: dict[str, Counter[Kind]] = {}
    for row in rows:
        for kind, concept in row.findings:
            counts.setdefault(concept, Counter())[kind] += 1
    concepts = sorted(counts, key=lambda name: (-sum(counts[name].values()), name))
    intervals = _f1(rows, concepts, seed=seed)
    return tuple(
        FindingScores(concept=name, kinds=dict(counts[name]), f1=intervals[number])
        for number, name in enumerate(concepts)
    )


def _f1(rows: tuple[Case, ...], concepts: list[str], *, seed: int) -> list[Interval]:
    """F1 of each concept = 2 matched / (stated + generated), from sums of (matched, false, omitted) over patients."""
    place = {name: number for number, name in enumerate(concepts)}
    column = {**dict.fromkeys(_MATCHED, 0), "false": 1, "omitted": 2}
    sums = np.zeros((len(rows), len(concepts), 3))
    for number, row in enumerate(rows):
        for kind, concept in row.findings:
            sums[number, place[concept], column[kind]] += 1
    values = _f1_of(sums.sum(axis=0))
    if len({row.patient for row in rows}) < 2:
        return [Interval(value=float(value)) for value in values]
    flat = sums.reshape(len(rows), -1)
    drawn = bootstrap_sums(
        flat, groups=[row.patient for row in rows], resamples=DRAWS, rng=np.random.default_rng(seed)
    ).reshape(DRAWS, len(concepts), 3)
    ends = [interval(_f1_of(drawn[:, number])) for number in range(len(concepts))]
    return [Interval(value=float(value), low=low, high=high) for value, (low, high) in zip(values, ends, strict=True)]


def _f1_of(sums: FloatArray) -> FloatArray:
    """Return F1 [...] of sums (matched, false, omitted), float64 [..., 3]; NaN where there is nothing."""
    total = 2 * sums[..., 0] + sums[..., 1] + sums[..., 2]
    return np.asarray(2 * sums[..., 0] / np.where(total > 0, total, np.nan))
