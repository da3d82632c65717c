from hypothesis import given
from hypothesis import strategies as st

from xray.metrics import Comparison, compare_findings
from xray.text.frames import find

SENTENCES = st.lists(
    st.sampled_from(
        ["右侧胸腔积液。", "左侧胸腔积液。", "胸腔积液。", "右肺上野结节。", "右肺肿块。", "未见气胸。", "心影增大。"]
    ),
    max_size=5,
).map("".join)


def _concepts(comparison: Comparison) -> dict[str, list[str]]:
    return {
        "matched": [pair.candidate.concept for pair in comparison.matched],
        "wrong_side": [pair.candidate.concept for pair in comparison.wrong_side],
        "false": [finding.concept for finding in comparison.false],
        "omitted": [finding.concept for finding in comparison.omitted],
    }


def test_each_finding_falls_into_its_place():
    candidate = "左侧胸腔积液。心影增大。右肺上野结节。未见气胸。"
    reference = "右侧胸腔积液。心影增大。左侧气胸。"
    assert _concepts(compare_findings(candidate, reference)) == {
        "matched": ["cardiomegaly"],
        "wrong_side": ["pleural_effusion"],
        "false": ["nodule"],
        "omitted": ["pneumothorax"],
    }


def test_the_spans_point_into_their_own_texts():
    candidate, reference = "心影不大。  左侧胸腔积液。", "检查所见：右侧胸腔少量积液。"
    (pair,) = compare_findings(candidate, reference).wrong_side
    assert candidate[slice(*pair.candidate.span)] == "胸腔积液"
    assert reference[slice(*pair.reference.span)] == "胸腔少量积液"


def test_a_finding_repeated_in_the_impression_is_neither_false_nor_omitted():
    reference = "检查所见：右侧胸腔积液。\n诊断意见：右侧胸腔积液。"
    comparison = compare_findings("右侧胸腔积液。", reference)
    assert _concepts(comparison) == {
        "matched": ["pleural_effusion", "pleural_effusion"],
        "wrong_side": [],
        "false": [],
        "omitted": [],
    }


def test_an_impression_without_a_side_is_not_a_wrong_side():
    reference = "检查所见：右侧胸腔积液。\n诊断意见：胸腔积液。"
    assert _concepts(compare_findings(reference, reference))["wrong_side"] == []


def test_a_second_effusion_on_the_other_side_is_false():
    comparison = compare_findings("右侧胸腔积液。左侧胸腔积液。", "右侧胸腔积液。")
    assert [finding.laterality for finding in comparison.false] == ["left"]
    assert len(comparison.matched) == 1


def test_the_right_side_is_paired_before_the_wrong_one():
    comparison = compare_findings("左侧胸腔积液。右侧胸腔积液。", "右侧胸腔积液。左侧胸腔积液。")
    assert len(comparison.matched) == 2
    assert not comparison.wrong_side


def test_a_mass_answers_a_nodule_of_the_same_class():
    assert _concepts(compare_findings("右肺肿块。", "右肺结节。"))["matched"] == ["mass"]


def test_other_abnormalities_match_their_own_kind_only():
    comparison = compare_findings("主动脉钙化。", "脊柱侧弯。")
    assert not comparison.matched
    assert len(comparison.false) == len(comparison.omitted) == 1


@given(SENTENCES)
def test_a_report_agrees_with_itself(text: str):
    comparison = compare_findings(text, text)
    assert not comparison.false
    assert not comparison.omitted
    assert not comparison.wrong_side


@given(SENTENCES, SENTENCES)
def test_every_stated_finding_of_both_reports_is_somewhere(candidate: str, reference: str):
    comparison = compare_findings(candidate, reference)
    pairs = comparison.matched + comparison.wrong_side
    ours = {f.span for f in find(candidate) if f.assertion != "absent"}
    theirs = {f.span for f in find(reference) if f.assertion != "absent"}
    assert {p.candidate.span for p in pairs} | {f.span for f in comparison.false} == ours
    assert {p.reference.span for p in pairs} | {f.span for f in comparison.omitted} == theirs


def test_one_device_does_not_stand_for_another():
    comparison = compare_findings("左侧胸壁见心脏起搏器影。", "左侧见中心静脉导管影。")
    assert not comparison.matched
    assert [finding.concept for finding in comparison.false] == ["pacemaker"]
    assert [finding.concept for finding in comparison.omitted] == ["central_line"]
