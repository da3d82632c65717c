"""Which finding answers which where several could, and how far a sign and its conclusion may be apart."""

import pytest

from xray.metrics.compare import compare_findings
from xray.metrics.stated import read_report


def errors(candidate: str, reference: str) -> dict[str, int]:
    return {kind: count for kind, count in compare_findings(candidate, reference).errors.items() if count}


def test_a_namesake_is_paired_before_a_neighbour_so_that_errors_do_not_hide():
    reference, candidate = "右侧胸膜增厚，右侧肋膈角变钝。", "右侧胸腔积液，右侧肋膈角变钝。"
    assert errors(candidate, reference) == {"false": 1, "omission": 1}
    assert [
        match.reference.concept for match in compare_findings("右肺肿块。右肺结节。", "右肺结节。右肺斑片影。").matches
    ] == ["nodule"]


@pytest.mark.parametrize("hedge", ["考虑肺炎", "不除外肺炎", "肺炎待排", "肺炎？", "肺炎可能"])
def test_a_sign_belongs_to_its_conclusion_however_the_conclusion_is_hedged(hedge: str):
    (one,) = read_report(f"右肺中叶斑片影，{hedge}。").stated
    assert (one.concept, one.laterality) == ("pneumonia", "right")
    assert errors(f"右肺中叶斑片影，{hedge}。", "右肺中叶斑片影，考虑肺炎。") == {}


def test_an_opposite_course_costs_more_than_one_that_is_left_out():
    (opposite,) = compare_findings("右侧胸腔积液较前增多。", "右侧胸腔积液较前吸收。").matches
    (silent,) = compare_findings("右侧胸腔积液。", "右侧胸腔积液较前吸收。").matches
    assert (opposite.credit, silent.credit) == (0.5, 0.9)


def test_a_model_that_repeats_itself_states_one_finding():
    (one,) = read_report("右侧胸腔积液。" * 20_000).stated
    assert len(one.mentions) == 20_000


def test_of_thousands_of_sizes_the_largest_twenty_are_told_apart():
    stated = read_report("".join(f"右肺结节，大小{size}mm。" for size in range(1, 1001))).stated
    assert sorted(one.size_mm for one in stated) == list(range(981, 1001))
    assert sum(len(one.mentions) for one in stated) == 1000


@pytest.mark.parametrize("silent", ["少量胸腔积液。", "右侧胸腔积液。", "右肺肿块，直径20mm。", "右上肺肿块。"])
def test_what_is_left_unsaid_costs_a_tenth_and_is_no_error(silent: str):
    whole = "右侧少量胸腔积液。" if "积液" in silent else "右上肺肿块，直径20mm。"
    (match,) = compare_findings(silent, whole).matches
    assert match.credit == pytest.approx(0.9)
    assert errors(silent, whole) == {}
    assert compare_findings(whole, silent).matches[0].credit == 1.0


def test_a_finding_that_its_own_report_denies_earns_half():
    (match,) = compare_findings("右侧气胸。未见气胸。", "右侧气胸。").matches
    assert match.credit == 0.5
    (same,) = compare_findings("右侧气胸。未见气胸。", "右侧气胸。未见气胸。").matches
    assert same.credit == 1.0


def test_more_on_the_other_side_costs_a_quarter_of_the_finding():
    (same,) = compare_findings("两肺炎症，右肺为重。", "两肺炎症，右侧为著。").matches
    (other,) = compare_findings("两肺炎症，左肺为重。", "两肺炎症，右侧为著。").matches
    assert (same.credit, other.credit) == (1.0, 0.75)


def test_exchanged_degrees_of_two_sides_are_degrees_and_not_sides():
    comparison = compare_findings("左侧胸腔少量积液，右侧大量。", "左侧胸腔大量积液，右侧少量。")
    assert [(match.candidate.laterality, match.credit) for match in comparison.matches] == [
        ("left", 0.5),
        ("right", 0.5),
    ]


@pytest.mark.parametrize("text", ["左侧胸腔大量积液，右侧少量。", "双侧胸腔积液，左侧大量，右侧少量。"])
def test_both_sides_in_the_conclusion_add_no_finding(text: str):
    stated = read_report(f"检查所见：{text}诊断意见：双侧胸腔积液。").stated
    assert [(one.laterality, one.severity) for one in stated] == [("left", "severe"), ("right", "mild")]
