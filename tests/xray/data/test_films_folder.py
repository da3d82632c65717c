"""What a word in a table may stand for, and that no file among the films is passed over in silence."""

import os
import time
from pathlib import Path

import pytest

from xray.data.sources import SourceData, read_table
from xray.errors import DataError

NORMAL = "双肺野清晰，心影不大。"
TURNED = {"PatientOrientation": ["R", "F"]}


def read(films: Path, *lines: str) -> SourceData:
    table = films.parent / "reports.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(films, table)


def by_study(source: SourceData) -> dict[str, list[str]]:
    return {
        study.study_uid: [film.relative_to(source.root).as_posix() for film in study.films] for study in source.studies
    }


def refused_rows(source: SourceData) -> list[str]:
    return [refusal.code for refusal in source.refusals if refusal.row]


def test_a_folder_name_that_two_patients_use_is_refused_and_its_path_is_found(films):
    films.png("P1/1/a.png", texture=1)
    films.png("P2/1/a.png", texture=2)
    source = read(films.root, "study_id,report", f"1,{NORMAL}", f"P1/1,{NORMAL}", f".\\P2\\1\\,{NORMAL}")
    assert by_study(source) == {"P1/1": ["P1/1/a.png"], ".\\P2\\1\\": ["P2/1/a.png"]}
    assert refused_rows(source) == ["ambiguous_film"]


@pytest.mark.parametrize("name", ["1", "a", "a.dcm"])
def test_a_patient_whose_film_was_refused_does_not_get_another_patients(films, name: str):
    films.dicom("P1/1/a.dcm", study="1.2.1", texture=1, patient="P-1", **TURNED)
    films.dicom("P2/1/a.dcm", study="1.2.2", texture=2, patient="P-2")
    source = read(films.root, "study_id,report", f"{name},{NORMAL}")
    assert source.studies == ()
    assert refused_rows(source) == ["ambiguous_film"]


def test_places_of_many_films_of_archives_are_told_in_no_time(tmp_path: Path):
    inside = {tmp_path / "scratch" / str(number): f"ward.zip/{number}.dcm" for number in range(20_000)}
    source = SourceData(name="table", root=tmp_path / "films", studies=(), refusals=(), unpacked=inside)
    start = time.process_time()
    assert [source.place(film) for film in inside] == list(inside.values())
    assert time.process_time() - start < 2
    assert source.place(source.root / "P1/a.dcm") == "P1/a.dcm"


def test_a_folder_with_copies_of_the_same_films_is_no_other_folder(films):
    films.dicom("disk1/7/a.dcm", study="1.2.1", texture=1)
    films.dicom("disk2/7/a.dcm", study="1.2.1", texture=1)
    assert by_study(read(films.root, "study_id,report", f"7,{NORMAL}")) == {"7": ["disk1/7/a.dcm"]}


def test_one_row_with_films_of_two_patients_is_refused(films):
    films.dicom("a.dcm", study="1.2.1", texture=1, patient="P-1")
    films.dicom("b.dcm", study="1.2.2", texture=2, patient="P-2")
    source = read(films.root, "study_id,film,report", f"S1,a.dcm;b.dcm,{NORMAL}", f"S1,a.dcm,{NORMAL}")
    assert source.studies == ()
    assert refused_rows(source) == ["several_patients"] * 2


def test_a_row_with_the_study_of_another_film_is_refused_and_ids_of_another_kind_are_not_compared(films):
    films.dicom("a.dcm", study="1.2.1", texture=1)
    films.dicom("b.dcm", study="1.2.2", texture=2)
    rows = [f"1.2.1,a.dcm,{NORMAL}", f"1.2.1,b.dcm,{NORMAL}", f"CR0017,b.dcm,{NORMAL}"]
    source = read(films.root, "study_uid,film,report", *rows)
    assert by_study(source) == {"1.2.1": ["a.dcm"], "CR0017": ["b.dcm"]}
    assert refused_rows(source) == ["other_study"]


@pytest.mark.parametrize("name", ["1.2.1", "P1", "a", "P1/a.dcm"])
def test_a_row_whose_film_was_refused_by_its_header_says_so(films, name: str):
    films.dicom("P1/a.dcm", study="1.2.1", texture=1, **TURNED)
    source = read(films.root, "study_uid,report", f"{name},{NORMAL}")
    assert refused_rows(source) == ["film_refused"]
    assert [(film.where, film.code) for film in source.lost_films] == [("P1/a.dcm", "turned_film")]


def test_a_film_refused_beside_others_is_lost_but_what_is_no_film_of_the_chest_is_not(films):
    films.dicom("a.dcm", study="1.2.1", texture=1)
    films.dicom("b.dcm", study="1.2.1", texture=2, **TURNED)
    films.dicom("c.dcm", study="1.2.1", texture=3, PresentationIntentType="FOR PROCESSING")
    films.dicom("d.dcm", study="1.2.1", texture=4, Modality="SR")
    films.dicom("e.dcm", study="1.2.1", texture=1)
    source = read(films.root, "study_uid,report", f"1.2.1,{NORMAL}")
    assert by_study(source) == {"1.2.1": ["a.dcm"]}
    assert [film.where for film in source.lost_films] == ["b.dcm"]
    assert sorted(source.counts("refused")) == ["duplicate_film", "for_processing", "not_chest_film", "turned_film"]


def test_a_row_goes_on_with_the_films_that_are_left(films):
    films.dicom("a.dcm", study="1.2.1", texture=1)
    films.dicom("b.dcm", study="1.2.1", texture=2, **TURNED)
    source = read(films.root, "film,report", f"a.dcm;b.dcm,{NORMAL}")
    assert by_study(source) == {"1.2.1": ["a.dcm"]}
    assert [film.where for film in source.lost_films] == ["b.dcm"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.bmp", "unsupported_picture"),
        ("a.TIF", "unsupported_picture"),
        ("a.dcm.gz", "packed_file"),
        ("a.zip", "packed_file"),
        ("a.dcm", "wrong_name"),
        ("a.png", "not_a_film"),
    ],
)
def test_a_file_that_may_be_meant_as_a_film_is_listed_and_answers_the_row_that_names_it(films, name: str, code: str):
    (films.root / "P1").mkdir()
    (films.root / "P1" / name).write_bytes(b"some other content")
    source = read(films.root, "film,report", f"a,{NORMAL}")
    assert [(refusal.where, refusal.code) for refusal in source.refusals if not refusal.row] == [(f"P1/{name}", code)]
    assert refused_rows(source) == ["film_refused"]


def test_an_index_is_noted_and_other_texts_and_hidden_files_are_nobodys_films(films):
    for name in ("DICOMDIR", "readme.txt", ".hidden.dcm"):
        (films.root / name).write_bytes(b"words")
    source = read(films.root, "film,report", f"a,{NORMAL}")
    listed = [(refusal.where, refusal.code, refusal.kind) for refusal in source.refusals if not refusal.row]
    assert listed == [("DICOMDIR", "dicomdir_corrupt", "note")]


def test_a_linked_folder_is_not_followed_but_named(films, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (films.root / "case7").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    source = read(films.root, "study_id,report", f"case7,{NORMAL}")
    assert [(film.where, film.code) for film in source.lost_films] == [("case7", "linked_folder")]
    assert refused_rows(source) == ["film_refused"]


def test_a_folder_that_may_not_be_read_is_named_and_the_films_folder_itself_is_an_error(
    films, monkeypatch: pytest.MonkeyPatch
):
    films.png("a.png", texture=1)
    films.png("closed/b.png", texture=2)
    locked = {str(films.root / "closed")}
    scandir = os.scandir

    def guarded(folder: str):
        if str(folder) in locked:
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr("os.scandir", guarded)
    source = read(films.root, "film,report", f"a,{NORMAL}")
    assert [(refusal.where, refusal.code) for refusal in source.refusals] == [("closed", "unreadable_folder")]
    locked.add(str(films.root))
    with pytest.raises(DataError, match="cannot be read"):
        read(films.root, "film,report", f"a,{NORMAL}")


def test_a_film_whose_name_is_gbk_is_found_by_the_name_that_people_read(films):
    path = films.root / os.fsdecode("王某/胸片.png".encode("gbk"))
    films.png("a.png", texture=1)
    path.parent.mkdir()
    (films.root / "a.png").rename(path)
    (study,) = read(films.root, "film,report", f"王某/胸片.png,{NORMAL}").studies
    assert study.films == (path,)


def test_the_last_number_of_a_uid_is_no_ending(films):
    films.dicom("1.2.3.4", study="1.2.9", texture=1, patient="P-9")
    source = read(films.root, "study_uid,report", f"1.2.3,{NORMAL}")
    assert source.studies == ()
    assert refused_rows(source) == ["no_film"]


@pytest.mark.parametrize("name", ["7", "P1/7"])
def test_a_folder_of_a_study_is_found_with_a_folder_for_each_series(films, name: str):
    films.dicom("P1/7/series1/a.dcm", study="1.2.1", texture=1)
    films.dicom("P1/7/series2/b.dcm", study="1.2.1", texture=2, view="LL")
    films.dicom("P1/8/series1/a.dcm", study="1.2.2", texture=3)
    source = read(films.root, "study_id,report", f"{name},{NORMAL}", f"8,{NORMAL}")
    assert by_study(source) == {name: ["P1/7/series1/a.dcm", "P1/7/series2/b.dcm"], "8": ["P1/8/series1/a.dcm"]}
    assert source.refusals == ()


def test_a_folder_of_two_studies_of_a_patient_is_no_study(films):
    films.dicom("P1/1/a.dcm", study="1.2.1", texture=1)
    films.dicom("P1/2/a.dcm", study="1.2.2", texture=2)
    films.dicom("P2/a.dcm", study="1.2.3", texture=3, patient="P-2")
    films.dicom("P2/b.dcm", study="1.2.4", texture=4, patient="P-2")
    source = read(films.root, "study_id,report", f"P1,{NORMAL}", f"P2,{NORMAL}")
    assert source.studies == ()
    assert refused_rows(source) == ["ambiguous_film", "several_studies"]


def test_pictures_in_subfolders_are_of_one_study_only_where_one_subfolder_holds_them(films):
    films.png("P1/2023/a.png", texture=1)
    films.png("P1/2023/b.png", texture=2)
    films.png("P2/2023/a.png", texture=3)
    films.png("P2/2024/a.png", texture=4)
    source = read(films.root, "study_id,report", f"P1,{NORMAL}", f"P2,{NORMAL}")
    assert by_study(source) == {"P1": ["P1/2023/a.png", "P1/2023/b.png"]}
    assert refused_rows(source) == ["ambiguous_film"]


@pytest.mark.parametrize("keyword", ["AccessionNumber", "StudyID"])
def test_a_study_is_found_by_the_number_that_the_hospital_gave_it(films, keyword: str):
    films.dicom("x/1.dcm", study="1.2.1", texture=1, **{keyword: "0042"})
    films.dicom("y/2.dcm", study="1.2.1", texture=2, view="LL", **{keyword: "0042"})
    films.dicom("y/3.dcm", study="1.2.2", texture=3, **{keyword: "7"})
    films.dicom("y/4.dcm", study="1.2.3", texture=4, **{keyword: "7"})
    source = read(films.root, "检查号,报告", f"0042,{NORMAL}", f"42,{NORMAL}", f"7,{NORMAL}")
    assert by_study(source) == {"0042": ["x/1.dcm", "y/2.dcm"]}
    assert refused_rows(source) == ["lost_zeros", "ambiguous_film"]


def test_a_row_whose_films_carry_another_number_is_refused_where_the_table_uses_that_number(films):
    for number in range(4):
        films.dicom(f"{number}.dcm", study=f"1.2.{number}", texture=number, AccessionNumber=f"A{number}")
    rows = [f"A{number},{number}.dcm,{NORMAL}" for number in (0, 1, 2)]
    source = read(films.root, "accession_number,film,report", *rows, f"A9,3.dcm,{NORMAL}")
    assert list(by_study(source)) == ["A0", "A1", "A2"]
    assert refused_rows(source) == ["other_study"]


def test_numbers_of_the_tables_own_are_no_contradiction(films):
    for number in range(3):
        films.dicom(f"{number}.dcm", study=f"1.2.{number}", texture=number, AccessionNumber=f"A{number}")
    source = read(films.root, "id,film,report", *(f"X{number},{number}.dcm,{NORMAL}" for number in range(3)))
    assert len(source.studies) == 3


def test_a_study_whose_films_were_refused_is_told_from_one_without_films_by_its_number_too(films):
    films.dicom("a.dcm", study="1.2.1", texture=1, AccessionNumber="A1", **TURNED)
    source = read(films.root, "accession,report", f"A1,{NORMAL}")
    assert refused_rows(source) == ["film_refused"]
