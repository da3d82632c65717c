"""Run against run: whether their scores may be compared, and by how much they differ, patient by patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.figures.table import Interval
from app.run import ADAPTER_SYSTEM, Run
from xray.metrics.statistics import bootstrap_sums, interval

DRAWS = 1000
Obstacle = Literal["same_run", "unknown_split", "other_split", "other_words"]
"""Why two runs do not compare: it is one run; a file of before that does not name its test studies; other test studies;
labelled by another lexicon or otherwise made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of two runs: the mean of both over the reports that both have a value of, and second - first.

    Fewer than two patients give no interval. `reports` and `patients` are those that count. The interval is of the
    paired bootstrap over patients.
    """

    metric: str
    first: float | None
    second: float | None
    difference: Interval
    reports: int
    patients: int


def obstacle(first: Run, second: Run) -> Obstacle | None:
    """Return why the scores of two runs may not be compared, None where they may."""
    ours, theirs = first.scores, second.scores
    if first.id == second.id:
        return "same_run"
    if not ours.split or not theirs.split:
        return "unknown_split"
    if ours.split != theirs.split:
        return "other_split"
    same_words = (ours.profile, ours.lexicon, ours.signature) == (theirs.profile, theirs.lexicon, theirs.signature)
    return None if same_words else "other_words"


def differences(first: Run, second: Run, *, seed: int = 0) -> tuple[Difference, ...]:
    """Compare the single reports' values of two comparable runs."""
    ours, theirs = (run.scores.per_report.get(ADAPTER_SYSTEM, {}) for run in (first, second))
    patients = {case.id: case.case.patient_key for case in first.cases}
    ids = [name for name in patients if name in ours and name in theirs]
    metrics = dict.fromkeys(name for case_id in ids for name in ours[case_id] if name in theirs[case_id])
    return tuple(
        _difference(metric, _pairs(metric, ids, ours, theirs), patients=patients, seed=seed) for metric in metrics
    )


_Values = Mapping[str, Mapping[str, float | None]]


def _pairs(metric: str, ids: list[str], ours: _Values, theirs: _Values) -> dict[str, tuple[float, float]]:
    both = ((name, ours[name].get(metric), theirs[name].get(metric)) for name in ids)
    return {name: (one, other) for name, one, other in both if one is not None and other is not None}


def _difference(
    metric: str, pairs: Mapping[str, tuple[float, float]], *, patients: Mapping[str, str], seed: int
) -> Difference:
    groups = [patients[name] for name in pairs]
    number = len(set(groups))
    values = np.array(list(pairs.values())).reshape(-1, 2)
    first, second = (float(column.mean()) if len(values) else None for column in values.T)
    value = second - first if first is not None and second is not None else None
    low, high = None, None
    if number >= 2:
        # A report counts once: the mean of a resample is its sum of differences over its number of reports.
        sums = np.column_stack([values[:, 1] - values[:, 0], np.ones(len(values))])
        drawn = bootstrap_sums(sums, groups=groups, resamples=DRAWS, rng=np.random.default_rng(seed))
        low, high = interval(drawn[:, 0] / drawn[:, 1])
    return Difference(
        metric=metric,
        first=first,
        second=second,
        difference=Interval(value=value, low=low, high=high),
        reports=len(pairs),
        patients=number,
    )
