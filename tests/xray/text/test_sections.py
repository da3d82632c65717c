import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.text.sections import Sections, empty_sections, locate_sections, split_sections

BOTH = Sections(findings="双肺清晰。", impression="心肺未见异常。")


@pytest.mark.parametrize(
    "text",
    [
        "检查所见：双肺清晰。\n影像诊断：心肺未见异常。",
        "影像所见:双肺清晰。 诊断意见:心肺未见异常。",
        "【影像学表现】双肺清晰。【诊断意见】心肺未见异常。",
        "[检查所见]\n双肺清晰。\n[诊断]\n心肺未见异常。",
        "一、X线所见：双肺清晰。\n二、X线诊断：心肺未见异常。",
        "影像表现\r\n双肺清晰。\r\n诊断印象\r\n心肺未见异常。",
        "　　所见：双肺清晰。\n　　结论：心肺未见异常。",
        "放射学表现 ：双肺清晰。\n放射学诊断 ：心肺未见异常。",
        "双肺清晰。\n印象：心肺未见异常。",
        "FINDINGS: 双肺清晰。\nIMPRESSION: 心肺未见异常。",
        "影像所见：双肺清晰。影像诊断：心肺未见异常。",
        "检 查 所 见：双肺清晰。\n诊　断　意　见：心肺未见异常。",
        "■检查所见：双肺清晰。\n■诊断意见：心肺未见异常。",
        "**检查所见**：双肺清晰。\n**印象**：心肺未见异常。",
        "## 检查所见\n双肺清晰。\n## 诊断及建议\n心肺未见异常。",
        "《检查所见》双肺清晰。《诊断意见》心肺未见异常。",
        "X光所见﹕双肺清晰。\nX光诊断︰心肺未见异常。",
        "DR征象：双肺清晰。\nDR诊断意见：心肺未见异常。",
        "（一）检查描述：双肺清晰。\n（二）检查结论：心肺未见异常。",
        "检查名称：胸部后前位\n检查所见：双肺清晰。\n诊断意见：心肺未见异常。",
    ],
)
def test_every_usual_layout_gives_findings_and_impression(text: str):
    assert split_sections(text) == BOTH


@pytest.mark.parametrize(
    "text",
    [
        "检查所见：双肺清晰。  诊断意见：心肺未见异常。",
        "检查所见\u3000双肺清晰。\u3000诊断意见\u3000心肺未见异常。",
        "【检查所见】\n双肺清晰。\n【诊断意见】\n心肺未见异常。",
        "【检查所见】：双肺清晰。【检查结论】：心肺未见异常。",
        "一、影像学表现：双肺清晰。\n二、影像学诊断：心肺未见异常。",
        "一、检查所见\n双肺清晰。\n二、诊断意见\n心肺未见异常。",
        "1.影像学表现：双肺清晰。\n2.影像学诊断：心肺未见异常。",
        "1、影像学表现\n双肺清晰。\n2、影像学诊断\n心肺未见异常。",
        "影像学表现：\n双肺清晰。\n影像学诊断：\n心肺未见异常。",
        "X线表现：双肺清晰。X线诊断：心肺未见异常。",
        "X线表现：双肺清晰。\r\n印象：心肺未见异常。\r\n",
        "X-线表现：双肺清晰。\nX-线诊断：心肺未见异常。",
        "Ｘ线所见：双肺清晰。\nＸ线诊断：心肺未见异常。",
        "所见：\n双肺清晰。\n印象：\n心肺未见异常。",
        "检查方法：胸部正位。\n检查所见：双肺清晰。\n诊断意见：心肺未见异常。",
        "检查技术：DR胸部正侧位\n影像表现：双肺清晰。\n影像诊断：心肺未见异常。",
        "检查技术：仰卧位，床旁摄片。影像所见：双肺清晰。影像诊断：心肺未见异常。",
        "临床诊断：肺炎？\n检查所见：双肺清晰。\n印象：心肺未见异常。",
        "临床诊断：咳嗽待查；检查所见：双肺清晰。诊断：心肺未见异常。",
        "检查所见：双肺清晰。诊断意见：心肺未见异常。 审核医师：张三 报告医师：李四 2023-05-06",
        "检查所见：双肺清晰。诊断意见：心肺未见异常。审核医师 张三",
        "檢查所見：双肺清晰。\n診斷意見：心肺未见异常。",
        "影像學表現：双肺清晰。\n影像學診斷：心肺未见异常。",
        "【檢查所見】双肺清晰。【診斷】心肺未见异常。\n報告醫師：張三",
        "FINDINGS:\n双肺清晰。\nIMPRESSION:\n心肺未见异常。",
        "Findings：双肺清晰。\nImpression：心肺未见异常。\nRadiologist: Zhang San",
        "\u3000\u3000影像所见：\r\n\u3000\u3000双肺清晰。\r\n\u3000\u3000影像诊断：\r\n\u3000\u3000心肺未见异常。",
        "影像所见:双肺清晰。\t影像诊断:心肺未见异常。",
        "胸部正位片所见：双肺清晰。\n诊断：心肺未见异常。",
        "DR所见：双肺清晰。\nDR印象：心肺未见异常。",
        "放射学所见:双肺清晰。放射学诊断:心肺未见异常。",
        "检查表现：双肺清晰。\n检查提示：心肺未见异常。",
        "影像描述：双肺清晰。\n影像结论：心肺未见异常。",
        "影像描述\t双肺清晰。\n影像结论\t心肺未见异常。",
        "描述：双肺清晰。\n意见：心肺未见异常。",
        "所见  双肺清晰。\n印象  心肺未见异常。",
        "<检查所见>双肺清晰。<诊断意见>心肺未见异常。",
        "（检查所见）双肺清晰。（诊断意见）心肺未见异常。",
        "影像表现:双肺清晰。\n诊断结果:心肺未见异常。",
        "影像表现:双肺清晰。\n初步诊断：心肺未见异常。",
        "X线检查所见：双肺清晰。\nX线检查诊断：心肺未见异常。",
        "X线描述：双肺清晰。\nX线印象：心肺未见异常。",
        "DR检查所见：双肺清晰。\n诊断印象：心肺未见异常。",
        "检查所见：双肺清晰。\n\n\n诊断意见及建议：心肺未见异常。",
        "检查所见：双肺清晰。\n诊断或意见：心肺未见异常。",
        "放射诊断所见：双肺清晰。\n放射诊断：心肺未见异常。",
        "放射所见：双肺清晰。\n放射诊断意见：心肺未见异常。",
        "影像学所见:双肺清晰。 影像学意见:心肺未见异常。",
        "平片所见：双肺清晰。\n平片诊断：心肺未见异常。",
        "检查所见:双肺清晰。\n诊断意见:心肺未见异常。\n备注：本报告仅供参考\n医师签名：张三",
        "检查所见:双肺清晰。\n诊断意见:心肺未见异常。\n\n报告日期：2023-05-06 10:20:30\n此报告仅供临床参考",
        "姓名：张三\u3000性别：男\u3000年龄：45岁\u3000检查号：123\n检查部位：胸部\n临床诊断：咳嗽\n检查所见：双肺清晰。\n诊断意见：心肺未见异常。\n报告医师：李四\u3000审核医师：王五",
        "[所见]双肺清晰。[印象]心肺未见异常。",
        "检查所见：双肺清晰。诊 断：心肺未见异常。",
        "影 像 表 现：双肺清晰。\n影 像 诊 断：心肺未见异常。",
        "影像学所见：双肺清晰。\n影像学印象：心肺未见异常。",
        "影像所见:双肺清晰。影像提示:心肺未见异常。",
        "FINDINGS: 双肺清晰。 IMPRESSION: 心肺未见异常。",
        "FINDINGS\n双肺清晰。\nIMPRESSION\n心肺未见异常。",
        "Finding(s): 双肺清晰。\nConclusion: 心肺未见异常。",
        "Technique: PA view.\nFindings: 双肺清晰。\nImpression: 心肺未见异常。",
        "Exam: Chest PA\nClinical history: cough\nFindings: 双肺清晰。\nOpinion: 心肺未见异常。",
    ],
)
def test_layouts_of_many_hospitals_give_findings_and_impression(text: str):
    sections = split_sections(text)
    assert (sections.findings, sections.impression) == (BOTH.findings, BOTH.impression)


@pytest.mark.parametrize(
    "text",
    [
        "双肺清晰，影像表现 无特殊。",
        "外院胸片提示肺炎，本次影像诊断同前。",
        "诊断明确，印象深刻，所见肋骨完整。",
        "结合临床诊断 肺炎，请复查。",
        "双肺清晰（检查所见同前）。",
        "本报告期内无变化。",
        "Second exam of the day. Technique is limited",
    ],
)
def test_words_of_headers_within_a_sentence_start_no_section(text: str):
    assert split_sections(text) == Sections(findings=text)


def test_the_wards_preliminary_diagnosis_is_no_impression():
    sections = split_sections("临床初步诊断：肺炎\n检查所见：双肺清晰。\n初步诊断：心肺未见异常。")
    assert sections == Sections(indication="肺炎", findings=BOTH.findings, impression=BOTH.impression)


def test_a_clinical_diagnosis_is_the_indication_and_no_impression():
    sections = split_sections("临床诊断：肺炎 影像诊断：左下肺炎症。")
    assert sections == Sections(indication="肺炎", impression="左下肺炎症。")


def test_a_comparison_has_its_own_section():
    sections = split_sections("对比：2021年胸片。\n所见：双肺清晰。")
    assert sections == Sections(comparison="2021年胸片。", findings="双肺清晰。")


@pytest.mark.parametrize(
    "signature",
    [
        "审核医生：张三",
        "审核医生:张三 报告医生:李四",
        "\n报告医师：张三\n审核医师：李四",
        "报告医生 张三  审核医生 李四",
        "\n签名：张三\n报告日期：2021-01-01",
        "　审核者：张三",
        " 医师：张三",
        "医生：张三",
        " 医生 张三",
        "\n医师签名：张三",
        "\n放射科医师：张三",
        "\n影像科副主任医师：张三 2021-01-01",
        "放射科主任医师：张三",
        " 诊断医师/审核医师：张三/李四",
        "报告：张三 审核：李四",
        "【审核医师】张三",
        "\n电子签名：张三\n本报告仅供临床参考。",
        "\nReported by: Zhang San",
    ],
)
def test_the_names_of_the_doctors_belong_to_no_section(signature: str):
    sections = split_sections(f"检查所见：双肺清晰。诊断意见：未见异常。{signature}")
    assert sections == Sections(findings="双肺清晰。", impression="未见异常。")


def test_a_header_behind_an_empty_one_is_no_text_of_it():
    assert split_sections("检查所见：诊断意见：心肺未见异常。") == Sections(impression="心肺未见异常。")
    assert split_sections("检查所见：诊断意见：") == Sections()
    assert [section.name for section in empty_sections("检查所见：诊断意见：")] == ["findings", "impression"]


def test_a_text_without_headers_is_all_findings():
    assert split_sections("双肺清晰，心影不大。") == Sections(findings="双肺清晰，心影不大。")


def test_a_header_word_inside_a_sentence_starts_no_section():
    text = "双肺纹理增多，提示支气管炎，所见肋骨完整。"
    assert split_sections(text) == Sections(findings=text)


@pytest.mark.parametrize("name", ["张三", "欧阳小明", " 张三 "])
def test_a_name_on_the_line_below_its_header_is_no_finding(name: str):
    sections = split_sections(f"报告医师：\n{name}\n审核医师：\n李四\n检查所见：双肺清晰。")
    assert sections == Sections(findings="双肺清晰。")


def test_an_empty_signature_above_the_report_swallows_nothing():
    assert split_sections("报告医师：\n双肺清晰。\n诊断：正常").findings == "双肺清晰。"


def test_a_header_without_text_is_named_unless_it_has_text_elsewhere():
    assert [section.name for section in empty_sections("所见：\n诊断：正常")] == ["findings"]
    assert empty_sections("所见：双肺清晰。诊断：\n诊断：正常") == ()
    assert empty_sections("双肺清晰。") == ()


def test_an_empty_text_has_no_sections():
    assert split_sections(" \n") == Sections()


def test_repeated_sections_are_joined():
    assert split_sections("所见：双肺清晰。\n诊断：正常。\n所见：心影不大。").findings == "双肺清晰。\n心影不大。"


@given(st.text(alphabet="双肺清晰。\n：: 检查所见影像诊断意见【】审核医生临床对比,x1"))
def test_sections_lie_in_the_text_in_order_and_do_not_overlap(text: str):
    end = 0
    for section in locate_sections(text):
        assert end <= section.start < section.end <= len(text)
        end = section.end


def test_a_line_of_administration_does_not_swallow_the_findings_below_it():
    text = "姓名：张三 性别：男\n检查部位：胸部正位\n双肺清晰，心影不大。\n诊断：正常\n报告日期：2021-01-01"
    assert split_sections(text) == Sections(findings="双肺清晰，心影不大。", impression="正常")


@pytest.mark.parametrize(
    "administration",
    [
        "检查方法：胸部正位片。",
        "检查方法：胸部正位片；",
        "检查方法：胸部正位片 ",
        "检查部位：胸部 后前位 ",
        "检查设备：GE Definium 8000 ",
        "检查部位：胸部 检查所见：",
        "检查方法：胸部正位，检查所见：",
        "检查号:12345 ",
        "检查号：DR12345，",
        "检查日期：2021-01-01 10:30 ",
        "姓名：张 三  性别：男  年龄：50 岁 ",
        "姓名：张三，性别：男，年龄：50岁，",
        "姓名：张三 男 50岁 ",
        "姓名:ZHANG SAN 性别:M ",
        "科室：呼吸科 床号：12 床 ",
        "申请医师：王五 ",
        "报告医师：张三 李四 2021-01-01\n",
        "放射科医师：张三 ",
    ],
)
def test_administration_takes_no_more_of_its_line_than_its_value(administration: str):
    text = f"{administration}右侧胸腔积液，骨折错位。\n诊断：同上"
    assert split_sections(text) == Sections(findings="右侧胸腔积液，骨折错位。", impression="同上")


def test_a_text_of_nothing_but_a_signature_has_no_findings():
    assert split_sections("放射科医师：张三") == Sections()


def test_the_name_of_the_hospital_above_a_signature_does_not_make_it_the_end_of_the_report():
    sections = split_sections("某某医院检查报告单\n报告医师：张三\n检查方法：正位\n双肺清晰。")
    assert sections.findings is not None
    assert sections.findings.endswith("双肺清晰。")
    assert "张三" not in sections.findings


def test_advice_to_see_a_doctor_is_no_signature():
    text = "双肺清晰，必要时请咨询专科医生。心影不大。"
    assert split_sections(text) == Sections(findings=text)


@pytest.mark.parametrize("header", ["临床诊断：", "病史:", "[临床诊断]", "临床诊断\n"])
def test_an_indication_ends_at_its_line_when_no_header_announces_the_findings(header: str):
    sections = split_sections(f"{header}肺炎\n右侧胸腔积液。\n诊断：同上")
    assert sections == Sections(indication="肺炎", findings="右侧胸腔积液。", impression="同上")


def test_an_indication_of_several_lines_goes_on_to_the_header_of_the_findings():
    sections = split_sections("病史：咳嗽3天\n肺炎治疗后\n检查所见：双肺清晰。")
    assert sections == Sections(indication="咳嗽3天\n肺炎治疗后", findings="双肺清晰。")


def test_an_empty_indication_swallows_nothing():
    assert split_sections("临床诊断：\n双肺清晰。") == Sections(findings="双肺清晰。")


def test_a_comparison_ends_at_its_line_too():
    sections = split_sections("对比：2021年胸片\n右侧胸腔积液增多。")
    assert sections == Sections(comparison="2021年胸片", findings="右侧胸腔积液增多。")
