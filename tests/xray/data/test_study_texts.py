"""The words of a study as they are kept: every text, whoever speaks it, loses what names a person."""

from datetime import date
from pathlib import Path

import pytest

from xray.data.sources.study_files import StudyFiles
from xray.data.study_texts import clean_texts, without_people
from xray.errors import Rejected
from xray.types import Report, Turn

DAY = date(2024, 2, 29).toordinal()


def study(*turns: Turn, report: Report | None = None) -> StudyFiles:
    return StudyFiles(
        study_uid="1.2.840.5551",
        films=(Path("a.dcm"),),
        views=("frontal",),
        report=report,
        patient_id="HOSP777",
        study_day=DAY,
        conversations=(turns,) if turns else (),
        people=("司徒慕青", "张力"),
    )


def test_the_turns_of_both_roles_and_of_the_system_are_cleaned():
    files = study(
        Turn(role="system", text="你是王小明医生的助手。"),
        Turn(role="user", text="患者司徒慕青，住院号：123456，电话13812345678，与2024-02-20胸片比较如何？"),
        Turn(role="assistant", text="司徒慕青右侧张力性气胸，较2024年2月20日进展。报告医师：李四"),
        Turn(role="user", text="HOSP777还有积液吗？"),
        Turn(role="assistant", text="无。请张力医生会诊。"),
    )
    texts = clean_texts(files, study_uid="s", repair_terms=False)
    assert [(turn.role, turn.text) for turn in texts.conversations[0]] == [
        ("system", "你是医生的助手。"),
        ("user", "患者，与9天前胸片比较如何？"),
        ("assistant", "右侧张力性气胸，较9天前进展。"),
        ("user", "还有积液吗？"),
        ("assistant", "无。请医生会诊。"),
    ]
    assert {change.part for change in texts.changes} == {"conversation 1"}
    assert texts.report is None


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_an_id_left_in_a_turn_of_either_role_refuses_the_study(role):
    files = study(Turn(role=role, text="见编码XHOSP777Y。"))
    with pytest.raises(Rejected, match="id_in_report"):
        clean_texts(files, study_uid="s", repair_terms=False)


def test_every_part_of_a_report_is_cleaned():
    parts = {"findings": "司徒慕青双肺清晰。", "impression": "司徒慕青正常。", "indication": "司徒慕青咳嗽。"}
    report = Report(study_uid="1.2.840.5551", language="zh", comparison="司徒慕青前片。", **parts)
    cleaned = clean_texts(study(report=report), study_uid="s", repair_terms=False).report
    assert cleaned is not None
    assert (cleaned.findings, cleaned.impression) == ("双肺清晰。", "正常。")
    assert (cleaned.indication, cleaned.comparison) == ("咳嗽。", "前片。")


def test_a_text_without_identifiers_stays_as_it_is():
    assert without_people("右侧张力性气胸。", files=study()).text == "右侧张力性气胸。"
