"""Habits of machine translation (profile `mt`), in sentences of our own: what stands there and what is meant."""

import pytest

from xray.text.frames import find

SIGNS = {"present": "+", "absent": "-", "uncertain": "?"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("左肺基底节段下无吸收。", {("atelectasis", "+")}),
        ("右下肺有肺段下的无反射。", {("atelectasis", "+")}),
        ("右肺底不透明，可能有无肺水肿或浸润。", {("opacity", "+"), ("atelectasis", "?"), ("opacity", "?")}),
        ("左下肺不透明可能是无气胸或感染。", {("opacity", "+"), ("atelectasis", "?"), ("pneumonia", "?")}),
        ("没有气胸或无肺水肿。", {("pneumothorax", "-"), ("edema", "-")}),
        (
            "没有肺炎、肺水肿、渗出或气胸。",
            {("pneumonia", "-"), ("edema", "-"), ("pleural_effusion", "-"), ("pneumothorax", "-")},
        ),
        ("肺部、胸腔积液和气胸没有急性异常的证据。", {("pleural_effusion", "-"), ("pneumothorax", "-")}),
        ("没有急性异常，如气胸或骨折。", {("pneumothorax", "-"), ("fracture", "-")}),
        ("没有局灶性不透明，这可能表明有肺炎。", {("opacity", "-"), ("pneumonia", "-")}),
        ("左下肺有不透明，这可能表明有肺炎。", {("opacity", "+"), ("pneumonia", "?")}),
        ("右侧有一个导管，尖端位于上腔静脉。", {("central_line", "+")}),
        ("左侧的尖端凸出于腔室交界处。", {("central_line", "+")}),
        ("没有对支架进行评估。", {("other_device", "+")}),
        ("胸骨切开术后的变化。", set()),
        ("胸骨切开的缝线完整。", {("other_device", "+")}),
        ("右肺有两个未钙化的结节。", {("nodule", "+")}),
        ("左肺有钙化的结节。", {("calcification", "+")}),
        ("心影比正常人的略大。", {("cardiomegaly", "?")}),
        ("应与感染的症状相关联。", set()),
        ("右侧膈肌的浸润。", {("diaphragm", "+")}),
        ("胸骨有切口疤痕。", {("chest_wall", "+")}),
        ("肺血管充血在正常范围内。", {("edema", "-")}),
        ("双侧肋骨钝化。", {("costophrenic_blunting", "+")}),
        ("可见T12的楔形骨折。", {("fracture", "+")}),
        ("胸椎轻度楔形。", {("degenerative", "+")}),
    ],
)
def test_a_translated_sentence_means_what_the_original_said(text: str, expected: set[tuple[str, str]]):
    assert {(f.concept, SIGNS[f.assertion]) for f in find(text, profile="mt")} == expected


def test_two_lower_lobes_are_both_sides():
    assert [f.laterality for f in find("两个下肺叶均可见到不透明。", profile="mt")] == ["bilateral"]
