"""What a report looks like must not tell who wrote it."""

import pytest

from app.protocol.blinding import neutral_text
from xray.text.frames import find

PLAIN = "双肺野清晰，心影增大，心胸比约0.58。未见气胸。左侧胸腔少量积液。心影增大。左侧少量胸腔积液。"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "双肺野清晰,心影增大,心胸比约0.58;未见气胸.左侧胸腔少量积液.心影增大.左侧少量胸腔积液",
        "【检查所见】\n1、双肺野清晰, 心影增大,心胸比约0.58; 未见气胸.\n2、左侧胸腔少量积液。\n"
        "【影像诊断】\n1. 心影增大.\n2. 左侧少量胸腔积液.",
        "双肺野清晰，心影增大，心胸比约0.58；未见气胸。左侧胸腔少量积液\n\n印象：心影增大。左侧少量胸腔积液",
        "**影像所见：** 雙肺野清晰，心影增大，心胸比约 0.58。未見氣胸。左側胸腔少量積液。\n\n"
        "**印象：**\n- 心影增大\n- 左侧少量胸腔积液\n报告医生：张三",
    ],
)
def test_one_report_in_the_habits_of_five_authors_is_one_text(text: str):
    assert neutral_text(text) == PLAIN
    assert neutral_text(PLAIN) == PLAIN


def test_what_is_stated_stays(subtests: pytest.Subtests):
    for text in (
        "影像所见：右肺下叶见结节，大小约1.2cm×1.0cm，较前(2.3cm)缩小。PICC尖端位于T6. 双侧胸腔积液,左侧为著。",
        "1.右侧第3-5肋骨骨折；2.气胸:无。\n诊断意见：右侧多发肋骨骨折",
    ):
        with subtests.test(text=text):
            told = [(finding.concept, finding.assertion, finding.laterality, finding.size_mm) for finding in find(text)]
            after = find(neutral_text(text))
            assert [(one.concept, one.assertion, one.laterality, one.size_mm) for one in after] == told


def test_numbers_and_english_keep_their_marks():
    assert neutral_text("比值3:2，约1,000ml，0.58。") == "比值3:2，约1,000ml，0.58。"
    assert neutral_text("FINDINGS:\n- The heart is normal\nNo effusion.\nIMPRESSION: Normal chest") == (
        "The heart is normal. No effusion. Normal chest."
    )


def test_a_report_of_nothing_but_a_heading_or_nothing_at_all_is_no_error():
    assert neutral_text("") == ""
    assert "张三" in neutral_text("报告医生：张三")
