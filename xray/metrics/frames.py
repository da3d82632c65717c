"""Scores of the findings with their attributes: sums for the corpus, and what one report earns.

The weighted scores follow CRIMSON (2026) and the counted one GREEN (Ostmeier et al. 2024), without their language
models: findings come from rules, so the same texts give the same numbers, and each has its words as evidence.
"""

import numpy as np
from numpy.typing import NDArray

from xray.metrics.compare import Comparison
from xray.metrics.differences import ERROR_KINDS

FloatArray = NDArray[np.float64]
QUANTITIES = 5 + len(ERROR_KINDS)
"""Numbers per report: credit, weight of the reference, of the matches, of what is false, matches, and six errors."""


def frame_sums(comparison: Comparison) -> FloatArray:
    """Return what one report contributes, float64 [11]: see `QUANTITIES`. A match weighs what its reference weighs."""
    matched = [match.reference.weight for match in comparison.matches]
    credit = sum(match.reference.weight * match.credit for match in comparison.matches)
    omitted = sum(one.weight for one in comparison.omitted)
    false = sum(one.weight for one in comparison.false)
    errors = [float(comparison.errors[kind]) for kind in ERROR_KINDS]
    return np.array([credit, sum(matched) + omitted, sum(matched), false, len(matched), *errors], dtype=np.float64)


def frame_f1(sums: FloatArray) -> FloatArray:
    """Weighted F1 of summed rows float64 [..., 11] -> [...]: 1 where nothing is stated on either side."""
    credit, reference, matched, false = _weights(sums)
    return _share(2 * credit, reference + matched + false)


def frame_precision(sums: FloatArray) -> FloatArray:
    """Weighted share of what the candidate states that is right, float64 [..., 11] -> [...]: 1 for two empty sides."""
    credit, reference, matched, false = _weights(sums)
    return np.where(matched + false > 0, _share(credit, matched + false), np.where(reference > 0, 0.0, 1.0))


def frame_recall(sums: FloatArray) -> FloatArray:
    """Weighted share of what the reference states that was found, float64 [..., 11] -> [...]: 1 for two empty sides."""
    credit, reference, _, false = _weights(sums)
    return np.where(reference > 0, _share(credit, reference), np.where(false > 0, 0.0, 1.0))


def green_zh(sums: FloatArray) -> FloatArray:
    """Return matches over matches and errors of single reports, float64 [..., 11] -> [...]; 1 where is neither."""
    matches, errors = sums[..., 4], sums[..., 5:].sum(axis=-1)
    return _share(matches, matches + errors)


def crimson_zh(sums: FloatArray) -> FloatArray:
    """Signed score of single reports, float64 [..., 11] -> (-1, 1].

    (credit - false) / reference where that is not negative. Below, x = false - credit is squashed to -x / (1 + x), so
    a report of nothing but false findings approaches -1. 1 where nothing is stated on either side, 0 where all is left
    out.
    """
    credit, reference, _, false = _weights(sums)
    excess = false - credit
    below = -np.maximum(excess, 0) / (1 + np.maximum(excess, 0))
    above = np.divide(-excess, reference, out=np.zeros_like(excess), where=reference > 0)
    empty = (reference == 0) & (false == 0)
    return np.where(empty, 1.0, np.where(excess > 0, below, above))


def weight_at_stake(sums: FloatArray) -> FloatArray:
    """Weight of the reference's findings and of the false ones, float64 [..., 11] -> [...]."""
    _, reference, _, false = _weights(sums)
    return reference + false


def _weights(sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return sums[..., 0], sums[..., 1], sums[..., 2], sums[..., 3]


def _share(top: FloatArray, bottom: FloatArray) -> FloatArray:
    return np.divide(top, bottom, out=np.ones_like(np.asarray(bottom, dtype=np.float64)), where=bottom > 0)
