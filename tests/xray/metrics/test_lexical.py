import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from xray.metrics import score
from xray.metrics.lexical import (
    bleu,
    chrf,
    longest_common_subsequence,
    rouge_l,
    rouge_l_of,
    same_text,
    sentence_bleu,
    tally,
)

CORPUS = {
    "a": ("双肺清晰，心影不大。", "双肺野清晰，心影不大，肋膈角锐利。"),
    "b": ("右侧胸腔少量积液。左肺未见异常", "右侧胸腔见少量积液，左肺未见异常。"),
    "c": ("未见异常", "未见异常"),
    "d": ("左肺上叶结节 15mm", "左肺上叶见一结节，直径约15 mm。\n建议CT"),
    "e": ("", "骨折"),
}
ZH = st.text(alphabet="左右双侧肺胸腔积液未见心影大气，。 ", max_size=25)

MIXED = st.text(alphabet="左右肺积液，。 \n\tCTmm15.abÉ①㎜“”\u3000\U00020000", max_size=25)


def _scores(pairs: dict[str, tuple[str, str]]):
    return score({k: c for k, (c, _) in pairs.items()}, {k: r for k, (_, r) in pairs.items()}, resamples=0).metrics


def _sacrebleu(pairs: dict[str, tuple[str, str]], order: int) -> float:
    metric = sacrebleu.BLEU(tokenize="char", smooth_method="none", max_ngram_order=order)
    return metric.corpus_score([c for c, _ in pairs.values()], [[r for _, r in pairs.values()]]).score / 100


def _sacre_chrf(pairs: dict[str, tuple[str, str]]) -> float:
    return sacrebleu.corpus_chrf([c for c, _ in pairs.values()], [[r for _, r in pairs.values()]]).score / 100


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_bleu_equals_sacrebleu_on_characters(order: int):
    assert _scores(CORPUS)[f"bleu{order}_char"].value == pytest.approx(_sacrebleu(CORPUS, order), abs=1e-6)


def test_chrf_equals_sacrebleu():
    assert _scores(CORPUS)["chrf"].value == pytest.approx(_sacre_chrf(CORPUS), abs=1e-6)


@given(st.lists(st.tuples(ZH, ZH), min_size=1, max_size=5))
def test_bleu_and_chrf_equal_sacrebleu_on_any_corpus_long_enough(pairs: list[tuple[str, str]]):
    corpus = {str(i): pair for i, pair in enumerate(pairs)} | {"long": ("双肺清晰，未见异常", "双肺清晰，未见异常。")}
    metrics = _scores(corpus)
    assert metrics["bleu4_char"].value == pytest.approx(_sacrebleu(corpus, 4), abs=1e-6)
    assert metrics["chrf"].value == pytest.approx(_sacre_chrf(corpus), abs=1e-6)


@given(st.lists(st.tuples(MIXED, MIXED), min_size=1, max_size=5))
def test_bleu_and_chrf_equal_sacrebleu_on_text_of_mixed_scripts(pairs: list[tuple[str, str]]):
    corpus = {str(i): pair for i, pair in enumerate(pairs)} | {"long": ("结节 15mm，CT", "左肺结节 15 mm，建议CT")}
    metrics = _scores(corpus)
    for order in (1, 2, 3, 4):
        assert metrics[f"bleu{order}_char"].value == pytest.approx(_sacrebleu(corpus, order), abs=1e-6)
    assert metrics["chrf"].value == pytest.approx(_sacre_chrf(corpus), abs=1e-6)


def test_bleu_and_chrf_equal_sacrebleu_where_every_output_is_empty():
    corpus = {"a": ("", "双肺清晰，未见异常"), "b": (" \n", "骨折")}
    metrics = _scores(corpus)
    assert metrics["bleu4_char"].value == _sacrebleu(corpus, 4) == 0.0
    assert metrics["chrf"].value == _sacre_chrf(corpus) == 0.0


@given(st.lists(st.tuples(MIXED, MIXED), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_reports_does_not_matter(pairs: list[tuple[str, str]], random):
    shuffled = random.sample(pairs, len(pairs))
    sums = [sum(tally(c, r).matched for c, r in some) for some in (pairs, shuffled)]
    assert np.array_equal(*sums)


@given(MIXED, MIXED)
def test_every_overlap_is_between_zero_and_one_and_never_undefined(candidate: str, reference: str):
    t = tally(candidate, reference)
    values = [chrf(t.matched, t.comparable, t.reference, candidate=t.candidate), rouge_l(candidate, reference)]
    for order in (1, 2, 3, 4):
        values.append(bleu(t.matched, t.candidate, t.reference, order=order))
        values.append(sentence_bleu(t.matched, t.candidate, t.reference, order=order))
    assert all(0 <= value <= 1 + 1e-12 for value in values)


@given(MIXED, MIXED)
def test_matches_subsequence_and_equality_do_not_depend_on_the_direction(first: str, second: str):
    assert np.array_equal(tally(first, second).matched, tally(second, first).matched)
    assert longest_common_subsequence(first, second) == longest_common_subsequence(second, first)
    assert same_text(first, second) == same_text(second, first)


@pytest.mark.parametrize(("candidate", "reference", "expected"), [("", " ", 1.0), ("骨折", "", 0.0), ("", "骨折", 0.0)])
def test_two_empty_texts_agree_and_one_does_not(candidate: str, reference: str, expected: float):
    t = tally(candidate, reference)
    assert bleu(t.matched, t.candidate, t.reference, order=4) == expected
    assert sentence_bleu(t.matched, t.candidate, t.reference, order=4) == expected
    assert chrf(t.matched, t.comparable, t.reference, candidate=t.candidate) == expected
    assert rouge_l(candidate, reference) == expected


def test_rouge_l_takes_tokens_of_any_length():
    assert rouge_l_of(["右侧", "积液"], ["右侧", "胸腔", "积液"]) == rouge_l("ab", "axb")


@given(ZH.filter(str.strip))
def test_identical_chinese_never_scores_zero(text: str):
    metrics = _scores({"a": (text, text)})
    for name in ("bleu1_char", "bleu2_char", "bleu3_char", "bleu4_char", "rouge_l_char", "chrf", "exact_match"):
        assert metrics[name].value == pytest.approx(1.0)


def test_a_constant_report_and_a_swapped_side_keep_most_of_their_overlap():
    reference = "右侧胸腔少量积液，右肺下野见斑片状密度增高影，心影不大，肋膈角锐利。"
    swapped = reference.translate(str.maketrans("左右", "右左"))
    assert _scores({"a": (swapped, reference)})["bleu4_char"].value > 0.7


@given(ZH, ZH)
def test_the_subsequence_is_that_of_the_textbook(first: str, second: str):
    table = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            longest = max(table[i, j + 1], table[i + 1, j])
            table[i + 1, j + 1] = table[i, j] + 1 if one == other else longest
    assert longest_common_subsequence(first, second) == table[-1, -1]


def test_rouge_l_weighs_recall_by_beta():
    precision, recall = 2 / 2, 2 / 4
    expected = (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)
    assert rouge_l("积液", "胸腔积液") == pytest.approx(expected)


def test_rouge_l_and_exact_match_look_through_spelling():
    metrics = _scores({"a": ("双側胸腔積液，纵膈不宽", "双侧胸腔积液,纵隔不宽")})
    assert metrics["exact_match"].value == 1.0
    assert metrics["rouge_l_char"].value == 1.0


@given(ZH, ZH)
def test_shared_ngrams_are_never_more_than_either_side_has(candidate: str, reference: str):
    counts = tally(candidate, reference)
    assert (counts.matched <= np.minimum(counts.candidate, counts.reference)).all()
