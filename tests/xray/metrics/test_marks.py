"""Findings marked in the two texts of a case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.metrics.marks import KINDS, Mark, MarkedReports, mark_reference, mark_reports, split_marks


def kinds(marks: MarkedReports) -> dict[str, tuple[str, ...]]:
    return {kind: marks.concepts(kind) for kind in KINDS if marks.concepts(kind)}


@pytest.mark.parametrize(
    ("generated", "reference", "expected"),
    [
        ("心影增大。", "心影增大。", {"agree": ("cardiomegaly",)}),
        ("心影增大。", "心影不大。", {"false": ("cardiomegaly",)}),
        ("心影不大。", "心影增大。", {"omitted": ("cardiomegaly",)}),
        ("左侧胸腔少量积液。", "右侧胸腔少量积液。", {"side": ("pleural_effusion",)}),
        ("双肺野清晰。", "双肺野清晰。", {}),
        ("", "心影增大。", {"omitted": ("cardiomegaly",)}),
    ],
)
def test_findings_are_agreed_false_omitted_or_on_the_wrong_side(generated: str, reference: str, expected: dict):
    assert kinds(mark_reports(generated, reference=reference, profile="standard")) == expected


def test_a_wrong_side_carries_the_side_that_each_text_claims():
    marks = mark_reports("左侧胸腔少量积液。", reference="右侧胸腔少量积液。", profile="standard")
    assert [segment.side for segment in marks.generated if segment.kind] == ["left"]
    assert [segment.side for segment in marks.reference if segment.kind] == ["right"]


def test_agreement_alone_is_no_disagreement():
    marks = mark_reports("心影增大。", reference="心影增大。", profile="standard")
    assert marks.disagreements == ()


def test_of_overlapping_marks_the_more_serious_is_shown():
    marks = [Mark(kind="agree", start=0, end=4, concept="a"), Mark(kind="side", start=2, end=4, concept="b")]
    assert [(part.text, part.kind) for part in split_marks("甲乙丙丁戊", marks)] == [
        ("甲乙", "agree"),
        ("丙丁", "side"),
        ("戊", None),
    ]


@given(
    text=st.text(max_size=30),
    spans=st.lists(st.tuples(st.integers(-3, 35), st.integers(-3, 35), st.sampled_from(KINDS)), max_size=8),
)
def test_segments_joined_give_the_text_back(text: str, spans: list[tuple[int, int, str]]):
    marks = [Mark(kind=kind, start=start, end=end, concept="x") for start, end, kind in spans]
    assert "".join(part.text for part in split_marks(text, marks)) == text


@given(generated=st.text(alphabet="左右侧胸腔积液心影增大未见，。<&>\n", max_size=40), reference=st.text(max_size=20))
def test_any_two_texts_can_be_compared_and_stay_whole(generated: str, reference: str):
    marks = mark_reports(generated, reference=reference, profile="standard")
    assert "".join(part.text for part in marks.generated) == generated
    assert "".join(part.text for part in marks.reference) == reference


def test_a_reference_beside_two_reports_shows_the_more_serious_answer():
    answers = ["右侧胸腔积液。心影增大。", "左侧胸腔积液。"]
    segments = mark_reference("右侧胸腔积液。心影增大。", generated=answers, profile="standard")
    assert "".join(segment.text for segment in segments) == "右侧胸腔积液。心影增大。"
    assert [segment.kind for segment in segments if segment.kind] == ["side", "omitted"]
