"""How far each reader is, how long they work, and what they made of cases whose answer is known."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import quantiles
from typing import Literal

from app.document import ReviewDocument
from app.figures.ratings import Reading, count_errors
from app.protocol.disagreement import NEITHER
from app.protocol.sentinels import KNOWN_GOOD
from app.store.arms import Task
from app.store.ledger import Progress

Outcome = Literal["found", "missed", "passed", "false_alarm", "untold"]
OUTCOMES: tuple[Outcome, ...] = ("found", "missed", "passed", "false_alarm", "untold")
"""Of a planted error: found, missed. Of a report that is right: passed, false_alarm. untold: the form asks nothing that
would tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quartiles:
    """Median and quartiles of a sample of `count`; all None without one."""

    median: float | None
    lower: float | None
    upper: float | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderProgress:
    """One reader in one study, or in the open review of one run (`study_id` is "").

    assigned: cases to read. done: submitted, or outside of studies with a verdict. drafts: begun. skipped: put aside or
    declared void. active seconds and edits are of what is done; reviews without measured time are left out of them.
    """

    reader: str
    study_id: str
    run_id: str
    assigned: int
    done: int
    drafts: int
    skipped: int
    active_seconds: Quartiles
    edits: Quartiles
    last_saved: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinels:
    """What one reader of a study made of its sentinels."""

    reader: str
    outcomes: Mapping[Outcome, int]


def in_studies(tasks: Iterable[Task], reviews: Iterable[Progress]) -> tuple[ReaderProgress, ...]:
    """Return the progress of every reader in every study that they have tasks in."""
    by_task = {review.task: review for review in reviews if review.task}
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        groups.setdefault((task.study_id, task.reader), []).append(task)
    return tuple(
        _progress(
            reader,
            [by_task[task.id] for task in own if task.id in by_task],
            study_id=study_id,
            run_id=own[0].run_id,
            assigned=len(own),
            is_done=lambda review: review.given_at is not None,
        )
        for (study_id, reader), own in sorted(groups.items())
    )


def in_open_review(reviews: Iterable[Progress], *, sizes: Mapping[str, int]) -> tuple[ReaderProgress, ...]:
    """Return the progress of every reader outside of studies, by run; `sizes` are the runs' numbers of cases."""
    groups: dict[tuple[str, str], list[Progress]] = {}
    for review in reviews:
        if not review.task and review.run_id in sizes:
            groups.setdefault((review.run_id, review.reviewer), []).append(review)
    return tuple(
        _progress(
            reader,
            own,
            study_id="",
            run_id=run_id,
            assigned=sizes[run_id],
            is_done=lambda review: review.given_at is not None or review.verdict is not None,
        )
        for (run_id, reader), own in sorted(groups.items())
    )


def by_day(reviews: Iterable[Progress]) -> tuple[tuple[date, int], ...]:
    """Count first submissions by day of this machine's time zone, from the first day to the last without a gap."""
    days = Counter(datetime.fromisoformat(review.given_at).astimezone().date() for review in reviews if review.given_at)
    if not days:
        return ()
    first, last = min(days).toordinal(), max(days).toordinal()
    return tuple((day, days[day]) for day in map(date.fromordinal, range(first, last + 1)))


def quartiles(values: Sequence[float]) -> Quartiles:
    """Return median and quartiles, linear between the values (method 7 of Hyndman and Fan 1996)."""
    if not values:
        return Quartiles(median=None, lower=None, upper=None, count=0)
    if len(values) == 1:
        return Quartiles(median=values[0], lower=values[0], upper=values[0], count=1)
    lower, median, upper = quantiles(values, n=4, method="inclusive")
    return Quartiles(median=median, lower=lower, upper=upper, count=len(values))


def sentinels(readings: Iterable[Reading]) -> tuple[Sentinels, ...]:
    """Count by reader what became of the sentinels that they submitted."""
    found: dict[str, Counter[Outcome]] = {}
    for one in readings:
        if one.task is not None and one.task.purpose == "sentinel":
            found.setdefault(one.reader, Counter())[outcome(one.document, task=one.task)] += 1
    return tuple(
        Sentinels(reader=reader, outcomes={name: counts[name] for name in OUTCOMES})
        for reader, counts in sorted(found.items())
    )


def outcome(document: ReviewDocument, *, task: Task) -> Outcome:
    """Tell what a reader made of a sentinel.

    Of several reports the right one has to be preferred; where all are planted, none. Of one report, a verdict other
    than accept, an error, a sentence that is not accepted or a corrected text is an objection.
    """
    systems = {label: origin.system for label, origin in task.origins.items()}
    if len(systems) > 1:
        return _of_preference(document, systems)
    is_good = KNOWN_GOOD in systems.values()
    objects = _objects(document)
    if objects is None:
        return "untold"
    if is_good:
        return "false_alarm" if objects else "passed"
    return "found" if objects else "missed"


def _of_preference(document: ReviewDocument, systems: Mapping[str, str]) -> Outcome:
    if document.preference is None:
        return "untold"
    right = {label for label, system in systems.items() if system == KNOWN_GOOD} or {NEITHER}
    return "found" if document.preference.choice in right else "missed"


def _objects(document: ReviewDocument) -> bool | None:
    """Whether the review objects to the report; None where it says nothing either way."""
    decisions = [sentence.decision for sentence in document.sentences if sentence.decision is not None]
    objects = (
        document.verdict in ("edit", "reject")
        or any(decision != "accept" for decision in decisions)
        or count_errors(document, significant_only=False) > 0
        or bool(document.corrected.strip())
    )
    counts = any("." in answer.question for answer in document.answers)
    return objects if objects or document.verdict or decisions or counts else None


def _progress(
    reader: str,
    reviews: Sequence[Progress],
    *,
    study_id: str,
    run_id: str,
    assigned: int,
    is_done: Callable[[Progress], bool],
) -> ReaderProgress:
    valid = [review for review in reviews if review.status != "void"]
    done = [review for review in valid if is_done(review)]
    timed = [review for review in done if review.active_ms]
    return ReaderProgress(
        reader=reader,
        study_id=study_id,
        run_id=run_id,
        assigned=assigned,
        done=len(done),
        drafts=len(valid) - len(done),
        skipped=len(reviews) - len(valid),
        active_seconds=quartiles([review.active_ms / 1000 for review in timed]),
        edits=quartiles([float(review.edits) for review in timed]),
        last_saved=max((review.saved_at for review in reviews), default=""),
    )
