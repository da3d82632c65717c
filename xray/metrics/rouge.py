"""ROUGE as two packages for Python compute it on words: rouge-chinese (LLaMA-Factory) and rouge (ms-swift).

Both give F with beta = 1 and 1e-8 in the denominator, and take ROUGE-1 and ROUGE-2 over sets of n-grams, each counted
once. They part ways in where a sentence ends and in ROUGE-L. Values are in [0, 1]; a text against itself falls short
of 1 by about 5e-9.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from xray.metrics.lexical import longest_common_subsequence, subsequence_rows

_SMALL = 1e-8
_ENDS = (
    re.compile(r"([。！？?])([^”’])"),
    re.compile(r"(\.{6})([^”’])"),
    re.compile(r"(…{2})([^”’])"),
    re.compile(r"([。！？?][”’])([^，。！？?])"),
)


class Rouge(NamedTuple):
    """F values of ROUGE-1, ROUGE-2 and ROUGE-L, each in [0, 1]."""

    one: float
    two: float
    longest: float


def rouge_chinese(candidate: Sequence[str], reference: Sequence[str]) -> Rouge:
    """ROUGE of rouge-chinese 1.0.3 for words joined by spaces; 0 where one side has none.

    ROUGE-L takes the longest common subsequence of the texts as a whole. The package asks for its table cell by cell;
    here a report of any length costs next to nothing.
    """
    ours, theirs = (_flat(_chinese_sentences(" ".join(words))) for words in (candidate, reference))
    if not _written(candidate) or not _written(reference):
        return Rouge(0.0, 0.0, 0.0)
    common = longest_common_subsequence(ours, theirs)
    return Rouge(_overlap(ours, theirs, 1), _overlap(ours, theirs, 2), _f(common, len(ours), len(theirs)))


def rouge_plain(candidate: Sequence[str], reference: Sequence[str]) -> Rouge:
    """ROUGE of rouge 1.0.1 for words joined by spaces; 0 where one side has none.

    Sentences end with an ASCII full stop, decimals' included. ROUGE-L is of sentences: the words, each once, that any
    sentence of the candidate shares in order with any of the reference. Of several longest common subsequences it
    takes the one found from the end that gives up words of the candidate first, so that it is not symmetric. A text of
    full stops alone, for which the package fails, counts as none.
    """
    ours, theirs = (_sentences(" ".join(words)) for words in (candidate, reference))
    if not ours or not theirs:
        return Rouge(0.0, 0.0, 0.0)
    common = {word for theirs_of in theirs for ours_of in ours for word in _common_words(theirs_of, ours_of)}
    first, second = _flat(ours), _flat(theirs)
    return Rouge(
        _overlap(first, second, 1), _overlap(first, second, 2), _f(len(common), len(set(first)), len(set(second)))
    )


def _written(words: Sequence[str]) -> bool:
    return any(word.strip() for word in words)


def _chinese_sentences(text: str) -> list[list[str]]:
    for end in _ENDS:
        text = end.sub(r"\1\n\2", text)
    return [_words(sentence) for sentence in text.rstrip().split("\n") if sentence]


def _sentences(text: str) -> list[list[str]]:
    return [_words(sentence) for sentence in text.split(".") if sentence]


def _words(sentence: str) -> list[str]:
    """Words of a sentence; a blank one has one empty word, as in both packages."""
    return sentence.split() or [""]


def _flat(sentences: Sequence[Sequence[str]]) -> list[str]:
    return [word for sentence in sentences for word in sentence]


def _overlap(first: Sequence[str], second: Sequence[str], order: int) -> float:
    ours, theirs = (set(zip(*(words[start:] for start in range(order)), strict=False)) for words in (first, second))
    return _f(len(ours & theirs), len(ours), len(theirs))


def _f(common: int, first: int, second: int) -> float:
    precision, recall = common / max(first, 1), common / max(second, 1)
    return 2 * precision * recall / (precision + recall + _SMALL)


def _common_words(reference: Sequence[str], candidate: Sequence[str]) -> set[str]:
    """Words of that longest common subsequence which the package rouge reconstructs."""
    rows = subsequence_rows(candidate, reference)

    def length(row: int, column: int) -> int:
        return column - (rows[row] & ((1 << column) - 1)).bit_count()

    row, column = len(reference), len(candidate)
    found: set[str] = set()
    while row and column:
        if reference[row - 1] == candidate[column - 1]:
            row, column = row - 1, column - 1
            found.add(reference[row])
        elif length(row - 1, column) > length(row, column - 1):
            row -= 1
        else:
            column -= 1
    return found
