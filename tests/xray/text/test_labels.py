import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.text.labels import CLASSES, concept_class, label


def _positive(text: str) -> set[str]:
    return {name for name, value in label(text).labels.items() if value == 1}


def test_the_classes_are_the_fourteen_of_chexpert_in_order():
    assert len(CLASSES) == 14
    assert CLASSES[0] == "No Finding"
    assert CLASSES[-1] == "Support Devices"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("双肺清晰，心影不大，未见气胸及胸腔积液。", {"No Finding"}),
        ("气管插管在位。双肺清晰。", {"No Finding", "Support Devices"}),
        ("右侧胸腔积液，右下肺实变。", {"Pleural Effusion", "Consolidation"}),
        ("双肺纹理增多。", set()),
        ("主动脉钙化。", set()),
        ("右侧膈下见游离气体。", set()),
        ("双肺清晰，膈下未见游离气体。", {"No Finding"}),
        ("心影不大，胸腔积液（-），气胸（-）。", {"No Finding"}),
        ("右上肺结节，左下肺斑片影。", {"Lung Lesion", "Lung Opacity"}),
        ("左侧液气胸。", {"Pneumothorax", "Pleural Effusion"}),
    ],
)
def test_a_report_gets_its_classes(text: str, expected: set[str]):
    assert _positive(text) == expected


def test_the_four_states_are_told_apart():
    labels = label("右侧胸腔积液。未见气胸。左下肺炎症待排。").labels
    assert labels["Pleural Effusion"] == 1
    assert labels["Pneumothorax"] == 0
    assert labels["Pneumonia"] == -1
    assert labels["Fracture"] is None


def test_present_beats_uncertain_and_uncertain_beats_absent():
    assert label("未见胸腔积液。右侧胸腔积液。考虑胸腔积液。").labels["Pleural Effusion"] == 1
    assert label("未见胸腔积液。胸腔积液待排。").labels["Pleural Effusion"] == -1


def test_a_blunted_angle_makes_an_effusion_uncertain():
    assert label("右侧肋膈角变钝。").labels["Pleural Effusion"] == -1


def test_a_shape_suggests_a_large_heart_unless_its_size_is_normal():
    assert label("心影呈二尖瓣型。").labels["Cardiomegaly"] == -1
    assert label("心影呈二尖瓣型，心影不大。").labels["Cardiomegaly"] == 0
    assert label("心影呈二尖瓣型，心影增大。").labels["Cardiomegaly"] == 1
    assert label("心影呈二尖瓣型，心影不大。心影似增大。").labels["Cardiomegaly"] == -1


def test_a_suspicion_forbids_no_finding():
    assert label("双肺清晰，左下肺炎待排。").labels["No Finding"] == 0


def test_a_text_without_words_has_no_label_at_all():
    assert set(label(" 。\n").labels.values()) == {None}


def test_other_abnormalities_belong_to_no_class():
    assert concept_class("increased_markings") is None
    assert concept_class("pleural_effusion") == "Pleural Effusion"
    assert concept_class("unheard_of") is None


@given(st.text(alphabet="左右侧胸腔积液气未见心影增大结节，。双肺清晰骨折可能", max_size=50))
def test_every_text_gets_fourteen_labels_of_four_states(text: str):
    labels = label(text).labels
    assert tuple(labels) == CLASSES
    assert set(labels.values()) <= {1, 0, -1, None}
    abnormal = any(labels[name] in {1, -1} for name in CLASSES[1:-1])
    assert not (abnormal and labels["No Finding"] == 1)
