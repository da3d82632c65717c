"""Scores of findings with their attributes: what they promise at the edges, and that errors lower them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xray.metrics.test_compare import PHRASES
from xray.metrics.compare import compare_findings
from xray.metrics.frames import QUANTITIES, crimson_zh, frame_f1, frame_precision, frame_recall, frame_sums, green_zh

TEXTS = st.lists(st.sampled_from(PHRASES), max_size=6).map("".join)
SCORES = {
    "frame_f1": frame_f1,
    "frame_precision": frame_precision,
    "frame_recall": frame_recall,
    "green_zh": green_zh,
    "crimson_zh": crimson_zh,
}


def scores(candidate: str, reference: str) -> dict[str, float]:
    sums = frame_sums(compare_findings(candidate, reference))
    assert sums.shape == (QUANTITIES,)
    return {name: float(measure(sums)) for name, measure in SCORES.items()}


@given(TEXTS)
def test_a_report_scores_one_against_itself(text: str):
    assert set(scores(text, text).values()) == {1.0}


@pytest.mark.parametrize("text", ["", "心影不大，两肺清晰。", "未见气胸。"])
def test_two_reports_without_findings_agree(text: str):
    assert set(scores(text, "双肺未见异常。").values()) == {1.0}


def test_an_empty_report_earns_nothing_and_a_report_of_inventions_less():
    assert scores("", "右侧气胸。") == {
        "frame_f1": 0.0,
        "frame_precision": 0.0,
        "frame_recall": 0.0,
        "green_zh": 0.0,
        "crimson_zh": 0.0,
    }
    invented = scores("右侧气胸。", "")
    assert invented["crimson_zh"] == -0.5
    assert {invented[name] for name in ("frame_f1", "frame_precision", "frame_recall", "green_zh")} == {0.0}


def test_known_values():
    found = scores("左侧胸腔积液。心影增大。", "右侧胸腔积液。心影增大。")
    assert found["frame_f1"] == pytest.approx(2 * 0.75 / 2)  # one match earns half of its weight of 0.5
    assert found["crimson_zh"] == pytest.approx(0.75)
    assert found["green_zh"] == pytest.approx(2 / 3)


def test_a_grave_finding_counts_more_than_one_of_age():
    reference = "右侧气胸。胸椎骨质增生。"
    assert scores("右侧气胸。", reference)["frame_f1"] > scores("胸椎骨质增生。", reference)["frame_f1"]


@given(TEXTS, TEXTS)
def test_scores_stay_in_their_range_and_are_never_undefined(candidate: str, reference: str):
    found = scores(candidate, reference)
    assert all(np.isfinite(value) for value in found.values())
    assert all(0.0 <= found[name] <= 1.0 for name in SCORES if name != "crimson_zh")
    assert -1.0 < found["crimson_zh"] <= 1.0


@given(TEXTS)
def test_an_invented_finding_lowers_every_score_but_recall(text: str):
    before, after = scores(text, text), scores(text + "食管裂孔疝。", text)
    assert all(after[name] < before[name] for name in SCORES if name != "frame_recall")


def test_sums_of_reports_give_the_score_of_the_corpus():
    rows = np.stack([frame_sums(compare_findings(a, b)) for a, b in (("右侧气胸。", "右侧气胸。"), ("", "左侧气胸。"))])
    assert frame_f1(rows.sum(axis=0)) == pytest.approx(2 / 3)
    assert list(frame_f1(rows)) == [1.0, 0.0]
