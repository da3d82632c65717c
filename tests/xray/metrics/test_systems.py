import json
from dataclasses import asdict

import numpy as np
import pytest

from xray.errors import ConfigError, DataError
from xray.metrics import compare_systems, score
from xray.metrics.systems import COMPARED

SENTENCES = [
    "右侧胸腔少量积液。",
    "左侧气胸。",
    "心影增大。",
    "未见气胸及胸腔积液。",
    "双肺清晰，心影不大。",
    "考虑右下肺炎症。",
    "右侧第5肋骨骨折。",
]


def _references(number: int) -> dict[str, str]:
    rng = np.random.default_rng(0)
    return {f"s{i:03}": "".join(rng.choice(SENTENCES, 2)) for i in range(number)}


def _system(references: dict[str, str], *, wrong: float, seed: int) -> dict[str, str]:
    """Copy a reference, or with the chance `wrong` write another report."""
    rng = np.random.default_rng(seed)
    others = ["".join(rng.choice(SENTENCES, 2)) for _ in references]
    changed = rng.random(len(references)) < wrong
    return {
        name: other if bad else references[name] for name, other, bad in zip(references, others, changed, strict=True)
    }


def test_a_better_system_is_called_better_and_carries_everything_that_makes_it_comparable():
    references = _references(80)
    a, b = _system(references, wrong=0.9, seed=1), _system(references, wrong=0.1, seed=2)
    found = compare_systems(a, b, references, draws=2000, resamples=300)
    assert tuple(found.metrics) == COMPARED
    one = found.metrics["finding_f1"]
    assert one.a == score(a, references, resamples=0).metrics["finding_f1"].value
    assert one.b == score(b, references, resamples=0).metrics["finding_f1"].value
    assert one.difference == one.b - one.a > 0.3
    assert 0 < one.low < one.difference < one.high
    assert one.p == one.smallest_p == 1 / 2001
    assert one.p_holm >= one.p
    assert one.significant is True
    assert (one.n, one.units, found.units) == (80, 80, 80)
    assert f"split:{found.split[:8]}" in one.signature
    assert found.split == score(a, references, resamples=0).split
    assert (
        found.test
        == f"approximate randomisation, 2000 exchanges of the {found.differing} of 80 reports that differ, seed 0"
    )
    json.dumps(asdict(found), allow_nan=False)


def test_two_systems_alike_differ_by_nothing_and_no_verdict_is_given():
    references = _references(40)
    found = compare_systems(references, references, references, draws=200, resamples=100)
    one = found.metrics["finding_f1"]
    assert (one.difference, one.low, one.high, one.p, one.significant) == (0.0, 0.0, 0.0, 1.0, None)


def test_few_reports_give_an_exact_p_and_no_significance_however_large_the_difference():
    references = dict.fromkeys("abcd", "右侧胸腔积液。")
    found = compare_systems(dict.fromkeys("abcd", "双肺清晰。"), references, references, resamples=100)
    one = found.metrics["finding_f1"]
    assert (one.a, one.b, one.p, one.smallest_p, one.significant) == (0.0, 1.0, 2 / 16, 2 / 16, None)
    assert found.test == "exact randomisation, all 2^4 exchanges of the 4 of 4 reports that differ"
    assert any("no difference can be significant" in text and "finding_f1 (0.12)" in text for text in found.warnings)
    assert any("fewer than 30 reports" in text for text in found.warnings)


def test_reports_of_one_patient_are_one_unit():
    references = {f"{p}{i}": "右侧胸腔积液。" for p in "abcd" for i in range(20)}
    empty = dict.fromkeys(references, "双肺清晰。")
    groups = {name: name[0] for name in references}
    grouped = compare_systems(empty, references, references, groups=groups, resamples=100)
    assert grouped.metrics["finding_f1"].p == 2 / 16
    assert (grouped.n, grouped.units) == (80, 4)
    assert "4 of 4 patients" in grouped.test
    assert compare_systems(empty, references, references, draws=500, resamples=100).metrics["finding_f1"].p == 1 / 501


def test_the_order_of_the_reports_does_not_matter_and_exchanging_the_systems_turns_the_sign():
    references = _references(30)
    a, b = _system(references, wrong=0.6, seed=1), _system(references, wrong=0.3, seed=2)
    found = compare_systems(a, b, references, draws=300, resamples=100, seed=5)
    turned = [dict(reversed(side.items())) for side in (a, b, references)]
    assert compare_systems(*turned, draws=300, resamples=100, seed=5) == found
    back = compare_systems(b, a, references, draws=300, resamples=100, seed=5)
    for name, one in found.metrics.items():
        assert back.metrics[name].p == one.p
        assert (back.metrics[name].low, back.metrics[name].difference) == pytest.approx((-one.high, -one.difference))


def test_only_the_named_metrics_are_compared_and_counted_by_holm():
    references = _references(40)
    a, b = _system(references, wrong=0.5, seed=1), _system(references, wrong=0.3, seed=2)
    found = compare_systems(a, b, references, metrics=["finding_f1"], draws=300, resamples=100)
    assert list(found.metrics) == ["finding_f1"]
    assert found.metrics["finding_f1"].p_holm == found.metrics["finding_f1"].p


def test_a_metric_that_is_undefined_for_one_system_is_named_and_not_tested():
    references = dict.fromkeys("ab", "右侧胸腔积液。")
    normal = dict.fromkeys("ab", "双肺清晰。")
    found = compare_systems(normal, references, references, metrics=["finding_precision"], resamples=100)
    one = found.metrics["finding_precision"]
    assert (one.a, one.b, one.difference, one.low, one.p, one.significant) == (None, 1.0, None, None, None, None)
    assert any("not compared: finding_precision" in text for text in found.warnings)


def test_systems_that_wrote_other_reports_are_refused():
    with pytest.raises(DataError, match="1 id: b only of A"):
        compare_systems({"a": "正常", "b": "正常"}, {"a": "正常"}, {"a": "正常"})
    with pytest.raises(DataError, match="missing for 1 id: b"):
        compare_systems({"a": "正常"}, {"a": "正常"}, {"a": "正常", "b": "正常"})


def test_an_unknown_metric_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"Did you mean finding_f1\?"):
        compare_systems({"a": "正常"}, {"a": "正常"}, {"a": "正常"}, metrics=["findings_f1"])
    with pytest.raises(ConfigError, match="at least one"):
        compare_systems({"a": "正常"}, {"a": "正常"}, {"a": "正常"}, metrics=[])


def test_with_a_table_as_truth_and_no_references_the_labels_are_compared_and_no_texts():
    truth = {name: {"Pneumothorax": int(name in "abc")} for name in "abcdef"}
    a = dict.fromkeys("abcdef", "双肺清晰。")
    b = {name: "左侧气胸。" if name in "abc" else "双肺清晰。" for name in "abcdef"}
    found = compare_systems(a, b, None, truth=truth, resamples=100)
    assert set(found.metrics) == {"finding_f1", "finding_f1_macro"}
    assert found.metrics["finding_f1"].b == 1.0
    with pytest.raises(ConfigError, match="bleu4_char compares texts"):
        compare_systems(a, b, None, truth=truth, metrics=["bleu4_char"])
