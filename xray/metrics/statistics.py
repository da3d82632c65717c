"""Intervals for scores: the percentile bootstrap over patients, on per-report sums.

A score of a corpus is a function of sums of per-report numbers (n-gram counts, true positives ...). A resample of
patients is then a vector of weights, all resamples together one matrix product, and the texts are read once. Efron and
Tibshirani 1993, chapter 13; the unit is the patient because reports of one patient resemble each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Statistic = Callable[[FloatArray], FloatArray]
"""Sums float64 [..., K] -> values float64 [...], NaN where the value is undefined."""

_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A score with its 95 % interval.

    `value` is None where the score is undefined, `low` and `high` are None where it is or where fewer than two
    patients were scored. `n` is the number of reports.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


def bootstrap_sums(sums: FloatArray, *, groups: Sequence[str], resamples: int, rng: np.random.Generator) -> FloatArray:
    """Resample groups with replacement and return the corpus sums of each resample.

    sums: float64 [N, K], one row per report; groups: N patient keys. Returns float64 [resamples, K].
    """
    names, index = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    per_group = np.zeros((len(names), sums.shape[1]))
    np.add.at(per_group, index, sums)
    drawn = np.empty((resamples, sums.shape[1]))
    step = max(1, _CELLS // len(names))
    equal = np.full(len(names), 1 / len(names))
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        drawn[start:stop] = rng.multinomial(len(names), equal, size=stop - start) @ per_group
    return drawn


def estimate(statistic: Statistic, *, sums: FloatArray, resampled: FloatArray | None) -> Estimate:
    """Evaluate a statistic on the corpus and, where `resampled` is given, its 95 % percentile interval.

    sums: float64 [N, K]; resampled: float64 [B, K] of `bootstrap_sums`. Resamples in which the statistic is undefined
    are left out.
    """
    value = float(statistic(sums.sum(axis=0)))
    if np.isnan(value):
        return Estimate(value=None, low=None, high=None, n=len(sums))
    low, high = interval(statistic(resampled)) if resampled is not None else (None, None)
    return Estimate(value=value, low=low, high=high, n=len(sums))


def interval(values: FloatArray) -> tuple[float | None, float | None]:
    """Return the 2.5th and 97.5th percentile of the defined values; None, None where none is defined."""
    defined = values[~np.isnan(values)]
    if defined.size == 0:
        return None, None
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)
