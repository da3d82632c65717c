"""Intervals for scores and tests between two systems, on per-report sums.

A score of a corpus is a function of sums of per-report numbers (n-gram counts, true positives ...). A resample of
patients is then a vector of weights, an exchange of two systems' reports a vector of signs, all of them together one
matrix product, and the texts are read once. The unit is the patient because reports of one patient resemble each other.

Sources: percentile bootstrap, Efron and Tibshirani 1993, chapter 13. Approximate randomisation, Noreen 1989, Computer
Intensive Methods for Testing Hypotheses, chapter 2. The observed arrangement is one of those counted, so that p is
never 0: Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39. Several metrics: Holm 1979, Scand. J. Stat. 6:65.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Statistic = Callable[[FloatArray], FloatArray]
"""Sums float64 [..., K] -> values float64 [...], NaN where the value is undefined."""

EXACT_UNITS = 12
"""With so many units or fewer that differ, all exchanges are enumerated and none is drawn."""

_CELLS = 4_000_000
_MOST_UNDEFINED = 0.2
"""A value that one patient alone bears is undefined in a quarter to 37 % of the resamples, the others all repeat it; of
two patients both are missing in 14 % at most."""
_TIE = 1e-10
"""Differences closer than this are ties: sums of fractions depend on their order in the last digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A score with its 95 % interval.

    `value` is None where the score is undefined, `low` and `high` are None where it is or where fewer than two
    patients bear on it. `n` is the number of reports.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanges:
    """The corpus sums of two systems under exchanges of whole patients; row 0 is the observed arrangement.

    first, second: float64 [R, K]. exact: whether the R rows are all 2^differing exchanges, else the observed one and
    R - 1 random ones. units: number of patients. differing: those whose reports differ between the systems; exchanging
    another changes nothing.
    """

    first: FloatArray
    second: FloatArray
    exact: bool
    units: int
    differing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """Outcome of a randomisation test, two-sided.

    p: share of the exchanges with a difference at least as large as the observed one, in (0, 1]; None where the
    observed difference is undefined. smallest_p: the smallest p that any outcome on these reports could have had; None
    with p. Where it exceeds a level, no result is significant at that level, however large the difference.
    """

    p: float | None
    smallest_p: float | None


def bootstrap_sums(sums: FloatArray, *, groups: Sequence[str], resamples: int, rng: np.random.Generator) -> FloatArray:
    """Resample groups with replacement and return the corpus sums of each resample.

    sums: float64 [N, K], one row per report; groups: N patient keys. Returns float64 [resamples, K].
    """
    per_group = _per_group(sums, groups)
    number = len(per_group)
    drawn = np.empty((resamples, sums.shape[1]))
    step = max(1, _CELLS // number)
    equal = np.full(number, 1 / number)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        drawn[start:stop] = rng.multinomial(number, equal, size=stop - start) @ per_group
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
    """Return the 2.5th and 97.5th percentile of the defined values.

    None, None where more than a fifth is undefined: then one patient bears the value, and the interval would have no
    width.
    """
    defined = values[~np.isnan(values)]
    if defined.size == 0 or defined.size < (1 - _MOST_UNDEFINED) * values.size:
        return None, None
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def exchange_sums(
    first: FloatArray, second: FloatArray, *, groups: Sequence[str], draws: int, rng: np.random.Generator
) -> Exchanges:
    """Exchange the two systems' reports of whole patients and return the corpus sums of both sides.

    first, second: float64 [N, K], one row per report, the same reports in the same order; groups: N patient keys. If
    the reports of `EXACT_UNITS` patients or fewer differ, all exchanges are made, else `draws` random ones. The order
    of the reports does not matter. Raises ValueError when the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"rows of shape {first.shape} and {second.shape}: not the same reports")
    change = _per_group(second - first, groups)
    moving = change[(np.abs(change) > _TIE).any(axis=1)]
    exact = len(moving) <= EXACT_UNITS
    moved = _all_subsets(moving) if exact else _random_subsets(moving, draws=draws, rng=rng)
    return Exchanges(
        first=first.sum(axis=0) + moved,
        second=second.sum(axis=0) - moved,
        exact=exact,
        units=len(change),
        differing=len(moving),
    )


def paired_test(statistic: Statistic, exchanges: Exchanges) -> PairedTest:
    """Test whether two systems differ in a statistic: approximate randomisation, exact where all exchanges are made.

    With R random exchanges p = (k + 1) / (R + 1), with all 2^n of them p = k / 2^n where k counts the observed one too.
    An exchange that leaves the statistic undefined counts as extreme, which can only raise p.
    """
    differences = np.abs(statistic(exchanges.second) - statistic(exchanges.first))
    if np.isnan(differences[0]):
        return PairedTest(p=None, smallest_p=None)
    largest = np.nanmax(differences)
    extreme = np.where(np.isnan(differences), np.inf, differences)
    p, smallest = (float((extreme >= bound - _TIE).mean()) for bound in (differences[0], largest))
    return PairedTest(p=p, smallest_p=smallest)


def holm(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Adjust p values of several tests so that the chance of any false finding among them stays below the level.

    Holm 1979: the i-th smallest of m is multiplied by m - i + 1, never below its predecessor and at most 1. A None is
    no test: it stays None and is not counted.
    """
    tested = sorted((value, name) for name, value in values.items() if value is not None)
    adjusted: dict[str, float | None] = dict.fromkeys(values)
    reached = 0.0
    for position, (value, name) in enumerate(tested):
        reached = max(reached, min(1.0, value * (len(tested) - position)))
        adjusted[name] = reached
    return adjusted


def _per_group(sums: FloatArray, groups: Sequence[str]) -> FloatArray:
    """Return float64 [G, K], the sums of each group, in the order of the sorted keys."""
    names, index = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    per_group = np.zeros((len(names), sums.shape[1]))
    np.add.at(per_group, index, sums)
    return per_group


def _all_subsets(rows: FloatArray) -> FloatArray:
    """Return the sums of all subsets of rows, float64 [2^N, K], the empty one first."""
    numbers = np.arange(2 ** len(rows))[:, None]
    members = (numbers >> np.arange(len(rows))) & 1
    sums: FloatArray = members.astype(np.float64) @ rows
    return sums


def _random_subsets(rows: FloatArray, *, draws: int, rng: np.random.Generator) -> FloatArray:
    """Return the sums of the empty subset and of `draws` random ones, float64 [1 + draws, K]."""
    sums = np.zeros((1 + draws, rows.shape[1]))
    step = max(1, _CELLS // len(rows))
    for start in range(1, 1 + draws, step):
        stop = min(start + step, 1 + draws)
        members = rng.integers(2, size=(stop - start, len(rows)), dtype=np.int8)
        sums[start:stop] = members.astype(np.float64) @ rows
    return sums
