"""Terms that machine translation got wrong are put right, and nothing else is touched."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xray.data.phantom.report import write_report
from xray.data.phantom.study import Style, sample_studies
from xray.text.terminology import Change, Repair, repair, repairs

PIECES = sorted({piece for entry in repairs() for piece in re.split(r"(?<=[有的性、，。或左右下])", entry.example)})
WRITTEN = sorted({entry.write for entry in repairs()})


@pytest.mark.parametrize("entry", repairs(), ids=lambda entry: f"{entry.en}: {entry.example}")
def test_every_entry_of_the_table_repairs_its_example(entry: Repair):
    repaired = repair(entry.example)
    assert any(entry.write in change.written for change in repaired.changes)


@pytest.mark.parametrize(
    ("translated", "right"),
    [
        ("没有局灶性的空隙巩固、胸腔积液或气孔。", "没有局灶性的肺泡实变、胸腔积液或气胸。"),
        ("心胸廓形在正常范围内，没有合并症或积水。", "心影纵隔轮廓在正常范围内，没有实变或胸腔积液。"),
        ("右下叶的无意识状态，不能排除无脑症。", "右下叶的肺不张，不能排除肺不张。"),
        ("纵膈和肝脏轮廓稳定，没有病灶浸润。", "纵隔和肺门轮廓稳定，没有局灶性浸润。"),
        ("没有病灶性的气隙不透明。", "没有局灶性的肺泡性密度增高影。"),
        ("迂回、异位的主动脉，胸椎左旋肉碱症。", "迂曲、扩张的主动脉，胸椎左侧弯。"),
    ],
)
def test_a_sentence_of_a_translated_report_reads_like_a_radiologist_s(translated: str, right: str):
    assert repair(translated).text == right


@pytest.mark.parametrize(
    "sentence",
    [
        "右肺下叶炎症合并左侧胸腔积液，糖尿病合并症。",
        "患者无意识，咳嗽无力，吸气时无气促。",
        "双肺下叶无渗出，未见实变或渗出。",
        "病灶较前吸收，病灶异常强化，病灶内见空洞。",
        "肝脏增大，肝脏密度均匀；膈肌光滑，位置正常。",
        "无脑儿，角膜混浊，乳腺腺病，前列腺病变。",
        "异位妊娠，胸椎骨折脱位，异位甲状腺，半月板损伤。",
        "右侧气胸，胸腔引流管持续漏气。",
        "化疗巩固治疗后，气道通畅，胸骨后间隙正常。",
        "第3肋骨角骨折，肋骨完整，心尖上翘，心尖搏动正常。",
        "不透X线异物影；肾积水；心包积水；囊内混浊液体。",
        "改变不明显，积液量增多不明显。",
        "两肺气腔实变，肺泡性病变，局灶性实变。",
    ],
)
def test_a_correct_sentence_stays_as_it_is(sentence: str):
    assert repair(sentence).changes == ()


@pytest.mark.parametrize("style", list(Style))
def test_the_reports_of_phantoms_stay_as_they_are(style: Style):
    for study in sample_studies(200, seed=5, style=style):
        assert repair(write_report(study, style=style)).changes == ()


def test_a_change_names_what_stood_where():
    repaired = repair("没有纵膈气肿，没有空隙疾病。")
    assert repaired.changes == (
        Change(found="纵膈", written="纵隔", start=2),
        Change(found="空隙疾病", written="肺泡性病变", start=9),
    )


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(PIECES + WRITTEN) | st.text("病灶空隙无气合并、，。的性症不透明肺", max_size=3), max_size=12
    )
)
def test_repairing_a_repaired_text_changes_nothing_and_the_changes_tell_all(pieces: list[str]):
    text = "".join(pieces)
    repaired = repair(text)
    assert repair(repaired.text) == type(repaired)(text=repaired.text, changes=())
    rewritten = text
    for change in reversed(repaired.changes):
        end = change.start + len(change.found)
        assert rewritten[change.start : end] == change.found
        rewritten = rewritten[: change.start] + change.written + rewritten[end:]
    assert rewritten == repaired.text
