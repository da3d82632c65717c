import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.text.frames import find
from xray.text.lexicon import PROFILES, load

ALPHABET = (
    "左右双侧肺上中下野叶胸腔积液气未见无明显及、，。；但伴考虑不除外可能心影增大结节影约15mm较前吸收\n 　:：?？()除"
)


@given(st.text(alphabet=ALPHABET, max_size=60), st.sampled_from(PROFILES))
def test_a_span_always_points_at_words_of_the_text(text: str, profile: str):
    for finding in find(text, profile=profile):
        start, end = finding.span
        assert 0 <= start < end <= len(text)
        assert text[start:end].strip()


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str):
    find(text)


@given(st.sampled_from(["右侧胸腔积液", "左肺结节影，直径约8mm", "未见气胸", "心影增大"]), st.integers(0, 3))
def test_a_sentence_means_the_same_wherever_it_stands(sentence: str, position: int):
    others = ["气管居中", "双侧膈面光整", "骨质未见异常"]
    text = "。".join([*others[:position], sentence, *others[position:]]) + "。"
    alone = {(f.concept, f.assertion, f.laterality, f.size_mm) for f in find(sentence)}
    assert alone <= {(f.concept, f.assertion, f.laterality, f.size_mm) for f in find(text)}


def test_swapping_left_and_right_swaps_every_side():
    text = "左侧胸腔积液。右肺上野见结节影。左肺下野不张，右侧气胸。"
    swapped = text.translate(str.maketrans("左右", "右左"))
    other = {"left": "right", "right": "left"}
    assert [f.laterality for f in find(swapped)] == [other[f.laterality] for f in find(text)]


def test_the_indication_and_the_comparison_state_nothing():
    text = "临床诊断：肺炎，胸腔积液\n对比：右侧气胸\n检查所见：左肺结节影。"
    assert [f.concept for f in find(text)] == ["nodule"]


def test_a_span_marks_the_finding_in_a_report_with_headers_and_spaces():
    text = "检查所见：  双肺纹理清晰。\n  右侧 胸腔 少量积液。\n诊断意见：右侧胸腔积液。"
    marked = [text[start:end] for f in find(text) if f.concept == "pleural_effusion" for start, end in [f.span]]
    assert marked == ["胸腔 少量积液", "胸腔积液"]


def test_words_of_machine_translation_count_in_their_profile_only():
    text = "左下叶有无意识的区域，没有局灶性合并。"
    assert find(text) == ()
    assert {(f.concept, f.assertion) for f in find(text, profile="mt")} == {
        ("atelectasis", "present"),
        ("consolidation", "absent"),
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "心胸廓形在正常范围内，没有气胸或胸腔积液的证据。",
            {"mediastinal_widening", "pneumothorax", "pleural_effusion"},
        ),
        ("没有任何急性异常，如气胸或大量胸腔积液。", {"pneumothorax", "pleural_effusion"}),
        (
            "肺部清晰，没有局灶性固结，胸腔积液，或气胸。",
            {"opacity", "consolidation", "pleural_effusion", "pneumothorax"},
        ),
    ],
)
def test_translated_lists_of_normal_findings_are_absent_to_the_last(text: str, expected: set[str]):
    findings = find(text, profile="mt")
    assert {f.concept for f in findings if f.assertion == "absent"} == expected
    assert all(f.assertion == "absent" for f in findings)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_lexicon_names_only_concepts_it_knows(profile: str):
    lexicon = load(profile)
    joined = {name for concept in lexicon.concepts.values() for name in concept.joins}
    assert {name for name, _, _ in lexicon.terms} | joined <= set(lexicon.concepts)
    assert all(not pattern.fullmatch("") for _, _, pattern in lexicon.terms)


def test_a_model_that_repeats_itself_is_read_to_the_end():
    text = "胸腔积液" * 500 + "，左侧气胸。"
    assert find(text)[-1].concept == "pneumothorax"
    assert find(text)[-1].laterality == "left"


def test_a_sentence_without_an_end_is_read_to_the_end():
    findings = find("右肺结节约8mm，" * 5000 + "左肺结节约9mm。")
    assert len(findings) == 5001
    assert (findings[-1].laterality, findings[-1].size_mm) == ("left", 9.0)
