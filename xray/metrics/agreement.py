"""Agreement between readers: Cohen, Fleiss, Krippendorff, Gwet's AC1, intraclass correlation, Kendall; with intervals.

Every coefficient is a function of sums over the rated units, so its interval comes from the same bootstrap as the
scores'. Ratings are float64 [units, readers], NaN where a reader did not rate. Where a coefficient is not defined (one
category in use, no unit rated twice ...) the result says why and carries no number: a kappa of perfectly agreeing
readers on a one-sided sample is 0 / 0, not 1 and not 0. The plain share of agreeing pairs always stands beside it,
since kappa falls at high prevalence even where readers agree (Feinstein, Cicchetti 1990, J. Clin. Epidemiol. 43:543).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from xray.metrics.statistics import FloatArray, Statistic, bootstrap_sums, estimate, interval

Level = Literal["nominal", "ordinal", "interval"]
Weights = Literal["none", "linear", "quadratic"]
Reason = Literal["too_few_readers", "too_few_units", "one_category", "no_variance"]
"""Why a coefficient is undefined: no unit that two readers rated; only one such unit; one category in use; no
difference between the units."""

RESAMPLES = 1000
_PAIRED_UNITS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One coefficient with its 95 % interval over resampled units; all three None where it is undefined, by `reason`.

    units: units that count (rated by two readers; by all of them for the intraclass correlation); readers: readers who
    rated any of those; raw: share of agreeing pairs of ratings, 0-1, None without pairs.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int
    readers: int
    raw: float | None
    reason: Reason | None


def cohen_kappa(ratings: FloatArray, *, weights: Weights = "none", seed: int = 0) -> Agreement:
    """Agreement of two readers beyond chance, in [-1, 1]. ratings: [N, 2]; units that one of them left out are dropped.

    Weights: linear or quadratic in the places of the sorted categories, for ordered scales. Cohen 1960, Educ. Psychol.
    Meas. 20:37; 1968, Psychol. Bull. 70:213.
    """
    both = ratings[~np.isnan(ratings).any(axis=1)]
    values = np.unique(both)
    cost = _costs(len(values), weights)
    cells = _one_hot(both[:, 0], values)[:, :, None] * _one_hot(both[:, 1], values)[:, None, :]

    def statistic(sums: FloatArray) -> FloatArray:
        table = sums.reshape(*sums.shape[:-1], len(values), len(values))
        total = table.sum(axis=(-2, -1))
        by_chance = table.sum(axis=-1)[..., :, None] * table.sum(axis=-2)[..., None, :]
        return 1 - _ratio(total * (table * cost).sum(axis=(-2, -1)), (by_chance * cost).sum(axis=(-2, -1)))

    return _agreement(both, cells.reshape(len(both), len(values) ** 2), statistic, seed=seed)


def fleiss_kappa(ratings: FloatArray, *, seed: int = 0) -> Agreement:
    """Agreement of any number of readers beyond chance; units with one rating count for the categories' shares alone.

    Fleiss 1971, Psychol. Bull. 76:378; for unequal numbers of ratings: Gwet 2014, Handbook of Inter-Rater Reliability.
    """
    return _chance_corrected(ratings, lambda shares: (shares**2).sum(axis=-1), seed=seed)


def gwet_ac1(ratings: FloatArray, *, seed: int = 0) -> Agreement:
    """Agreement beyond chance that does not fall at high prevalence. Gwet 2008, Br. J. Math. Stat. Psychol. 61:29."""

    def chance(shares: FloatArray) -> FloatArray:
        return np.asarray((shares * (1 - shares)).sum(axis=-1) / max(1, shares.shape[-1] - 1))

    return _chance_corrected(ratings, chance, seed=seed)


def krippendorff_alpha(ratings: FloatArray, *, level: Level = "nominal", seed: int = 0) -> Agreement:
    """Reliability with missing ratings: 1 - observed / expected disagreement. Krippendorff 2011, "Computing alpha"."""
    pairable = _pairable(ratings)
    values = np.unique(pairable[~np.isnan(pairable)])
    counts = _counts(pairable, values)
    same = np.eye(len(values))
    pairs = counts[:, :, None] * (counts[:, None, :] - same)
    cells = pairs / (counts.sum(axis=1) - 1)[:, None, None]

    def statistic(sums: FloatArray) -> FloatArray:
        table = sums.reshape(*sums.shape[:-1], len(values), len(values))
        totals = table.sum(axis=-1)
        distance = _distances(totals, values, level=level)
        expected = (totals[..., :, None] * totals[..., None, :] * distance).sum(axis=(-2, -1))
        observed = (table * distance).sum(axis=(-2, -1))
        return np.asarray(1 - (totals.sum(axis=-1) - 1) * _ratio(observed, expected))

    return _agreement(pairable, cells.reshape(len(pairable), len(values) ** 2), statistic, seed=seed)


def icc(ratings: FloatArray, *, form: Literal["A,1", "C,1"] = "A,1", seed: int = 0) -> Agreement:
    """Intraclass correlation of single numeric ratings, two-way: absolute agreement (A,1) or consistency (C,1).

    Only units that every reader rated count. McGraw and Wong 1996, Psychol. Methods 1:30, cases 2 and 3.
    """
    whole = ratings[~np.isnan(ratings).any(axis=1)]
    readers = whole.shape[1]
    row = whole.sum(axis=1, keepdims=True)
    sums = np.hstack([np.ones_like(row), whole, row**2, (whole**2).sum(axis=1, keepdims=True)])

    def statistic(totals: FloatArray) -> FloatArray:
        n, columns = totals[..., 0], totals[..., 1 : readers + 1]
        grand = columns.sum(axis=-1) ** 2 / (n * readers)
        between_units = totals[..., -2] / readers - grand
        between_readers = (columns**2).sum(axis=-1) / n - grand
        rest = totals[..., -1] - grand - between_units - between_readers
        ms_units = _ratio(between_units, n - 1)
        ms_rest = _ratio(rest, (n - 1) * (readers - 1))
        bias = readers / n * (between_readers / max(1, readers - 1) - ms_rest) if form == "A,1" else 0.0
        return _ratio(ms_units - ms_rest, ms_units + (readers - 1) * ms_rest + bias)

    return _agreement(whole, sums, statistic, seed=seed, numeric=True)


def _chance_corrected(ratings: FloatArray, chance: Callable[[FloatArray], FloatArray], *, seed: int) -> Agreement:
    rated = ratings[(~np.isnan(ratings)).any(axis=1)]
    values = np.unique(rated[~np.isnan(rated)])
    counts = _counts(rated, values)
    number = counts.sum(axis=1, keepdims=True)
    twice = number >= 2
    agreeing = np.where(twice, (counts * (counts - 1)).sum(axis=1, keepdims=True), 0) / np.maximum(
        1, number * (number - 1)
    )
    sums = np.hstack([agreeing, twice, counts / np.maximum(1, number), np.ones_like(number)])

    def statistic(totals: FloatArray) -> FloatArray:
        observed = _ratio(totals[..., 0], totals[..., 1])
        by_chance = chance(totals[..., 2:-1] / totals[..., -1:])
        return _ratio(observed - by_chance, 1 - by_chance)

    return _agreement(rated, sums, statistic, seed=seed)


def _agreement(
    ratings: FloatArray, sums: FloatArray, statistic: Statistic, *, seed: int, numeric: bool = False
) -> Agreement:
    counted = _pairable(ratings)
    readers = int((~np.isnan(counted)).any(axis=0).sum())
    values = np.unique(counted[~np.isnan(counted)])
    reason = _reason(counted, readers=readers, categories=len(values), numeric=numeric)
    raw = _raw(counted, values) if len(counted) else None
    if reason is not None:
        return Agreement(value=None, low=None, high=None, units=len(counted), readers=readers, raw=raw, reason=reason)
    drawn = bootstrap_sums(
        sums, groups=[str(unit) for unit in range(len(sums))], resamples=RESAMPLES, rng=np.random.default_rng(seed)
    )
    found = estimate(statistic, sums=sums, resampled=drawn)
    undefined: Reason | None = "no_variance" if found.value is None else None
    return Agreement(
        value=found.value,
        low=found.low,
        high=found.high,
        units=len(counted),
        readers=readers,
        raw=raw,
        reason=undefined,
    )


def _reason(counted: FloatArray, *, readers: int, categories: int, numeric: bool) -> Reason | None:
    if readers < 2:
        return "too_few_readers"
    if len(counted) < 2:
        return "too_few_units"
    if categories < 2:
        return "no_variance" if numeric else "one_category"
    return None


def _raw(counted: FloatArray, values: FloatArray) -> float:
    counts = _counts(counted, values)
    number = counts.sum(axis=1)
    return float((counts * (counts - 1)).sum() / (number * (number - 1)).sum())


def _pairable(ratings: FloatArray) -> FloatArray:
    """Return the units that two readers or more have rated."""
    return np.asarray(ratings[(~np.isnan(ratings)).sum(axis=1) >= 2])


def _counts(ratings: FloatArray, values: FloatArray) -> FloatArray:
    """Return float64 [N, K]: how many readers gave each unit each of `values`."""
    counts: FloatArray = (ratings[:, :, None] == values).sum(axis=1).astype(np.float64)
    return counts


def _one_hot(column: FloatArray, values: FloatArray) -> FloatArray:
    hot: FloatArray = (column[:, None] == values).astype(np.float64)
    return hot


def _costs(number: int, weights: Weights) -> FloatArray:
    places = np.arange(number, dtype=np.float64)
    apart = np.abs(places[:, None] - places)
    if weights == "none":
        return (apart > 0).astype(np.float64)
    return apart if weights == "linear" else apart**2


def _distances(totals: FloatArray, values: FloatArray, *, level: Level) -> FloatArray:
    """Return squared distances of values, float64 [..., K, K]; on an ordinal scale they depend on the counts."""
    if level == "nominal":
        return 1 - np.eye(len(values))
    if level == "interval":
        return (values[:, None] - values) ** 2
    upto = np.cumsum(totals, axis=-1) - totals / 2
    return np.asarray((upto[..., :, None] - upto[..., None, :]) ** 2)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Divide; NaN where the divisor is 0, or so near it that only rounding keeps it from 0."""
    below = np.where(np.abs(below) > 1e-12, below, np.nan)
    return np.asarray(above / below)


def kendall_tau(automatic: FloatArray, human: FloatArray, *, seed: int = 0) -> Agreement:
    """Rank correlation tau-b of a metric with human judgement, float64 [N] each. Kendall 1945, Biometrika 33:239.

    Pairs with a NaN on either side are left out. How metrics are judged in Yu et al. 2023, Patterns 4:100802 (ReXVal).
    """
    both = np.column_stack([automatic, human])
    both = both[~np.isnan(both).any(axis=1)]
    reason: Reason | None = "too_few_units" if len(both) < 2 else None
    tau = np.nan if reason else float(kendalltau(both[:, 0], both[:, 1]).statistic)
    if np.isnan(tau):
        why: Reason = reason or "no_variance"
        return Agreement(value=None, low=None, high=None, units=len(both), readers=2, raw=None, reason=why)
    places = np.random.default_rng(seed).integers(len(both), size=(RESAMPLES, len(both)))
    low, high = interval(_taus(both, places))
    return Agreement(value=tau, low=low, high=high, units=len(both), readers=2, raw=None, reason=None)


def _taus(both: FloatArray, places: NDArray[np.int64]) -> FloatArray:
    """Return tau-b of each resample, float64 [B]: both [N, 2], places [B, N]; NaN where a side does not vary.

    All pairs of a resample are sums over pairs of units, weighted by how often both were drawn: two matrix products
    for all resamples, where one sort each would take seconds. Of many units the pairs would not fit into memory.
    """
    if len(both) > _PAIRED_UNITS:
        return np.array([kendalltau(both[row, 0], both[row, 1]).statistic for row in places])
    first, second = (np.sign(column[:, None] - column) for column in both.T)
    weights = np.zeros((len(places), len(both)))
    np.add.at(weights, (np.arange(len(places))[:, None], places), 1)
    concordant, varied_first, varied_second = (
        ((weights @ pairs) * weights).sum(axis=1) for pairs in (first * second, np.abs(first), np.abs(second))
    )
    return _ratio(concordant, np.sqrt(varied_first * varied_second))


def ratings_table(rows: Sequence[tuple[str, str, float]]) -> FloatArray:
    """Return ratings [units, readers] of (unit, reader, value) rows, both in sorted order, NaN where none was given.

    Of several values of one reader for one unit the last counts.
    """
    units, readers = (
        {name: place for place, name in enumerate(sorted({row[column] for row in rows}))} for column in (0, 1)
    )
    table = np.full((len(units), len(readers)), np.nan)
    for unit, reader, value in rows:
        table[units[unit], readers[reader]] = value
    return table
