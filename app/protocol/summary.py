"""A plan in numbers, to look at before the study begins."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app.protocol.assignment import Reading, Source
from app.store.studies import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLoad:
    """What one reader gets: cases of the study, cases that come back, sentinels."""

    reader: str
    study: int
    repeats: int
    sentinels: int

    @property
    def total(self) -> int:
        """Number of readings."""
        return self.study + self.repeats + self.sentinels


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`cases` and `sentinels` are numbers of different cases; `labels` how often each source stands under A, B, ..."""

    cases: int
    sentinels: int
    strata: tuple[tuple[str, int], ...]
    loads: tuple[ReaderLoad, ...]
    labels: tuple[tuple[Source, tuple[int, ...]], ...]

    @property
    def readings(self) -> int:
        """Number of readings of all readers."""
        return sum(load.total for load in self.loads)


def summarize(plan: Sequence[Reading]) -> Summary:
    """Count what a plan asks of whom."""
    purposes = Counter((reading.assignment.reader, reading.purpose) for reading in plan)
    stratum = {reading.assignment.case_id: reading.stratum for reading in plan if reading.purpose == "study"}
    return Summary(
        cases=len(stratum),
        sentinels=len({reading.assignment.case_id for reading in plan if reading.purpose == "sentinel"}),
        strata=tuple(sorted(Counter(name for name in stratum.values() if name).items())),
        loads=tuple(_load(reader, purposes) for reader in sorted({reading.assignment.reader for reading in plan})),
        labels=_labels([reading for reading in plan if reading.purpose == "study"]),
    )


def _load(reader: str, purposes: Counter[tuple[str, Purpose]]) -> ReaderLoad:
    return ReaderLoad(
        reader=reader,
        study=purposes[reader, "study"],
        repeats=purposes[reader, "repeat"],
        sentinels=purposes[reader, "sentinel"],
    )


def _labels(plan: Sequence[Reading]) -> tuple[tuple[Source, tuple[int, ...]], ...]:
    placed = Counter(
        (Source(run_id=arm.source_run, system=arm.source_system), arm.label) for reading in plan for arm in reading.arms
    )
    letters = sorted({label for _, label in placed})
    sources = sorted({source for source, _ in placed})
    return tuple((source, tuple(placed[source, letter] for letter in letters)) for source in sources)
