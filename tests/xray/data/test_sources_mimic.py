"""MIMIC-CXR: a tree in the published layout, with invented reports."""

import gzip
import re
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.sources import SourceData, read_mimic
from xray.data.sources.mimic_report import split_mimic_report
from xray.errors import ConfigError, DataError

PLACE = "p10/p10000032/s50414267"
FINAL = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___ year old person with cough

 COMPARISON:  None.

 FINDINGS:

 The heart is normal
 in size.  The lungs are clear.

 IMPRESSION:

 No acute process.
"""


def write_report(root: Path, place: str = PLACE, text: str = FINAL) -> Path:
    path = root / "files" / f"{place}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_table(root: Path, name: str, *lines: str) -> None:
    with gzip.open(root / f"mimic-cxr-2.0.0-{name}.csv.gz", "wt") as stream:
        stream.write("\n".join(lines) + "\n")


def codes(source: SourceData) -> list[tuple[str, str, str]]:
    return sorted((refusal.kind, refusal.code, refusal.where) for refusal in source.refusals)


def test_a_study_is_its_folder_and_its_report_stands_beside_it(films):
    films.dicom(f"files/{PLACE}/a-1.dcm", study="2.25.1", texture=1, patient="10000032", view="LL")
    films.dicom(f"files/{PLACE}/b-2.dcm", study="2.25.1", texture=2, patient="10000032", view="PA")
    write_report(films.root)
    source = read_mimic(films.root, films.root)
    (study,) = source.studies
    assert (study.study_uid, study.patient_id, study.views) == ("s50414267", "10000032", ("frontal", "lateral"))
    assert study.report.findings == "The heart is normal in size. The lungs are clear."
    assert study.report.impression == "No acute process."
    assert (study.report.indication, study.report.comparison) == ("___ year old person with cough", "None.")
    assert (study.report.language, source.name, source.refusals) == ("en", "mimic", ())


def test_the_jpg_tree_gets_views_dates_and_splits_from_the_tables(films, tmp_path: Path):
    reports = tmp_path / "reports"
    for name, texture in (("a-1", 1), ("b-2", 2), ("c-3", 3)):
        films.png(f"files/{PLACE}/{name}.jpg", texture=texture)
    write_report(reports)
    write_table(films.root, "split", "dicom_id,study_id,subject_id,split", "a-1,50414267,10000032,validate")
    write_table(
        films.root,
        "metadata",
        "dicom_id,subject_id,study_id,ViewPosition,StudyDate,ViewCodeSequence_CodeMeaning",
        "a-1,10000032,50414267,LATERAL,21800506,lateral",
        "b-2,10000032,50414267,,21800506,antero-posterior",
    )
    (study,) = read_mimic(films.root, reports).studies
    assert [film.stem for film in study.films] == ["b-2", "a-1", "c-3"]
    assert study.views == ("frontal", "lateral", "unknown")
    assert (study.declared_split, study.study_day) == ("val", date(2180, 5, 6).toordinal())


def test_the_files_folder_itself_may_be_given(films, tmp_path: Path):
    films.png(f"files/{PLACE}/a.png", texture=1)
    write_report(tmp_path)
    source = read_mimic(films.root / "files", tmp_path / "files")
    assert (len(source.studies), source.refusals) == (1, ())


def test_what_has_no_partner_is_listed_on_both_sides(films):
    films.png(f"files/{PLACE}/a.png", texture=1)
    films.png("files/elsewhere/b.png", texture=2)
    write_report(films.root, "p11/p11000001/s59999999")
    assert codes(read_mimic(films.root, films.root)) == [
        ("unpaired", "no_film", "p11/p11000001/s59999999"),
        ("unpaired", "no_report", "elsewhere/b.png"),
        ("unpaired", "no_report", f"{PLACE}/a.png"),
    ]


def test_a_film_of_another_patient_than_its_folder_is_refused(films):
    films.dicom(f"files/{PLACE}/a.dcm", study="2.25.1", texture=1, patient="10000999")
    write_report(films.root)
    assert codes(read_mimic(films.root, films.root)) == [("refused", "other_patient", PLACE)]


def test_a_study_in_two_splits_is_refused(films):
    films.png(f"files/{PLACE}/a.png", texture=1)
    write_report(films.root)
    write_table(films.root, "split", "dicom_id,study_id,split", "a,50414267,train", "b,50414267,test")
    assert codes(read_mimic(films.root, films.root)) == [("refused", "several_splits", PLACE)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FINAL REPORT\n INDICATION: cough\n", "empty_report"),
        ("", "empty_report"),
        ("Lungs\0 clear.", "undecodable_report"),
    ],
)
def test_a_report_that_says_nothing_is_refused(films, text: str, code: str):
    films.png(f"files/{PLACE}/a.png", texture=1)
    write_report(films.root, text=text)
    assert codes(read_mimic(films.root, films.root)) == [("refused", code, PLACE)]


def test_bytes_that_are_no_text_are_refused(films):
    films.png(f"files/{PLACE}/a.png", texture=1)
    write_report(films.root).write_bytes(b"FINDINGS: \xff\xfe")
    assert codes(read_mimic(films.root, films.root)) == [("refused", "undecodable_report", PLACE)]


def test_a_refused_film_that_has_a_report_is_counted_as_lost(films):
    films.png(f"files/{PLACE}/a.png", texture=1)
    (films.root / f"files/{PLACE}/b.jpg").write_bytes(b"not a film")
    write_report(films.root)
    source = read_mimic(films.root, films.root)
    assert [refusal.where for refusal in source.lost_films] == [f"{PLACE}/b.jpg"]
    assert len(source.studies) == 1


@pytest.mark.parametrize(
    ("lines", "words"),
    [(["dicom_id,study_id"], "no column 'split'"), (["study_id,split", "1,fold"], "split is not one of")],
)
def test_a_table_of_another_kind_is_one_clear_error(films, lines: list[str], words: str):
    films.png(f"files/{PLACE}/a.png", texture=1)
    write_table(films.root, "split", *lines)
    with pytest.raises(DataError, match=words):
        read_mimic(films.root, films.root)


def test_a_cut_table_another_language_and_a_missing_folder_are_clear_errors(films, tmp_path: Path):
    with pytest.raises(ConfigError, match="English"):
        read_mimic(films.root, films.root, language="zh")
    with pytest.raises(DataError, match="no folder"):
        read_mimic(films.root, tmp_path / "none")
    write_table(films.root, "split", "study_id,split", *(f"{number},train" for number in range(500)))
    table = films.root / "mimic-cxr-2.0.0-split.csv.gz"
    table.write_bytes(table.read_bytes()[:60])
    with pytest.raises(DataError, match="broken"):
        read_mimic(films.root, films.root)


def test_the_final_report_counts_and_not_the_wet_read_above_it(films):
    wet = "WET READ: ___ 8:34 PM\n  Pneumonia.\n ______________________\n" + FINAL
    assert split_mimic_report(wet) == split_mimic_report(FINAL)
    films.png(f"files/{PLACE}/a.png", texture=1)
    write_report(films.root, text="WET READ: ___\n\n Possible effusion.\n")
    source = read_mimic(films.root, films.root)
    assert "Possible effusion." in source.studies[0].report.text
    assert codes(source) == [("note", "preliminary_report", PLACE)]


def test_an_addendum_is_left_out_and_noted(films):
    films.png(f"files/{PLACE}/a.png", texture=1)
    write_report(films.root, text=f"          FINAL ADDENDUM\n ADDENDUM:  The physician was told.\n\n{FINAL}")
    source = read_mimic(films.root, films.root)
    assert source.studies[0].report.text == "The heart is normal in size. The lungs are clear.\nNo acute process."
    assert codes(source) == [("note", "addendum_left_out", PLACE)]


@pytest.mark.parametrize(
    "text",
    [
        f"{FINAL}\n ADDENDUM  Discussed at 5 pm. There is a nodule.\n",
        f"{FINAL}\n Addendum: there is a nodule.\n\n NOTIFICATION:  Dr. ___.\n",
        f"{FINAL}\n          FINAL ADDENDUM\n FINDINGS:  A nodule.\n\n IMPRESSION:  Nodule.\n",
        f"          FINAL ADDENDUM\n FINDINGS:  A nodule.\n\n IMPRESSION:  Nodule.\n{'_' * 40}\n{FINAL}",
    ],
)
def test_an_addendum_is_left_out_whole_wherever_and_however_it_stands(text: str):
    sections = split_mimic_report(text)
    assert (sections.findings, sections.impression) == (
        "The heart is normal in size. The lungs are clear.",
        "No acute process.",
    )
    assert sections.has_addendum


def test_the_sections_of_a_wet_read_above_the_final_report_are_no_findings():
    text = f"WET READ: ___ 10:00 PM\n FINDINGS:  Effusion.\n IMPRESSION:  Effusion.\n{FINAL}"
    assert split_mimic_report(text).findings == "The heart is normal in size. The lungs are clear."
    assert split_mimic_report(text).impression == "No acute process."


@pytest.mark.parametrize(
    ("text", "findings", "impression"),
    [
        ("FINAL REPORT\n PORTABLE CHEST, ___ AT 05:30\n\n Lungs are clear.\n", "Lungs are clear.", None),
        ("The lungs are clear.", "The lungs are clear.", None),
        ("COMPARISON:  ___.\n\n The lungs are clear.\n\n IMPRESSION:  Normal.", "The lungs are clear.", "Normal."),
        ("PA AND LATERAL VIEWS OF THE CHEST:  Clear lungs.\n\n CONCLUSION: Normal.", "Clear lungs.", "Normal."),
        ("CHEST:  AP view.\n\nREASON FOR EXAM: Sepsis.\n\nThe lungs are low.", "The lungs are low.", None),
        ("REASON FOR EXAM:  dyspnea\n\n IMPRESSION:  No pneumonia.", None, "No pneumonia."),
        ("FINDINGS AND IMPRESSION:  Stable heart.\n NOTIFICATION:  Paged.", "Stable heart.", None),
        ("IMPRESSION:  1.  Tube low.\n\n IMPRESSION:  Edema.", None, "1. Tube low.\nEdema."),
        ("FINDINGS:  Clear.\n LUNGS:  Clear too.\n\n SUMMARY:  Normal.", "Clear.\nClear too.", "Normal."),
        ("FINDINGS:\r\n Clear.\r\n\r\n IMPRESSION:\r\n Normal.\r\n", "Clear.", "Normal."),
        ("CHEST RADIOGRAPH PERFORMED\n\n IMPRESSION:  Normal.", None, "Normal."),
    ],
)
def test_the_known_irregular_layouts_are_split(text: str, findings: str | None, impression: str | None):
    sections = split_mimic_report(text)
    assert (sections.findings, sections.impression) == (findings, impression)


words = st.sampled_from(
    [
        "FINDINGS:",
        "IMPRESSION:",
        "FINAL REPORT",
        "WET READ:",
        "ADDENDUM",
        "\n",
        "\n\n",
        " ",
        "Clear.",
        "_" * 9,
        "CHEST:",
        "A" * 90,
    ]
)


@given(st.text() | st.lists(words).map("".join))
def test_any_text_is_split_and_no_word_of_it_is_invented(text: str):
    sections = split_mimic_report(text)
    parts = (sections.findings, sections.impression, sections.indication, sections.comparison)
    lines = [line for part in parts if part is not None for line in part.split("\n")]
    whole = re.sub(r"\s+", " ", text)
    assert all(line and line in whole for line in lines)


@given(st.binary(max_size=200))
def test_any_bytes_as_a_table_are_read_or_refused_with_a_data_error(tmp_path_factory, data: bytes):
    root = tmp_path_factory.mktemp("mimic")
    (root / "mimic-cxr-2.0.0-split.csv").write_bytes(data)
    with suppress(DataError):
        assert read_mimic(root, root).studies == ()
