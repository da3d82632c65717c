"""What is wrong with the words of a report, and with a corpus of them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.phantom.report import write_report
from xray.data.phantom.study import Style, sample_studies
from xray.text.lint import lint_reports, lint_text, rule_kinds

PLAIN = "两肺野清晰，未见实变影。心影不大，两膈光滑，肋膈角锐利。"


def rules(text: str) -> set[str]:
    return {hit.rule for hit in lint_text(text)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (PLAIN + "还有什么可以帮您的吗？", "question"),
        (PLAIN + "您的肺很健康。", "address"),
        (PLAIN + "我们认为正常。", "first_person"),
        ("作为一个人工智能模型，我无法诊断。" + PLAIN, "machine_voice"),
        (PLAIN + "总的来说，这是一个好消息。", "commentary"),
        (PLAIN + "建议咨询医生，进一步检查。", "advice"),
        ("根据这张X光片，" + PLAIN, "preamble"),
        ("与之前的检查相比，" + PLAIN, "prior"),
        (PLAIN + "右肺结节较前增大。", "prior"),
        (PLAIN + "右肺结节稳定。", "change"),
        (PLAIN + "Bibasilar密度增高影。", "latin"),
        (PLAIN + "左肺见XXXX。", "residue"),
        (PLAIN + "没有空隙疾病。", "wrong_term"),
        ("正常。", "too_short"),
        (PLAIN * 40, "too_long"),
        (f"检查所见：{PLAIN}\n诊断意见：", "empty_section"),
        ("检查所见：左侧胸腔积液。\n诊断意见：右侧胸腔积液。", "contradicted_side"),
        ("诊断意见：1、左侧气胸；2、未见气胸。", "contradicted_finding"),
        (f"检查所见：{PLAIN}\n诊断意见：右侧气胸。", "unsupported_impression"),
    ],
)
def test_each_rule_finds_what_it_is_for(text: str, rule: str):
    assert rule in rules(text)


def test_a_plain_report_breaks_no_rule():
    assert rules(PLAIN) == set()


@pytest.mark.parametrize(
    "text",
    [
        "我院CT未见异常，PICC尖端位于SVC下段，两肺清晰。",
        "检查所见：两侧胸腔积液。\n诊断意见：右侧胸腔积液，左侧胸腔积液。",
        "检查所见：左侧胸腔积液。\n诊断意见：左侧胸腔积液。",
        "检查所见：可疑右侧气胸，两肺野清晰。\n诊断意见：右侧气胸。",
        "检查所见：两肺清晰，右侧PICC管。\n诊断意见：右侧PICC管置入。",
        "两肺清晰。心影不大。诊断意见：\n心肺未见异常。",
    ],
)
def test_ordinary_words_break_no_rule(text: str):
    assert rules(text) == set()


def test_a_hit_marks_the_words():
    text = PLAIN + "总的来说，没有合并症或胸腔积液。"
    marked = {hit.rule: text[hit.start : hit.end] for hit in lint_text(text)}
    assert marked == {"commentary": "总的来说", "wrong_term": "合并症"}


@pytest.mark.parametrize("style", list(Style))
def test_phantom_reports_have_no_chat_no_wrong_term_and_no_contradiction(style: Style):
    studies = sample_studies(100, seed=3, style=style)
    texts = {str(number): write_report(study, style=style) for number, study in enumerate(studies)}
    kinds = {share.rule: share.count for share in lint_reports(texts).kinds}
    assert (kinds["chatty"], kinds["term"], kinds["contradiction"]) == (0, 0, 0)


def test_copies_are_counted_once_each_and_named_after_the_first():
    other = "右下肺见斑片状密度增高影，边界不清，右侧肋膈角变钝，心影增大。"
    texts = {"a": PLAIN, "b": PLAIN.replace("，", "、"), "c": other, "d": PLAIN * 2 + other, "e": PLAIN + "骨质好。"}
    found = {share.rule: share.examples for share in lint_reports(texts).rules}
    assert found["duplicate"] == ("b",)
    assert found["near_duplicate"] == ("e",)


def test_shares_add_up_and_no_text_is_shown():
    report = lint_reports(
        {"1": PLAIN, "2": "您好！" + PLAIN[:-4] + "您的心脏正常。", "3": "好的，" + PLAIN + "请复查？"}
    )
    shares = {share.rule: share for share in report.rules}
    assert shares["question"].count == 1
    assert shares["question"].share == pytest.approx(1 / 3)
    assert {share.rule for share in report.rules} == set(rule_kinds())
    assert "心" not in report.model_dump_json()
    assert lint_reports({}).reports == 0


def test_the_order_of_hits_is_that_of_the_text():
    starts = [hit.start for hit in lint_text("您好，" + PLAIN + "总之，建议您咨询医生？")]
    assert starts == sorted(starts)


@given(st.text("左右侧胸腔积液印象是：所见诊断总之，。？你XxAa\n", max_size=60))
def test_any_text_can_be_linted(text: str):
    assert all(0 <= hit.start <= hit.end <= len(text) for hit in lint_text(text))


def test_a_thousand_variants_of_a_template_are_found_quickly():
    draw = random.Random(0)
    words = "肺野纹理清晰增多门影心膈光滑肋角锐利骨质完整气管居中纵隔不宽主动脉迂曲钙化"
    template = "".join(draw.choices(words, k=120))
    variants = {str(n): template[: (k := draw.randrange(110))] + str(n) + template[k:] for n in range(1000)}
    copies = {share.rule: share.count for share in lint_reports(variants).rules}
    assert copies["near_duplicate"] > 900
