from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.xray.data.chest_film import GREY, write_film
from xray.data.chest_gate import check_chest_film
from xray.data.film_header import read_header
from xray.errors import Rejected

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


def in_bytes(words: str) -> str:
    """Chinese in a code string (VR CS), which has no characters but ASCII, as devices write it: its bytes."""
    return words.encode("utf-8").decode("latin-1")


def coded(value: str, meaning: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return [item]


def refusal(tmp_path: Path, **elements: object) -> str | None:
    """The code with which a film of these elements is refused, None for one that is accepted."""
    header = read_header(write_film(tmp_path / "film", **elements))
    try:
        return check_chest_film(header)
    except Rejected as rejected:
        return rejected.code


@pytest.mark.parametrize(
    "elements",
    [
        {},
        {"BodyPartExamined": "PORT CHEST"},
        {"BodyPartExamined": "NON GRID CHEST"},
        {"BodyPartExamined": in_bytes("胸部")},
        {"BodyPartExamined": "TORAX"},
        {"BodyPartExamined": None},
        {"BodyPartExamined": "UNKNOWN"},
        {"Modality": "CR"},
        {"Modality": "RG"},
        {"BurnedInAnnotation": "NO"},
        {"SOPClassUID": SECONDARY_CAPTURE, "BurnedInAnnotation": "NO"},
        {"BreedRegistrationSequence": []},  # 240 of the 3,726 OpenI headers have this
        {"PatientSpeciesDescription": "Homo sapiens"},
        {"PatientSpeciesDescription": "人类"},
        {"PatientSpeciesCodeSequence": coded("337915000", "homo sapiens")},
        {"PatientBreedDescription": "N/A"},
        {"ResponsiblePerson": "A^B", "ResponsiblePersonRole": "PARENT"},
    ],
)
def test_a_chest_film_of_a_patient_is_accepted(tmp_path: Path, elements):
    assert refusal(tmp_path, **elements) is None


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"Modality": "CT"}, "not_chest_film"),
        ({"Modality": None}, "not_chest_film"),
        ({"BodyPartExamined": "HAND"}, "not_chest_film"),
        ({"BodyPartExamined": in_bytes("胸椎")}, "not_chest_film"),
        ({"BodyPartExamined": "THORACIC SPINE"}, "not_chest_film"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "for_processing"),
        ({"PresentationIntentType": None, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}, "for_processing"),
        ({"BurnedInAnnotation": "YES"}, "burned_in_annotation"),
        ({"RecognizableVisualFeatures": "YES"}, "recognizable_features"),
        ({"pixels": GREY[:63]}, "too_small"),
        ({"Modality": "OT"}, "secondary_capture"),
        ({"Modality": "OT", "BurnedInAnnotation": "NO"}, "secondary_capture"),
        ({"SOPClassUID": SECONDARY_CAPTURE}, "secondary_capture"),
        ({"SOPClassUID": f"{SECONDARY_CAPTURE}.2"}, "secondary_capture"),
        ({"ConversionType": "WSD"}, "secondary_capture"),
        ({"SOPInstanceUID": "../../x"}, "bad_uid"),
        ({"StudyInstanceUID": "1" * 65}, "bad_uid"),
        ({"PatientSpeciesDescription": "Canis lupus familiaris"}, "not_human"),
        ({"PatientSpeciesDescription": "NON-HUMAN PRIMATE"}, "not_human"),
        ({"PatientSpeciesDescription": "犬"}, "not_human"),
        ({"PatientSpeciesCodeSequence": coded("L-80700", "canine species")}, "not_human"),
        ({"PatientBreedDescription": "Beagle"}, "not_human"),
        ({"PatientBreedCodeSequence": coded("L-80904", "Boxer")}, "not_human"),
        ({"PatientSexNeutered": "ALTERED"}, "not_human"),
        ({"ResponsiblePerson": "A^B", "ResponsiblePersonRole": "OWNER"}, "not_human"),
    ],
)
@pytest.mark.filterwarnings("ignore:The value length")
def test_what_is_no_chest_film_is_refused_by_name(tmp_path: Path, elements, code: str):
    assert refusal(tmp_path, **elements) == code


@pytest.mark.parametrize(
    "words",
    [
        "CHEST PA",
        "PORTABLE AP SUPINE",
        "Thorax ap/pa",
        "W033",
        "胸部正位",
        "胸腹联合",
        "腹部与胸部",
        "胸片 手提式",
        "手动曝光",
        "术后复查，手术切口",
        "俯卧位",
        "床旁",
        "handheld",
        "INCIDENTAL",
        "ABDOMEN AND CHEST",
    ],
)
@pytest.mark.parametrize("keyword", ["SeriesDescription", "ProtocolName", "StudyDescription"])
def test_a_description_of_a_chest_or_of_nothing_leaves_a_film_without_body_part_in(
    tmp_path: Path, words: str, keyword: str
):
    assert refusal(tmp_path, BodyPartExamined=None, **{keyword: words}) is None


@pytest.mark.parametrize(
    "words",
    [
        "ABDOMEN AP",
        "KUB",
        "Hand left",
        "KNEE 2V",
        "T-SPINE LAT",
        "Thoracic spine",
        "Skull",
        "腹部平片",
        "立位腹平片",
        "左手正位",
        "手部",
        "膝关节正侧位",
        "腰椎侧位",
        "胸椎",
        "胸骨侧位",
        "骨盆正位",
    ],
)
@pytest.mark.parametrize("keyword", ["SeriesDescription", "ProtocolName", "StudyDescription"])
def test_a_description_of_another_part_refuses_a_film_without_body_part(tmp_path: Path, words: str, keyword: str):
    assert refusal(tmp_path, BodyPartExamined=None, **{keyword: words}) == "not_chest_film"


def test_the_series_counts_before_the_study_and_both_against_a_body_part_that_was_left_at_chest(tmp_path: Path):
    abdomen = {"SeriesDescription": "ABDOMEN AP", "StudyDescription": "CHEST AND ABDOMEN"}
    assert refusal(tmp_path, BodyPartExamined=None, **abdomen) == "not_chest_film"
    chest = {"SeriesDescription": "CHEST PA", "StudyDescription": "ABDOMEN"}
    assert refusal(tmp_path, BodyPartExamined=None, **chest) is None
    assert refusal(tmp_path, BodyPartExamined="CHEST", **chest) is None
    assert refusal(tmp_path, BodyPartExamined="CHEST", SeriesDescription="ABDOMEN") == "not_chest_film"
    assert (
        refusal(tmp_path, BodyPartExamined="CHEST", SeriesDescription=None, StudyDescription="左膝") == "not_chest_film"
    )
    assert refusal(tmp_path, BodyPartExamined="CHEST", SeriesDescription="AP", StudyDescription="ICU") is None


def test_the_anatomic_region_counts_where_there_is_no_body_part(tmp_path: Path):
    region = {"AnatomicRegionSequence": coded("85562004", "Hand")}
    assert refusal(tmp_path, BodyPartExamined=None, **region) == "not_chest_film"
    region = {"AnatomicRegionSequence": coded("51185008", "Thoracic structure")}
    assert refusal(tmp_path, BodyPartExamined=None, StudyDescription="hand", **region) is None


@pytest.mark.parametrize(
    "elements",
    [
        {"PatientOrientation": ["L", "F"]},
        {"PatientOrientation": ["LA", "FP"]},
        {"PatientOrientation": None},
        {"PatientOrientation": ""},
        {"PatientOrientation": ["Left", "Foot"]},  # no legal values: they say nothing
        {"PatientOrientation": ["RL", "F"]},
        {"PatientOrientation": ["R"]},
        {"PatientOrientation": ["A", "F"], "ViewPosition": "LL"},
        {"PatientOrientation": ["P", "F"], "ViewPosition": "LL"},
        {"PatientOrientation": ["P", "F"], "ViewPosition": None},
        {"PatientOrientation": ["L", "F"], "ViewPosition": None},
    ],
)
def test_an_upright_film_and_one_that_does_not_say_how_it_lies_are_accepted(tmp_path, elements):
    assert refusal(tmp_path, **elements) is None


@pytest.mark.parametrize("view", ["PA", "AP", None])
@pytest.mark.parametrize("orientation", [["R", "F"], ["L", "H"], ["R", "H"], ["F", "R"], ["H", "L"], ["RA", "F"]])
def test_a_film_that_its_header_calls_mirrored_or_turned_is_refused(tmp_path, view, orientation):
    assert refusal(tmp_path, ViewPosition=view, PatientOrientation=orientation) == "turned_film"


def test_a_frontal_film_that_lies_like_a_lateral_one_is_refused(tmp_path):
    assert refusal(tmp_path, PatientOrientation=["P", "F"]) == "turned_film"
