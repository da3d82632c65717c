"""What a report states and denies."""

import pytest

from xray.text.contradiction import denied_in_words
from xray.text.frames import find


def denied(text: str) -> list[str]:
    return [finding.concept for finding in denied_in_words(text, find(text))]


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("右侧气胸。未见气胸。", "pneumothorax"),
        ("印象：1、左侧胸腔积液；2、双侧胸腔未见积液。", "pleural_effusion"),
        ("未见明显骨折。右侧第5肋骨骨折。", "fracture"),
        ("右上肺結節。右肺未见结节。", "nodule"),
    ],
)
def test_the_same_words_at_the_same_place_contradict(text: str, concept: str):
    assert denied(text) == [concept]


@pytest.mark.parametrize(
    "text",
    [
        "左侧气胸。右侧未见气胸。",
        "右侧气胸，未见张力性气胸。",
        "右侧第5肋骨骨折，余肋骨未见骨折。",
        "右侧少量胸腔积液。未见大量胸腔积液。",
        "双肺未见活动性病变，右上肺条索影。",
        "右上肺结节，较前相仿，未见新发结节。",
        "左侧气胸，引流后气胸消失。",
        "左侧第5肋陈旧性骨折。未见骨折。",
        "右上肺结节。右下肺未见结节。",
        "肺炎可能。未见肺炎。",
    ],
)
def test_what_leaves_room_for_the_finding_is_no_contradiction(text: str):
    assert denied(text) == []
