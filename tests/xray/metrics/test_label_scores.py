"""Scores of the 14 labels, counted by hand."""

import hashlib

import pytest

from xray.metrics import score
from xray.metrics.label_sums import ALL_METRICS, LABEL_METRICS
from xray.metrics.sums import FRAME_METRICS
from xray.text.labels import CLASSES
from xray.text.lexicon import load

REFERENCES = {
    "a": "右侧胸腔积液。心影增大。",
    "b": "考虑右下肺炎症。未见气胸。",
    "c": "双肺清晰，心影不大。",
    "d": "左侧气胸。",
}
PREDICTIONS = {
    "a": "右侧胸腔积液。左侧气胸。",
    "b": "右下肺炎症。",
    "c": "双肺清晰，未见气胸。",
    "d": "未见气胸。",
}


@pytest.fixture(scope="module")
def report():
    return score(PREDICTIONS, REFERENCES, resamples=200)


def test_each_class_has_counts_support_on_both_sides_scores_and_an_interval(report):
    pneumothorax = report.per_class["Pneumothorax"]
    assert [pneumothorax[key] for key in ("tp", "fp", "fn", "support", "predicted", "n")] == [0, 1, 1, 1, 1, 4]
    effusion = report.per_class["Pleural Effusion"]
    assert [effusion[key] for key in ("precision", "recall", "f1")] == [1.0] * 3
    assert {"precision_low", "recall_high", "f1_low", "f1_high"} <= set(effusion)
    assert tuple(report.per_class) == CLASSES


def test_the_interval_of_a_class_is_that_of_the_bootstrap_without_resamples_that_lack_it():
    texts = {f"{i:02}": "左侧气胸。" if i % 2 else "双肺清晰。" for i in range(40)}
    found = {name: "双肺清晰。" if int(name) % 4 == 1 else text for name, text in texts.items()}
    row = score(found, texts, resamples=1000).per_class["Pneumothorax"]
    assert (row["recall"], row["precision"], row["precision_low"]) == (0.5, 1.0, 1.0)
    assert row["recall_high"] - row["recall_low"] == pytest.approx(2 * 1.96 * (0.25 / 20) ** 0.5, rel=0.15)


def test_a_value_that_one_patient_alone_bears_has_no_interval_and_is_warned_of():
    texts = {f"{i:02}": "左侧气胸。" if i == 1 else "双肺清晰。" for i in range(40)}
    report = score(texts, texts, resamples=300)
    row = report.per_class["Pneumothorax"]
    assert (row["f1"], row["f1_low"], row["f1_high"]) == (1.0, None, None)
    assert report.metrics["side_accuracy"].low is None
    assert "too few reports bear on it for an interval: side_accuracy" in report.warnings
    assert "too few reports bear on it for an interval: finding_f1" not in report.warnings


def test_a_single_report_has_no_interval_and_says_so():
    report = score({"a": "左侧气胸。"}, {"a": "左侧气胸。"})
    assert report.bootstrap == "no intervals"
    assert report.warnings[0] == "an interval needs two reports or more, none is given: 1"
    assert {one.low for one in report.metrics.values()} == {None}


def test_a_class_without_a_positive_on_either_side_is_undefined_left_out_of_the_macro_mean_and_counted(report):
    edema = report.per_class["Edema"]
    assert [edema[key] for key in ("precision", "recall", "f1", "f1_low", "f1_high")] == [None] * 5
    stated = {"Cardiomegaly", "Pneumonia", "Pneumothorax", "Pleural Effusion"}
    assert "Edema" in report.undefined["finding_f1_macro"]
    used = set(CLASSES[1:]) - set(report.undefined["finding_f1_macro"])
    assert stated <= used
    by_hand = sum(report.per_class[name]["f1"] for name in used) / len(used)
    assert report.metrics["finding_f1_macro"].value == pytest.approx(by_hand)
    assert report.undefined["finding_f1_macro_5"] == ("Edema", "Consolidation", "Atelectasis")
    assert report.metrics["finding_f1_macro_5"].value == pytest.approx((0 + 1) / 2)


def test_micro_and_macro_exist_for_thirteen_fourteen_and_five_classes_and_for_both_readings_of_uncertain(report):
    names = {
        f"finding_f1{macro}{classes}{policy}"
        for macro in ("", "_macro")
        for classes in ("", "_14", "_5")
        for policy in ("", "_uncertain_negative")
    }
    assert len(names) == 12
    assert names <= set(LABEL_METRICS) <= set(ALL_METRICS) == set(report.metrics)


def test_uncertain_is_positive_in_one_table_and_negative_in_the_other(report):
    assert report.per_class["Pneumonia"]["tp"] == 1
    strict = report.per_class_uncertain_negative["Pneumonia"]
    assert (strict["tp"], strict["fp"], strict["support"]) == (0, 1, 0)
    assert (
        "Pneumonia"
        in score({"x": "考虑右下肺炎症。"}, {"x": "考虑右下肺炎症。"}).undefined["finding_f1_macro_uncertain_negative"]
    )


def test_what_is_denied_is_scored_apart_from_what_is_only_unsaid(report):
    denied = report.per_class_negative["Pneumothorax"]
    assert [denied[key] for key in ("tp", "fp", "fn")] == [0, 2, 1]
    assert score({"x": "未见气胸。"}, {"x": "未见气胸。"}).metrics["negative_f1"].value == 1.0
    assert score({"x": "左侧气胸。"}, {"x": "未见气胸。"}).metrics["negative_f1"].value == 0.0
    assert score({"x": "左侧气胸。"}, {"x": "左侧气胸。"}).metrics["negative_f1"].value is None


def test_the_example_f1_is_the_mean_of_the_reports_own_and_two_empty_ones_agree(report):
    own = [values["finding_f1"] for values in report.per_report.values()]
    assert own[1:] == [1.0, 1.0, 0.0]
    assert report.metrics["example_f1"].value == pytest.approx(sum(own) / 4)


def test_each_class_with_few_positives_is_warned_of_and_few_reports_are(report):
    few = [text for text in report.warnings if text.startswith("fewer than 30 positives in the reference")]
    assert len(few) == 5
    assert few[3].endswith(": Pneumothorax (1)")
    none = [text for text in report.warnings if text.startswith("no positive on either side")]
    assert len(none) == 14 - len(few)
    assert "fewer than 30 reports, intervals are rough and often too narrow: 4" in report.warnings


def test_few_patients_are_warned_of_and_enough_positives_are_not():
    texts = {f"{i:02}": "左侧气胸。" for i in range(30)}
    alone = score(texts, texts, resamples=0).warnings
    assert len(alone) == 13
    assert not any("Pneumothorax" in text or "reports" in text for text in alone)
    grouped = score(texts, texts, groups={name: name[0] for name in texts}, resamples=0).warnings
    assert grouped[0] == "fewer than 30 patients, intervals are rough and often too narrow: 3"


def test_the_scores_name_lexicon_split_truth_and_how_each_metric_was_made(report):
    assert report.lexicon == load("standard").sha256
    assert report.split == hashlib.sha256(b'[["a",null],["b",null],["c",null],["d",null]]').hexdigest()
    assert (report.n, report.units, report.truth) == (4, 4, "report")
    assert set(report.signatures) == set(report.metrics)
    ending = f"|n:4|split:{report.split[:8]}"
    for name, signature in report.signatures.items():
        assert signature.endswith(ending)
        assert f"lex:{report.lexicon[:8]}|profile:standard" in signature
        assert ("tok:char" in signature) == (name not in (*LABEL_METRICS, *FRAME_METRICS))
        assert ("weights:" in signature) == (name in FRAME_METRICS)
        assert ("uncertain:negative" in signature) == name.endswith("_uncertain_negative")


def test_the_split_is_that_of_ids_and_patients_and_not_of_texts():
    texts = {"a": "左侧气胸。", "b": "双肺清晰。"}
    alone = score(texts, texts, resamples=0).split
    assert score(dict.fromkeys(texts, "心影增大。"), texts, resamples=0).split == alone
    grouped = {p: score(texts, texts, groups={"a": "p", "b": p}, resamples=0).split for p in "pq"}
    other = score({"a": "左侧气胸。"}, {"a": "左侧气胸。"}, resamples=0).split
    assert len({alone, other, *grouped.values()}) == 4
