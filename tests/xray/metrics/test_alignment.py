"""Sentences of two reports side by side: by their findings, each in one row, with a kind that says how they differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.metrics.alignment import Alignment, Evidence, align_reports, split_sentences

SENTENCES = (
    "双肺野清晰。",
    "右侧胸腔少量积液。",
    "左侧胸腔大量积液；",
    "心影增大，心胸比约0.58。",
    "心影不大\n",
    "未见气胸及胸腔积液。",
    "建议复查。",
    "Heart size is normal. ",
    "1. 右肺上野实变影。",
    "。",
    "  ",
)
reports = st.lists(st.sampled_from(SENTENCES), max_size=6).map("".join)
texts = reports | st.text("。；;.\n 1左右肺心影大积液ab", max_size=30)


def align(generated: str, reference: str) -> Alignment:
    return align_reports(generated, reference=reference, profile="standard")


@given(text=texts)
def test_the_sentences_of_a_report_joined_are_the_report(text: str):
    sentences = split_sentences(text)
    assert "".join(one.text for one in sentences) == text
    assert all(one.text == text[one.start : one.end] for one in sentences)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("心影增大。双肺野清晰", ["心影增大。", "双肺野清晰"]),
        ("心胸比约0.58。余无异常。", ["心胸比约0.58。", "余无异常。"]),
        ("1. 积液；2. 气胸。", ["1. 积液；", "2. 气胸。"]),
        ("Heart is normal. No effusion.", ["Heart is normal. ", "No effusion."]),
        ("。。心影增大。。”\n", ["。。心影增大。。”\n"]),
        ("", []),
    ],
)
def test_a_report_is_split_at_full_stops_and_not_at_decimal_points(text: str, expected: list[str]):
    assert [one.text for one in split_sentences(text)] == expected


@given(generated=texts, reference=texts)
def test_every_sentence_is_in_one_row_and_the_generated_ones_keep_their_order(generated: str, reference: str):
    found = align(generated, reference)
    ours = [row.generated for row in found.rows if row.generated is not None]
    theirs = [number for row in found.rows for number in row.reference]
    assert ours == list(range(len(found.generated)))
    assert sorted(theirs) == list(range(len(found.reference)))
    assert all(list(row.reference) == sorted(row.reference) for row in found.rows)
    assert not any(set(row.shared) & set(row.reference) for row in found.rows)
    assert all(row.generated is not None or len(row.reference) == 1 for row in found.rows)


@given(text=reports)
def test_a_report_beside_itself_agrees_in_every_sentence(text: str):
    assert {row.kind for row in align(text, text).rows} <= {"agree"}


@pytest.mark.parametrize(
    ("generated", "reference", "kinds"),
    [
        ("右侧胸腔少量积液。", "右侧胸腔少量积液。", ["agree"]),
        ("左侧胸腔少量积液。", "右侧胸腔少量积液。", ["side"]),
        ("右侧胸腔大量积液。", "右侧胸腔少量积液。", ["degree"]),
        ("右肺上野实变影。", "右肺下野实变影。", ["place"]),
        ("右侧气胸。", "未见气胸。", ["polarity"]),
        ("未见气胸。", "右侧气胸。", ["polarity"]),
        ("左侧锁骨骨折。", "双肺野清晰。", [None, "false"]),
        ("双肺野清晰。", "左侧锁骨骨折。", [None, "omitted"]),
        ("心影增大。", "心影增大，右侧胸腔少量积液。", ["omitted"]),
        ("建议复查。", "建议定期复查。", ["agree"]),
    ],
)
def test_the_kind_of_a_row_says_how_the_sentences_differ(generated: str, reference: str, kinds: list[str | None]):
    assert sorted((row.kind for row in align(generated, reference).rows), key=str) == sorted(kinds, key=str)


def test_sentences_meet_by_what_they_find_however_the_reports_are_ordered():
    found = align("心影增大。右侧胸腔大量积液。", "右侧胸腔少量积液。心影增大，双肺野清晰。")
    assert [(row.generated, row.reference, row.kind) for row in found.rows] == [(0, (1,), "agree"), (1, (0,), "degree")]


def test_a_sentence_that_two_sentences_answer_stands_beside_one_and_is_named_at_the_other():
    found = align("右侧胸腔积液。心影增大。", "右侧胸腔积液，心影增大。")
    assert sorted((row.reference, row.shared) for row in found.rows) == [((), (0,)), ((0,), ())]
    assert {row.kind for row in found.rows} == {"agree"}


def test_what_was_left_out_stands_where_the_reference_has_it():
    found = align("双肺野清晰。心影增大。", "双肺野清晰。左侧锁骨骨折。心影增大。")
    assert [(row.generated, row.reference) for row in found.rows] == [(0, (0,)), (None, (1,)), (1, (2,))]


def test_the_evidence_quotes_what_either_report_says_of_the_finding_and_in_what_it_is_wrong():
    (row,) = align("左侧胸腔少量积液，心影不大。", "右侧胸腔少量积液，心影不大。").rows
    first, second = row.evidence
    assert (first.kind, first.generated, first.reference) == ("side", "左侧胸腔少量积液", "右侧胸腔少量积液")
    assert [(one.aspect, one.generated, one.reference) for one in first.contrasts] == [("side", ("left",), ("right",))]
    assert second == Evidence(kind="agree", concept="cardiomegaly", generated="心影不大", reference="心影不大")
