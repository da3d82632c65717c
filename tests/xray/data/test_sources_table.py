"""Pairing a folder of films with a table of reports."""

from pathlib import Path

import pytest

from xray.data.sources import SourceData, TableColumns, read_table
from xray.data.sources.values import parse_age, parse_id, parse_sex, parse_view
from xray.errors import DataError, Rejected

NORMAL = "双肺野清晰，心影不大。"


def write_csv(folder: Path, *lines: str) -> Path:
    path = folder / "reports.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def codes(source: SourceData) -> list[tuple[str, str]]:
    return [(refusal.kind, refusal.code) for refusal in source.refusals]


def test_rows_find_the_dicom_films_of_their_study_with_the_frontal_first(films, tmp_path: Path):
    films.dicom("a/1", study="1.2.3", texture=1, view="LL")
    films.dicom("b/2", study="1.2.3", texture=2, view="PA")
    source = read_table(films.root, write_csv(tmp_path, "study_uid,report", f"1.2.3,{NORMAL}"))
    (study,) = source.studies
    assert [film.name for film in study.films] == ["2", "1"]
    assert (study.patient_id, study.age_years, study.sex) == ("P-1", 61.0, "F")
    assert source.refusals == ()


def test_rows_find_films_by_name_path_or_folder(films, tmp_path: Path):
    for number, name in enumerate(["one.png", "deep/two.png", "case7/x.png", "case7/y.png"]):
        films.png(name, texture=number)
    table = write_csv(tmp_path, "study_id,report", f"one,{NORMAL}", f"deep/two.png,{NORMAL}", f"case7,{NORMAL}")
    source = read_table(films.root, table)
    assert [len(study.films) for study in source.studies] == [1, 1, 2]
    assert source.refusals == ()


def test_one_row_a_film_becomes_one_study_with_the_view_of_each_row(films, tmp_path: Path):
    films.png("l.png", texture=1)
    films.png("f.png", texture=2)
    rows = [f"S1,{name},{view},{NORMAL},女,6个月" for name, view in (("l.png", "侧位"), ("f.png", "正位"))]
    table = write_csv(tmp_path, "检查号,图像,体位,报告,性别,年龄", *rows)
    (study,) = read_table(films.root, table).studies
    assert [film.name for film in study.films] == ["f.png", "l.png"]
    assert study.views == ("frontal", "lateral")
    assert (study.sex, study.age_years) == ("F", 0.5)


def test_a_row_may_name_several_films(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    (study,) = read_table(films.root, write_csv(tmp_path, "film,report", f"a.png; b.png,{NORMAL}")).studies
    assert len(study.films) == 2


def test_findings_and_impression_columns_make_one_report_without_the_names_that_sign_it(films, tmp_path: Path):
    films.png("a.png", texture=1)
    table = write_csv(tmp_path, "film,检查所见,影像诊断", f"a,{NORMAL},未见异常。 审核医生：测试甲")
    (study,) = read_table(films.root, table).studies
    assert study.report.findings == NORMAL
    assert study.report.impression == "未见异常。"


def test_what_has_no_partner_is_listed_on_both_sides(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("alone.png", texture=2)
    source = read_table(films.root, write_csv(tmp_path, "film,report", f"a,{NORMAL}", f"gone,{NORMAL}"))
    assert sorted(codes(source)) == [("unpaired", "no_film"), ("unpaired", "no_report")]
    assert {refusal.where for refusal in source.refusals} == {"reports.csv, line 3", "alone.png"}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("a,", "empty_report"),
        ("a,心影\ufffd大", "undecodable_report"),
        ("a,#NAME?", "sheet_error"),
        ("a,{\\rtf1 x}", "report_markup"),
        ("a," + "长" * 4001, "report_too_long"),
        ("1.2E+10,心影不大", "mangled_id"),
        ("a,心影不大,多余", "wrong_field_count"),
        (",心影不大", "no_study_id"),
        ("b,心影不大", "ambiguous_film"),
        ("7,心影不大", "lost_zeros"),
        ("broken,心影不大", "film_refused"),
        (".\\broken.png,心影不大", "film_refused"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_line_and_code(films, tmp_path: Path, row: str, code: str):
    for name in ("a.png", "x/b.png", "y/b.png", "007.png"):
        films.png(name, texture=len(name))
    (films.root / "broken.png").write_bytes(b"not a film")
    source = read_table(films.root, write_csv(tmp_path, "film,report", row))
    (refusal,) = [refusal for refusal in source.refusals if refusal.kind == "refused" and refusal.row]
    assert (refusal.code, refusal.row) == (code, "reports.csv, line 2")
    assert source.studies == ()


def test_a_second_report_of_a_study_is_noted_and_the_first_kept(films, tmp_path: Path):
    films.png("a.png", texture=1)
    table = write_csv(tmp_path, "film,report", f"a,{NORMAL}", f"a,{NORMAL}", "a,右侧气胸。")
    source = read_table(films.root, table)
    assert [study.report.text for study in source.studies] == [NORMAL]
    assert codes(source) == [("note", "duplicate_row"), ("note", "several_reports")]


def test_a_film_of_two_studies_stays_with_the_first(films, tmp_path: Path):
    films.png("a.png", texture=1)
    source = read_table(films.root, write_csv(tmp_path, "study_id,film,report", f"S1,a,{NORMAL}", "S2,a,右侧气胸。"))
    assert [study.study_uid for study in source.studies] == ["S1"]
    assert codes(source) == [("refused", "film_taken")]


def test_a_report_with_another_patient_id_than_its_films_is_refused(films, tmp_path: Path):
    for number in range(3):
        films.dicom(f"{number}.dcm", study=f"1.2.{number}", texture=number, patient=f"P-{number}")
    table = write_csv(
        tmp_path, "study_uid,patient_id,report", *(f"1.2.{n},{p},{NORMAL}" for n, p in enumerate(["P-0", "P-1", "P-9"]))
    )
    source = read_table(films.root, table)
    assert [study.study_uid for study in source.studies] == ["1.2.0", "1.2.1"]
    assert ("refused", "other_patient") in codes(source)


def test_patient_ids_in_another_numbering_than_the_films_are_accepted(films, tmp_path: Path):
    for number in range(3):
        films.dicom(f"{number}.dcm", study=f"1.2.{number}", texture=number, patient=f"P-{number}")
    table = write_csv(
        tmp_path, "study_uid,patient_id,report", *(f"1.2.{number},研究{number},{NORMAL}" for number in range(3))
    )
    assert len(read_table(films.root, table).studies) == 3


@pytest.mark.parametrize("third", ["P-1", "P-2", ""])
def test_rows_that_give_one_study_to_different_patients_are_all_refused(films, tmp_path: Path, third: str):
    for number in range(4):
        films.png(f"{number}.png", texture=number)
    rows = [f"S1,{n}.png,{patient},{NORMAL}" for n, patient in enumerate(["P-1", "P-2", third])]
    table = write_csv(tmp_path, "study_id,film,patient_id,report", *rows, f"S2,3.png,P-3,{NORMAL}")
    source = read_table(films.root, table)
    assert [study.study_uid for study in source.studies] == ["S2"]
    assert codes(source) == [("refused", "several_patients")] * 3
    assert [refusal.row for refusal in source.refusals] == [f"reports.csv, line {line}" for line in (2, 3, 4)]


def test_a_study_never_gets_a_film_of_another_patient_from_a_second_row(films, tmp_path: Path):
    films.dicom("a.dcm", study="1.2.1", texture=1, patient="P-1")
    films.dicom("b.dcm", study="1.2.2", texture=2, patient="P-2")
    source = read_table(films.root, write_csv(tmp_path, "study_id,film,report", f"S1,a,{NORMAL}", f"S1,b,{NORMAL}"))
    assert source.studies == ()
    assert codes(source) == [("refused", "several_patients")] * 2


def test_a_row_that_does_not_name_the_patient_joins_the_one_that_does(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    table = write_csv(tmp_path, "study_id,film,patient_id,report", f"S1,a,,{NORMAL}", f"S1,b,P-1,{NORMAL}")
    (study,) = read_table(films.root, table).studies
    assert (len(study.films), study.patient_id) == (2, "P-1")


def test_studies_under_a_placeholder_id_are_not_taken_for_one_patient(films, tmp_path: Path):
    films.dicom("a.dcm", study="1.2.1", texture=1, patient="ANONYMOUS")
    films.dicom("b.dcm", study="1.2.2", texture=2, patient="ANONYMOUS")
    rows = [f"1.2.{number},N/A,{NORMAL}" for number in (1, 2)]
    source = read_table(films.root, write_csv(tmp_path, "study_uid,patient_id,report", *rows))
    assert [(study.patient_id, study.film_patient_id) for study in source.studies] == [(None, None), (None, None)]


def test_the_name_of_the_films_folder_is_not_taken_over(films, tmp_path: Path):
    films.png("a.png", texture=1)
    assert read_table(films.root, write_csv(tmp_path, "film,report", f"a,{NORMAL}")).name == "table"


def test_copies_broken_files_and_other_bodies_are_refused_and_the_rest_is_used(films, tmp_path: Path):
    films.dicom("a.dcm", study="1.2", texture=1)
    films.dicom("copy/a.dcm", study="1.2", texture=1)
    (films.root / "broken").write_bytes(b"not a film")
    (films.root / "notes.txt").write_text("ignored")
    source = read_table(films.root, write_csv(tmp_path, "study_uid,report", f"1.2,{NORMAL}"))
    assert len(source.studies[0].films) == 1
    assert sorted(code for _, code in codes(source)) == ["duplicate_film", "not_a_film"]


def test_a_table_without_reports_or_without_ids_says_which_columns_it_has(films, tmp_path: Path):
    with pytest.raises(DataError, match=r"no reports.*It has: film, sex"):
        read_table(films.root, write_csv(tmp_path, "film,sex", "a,F"))
    with pytest.raises(DataError, match="which films"):
        read_table(films.root, write_csv(tmp_path, "report", NORMAL))


def test_a_misspelled_column_is_answered_with_the_nearest_one(films, tmp_path: Path):
    table = write_csv(tmp_path, "film,report_text", f"a,{NORMAL}")
    with pytest.raises(DataError, match="Did you mean 'report_text'"):
        read_table(films.root, table, columns=TableColumns(report="report_txt"))


def test_a_films_folder_that_does_not_exist_is_one_clear_error(tmp_path: Path):
    with pytest.raises(DataError, match="no folder, zip or tar file"):
        read_table(tmp_path / "none", write_csv(tmp_path, "film,report", f"a,{NORMAL}"))


@pytest.mark.parametrize(
    ("text", "years"),
    [("45", 45.0), ("045Y", 45.0), ("45岁", 45.0), ("6个月", 0.5), ("6M", 0.5), ("老年", None), ("", None)],
)
def test_ages_are_read_in_the_ways_they_are_written(text: str, years: float | None):
    assert parse_age(text) == years


@pytest.mark.parametrize(("text", "sex"), [("男", "M"), ("Female", "F"), ("o", "O"), ("?", None)])
def test_sexes_are_read_in_the_ways_they_are_written(text: str, sex: str | None):
    assert parse_sex(text) == sex


@pytest.mark.parametrize(("text", "view"), [("PA", "frontal"), ("侧位", "lateral"), ("斜位", None)])
def test_views_are_read_in_the_ways_they_are_written(text: str, view: str | None):
    assert parse_view(text) == view


@pytest.mark.parametrize("text", ["1.2E+10", "1,2E+10", "1E+05", "#REF!", "#N/A", "#DIV/0!", "########"])
def test_what_a_spreadsheet_leaves_of_an_id_is_refused(text: str):
    with pytest.raises(Rejected, match="mangled_id"):
        parse_id(text)


def test_an_id_that_a_program_made_a_number_is_restored_unless_digits_are_lost():
    assert parse_id("12345.0") == "12345"
    assert parse_id("123456789012345.0") == "123456789012345"
    with pytest.raises(Rejected, match="lost_digits"):
        parse_id("1234567890123456.0")


@pytest.mark.parametrize("text", ["1.2.840.10008.5", "E10", "0012345", "AB-12", "12E", "1e234567"])
def test_ordinary_ids_are_left_alone(text: str):
    assert parse_id(f" {text} ") == text


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ('{"film": "a", "report": "心影\\ud83d大"}', "undecodable_report"),
        ('{"film": "a\\ud83d", "report": "心影不大"}', "undecodable_id"),
    ],
)
def test_half_a_character_in_a_json_table_is_refused_by_line(films, tmp_path: Path, row: str, code: str):
    films.png("a.png", texture=1)
    path = tmp_path / "reports.jsonl"
    path.write_text(row + "\n", encoding="utf-8")
    refusals = [refusal for refusal in read_table(films.root, path).refusals if refusal.row]
    assert [(refusal.code, refusal.row) for refusal in refusals] == [(code, "reports.jsonl, line 1")]


def test_a_table_without_rows_is_refused_by_name(films, tmp_path: Path):
    films.png("a.png", texture=1)
    with pytest.raises(DataError, match="has a header and no rows"):
        read_table(films.root, write_csv(tmp_path, "film,report"))


def test_a_table_without_a_header_does_not_put_its_first_patient_into_the_error(films, tmp_path: Path):
    table = write_csv(tmp_path, "司徒慕青,HOSP777,双肺野清晰", "欧阳某某,HOSP778,心影不大")
    with pytest.raises(DataError, match="is its first line a header") as refusal:
        read_table(films.root, table)
    assert "司徒" not in str(refusal.value)
