"""CIDEr on characters: overlap that counts the n-grams few reports have (Vedantam et al. 2015).

This is CIDEr-D, which pycocoevalcap calls CIDEr: counts clipped to those of the reference, and a Gaussian penalty of
the difference in length (sigma = 6 tokens), so that repeating rare words does not pay. Tokens are the characters as
written, without white space, as pycocoevalcap sees a text whose characters are separated by spaces. How rare an n-gram
is, is asked of the references only; the corpus value is the mean of the values of its reports.

Values are in [0, 10]. A report scores 10 against itself if for each n from 1 to 4 it has an n-gram that not every
reference has; with one reference, or only equal ones, no n-gram says anything and all values are 0. Character counts of
reports vary by far more than 6, which makes the penalty harsh: a report cut in half scores about 0.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xray.errors import DataError
from xray.metrics.lexical import tokens

ORDER = 4
SIGMA = 6.0
SCALE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFrequencies:
    """How much each character n-gram (n = 1 to 4) says, from the references of a corpus.

    reports: number of references. weights: n-gram -> squared inverse document frequency, ln(reports / references with
    it) squared. rare: the same of n-grams that no reference has, ln(reports) squared.
    """

    reports: int
    weights: Mapping[str, float]
    rare: float

    @classmethod
    def of(cls, references: Iterable[str]) -> "ReferenceFrequencies":
        """Count the references that have each n-gram. Raises DataError where there are no references."""
        seen: Counter[str] = Counter()
        reports = 0
        for text in references:
            seen.update({gram for grams in _ngrams(text) for gram in grams})
            reports += 1
        if not reports:
            raise DataError("There are no reference reports to take the weights of CIDEr from. Give at least one.")
        weights = {gram: math.log(reports / count) ** 2 for gram, count in seen.items()}
        return cls(reports=reports, weights=weights, rare=math.log(reports) ** 2)

    def cider(self, candidate: str, reference: str) -> float:
        """Return the CIDEr-D of one report, in [0, 10]; 0 where one of the texts is empty."""
        cosines = sum(map(self._cosine, _ngrams(candidate), _ngrams(reference)))
        difference = _bigrams(candidate) - _bigrams(reference)
        return SCALE * cosines / ORDER * math.exp(-(difference**2) / (2 * SIGMA**2))

    def _cosine(self, ours: Counter[str], theirs: Counter[str]) -> float:
        weight, rare = self.weights, self.rare
        product = sum(
            min(count, theirs[gram]) * theirs[gram] * weight.get(gram, rare)
            for gram, count in ours.items()
            if gram in theirs
        )
        if not product:
            return 0.0
        squares = [sum(count**2 * weight.get(gram, rare) for gram, count in side.items()) for side in (ours, theirs)]
        return product / math.sqrt(squares[0] * squares[1])


def _ngrams(text: str) -> list[Counter[str]]:
    characters = tokens(text)
    return [
        Counter([characters[start : start + order] for start in range(len(characters) - order + 1)])
        for order in range(1, ORDER + 1)
    ]


def _bigrams(text: str) -> int:
    """Length as pycocoevalcap takes it: the number of bigrams."""
    return max(len(tokens(text)) - 1, 0)
