"""Text overlap of Chinese reports, on characters: BLEU, ROUGE-L, chrF and exact match.

Secondary to the clinical scores: a report with every side swapped keeps a BLEU-4 of .98. Tokens are characters without
white space, punctuation included. Word tokenisers made for English return one token, or none, for a Chinese report and
score identical reports 0; characters cannot.

BLEU (Papineni et al. 2002) and chrF (Popović 2015) take the characters as they are written, so that anyone gets the
same number from sacreBLEU (`--tokenize char --smooth-method none`, and its `chrf`) on the same files. They differ in
two places: BLEU of texts that are all shorter than its order (sacreBLEU: 0, also for identical ones), and texts that
are all empty (sacreBLEU: 0, here 1 if both sides are). ROUGE-L (Lin 2004, beta 1.2 as in the COCO caption evaluation)
and exact match compare normalised texts (`xray.text.normalize`). All values are in [0, 1].
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from xray.text.normalize import normalize

FloatArray = NDArray[np.float64]

BLEU_ORDER = 4
CHRF_ORDER = 6
CHRF_BETA = 2.0
ROUGE_BETA = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """Sufficient statistics of one pair of texts; over a corpus they add up.

    matched, candidate, reference: float64 [6], numbers of n-grams of order 1 to 6. comparable: float64 [6], those of
    the candidate again, 0 for orders the reference is too short for, as chrF counts them.
    """

    matched: FloatArray
    candidate: FloatArray
    reference: FloatArray
    comparable: FloatArray


def tokens(text: str) -> str:
    """Return the characters of a text without white space, as one string: one token per character."""
    return "".join(text.split())


def tally(candidate: str, reference: str) -> Tallies:
    """Count the character n-grams of two texts and those they share (clipped, as BLEU and chrF do)."""
    hypothesis, target = tokens(candidate), tokens(reference)
    counts = np.zeros((3, CHRF_ORDER))
    shared = 1
    for order in range(1, CHRF_ORDER + 1):
        if shared:  # texts without a common n-gram have no longer one either
            shared = _shared(hypothesis, target, order)
        sizes = (max(len(text) - order + 1, 0) for text in (hypothesis, target))
        counts[:, order - 1] = shared, *sizes
    comparable = np.where(counts[2] > 0, counts[1], 0.0)
    return Tallies(matched=counts[0], candidate=counts[1], reference=counts[2], comparable=comparable)


def bleu(matched: FloatArray, candidate: FloatArray, reference: FloatArray, *, order: int) -> FloatArray:
    """Corpus BLEU from summed tallies: float64 [..., >= order] each -> float64 [...].

    No smoothing. Orders that neither side is long enough for are left out, so that identical short texts score 1
    (sacreBLEU scores them 0); two empty texts score 1, one empty text 0.
    """
    used = (candidate[..., :order] > 0) | (reference[..., :order] > 0)
    precision = _ratio(matched[..., :order], candidate[..., :order])
    return _geometric(precision, used) * _brevity(candidate[..., 0], reference[..., 0])


def sentence_bleu(matched: FloatArray, candidate: FloatArray, reference: FloatArray, *, order: int) -> FloatArray:
    """BLEU of single reports, with one added to the counts of orders above 1 (Lin and Och 2004)."""
    used = (candidate[..., :order] > 0) | (reference[..., :order] > 0)
    one = np.where(np.arange(order) > 0, 1.0, 0.0)
    precision = _ratio(matched[..., :order] + one, candidate[..., :order] + one)
    return _geometric(precision, used) * _brevity(candidate[..., 0], reference[..., 0])


def chrf(
    matched: FloatArray, comparable: FloatArray, reference: FloatArray, *, candidate: FloatArray | None = None
) -> FloatArray:
    """Corpus chrF2 from summed tallies: float64 [..., 6] each -> float64 [...].

    Without a reference character the value is 0, or 1 where `candidate` is empty, too; NaN where it is not given.
    """
    used = (comparable > 0) & (reference > 0)
    orders = np.maximum(used.sum(axis=-1), 1)
    precision = np.where(used, _ratio(matched, comparable), 0).sum(axis=-1) / orders
    recall = np.where(used, _ratio(matched, reference), 0).sum(axis=-1) / orders
    score = _ratio((1 + CHRF_BETA**2) * precision * recall, CHRF_BETA**2 * precision + recall)
    lone = np.nan if candidate is None else np.where(candidate[..., 0] > 0, 0.0, 1.0)
    return np.where(reference[..., 0] > 0, score, lone)


def rouge_l(candidate: str, reference: str) -> float:
    """ROUGE-L of one pair in [0, 1]: longest common subsequence, recall weighted by beta = 1.2."""
    return rouge_l_of(_plain(candidate), _plain(reference))


def rouge_l_of(candidate: Sequence[str], reference: Sequence[str]) -> float:
    """ROUGE-L of two sequences of tokens, in [0, 1]; two empty ones score 1, one empty one 0."""
    if not candidate or not reference:
        return float(len(candidate) == len(reference))
    common = longest_common_subsequence(candidate, reference)
    precision, recall = common / len(candidate), common / len(reference)
    return (1 + ROUGE_BETA**2) * precision * recall / (recall + ROUGE_BETA**2 * precision) if common else 0.0


def same_text(candidate: str, reference: str) -> bool:
    """Whether two texts are the same after normalisation, white space aside."""
    return _plain(candidate) == _plain(reference)


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence of two sequences of tokens."""
    return len(first) - subsequence_rows(first, second)[-1].bit_count()


def subsequence_rows(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """Rows of the table of longest common subsequences, one machine word per 64 cells (Hyyrö 2004).

    Row i says of the first i tokens of `second`: their longest common subsequence with the first j tokens of `first`
    is as long as there are zeros among the lowest j bits.
    """
    positions: dict[str, int] = {}
    for index, token in enumerate(first):
        positions[token] = positions.get(token, 0) | (1 << index)
    full = (1 << len(first)) - 1
    rows = [full]
    for token in second:
        row = rows[-1]
        hit = row & positions.get(token, 0)
        rows.append(((row + hit) | (row - hit)) & full)
    return rows


@lru_cache(maxsize=20_000)
def _plain(text: str) -> str:
    """Return the characters of a normalised text; ROUGE-L and exact match ask for every text more than once."""
    return tokens(normalize(text))


def _shared(first: str, second: str, order: int) -> int:
    ours, theirs = _ngrams(first, order), _ngrams(second, order)
    return sum(min(count, theirs[gram]) for gram, count in ours.items() if gram in theirs)


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter([text[start : start + order] for start in range(len(text) - order + 1)])


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom > 0)


def _geometric(precision: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
    """Geometric mean over the used orders; 1 where none is used, 0 where one of them is 0."""
    logs = np.log(np.where(used & (precision > 0), precision, 1.0))
    mean = np.exp(logs.sum(axis=-1) / np.maximum(used.sum(axis=-1), 1))
    return np.where((used & (precision <= 0)).any(axis=-1), 0.0, mean)


def _brevity(candidate: FloatArray, reference: FloatArray) -> FloatArray:
    shortfall = np.divide(reference, candidate, out=np.ones_like(candidate), where=candidate > 0)
    factor = np.exp(np.minimum(0.0, 1.0 - shortfall))
    return np.where((candidate == 0) & (reference > 0), 0.0, factor)
