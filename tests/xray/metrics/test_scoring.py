import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.errors import ConfigError, DataError
from xray.metrics import index_by_id, score
from xray.metrics.sums import ERRORS, METRICS

SENTENCES = [
    "右侧胸腔少量积液。",
    "左侧气胸。",
    "心影增大。",
    "未见气胸及胸腔积液。",
    "双肺清晰，心影不大。",
    "左肺下野见斑片影。",
    "考虑右下肺炎症。",
    "右侧第5肋骨骨折。",
    "",
]
REPORTS = st.lists(st.sampled_from(SENTENCES), max_size=4).map("".join)
PAIRS = st.lists(st.tuples(REPORTS, REPORTS), min_size=1, max_size=5).filter(lambda pairs: any(r for _, r in pairs))


def _split(pairs: list[tuple[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    return {f"s{i}": c for i, (c, _) in enumerate(pairs)}, {f"s{i}": r for i, (_, r) in enumerate(pairs)}


def _values(predictions: dict[str, str], references: dict[str, str]) -> dict[str, float | None]:
    report = score(predictions, references, resamples=0)
    return {name: estimate.value for name, estimate in report.metrics.items()}


def test_every_promised_metric_is_there():
    assert set(METRICS) == {
        *("finding_f1", "finding_precision", "finding_recall", "finding_f1_macro", "finding_f1_14", "finding_f1_5"),
        *("finding_f1_uncertain_negative", "side_accuracy", "bleu1_char", "bleu2_char", "bleu3_char", "bleu4_char"),
        *("rouge_l_char", "cider_char", "chrf", "exact_match"),
        *("frame_f1", "frame_precision", "frame_recall", "green_zh", "crimson_zh"),
        *("errors_false", "errors_omission", "errors_location", "errors_severity"),
        *("errors_added_comparison", "errors_omitted_comparison"),
    }


@given(PAIRS)
def test_a_report_scored_against_itself_is_perfect(pairs: list[tuple[str, str]]):
    _, references = _split(pairs)
    values = _values(references, references)
    assert all(values[name] == 0.0 for name in ERRORS)
    best = {name: value for name, value in values.items() if name not in ERRORS and name != "cider_char"}
    may_be_undefined = {"side_accuracy", "negative_f1"}
    assert all(value == pytest.approx(1.0) for name, value in best.items() if name not in may_be_undefined)
    assert all(values[name] in {None, 1.0} for name in may_be_undefined)


@given(PAIRS)
def test_every_value_and_bound_is_a_number_of_its_range_or_none(pairs: list[tuple[str, str]]):
    predictions, references = _split(pairs)
    report = score(predictions, references, resamples=20)
    json.dumps(asdict(report), allow_nan=False)
    shown = [(name, v) for name, e in report.metrics.items() for v in (e.value, e.low, e.high)]
    shown += [(name, v) for values in report.per_report.values() for name, v in values.items()]
    lowest = {"crimson_zh": -1.0}
    highest = {"cider_char": 10.0} | dict.fromkeys(ERRORS, 100.0)
    assert all(
        value is None or lowest.get(name, 0.0) - 1e-9 <= value <= highest.get(name, 1.0) + 1e-9 for name, value in shown
    )


@given(PAIRS, st.randoms())
def test_the_order_of_the_ids_does_not_matter(pairs: list[tuple[str, str]], random):
    predictions, references = _split(pairs)
    ids = list(references)
    random.shuffle(ids)
    shuffled = score({i: predictions[i] for i in ids}, {i: references[i] for i in reversed(ids)}, resamples=20)
    assert shuffled == score(predictions, references, resamples=20)


@given(PAIRS.filter(lambda pairs: any(c for c, _ in pairs)))
def test_exchanging_the_two_sides_exchanges_precision_and_recall(pairs: list[tuple[str, str]]):
    predictions, references = _split(pairs)
    there, back = _values(predictions, references), _values(references, predictions)
    assert there["finding_precision"] == back["finding_recall"]
    assert there["finding_recall"] == back["finding_precision"]
    assert there["finding_f1"] == back["finding_f1"]


def test_the_counts_are_those_of_the_textbook():
    predictions = {"a": "右侧胸腔积液。左侧气胸。", "b": "双肺清晰。"}
    references = {"a": "右侧胸腔积液。心影增大。", "b": "右肺结节。"}
    report = score(predictions, references)
    assert report.metrics["finding_precision"].value == pytest.approx(1 / 2)
    assert report.metrics["finding_recall"].value == pytest.approx(1 / 3)
    assert report.metrics["finding_f1"].value == pytest.approx(2 / 5)
    assert report.metrics["finding_f1_macro"].value == pytest.approx(1 / 4)
    assert report.per_class["Cardiomegaly"]["fn"] == 1
    assert report.per_class["Pneumothorax"]["fp"] == 1
    assert report.per_class["Edema"]["f1"] is None


def test_a_swapped_side_moves_the_side_and_not_the_finding():
    reference = {"a": "右侧胸腔积液。左肺结节。"}
    values = _values({"a": "左侧胸腔积液。右肺结节。"}, reference)
    assert values["finding_f1"] == 1.0
    assert values["side_accuracy"] == 0.0


@pytest.mark.parametrize(("candidate", "expected"), [("双侧", 1.0), ("左侧", 0.0), ("", 0.0)])
def test_a_bilateral_finding_must_be_bilateral(candidate: str, expected: float):
    assert _values({"a": f"{candidate}胸腔积液。"}, {"a": "双侧胸腔积液。"})["side_accuracy"] == expected


def test_left_and_right_stated_apart_are_bilateral():
    assert _values({"a": "双侧胸腔积液。"}, {"a": "左侧胸腔积液。右侧胸腔积液。"})["side_accuracy"] == 1.0


def test_a_side_that_the_reference_leaves_open_is_not_judged():
    assert _values({"a": "左侧胸腔积液。"}, {"a": "胸腔积液。"})["side_accuracy"] is None


def test_a_negation_costs_the_finding():
    reference = {"a": "右侧胸腔积液。"}
    assert _values({"a": "未见右侧胸腔积液。"}, reference)["finding_f1"] == 0.0


def test_a_constant_normal_report_earns_nothing_on_the_headline():
    references = {"a": "右侧胸腔积液。", "b": "双肺清晰。", "c": "心影增大。"}
    values = _values(dict.fromkeys(references, "双肺清晰，心影不大。"), references)
    assert values["finding_f1"] == 0.0
    assert values["finding_f1_14"] > 0.3
    assert values["finding_precision"] is None


def test_uncertain_counts_as_positive_and_as_negative_beside_it():
    values = _values({"a": "右下肺炎症。"}, {"a": "考虑右下肺炎症。"})
    assert values["finding_f1"] == 1.0
    assert values["finding_f1_uncertain_negative"] == 0.0


def test_two_normal_reports_agree():
    report = score({"a": "双肺清晰。"}, {"a": "心影不大。"})
    assert report.metrics["finding_f1"].value == 1.0
    assert report.per_report["a"]["finding_f1"] == 1.0
    assert report.per_report["a"]["side_accuracy"] is None


def test_missing_predictions_are_named_and_counted():
    references = {f"s{i}": "双肺清晰。" for i in range(9)}
    with pytest.raises(DataError, match="8 ids: s1, s2, s3, s4, s5 and 3 more"):
        score({"s0": "双肺清晰。"}, references)


def test_predictions_without_a_reference_are_named():
    with pytest.raises(DataError, match="no reference for 1 id: x"):
        score({"a": "正常", "x": "正常"}, {"a": "正常"})


def test_ids_that_do_not_match_are_shown_from_both_sides_with_their_kind():
    with pytest.raises(DataError, match="no prediction for 2 ids: CXR1, CXR2; no reference for 2 ids: 1, 2"):
        score({"1": "正常", "2": "正常"}, {"CXR1": "正常", "CXR2": "正常"})
    with pytest.raises(DataError, match=r"no prediction for 1 id: 1; no reference for 1 id: 1 \(int\)"):
        score({1: "正常"}, {"1": "正常"})


@pytest.mark.parametrize("texts", [({"a": None}, {"a": "正常"}), ({"a": "正常"}, {"a": float("nan")})])
def test_a_text_that_is_none_is_refused_with_its_id(texts: tuple[dict, dict]):
    with pytest.raises(DataError, match=r"of a: (NoneType|float) is no text"):
        score(*texts)


def test_a_missing_patient_key_is_named():
    with pytest.raises(DataError, match="no patient key for 1 id: b"):
        score({"a": "正常", "b": "正常"}, {"a": "正常", "b": "正常"}, groups={"a": "p"})


@pytest.mark.parametrize("references", [{}, {"a": " ", "b": "\n"}])
def test_nothing_to_score_against_is_an_error(references: dict[str, str]):
    with pytest.raises(DataError):
        score(references, references)


def test_an_unknown_profile_is_named_with_the_known_ones():
    with pytest.raises(ConfigError, match="standard, mt"):
        score({"a": "正常"}, {"a": "正常"}, profile="english")


def test_an_id_that_occurs_twice_is_named_with_its_file():
    with pytest.raises(DataError, match=r"p\.jsonl: 1 id: a more than once"):
        index_by_id([("a", "正常"), ("b", "正常"), ("a", "异常")], source="p.jsonl")


def test_the_signature_tells_profiles_apart():
    signatures = {score({"a": "正常"}, {"a": "正常"}, profile=profile).signature for profile in ("standard", "mt")}
    assert len(signatures) == 2


def test_the_macro_mean_leaves_undefined_classes_out():
    values = _values({"a": "心影增大。"}, {"a": "心影增大。"})
    assert values["finding_f1_macro"] == 1.0


def test_intervals_hold_the_value_and_repeat():
    rng = np.random.default_rng(0)
    references = {f"s{i}": SENTENCES[rng.integers(len(SENTENCES))] + "双肺清晰。" for i in range(40)}
    predictions = {name: SENTENCES[rng.integers(len(SENTENCES))] for name in references}
    first, second = (score(predictions, references, resamples=300, seed=7) for _ in range(2))
    assert first == second
    estimate = first.metrics["finding_f1"]
    assert estimate.low <= estimate.value <= estimate.high
    assert estimate.low < estimate.high
    assert estimate.n == 40


def test_a_device_without_a_side_does_not_answer_for_one_that_has():
    values = _values({"a": "气管插管在位。"}, {"a": "左侧胸壁见心脏起搏器影。气管插管在位。"})
    assert values["side_accuracy"] is None


def test_predictions_in_which_nothing_can_be_read_are_warned_of():
    references = {"a": "右侧气胸。", "b": "双肺清晰。", "c": "心影增大。"}
    report = score({"a": "", "b": "No acute disease.", "c": "心影增大。"}, references, resamples=0)
    assert report.warnings[:2] == (
        "predictions that are empty: 1 of 3",
        "predictions that hold no Chinese, and no finding is read in them: 1 of 3",
    )
