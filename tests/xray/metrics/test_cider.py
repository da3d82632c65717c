"""CIDEr-D against an implementation written from the paper, with dense vectors and no sharing of code."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.errors import DataError
from xray.metrics.cider import ReferenceFrequencies

ZH = st.text(alphabet="左右侧肺胸积液未见心影。 a1", max_size=18)
CORPUS = [
    "右侧胸腔少量积液，右肺下野见斑片状密度增高影。",
    "双肺野清晰，心影大小正常，肋膈角锐利。",
    "左肺上叶见一结节，直径约15mm。建议CT检查。",
    "心影增大，主动脉迂曲。",
]


def _grams(text: str, n: int) -> list[tuple[str, ...]]:
    characters = [c for c in text if not c.isspace()]
    return [tuple(characters[i : i + n]) for i in range(len(characters) - n + 1)]


def _by_the_paper(candidate: str, reference: str, references: list[str]) -> float:
    """10/4 sum over n of exp(-(difference of lengths)^2 / (2 * 6^2)) * min(g(c), g(r)) . g(r) / (|g(c)| |g(r)|)."""
    total = 0.0
    for n in (1, 2, 3, 4):
        vocabulary = sorted({*_grams(candidate, n), *_grams(reference, n)})
        weights = []
        for gram in vocabulary:
            documents = sum(gram in _grams(text, n) for text in references)
            weights.append(math.log(len(references) / max(1, documents)))
        ours = np.array([_grams(candidate, n).count(gram) for gram in vocabulary]) * np.array(weights)
        theirs = np.array([_grams(reference, n).count(gram) for gram in vocabulary]) * np.array(weights)
        norms = np.linalg.norm(ours) * np.linalg.norm(theirs)
        difference = len(_grams(candidate, 2)) - len(_grams(reference, 2))
        if norms > 0:
            total += np.minimum(ours, theirs) @ theirs / norms * math.exp(-(difference**2) / 72)
    return 10 * total / 4


@given(st.lists(st.tuples(ZH, ZH), min_size=1, max_size=4))
def test_cider_is_the_formula_of_the_paper(pairs: list[tuple[str, str]]):
    references = [reference for _, reference in pairs] + CORPUS[:2]
    frequencies = ReferenceFrequencies.of(references)
    for candidate, reference in pairs:
        expected = _by_the_paper(candidate, reference, references)
        assert frequencies.cider(candidate, reference) == pytest.approx(expected, abs=1e-9)


@given(ZH, ZH)
def test_cider_is_between_zero_and_ten(candidate: str, reference: str):
    assert 0 <= ReferenceFrequencies.of([reference, *CORPUS]).cider(candidate, reference) <= 10 + 1e-9


@pytest.mark.parametrize("report", CORPUS)
def test_a_report_scores_ten_against_itself(report: str):
    assert ReferenceFrequencies.of(CORPUS).cider(report, report) == pytest.approx(10.0)


def test_the_order_of_the_references_does_not_matter():
    assert ReferenceFrequencies.of(CORPUS) == ReferenceFrequencies.of(CORPUS[::-1])


def test_white_space_is_no_token():
    frequencies = ReferenceFrequencies.of(CORPUS)
    assert frequencies.cider("心影 增大，\n主动脉迂曲。", CORPUS[3]) == pytest.approx(10.0)


def test_what_every_reference_says_counts_nothing():
    frequencies = ReferenceFrequencies.of(["未见异常", "未见异常"])
    assert frequencies.cider("未见异常", "未见异常") == 0.0


def test_an_empty_text_scores_zero():
    frequencies = ReferenceFrequencies.of(CORPUS)
    assert frequencies.cider("", CORPUS[0]) == frequencies.cider(CORPUS[0], "") == frequencies.cider("", "") == 0.0


def test_there_must_be_references():
    with pytest.raises(DataError, match="Give at least one"):
        ReferenceFrequencies.of([])
