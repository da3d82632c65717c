"""BLEU of other tools: NLTK's smoothed sentences, sacreBLEU's default and the COCO caption evaluation's.

All are BLEU of Papineni et al. 2002 with one reference; they differ in what they do where an order has no match.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ORDER = 4
_TINY, _SMALL = 1e-15, 1e-9


def tally_tokens(candidate: Sequence[str], reference: Sequence[str]) -> FloatArray:
    """Sufficient statistics of BLEU, float64 [10]: matches [4], n-grams of the candidate [4], both lengths.

    Over a corpus they add up.
    """
    counts = np.zeros(2 * ORDER + 2)
    for order in range(1, ORDER + 1):
        ours, theirs = _ngrams(candidate, order), _ngrams(reference, order)
        counts[order - 1] = sum(min(count, theirs[gram]) for gram, count in ours.items() if gram in theirs)
        counts[ORDER + order - 1] = max(len(candidate) - order + 1, 0)
    counts[2 * ORDER :] = len(candidate), len(reference)
    return counts


def nltk_method3(candidate: Sequence[str], reference: Sequence[str]) -> float:
    """BLEU-4 of one report in [0, 1] as NLTK's `sentence_bleu` gives it with `SmoothingFunction().method3`.

    The k-th order without a match counts 1 / 2^k match (NIST; Chen and Cherry 2014), orders that the candidate is too
    short for included: four tokens are needed to reach 1. Without a common token the value is 0.
    """
    counts = tally_tokens(candidate, reference)
    if not counts[0]:
        return 0.0
    logs = np.log(_halved(counts[:ORDER]) / np.maximum(counts[ORDER : 2 * ORDER], 1))
    ours, theirs = counts[2 * ORDER :]
    return math.exp(logs.mean() + min(0.0, 1 - theirs / ours))


def sacrebleu_exp(sums: FloatArray) -> FloatArray:
    """Corpus BLEU-4 in [0, 100] with sacreBLEU's default smoothing `exp`: float64 [..., 10] -> [...].

    Orders without a match are smoothed as NLTK's method 3 does. 0 where nothing matches, and where the candidates have
    no n-gram of some order.
    """
    matched, total, ours, theirs = _parts(sums)
    precision = _halved(matched) / np.maximum(total, 1)
    brevity = np.exp(np.minimum(0.0, 1 - theirs / np.maximum(ours, 1)))
    defined = matched.any(axis=-1) & (total > 0).all(axis=-1)
    value: FloatArray = 100 * np.exp(np.log(precision).mean(axis=-1)) * brevity
    return np.where(defined, value, 0.0)


def coco(sums: FloatArray) -> FloatArray:
    """Corpus BLEU-1 to BLEU-4 of the COCO caption evaluation: float64 [..., 10] -> [..., 4] in [0, 1].

    Nothing is smoothed, but 1e-15 is added to matches and 1e-9 to counts, and to the lengths likewise: no division
    fails, and empty texts score 0.
    """
    matched, total, ours, theirs = _parts(sums)
    products = np.cumprod((matched + _TINY) / (total + _SMALL), axis=-1)
    ratio = (ours + _TINY) / (theirs + _SMALL)
    brevity = np.exp(np.minimum(0.0, 1 - 1 / ratio))
    value: FloatArray = products ** (1 / np.arange(1, ORDER + 1)) * brevity[..., None]
    return value


def _parts(sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return sums[..., :ORDER], sums[..., ORDER : 2 * ORDER], sums[..., 2 * ORDER], sums[..., 2 * ORDER + 1]


def _halved(matched: FloatArray) -> FloatArray:
    """Put 1/2, 1/4 ... in the place of zeros, in the order in which they come; float64 [..., 4]."""
    none = matched == 0
    return np.where(none, 0.5 ** np.cumsum(none, axis=-1), matched)


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))
