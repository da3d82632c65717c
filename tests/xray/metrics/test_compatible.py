"""The other tools' numbers, against the packages they use, put together as they do."""

import math
import random

import jieba
import numpy as np
import pytest
import rouge_chinese
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from xray.errors import ConfigError, DataError
from xray.metrics.compatible import VARIANTS, variant
from xray.metrics.rouge import rouge_chinese as our_rouge_chinese
from xray.metrics.rouge import rouge_plain

PAIRS = [
    ("双肺清晰，心影不大。", "双肺野清晰，心影不大，肋膈角锐利。"),
    ("右侧胸腔少量积液。\n\n左肺未见异常", "右侧胸腔见少量积液，左肺未见异常。"),
    ("左肺上叶结节 1.5 cm，建议CT", "左肺上叶见一结节，直径约1.5 cm。\r\n建议CT检查？"),
    ("", "骨折"),
    ("未见异常", "未见异常"),
    ("心影增大", " "),
]
PIECES = [
    "双肺",
    "野清晰",
    "，",
    "。",
    "右侧胸腔",
    "积液",
    "？",
    " ",
    "\n",
    "1.5",
    "cm",
    ".",
    "……",
    "......",
    "\r\n",
    "”",
    "CT",
]
TEXT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
CORPORA = st.lists(st.tuples(TEXT, TEXT) | TEXT.map(lambda text: (text, text)), min_size=1, max_size=4)
METHOD3 = SmoothingFunction().method3


def _sides(pairs):
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs]


def _values(name: str, pairs) -> list[float]:
    ours, theirs = _sides(pairs)
    return list(variant(name, theirs).score(ours, theirs).values())


def _llamafactory(pairs) -> list[float]:
    rows = []
    for ours, theirs in pairs:
        first, second = " ".join(jieba.cut(ours)), " ".join(jieba.cut(theirs))
        if first.strip() and second.strip():
            found = rouge_chinese.Rouge().get_scores(first, second)[0]
            values = [found[key]["f"] for key in ("rouge-1", "rouge-2", "rouge-l")]
        else:
            values = [0.0, 0.0, 0.0]
        values.append(sentence_bleu([list(theirs)], list(ours), smoothing_function=METHOD3))
        rows.append([round(value * 100, 4) for value in values])
    return np.mean(rows, axis=0).tolist()


def _swift_bleu(pairs) -> float:
    values = []
    for pair in pairs:
        ours, theirs = ([w.strip(" ") for w in jieba.cut(text) if w.strip(" ")] for text in pair)
        if theirs:
            values.append(sentence_bleu([theirs], ours, smoothing_function=METHOD3) if ours else 0.0)
    return round(100 * sum(values) / len(values), 6) if values else 0.0


def _coco_bleu(pairs) -> list[float]:
    """pycocoevalcap's BLEU, written from its description: its licence keeps the package out of the tests."""
    products, product = [], 1.0
    texts = [["".join(text.split()) for text in pair] for pair in pairs]
    for n in range(1, 5):
        matched, total = 0, 0
        for ours, theirs in texts:
            grams = [ours[i : i + n] for i in range(len(ours) - n + 1)]
            total += len(grams)
            for gram in set(grams):
                matched += min(grams.count(gram), sum(theirs[i : i + n] == gram for i in range(len(theirs) - n + 1)))
        product *= (matched + 1e-15) / (total + 1e-9)
        products.append(product ** (1 / n))
    ratio = (sum(len(ours) for ours, _ in texts) + 1e-15) / (sum(len(theirs) for _, theirs in texts) + 1e-9)
    return [value * (math.exp(1 - 1 / ratio) if ratio < 1 else 1.0) for value in products]


def test_llamafactory_gives_their_numbers():
    assert _values("llamafactory", PAIRS) == pytest.approx(_llamafactory(PAIRS), abs=1e-6)


@settings(deadline=None)
@given(CORPORA)
def test_llamafactory_gives_their_numbers_for_any_text(pairs):
    assert _values("llamafactory", pairs) == pytest.approx(_llamafactory(pairs), abs=1e-6)


@settings(deadline=None)
@given(CORPORA)
def test_swift_gives_their_bleu_for_any_text(pairs):
    assert _values("swift", pairs)[3] == pytest.approx(_swift_bleu(pairs), abs=1e-6)


@settings(deadline=None)
@given(CORPORA)
def test_sacrebleu_zh_gives_their_number_for_any_text(pairs):
    ours, theirs = _sides(pairs)
    expected = sacrebleu.corpus_bleu(ours, [theirs], tokenize="zh").score
    assert _values("sacrebleu_zh", pairs) == pytest.approx([expected], abs=1e-6)


@given(CORPORA)
def test_coco_char_gives_their_bleu_for_any_text(pairs):
    assert _values("coco_char", pairs)[:4] == pytest.approx(_coco_bleu(pairs), abs=1e-9)


# From rouge 1.0.1, which cannot be installed beside rouge-chinese: that package overwrites its files.
@pytest.mark.parametrize(
    ("candidate", "reference", "one", "two", "longest"),
    [
        (
            "双肺 清晰 ， 心影 不大 。",
            "双肺野 清晰 ， 心影 不大 ， 肋膈角 锐利 。",
            0.7142857093877552,
            0.4615384568047337,
            0.7142857093877552,
        ),
        (
            "右侧 胸腔 少量 积液 . 左肺 未见 异常",
            "左肺 未见 异常 . 右侧 胸腔 见 少量 积液 .",
            0.9333333283555556,
            0.6153846104142012,
            0.9333333283555556,
        ),
        (
            "结节 1.5 cm ， 左肺 结节",
            "左肺 上叶 结节 ， 直径 约 1.5 cm",
            0.7999999952000001,
            0.2857142808163266,
            0.6666666618666668,
        ),
        ("积液 左侧 积液 右侧", "右侧 积液 左侧 积液", 0.999999995, 0.6666666616666668, 0.6666666616666668),
        ("左 右 左 右 中", "右 左 中 右 左", 0.999999995, 0.3333333283333334, 0.6666666616666668),
        ("气胸", "骨折", 0.0, 0.0, 0.0),
    ],
)
def test_plain_rouge_gives_the_numbers_of_the_package(candidate, reference, one, two, longest):
    assert rouge_plain(candidate.split(), reference.split()) == pytest.approx((one, two, longest), abs=1e-9)


@given(TEXT, TEXT)
def test_rouge_chinese_does_not_depend_on_the_direction(first: str, second: str):
    ours, theirs = list(jieba.cut(first)), list(jieba.cut(second))
    assert our_rouge_chinese(ours, theirs) == pytest.approx(our_rouge_chinese(theirs, ours), abs=1e-12)


def test_full_stops_alone_are_no_text():
    assert rouge_plain(["."], ["骨折"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", VARIANTS)
def test_identical_reports_reach_the_best_value(name: str):
    reports = [
        "双肺野清晰，心影大小正常。",
        "右侧胸腔少量积液，右肺下野见斑片影。",
        "左肺上叶见一结节15mm，建议CT检查。",
    ]
    made = variant(name, reports)
    assert list(made.score(reports, reports).values()) == pytest.approx(made.best, abs=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
@settings(deadline=None)
@given(pairs=CORPORA)
def test_no_value_is_out_of_range_or_undefined(name: str, pairs):
    ours, theirs = _sides(pairs)
    made = variant(name, theirs)
    for value, best in zip(made.score(ours, theirs).values(), made.best, strict=True):
        assert 0 <= value <= best + 1e-6


@pytest.mark.parametrize("name", VARIANTS)
def test_the_order_of_the_reports_does_not_matter(name: str):
    shuffled = random.Random(0).sample(PAIRS, len(PAIRS))
    assert _values(name, shuffled) == pytest.approx(_values(name, PAIRS), abs=1e-9)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_metric_is_a_function_of_summed_rows_of_any_shape(name: str):
    ours, theirs = _sides(PAIRS)
    made = variant(name, theirs)
    rows = np.stack([made.row(*pair) for pair in PAIRS])
    sums = np.array([[1, 1, 1, 1, 1, 1], [2, 0, 1, 0, 1, 2]]) @ rows
    expected = list(made.score(ours, theirs).values())
    resampled = list(
        made.score([ours[i] for i in (0, 0, 2, 4, 5, 5)], [theirs[i] for i in (0, 0, 2, 4, 5, 5)]).values()
    )
    for position, metric in enumerate(made.metrics):
        assert made.metric(metric)(sums) == pytest.approx([expected[position], resampled[position]], abs=1e-9)


def test_the_four_conventions_disagree_on_the_same_reports_and_say_so():
    made = [variant(name, [theirs for _, theirs in PAIRS]) for name in VARIANTS]
    assert len({one.signature for one in made}) == len(VARIANTS)
    assert len({metric for one in made for metric in one.metrics}) == sum(len(one.metrics) for one in made)
    assert all("tok:" in one.signature for one in made)
    jieba_words, characters = _values("swift", PAIRS)[3], _values("llamafactory", PAIRS)[3]
    assert abs(jieba_words - characters) > 5


def test_an_unknown_variant_is_named():
    with pytest.raises(ConfigError, match="Unknown variant 'meteor'"):
        variant("meteor", ["骨折"])


def test_there_must_be_something_to_score():
    with pytest.raises(DataError, match="Give at least one"):
        variant("swift", [])
    with pytest.raises(DataError, match="1 reports and 2 references"):
        variant("sacrebleu_zh", ["骨折"]).score(["骨折"], ["骨折", "气胸"])
