import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from xray.dicom.view import view_of


def header(**elements):
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def view_code(value, meaning=""):
    item = Dataset()
    item.CodeValue, item.CodeMeaning = value, meaning
    return Sequence([item])


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(
    ("position", "view"),
    [
        ("PA", "frontal"),
        ("AP", "frontal"),
        ("pa ", "frontal"),
        ("AP_SUPINE", "frontal"),
        ("LL", "lateral"),
        ("RL", "lateral"),
        ("LATERAL", "lateral"),
        ("RLO", "unknown"),
        ("AP OBLIQUE", "unknown"),
        ("LLD", "unknown"),
        ("", "unknown"),
    ],
)
def test_view_position_names_the_view(position, view):
    assert view_of(header(ViewPosition=position)) == view


@pytest.mark.parametrize(
    ("code", "meaning", "view"),
    [
        ("399348003", "", "frontal"),
        ("R-10214", "", "frontal"),
        ("399033003", "", "frontal"),
        ("G-A145", "", "lateral"),
        ("R-10216", "postero-anterior oblique", "unknown"),
        ("399173006", "", "lateral"),
        ("R-10232", "", "lateral"),
        ("X-1", "postero-anterior", "frontal"),
        ("X-1", "left lateral", "lateral"),
        ("X-1", "left lateral oblique", "unknown"),
    ],
)
def test_a_view_code_is_used_where_there_is_no_position(code, meaning, view):
    assert view_of(header(ViewCodeSequence=view_code(code, meaning))) == view


@pytest.mark.parametrize(
    ("description", "view"),
    [
        ("Chest PA", "frontal"),
        ("THORAX_AP_BED", "frontal"),
        ("胸部正位", "frontal"),
        ("胸部后前位", "frontal"),
        ("胸部侧位", "lateral"),
        ("W Chest Lat.", "lateral"),
        ("Chest PA and lateral", "unknown"),
        ("胸部正侧位", "unknown"),
        ("胸部正位+侧位", "unknown"),
        ("胸部正、侧位", "unknown"),
        ("胸部侧正位", "unknown"),
        ("DR胸部后-前位", "frontal"),
        ("床旁胸片前後位", "frontal"),
        ("胸部左侧位片", "lateral"),
        ("胸部側位", "lateral"),
        ("胸部左前斜位", "unknown"),
        ("胸部正位前弓位", "unknown"),
        ("床旁胸片", "unknown"),
        ("Chest P-A", "frontal"),
        ("CHEST LLAT", "lateral"),
        ("medial-lateral", "unknown"),
        ("Chest lateral decubitus", "unknown"),
        ("Lateral decubitus AP", "unknown"),
        ("PATELLA APICAL", "unknown"),
        ("Chest", "unknown"),
    ],
)
def test_a_description_names_the_view_or_nothing_is_guessed(description, view):
    assert view_of(header(SeriesDescription=description)) == view


def test_position_goes_before_code_and_code_before_description():
    film = header(ViewPosition="PA", ViewCodeSequence=view_code("399173006"), SeriesDescription="LAT")
    assert view_of(film) == "frontal"
    del film.ViewPosition
    assert view_of(film) == "lateral"
    del film.ViewCodeSequence
    film.SeriesDescription, film.StudyDescription = "Chest", "Chest PA"
    assert view_of(film) == "frontal"


def test_the_nearer_description_goes_before_the_farther():
    film = header(StudyDescription="Chest PA", ProtocolName="胸部侧位")
    assert view_of(film) == "lateral"
    film.AcquisitionDeviceProcessingDescription = "CHEST AP"
    assert view_of(film) == "frontal"
    film.SeriesDescription = "lateral"
    assert view_of(film) == "lateral"


@pytest.mark.parametrize(
    ("orientation", "view"),
    [(["A", "F"], "lateral"), (["PL", "F"], "lateral"), (["L", "F"], "unknown"), (["A", "R"], "unknown")],
)
def test_an_orientation_in_the_sagittal_plane_means_lateral_and_the_usual_one_means_nothing(orientation, view):
    assert view_of(header(PatientOrientation=orientation)) == view
