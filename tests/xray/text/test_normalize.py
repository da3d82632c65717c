import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.text.normalize import align, normalize


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("纵膈增宽", "纵隔增宽"),
        ("横膈抬高", "横膈抬高"),
        ("縱膈", "纵隔"),
        ("雙側胸腔積液", "双侧胸腔积液"),
        ("直径约１５ｍｍ", "直径约15mm"),
        ("㎜ ㎝", "mm cm"),
        ("心影 不大 ，\u3000肺纹理 清晰", "心影不大,肺纹理清晰"),
        ("PICC  line 在位", "PICC line在位"),
        ("第一行\r\n\r\n第二行", "第一行\n第二行"),
        ("气\u200b胸\ufeff", "气胸"),
        ("", ""),
        (" \n\t", ""),
    ],
)
def test_variants_of_one_spelling_become_one(raw: str, expected: str):
    assert normalize(raw) == expected


@given(st.text())
def test_normalising_twice_changes_nothing(text: str):
    assert normalize(normalize(text)) == normalize(text)


@given(st.text())
def test_every_character_knows_the_one_it_came_from(text: str):
    aligned = align(text)
    assert len(aligned.origins) == len(aligned.text)
    assert list(aligned.origins) == sorted(aligned.origins)
    assert all(0 <= origin < len(text) for origin in aligned.origins)


def test_a_span_leads_back_to_the_words_as_they_were_written():
    raw = "右侧  胸腔 積液，約１５ｍｍ"
    aligned = align(raw)
    start = aligned.text.index("胸腔积液")
    begin, end = aligned.original_span(start, start + 4)
    assert raw[begin:end] == "胸腔 積液"
