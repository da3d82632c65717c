"""Which finding answers which, and what is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.metrics import Comparison, compare_findings
from xray.metrics.reasons import reasons
from xray.metrics.significance import known_concepts, weight_of
from xray.metrics.stated import read_report
from xray.text.frames import find
from xray.text.lexicon import concept

PHRASES = [
    "右侧胸腔积液。",
    "左侧胸腔积液。",
    "双侧胸腔积液。",
    "胸腔积液。",
    "右肺上野结节，直径约8mm。",
    "右肺肿块。",
    "未见气胸。",
    "左侧气胸较前吸收。",
    "心影轻度增大。",
    "右下肺斑片影，考虑肺炎。",
    "两下肺斑片影。",
    "右侧PICC管在位。",
]
SENTENCES = st.lists(st.sampled_from(PHRASES), max_size=6)


def errors(candidate: str, reference: str) -> dict[str, int]:
    return {kind: count for kind, count in compare_findings(candidate, reference).errors.items() if count}


def concepts(comparison: Comparison) -> dict[str, list[str]]:
    return {
        "right": [match.candidate.concept for match in comparison.matches if not match.differs("side")],
        "wrong_side": [match.candidate.concept for match in comparison.matches if match.differs("side")],
        "false": [one.concept for one in comparison.false],
        "omitted": [one.concept for one in comparison.omitted],
    }


def test_each_finding_falls_into_its_place():
    candidate = "左侧胸腔积液。心影增大。右肺上野结节。未见气胸。"
    reference = "右侧胸腔积液。心影增大。左侧气胸。"
    comparison = compare_findings(candidate, reference)
    assert concepts(comparison) == {
        "right": ["cardiomegaly"],
        "wrong_side": ["pleural_effusion"],
        "false": ["nodule"],
        "omitted": ["pneumothorax"],
    }
    assert {one.concept for one in comparison.contradicted} == {"pneumothorax"}


def test_the_spans_point_into_their_own_texts():
    candidate, reference = "心影不大。  左侧胸腔积液。", "检查所见：右侧胸腔少量积液。"
    (match,) = compare_findings(candidate, reference).matches
    (pair,) = match.pairs
    assert candidate[slice(*pair.candidate.span)] == "胸腔积液"
    assert reference[slice(*pair.reference.span)] == "胸腔少量积液"


def test_a_finding_repeated_in_the_impression_is_one_finding():
    reference = "检查所见：右侧胸腔积液。\n诊断意见：右侧胸腔积液。"
    (match,) = compare_findings("右侧胸腔积液。", reference).matches
    assert len(match.pairs) == 2
    assert errors("右侧胸腔积液。", reference) == {}


def test_an_impression_without_a_side_is_no_second_finding():
    reference = "检查所见：右侧胸腔积液。\n诊断意见：胸腔积液。"
    assert len(read_report(reference).stated) == 1
    assert len(read_report("诊断意见：胸腔积液。\n检查所见：右侧胸腔积液。左侧胸腔积液。").stated) == 2


@pytest.mark.parametrize(
    ("candidate", "reference", "expected"),
    [
        ("左侧胸腔积液。", "右侧胸腔积液。", {"location": 1}),
        ("双侧胸腔积液。", "右侧胸腔积液。", {"location": 1}),
        ("双侧胸腔积液。", "右侧胸腔积液。左侧胸腔积液。", {}),
        ("左侧胸腔积液。右侧胸腔积液。", "双侧胸腔积液。", {}),
        ("右侧胸腔积液。左侧胸腔积液。", "右侧胸腔积液。", {"false": 1}),
        ("左侧胸腔积液。右侧胸腔积液。", "右侧胸腔积液。左侧胸腔积液。", {}),
        ("右侧胸腔积液。", "胸腔积液。", {}),
        ("胸腔积液。", "右侧胸腔积液。", {}),
        ("左肺上野结节。", "左肺下野结节。", {"location": 1}),
        ("左肺中野结节。", "左肺下野结节。", {}),
        ("心影重度增大。", "心影轻度增大。", {"severity": 1}),
        ("心影增大。", "心影轻度增大。", {}),
        ("右肺结节，直径约8mm。", "右肺结节，直径约11mm。", {}),
        ("右肺结节，直径约8mm。", "右肺结节，直径约20mm。", {"severity": 1}),
        ("右肺肿块，直径约29mm。", "右肺肿块，直径约31mm。", {"severity": 1}),
        ("右肺肿块，直径约50mm。", "右肺肿块，直径约58mm。", {}),
        ("右侧胸腔积液较前增多。", "右侧胸腔积液。", {"added_comparison": 1}),
        ("右侧胸腔积液。", "右侧胸腔积液较前增多。", {"omitted_comparison": 1}),
        ("两肺未见异常，与前片比较无明显变化。", "两肺未见异常。", {"added_comparison": 1}),
        ("两肺未见异常。", "两肺未见异常，与前片比较无明显变化。", {"omitted_comparison": 1}),
        ("左侧气胸已吸收。", "未见气胸。", {"added_comparison": 1}),
        ("右下肺炎症。", "右下肺斑片影，考虑肺炎。", {}),
        ("右下肺斑片影。", "右下肺斑片影，考虑肺炎。", {}),
        ("右下肺实变。", "右下肺炎。", {}),
        ("右肺肿块。", "右肺结节。", {}),
        ("主动脉钙化。", "脊柱侧弯。", {"false": 1, "omission": 1}),
        ("左侧胸壁见心脏起搏器影。", "气管插管在位。", {"false": 1, "omission": 1}),
        ("右侧胸腔积液。", "未见胸腔积液。", {"false": 1}),
        ("心影不大。", "", {}),
        ("", "", {}),
    ],
)
def test_errors_are_of_the_kind_that_a_radiologist_would_name(candidate, reference, expected):
    assert errors(candidate, reference) == expected


def test_a_neighbouring_word_earns_less_and_is_no_error():
    (exact,) = compare_findings("右肺结节。", "右肺结节。").matches
    (near,) = compare_findings("右肺肿块。", "右肺结节。").matches
    assert exact.credit == 1.0
    assert near.credit == 0.75


def test_a_conclusion_takes_over_the_place_of_its_sign():
    (one,) = read_report("右肺下野见斑片影，考虑肺炎。").stated
    assert (one.concept, one.laterality, one.zones) == ("pneumonia", "right", ("lower",))
    assert [sign.concept for sign in one.evidence] == ["opacity"]
    assert len(read_report("右肺下野见斑片影，伴左侧胸腔积液。").stated) == 2
    assert len(read_report("右肺下野见斑片影。考虑肺炎。").stated) == 2


def test_every_error_is_said_in_one_sentence():
    comparison = compare_findings(
        "左侧胸腔大量积液。右肺上野结节。", "右侧胸腔少量积液。未见结节。左侧气胸，较前增多。"
    )
    said = [reason.text for reason in reasons(comparison)]
    assert said == [
        "误报：右侧上野肺结节（参考报告明确否认）",
        "遗漏：左侧气胸（生成报告未提及）",
        "侧别错误：胸腔积液，生成为左侧，参考为右侧",
        "程度错误：胸腔积液，生成为重度，参考为轻度",
    ]


@pytest.mark.parametrize(
    ("candidate", "reference", "said"),
    [
        (
            "双侧胸腔积液，左侧为著。",
            "双侧胸腔积液，右侧为著。",
            "侧别错误：胸腔积液，生成为双侧（左侧为著），参考为双侧（右侧为著）",
        ),
        ("纵隔左移。", "气管右移。", "侧别错误：纵隔或气管移位，生成为向左侧，参考为向右侧"),
        ("心影不大。", "纵隔左移。", "遗漏：纵隔或气管移位向左侧（生成报告未提及）"),
        ("左侧第8肋骨折。", "左侧第3-5肋骨折。", "位置错误：骨折，生成为第8肋，参考为第3、4、5肋"),
        ("左侧第5肋新鲜骨折。", "左侧第5肋陈旧性骨折。", "新旧错误：骨折，生成为新发，参考为陈旧"),
    ],
)
def test_the_worse_side_the_way_of_a_shift_ribs_and_age_are_said(candidate: str, reference: str, said: str):
    assert [reason.text for reason in reasons(compare_findings(candidate, reference))] == [said]


def test_the_table_of_weights_and_the_lexicon_know_the_same_concepts():
    assert all(concept(name) is not None for name in known_concepts())
    assert weight_of("pneumothorax", severity=None) == 1.0
    assert weight_of("pleural_effusion", severity="mild") < weight_of("pleural_effusion", severity=None)


@given(SENTENCES)
def test_a_report_agrees_with_itself(sentences: list[str]):
    text = "".join(sentences)
    comparison = compare_findings(text, text)
    assert not any(comparison.errors.values())
    assert all(match.credit == 1.0 for match in comparison.matches)


@given(SENTENCES, st.randoms(use_true_random=False))
def test_the_order_of_the_sentences_does_not_matter(sentences: list[str], random):
    shuffled = list(sentences)
    random.shuffle(shuffled)
    comparison = compare_findings("".join(shuffled), "".join(sentences))
    assert not any(comparison.errors.values())


@given(SENTENCES, SENTENCES)
def test_every_stated_finding_of_both_reports_is_somewhere(ours: list[str], theirs: list[str]):
    candidate, reference = "".join(ours), "".join(theirs)
    comparison = compare_findings(candidate, reference)
    pairs = [pair for match in comparison.matches for pair in match.pairs]
    false = {finding.span for one in comparison.false for finding in one.mentions}
    omitted = {finding.span for one in comparison.omitted for finding in one.mentions}
    assert {pair.candidate.span for pair in pairs} | false == {
        finding.span for finding in find(candidate) if finding.assertion != "absent"
    }
    assert {pair.reference.span for pair in pairs} | omitted == {
        finding.span for finding in find(reference) if finding.assertion != "absent"
    }


@given(SENTENCES, SENTENCES)
def test_there_are_as_many_reasons_as_errors(ours: list[str], theirs: list[str]):
    comparison = compare_findings("".join(ours), "".join(theirs))
    assert len(reasons(comparison)) == sum(comparison.errors.values())


@given(SENTENCES, SENTENCES)
def test_what_is_false_one_way_is_omitted_the_other_way(ours: list[str], theirs: list[str]):
    there = compare_findings("".join(ours), "".join(theirs)).errors
    back = compare_findings("".join(theirs), "".join(ours)).errors
    assert there["false"] == back["omission"]
