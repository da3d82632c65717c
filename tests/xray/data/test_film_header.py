import struct
from pathlib import Path, PurePath

import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.datadict import tag_for_keyword

from tests.xray.data.chest_film import GREY, write_film
from xray.data.film_header import is_film_file, read_header, stated_study
from xray.errors import Rejected


def test_a_header_says_what_the_film_is_without_decoding_it(tmp_path: Path):
    header = read_header(write_film(tmp_path / "film", StudyDate="20240229"))
    assert header.is_dicom
    assert (header.rows, header.columns, header.bits_stored) == (80, 70, 8)
    assert (header.study_uid, header.sop_instance_uid) == ("1.2.826.0.1.99.1", "1.2.826.0.1.99.3")
    assert (header.modality, header.body_part, header.view, header.view_position) == ("DX", "CHEST", "frontal", "PA")
    assert (header.age_years, header.sex, header.pixel_spacing_mm) == (1.5, "F", (0.2, 0.2))
    assert header.patient_id == "CANARY-7"
    assert header.study_day == 738945
    assert "CANARY" not in repr(header)
    assert "738945" not in repr(header)


@pytest.mark.parametrize(
    ("elements", "age"),
    [
        ({"PatientAge": "045Y"}, 45),
        ({"PatientAge": "026W"}, 0.5),
        ({"PatientAge": "999Y"}, None),
        ({"PatientAge": None, "PatientBirthDate": "19800101", "StudyDate": "20200101"}, 40),
        ({"PatientAge": None, "PatientBirthDate": "20210101", "StudyDate": "20200101"}, None),
        ({"PatientAge": None}, None),
    ],
)
def test_the_age_comes_from_the_header_or_from_two_dates(tmp_path: Path, elements, age):
    assert read_header(write_film(tmp_path / "film", **elements)).age_years == age


def test_a_placeholder_is_nobodys_patient_id(tmp_path: Path):
    assert read_header(write_film(tmp_path / "film", PatientID="ANONYMOUS")).patient_id is None


@pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore:The value length")
@pytest.mark.parametrize("uid", ["../../x", "1.2.3/4", "1..2", ".1.2", "1.2.", "1" * 65, "1.2.3 x", "NULL"])
def test_what_is_no_uid_is_not_handed_on_by_any_name(tmp_path: Path, uid: str):
    path = write_film(tmp_path / "film", StudyInstanceUID=uid, SOPInstanceUID=uid)
    header = read_header(path)
    assert header.study_uid is None
    assert header.sop_instance_uid is None
    assert header.illegal_uids == ("StudyInstanceUID", "SOPInstanceUID")
    assert uid not in repr(header).replace(str(path), "")
    assert stated_study(path).uid is None


WORDS = (
    "Modality",
    "ConversionType",
    "PatientSex",
    "PatientOrientation",
    "StudyDescription",
    "PatientName",
    "StudyInstanceUID",
)


@pytest.mark.parametrize("keyword", WORDS)
def test_a_sequence_where_a_word_belongs_is_no_word_whatever_stands_in_it(tmp_path: Path, keyword: str):
    tag = struct.pack("<HH", tag_for_keyword(keyword) >> 16, tag_for_keyword(keyword) & 0xFFFF)
    path = write_film(tmp_path / "film", **{keyword: None})
    film = dcmread(path)
    film.add_new(keyword, "OB", b"AA" * 35)
    film.save_as(path)
    path.write_bytes(path.read_bytes().replace(tag + b"OB", tag + b"SQ"))
    header = read_header(path)
    assert header == read_header(write_film(path, **{keyword: None}))


def test_a_film_without_uids_has_none_that_is_illegal(tmp_path: Path):
    header = read_header(write_film(tmp_path / "film", StudyInstanceUID=None, SOPInstanceUID=""))
    assert (header.study_uid, header.sop_instance_uid, header.illegal_uids) == (None, None, ())


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize("word", ["UNKNOWN", "other", "N/A", "", "未知".encode().decode("latin-1")])
def test_a_body_part_that_says_nothing_is_none(tmp_path: Path, word: str):
    assert read_header(write_film(tmp_path / "film", BodyPartExamined=word)).body_part is None


def test_a_study_is_stated_by_refused_films_too_and_by_nothing_else(tmp_path: Path):
    assert stated_study(write_film(tmp_path / "film", Modality="CT")).uid == "1.2.826.0.1.99.1"
    Image.fromarray(GREY).save(tmp_path / "a.png")
    (tmp_path / "text.dcm").write_text("words", encoding="utf-8")
    assert [stated_study(tmp_path / name).uid for name in ("a.png", "text.dcm", "nothing")] == [None, None, None]


def test_the_hospitals_numbers_of_a_study_are_known_and_never_shown(tmp_path: Path):
    path = write_film(tmp_path / "film", AccessionNumber=" A0071 ", StudyID="S3")
    header = read_header(path)
    assert header.numbers == stated_study(path).numbers == ("A0071", "S3")
    assert "A0071" not in repr(header) + repr(stated_study(path))


def test_films_are_told_from_other_files_by_their_first_bytes(tmp_path: Path):
    assert is_film_file(write_film(tmp_path / "a"))
    for name, kind in (("b", "PNG"), ("c", "JPEG")):
        Image.fromarray(GREY).save(tmp_path / name, format=kind)
        assert is_film_file(tmp_path / name)
    assert not is_film_file(tmp_path)
    assert not is_film_file(tmp_path / "nothing")


def test_the_name_that_counts_is_the_one_in_the_archive(tmp_path: Path):
    Image.fromarray(GREY).save(tmp_path / "000001", format="PNG")
    place = PurePath("ward.zip/a.png")
    assert read_header(tmp_path / "000001", place=place).place == place
    with pytest.raises(Rejected, match="wrong_name"):
        read_header(tmp_path / "000001", place=PurePath("ward.zip/a.dcm"))


def test_a_view_position_that_is_no_such_word_is_not_kept(tmp_path):
    header = read_header(write_film(tmp_path / "a.dcm", ViewPosition="PA ZHANG SAN"))
    assert (header.view, header.view_position) == ("frontal", None)
