"""A released folder holds the same films, under names that only the site can undo."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from pydicom import dcmread
from typer.testing import CliRunner

from tests.xray.data.conftest import FilmWriter
from xray.commands.deidentify import deidentify
from xray.data.films import load_film
from xray.data.prepare import prepare
from xray.data.pseudonym import SITE_KEY_VARIABLE, Pseudonyms
from xray.data.release import release_films
from xray.data.release_reports import REPORTS_FILE, release_reports
from xray.data.sources.table import read_table
from xray.data.split_settings import SplitSettings
from xray.dicom.render import RenderSettings
from xray.errors import ConfigError, DataError

NAMES = Pseudonyms(key="a key of the test", is_secret=True)
WHOLE = RenderSettings(size=None, square=False)
REPORT = "患者试甲，双肺野清晰，与2024-02-20胸片比较无变化。报告医生：张三"


def released_in(out: Path) -> list[Path]:
    return sorted(out.rglob("*.dcm"))


def run_command(*arguments: object):
    app = typer.Typer()
    app.command()(deidentify)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_each_film_shows_the_same_picture_in_a_folder_of_pseudonyms(films: FilmWriter, tmp_path: Path):
    original = films.dicom("ward/王小明/a.dcm", study="1.2.3", texture=1, patient="P-7")
    out = tmp_path / "out"
    released = release_films(films.root, out, names=NAMES)
    assert (released.written, released.kept, released.refusals) == (1, 0, ())
    (film,) = released_in(out)
    assert film.relative_to(out).parts[:2] == (NAMES.patient("P-7"), NAMES.study("1.2.3"))
    before, after = load_film(original, settings=WHOLE), load_film(film, settings=WHOLE)
    np.testing.assert_array_equal(before.pixels, after.pixels)
    assert (before.ref.view, before.flags) == (after.ref.view, after.flags)


def test_series_and_patients_stay_together(films: FilmWriter, tmp_path: Path):
    films.dicom("a", study="1.2.3", texture=1, patient="P-7", StudyDate="20240101")
    films.dicom("b", study="1.2.3", texture=2, patient="P-7", StudyDate="20240101", view="LL")
    films.dicom("c", study="1.2.4", texture=3, patient="P-7", StudyDate="20240111")
    release_films(films.root, tmp_path / "out", names=NAMES)
    tags = [dcmread(path) for path in released_in(tmp_path / "out")]
    assert len({film.PatientID for film in tags}) == 1
    assert len({film.StudyInstanceUID for film in tags}) == 2
    days = sorted({int(film.StudyDate) for film in tags})
    assert len(days) == 2
    assert max(days) < 20240101


def test_a_film_whose_patient_is_unknown_stands_for_its_study(films: FilmWriter, tmp_path: Path):
    films.dicom("a.dcm", study="1.2.3", texture=1, patient="ANONYMOUS")
    release_films(films.root, tmp_path / "out", names=NAMES)
    (film,) = released_in(tmp_path / "out")
    assert film.relative_to(tmp_path / "out").parts[:2] == (NAMES.study("1.2.3"),) * 2


def test_what_is_there_already_is_not_made_again(films: FilmWriter, tmp_path: Path):
    for texture in range(3):
        films.dicom(f"{texture}.dcm", study=f"1.2.{texture}", texture=texture)
    out = tmp_path / "out"
    release_films(films.root, out, names=NAMES)
    first, second, _ = released_in(out)
    whole = second.read_bytes()
    first.unlink()
    second.write_bytes(whole[:300].replace(b"XRAY_DEID", b"XRAY_OLD_"))
    first.with_name(f"{first.name}.77.part").write_bytes(whole[:300])
    seen: list[tuple[int, int]] = []
    again = release_films(films.root, out, names=NAMES, progress=lambda done, total: seen.append((done, total)))
    assert (again.written, again.kept) == (2, 1)
    assert second.read_bytes() == whole
    assert not list(out.rglob("*.part"))
    assert (seen[0], seen[-1]) == ((1, 3), (3, 3))


def test_a_film_alone_and_a_refused_one(films: FilmWriter, tmp_path: Path):
    good = films.dicom("a.dcm", study="1.2.3", texture=1)
    bad = films.dicom("b.dcm", study="1.2.4", texture=2, BurnedInAnnotation="YES")
    assert release_films(good, tmp_path / "out", names=NAMES).written == 1
    refused = release_films(bad, tmp_path / "other", names=NAMES)
    assert [refusal.code for refusal in refused.refusals] == ["burned_in_annotation"]
    assert not released_in(tmp_path / "other")


def test_what_is_no_film_of_a_chest_is_refused_by_name(films: FilmWriter, tmp_path: Path):
    films.dicom("ok.dcm", study="1.2.3", texture=1)
    films.dicom("hand.dcm", study="1.2.4", texture=2, BodyPartExamined="HAND")
    films.dicom("capture.dcm", study="1.2.5", texture=3, ConversionType="WSD")
    films.png("photo.png", texture=4)
    released = release_films(films.root, tmp_path / "out", names=NAMES)
    assert released.written == 1
    found = {refusal.where: refusal.code for refusal in released.refusals}
    assert found == {"hand.dcm": "not_chest_film", "capture.dcm": "secondary_capture", "photo.png": "not_dicom"}


def test_nothing_is_released_under_the_public_key(films: FilmWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    films.dicom("a.dcm", study="1.2.3", texture=1)
    monkeypatch.delenv(SITE_KEY_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=SITE_KEY_VARIABLE):
        release_films(films.root, tmp_path / "out", names=Pseudonyms.of_site())
    assert not (tmp_path / "out").exists()


def test_films_and_release_may_not_lie_inside_each_other(films: FilmWriter):
    films.dicom("a.dcm", study="1.2.3", texture=1)
    with pytest.raises(DataError, match="inside each other"):
        release_films(films.root, films.root / "out", names=NAMES)
    with pytest.raises(DataError, match="inside each other"):
        release_films(films.root, films.root.parent, names=NAMES)


def test_a_release_under_another_key_is_not_continued(films: FilmWriter, tmp_path: Path):
    films.dicom("a.dcm", study="1.2.3", texture=1)
    release_films(films.root, tmp_path / "out", names=NAMES)
    before = sorted(tmp_path.rglob("*.dcm"))
    with pytest.raises(DataError, match="under another key"):
        release_films(films.root, tmp_path / "out", names=Pseudonyms(key="a later key of the test", is_secret=True))
    assert sorted(tmp_path.rglob("*.dcm")) == before
    assert release_films(films.root, tmp_path / "out", names=NAMES).kept == 1


@pytest.mark.parametrize("is_release", [False, True])
def test_a_folder_that_holds_other_files_is_no_release(films: FilmWriter, tmp_path: Path, is_release: bool):
    films.dicom("a.dcm", study="1.2.3", texture=1)
    if is_release:
        release_films(films.root, tmp_path / "out", names=NAMES)
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "王小明.txt").write_text("words", encoding="utf-8")
    with pytest.raises(DataError, match="holds other files"):
        release_films(films.root, tmp_path / "out", names=NAMES)


def test_what_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="does not exist"):
        release_films(tmp_path / "missing", tmp_path / "out", names=NAMES)


def test_reports_join_their_released_films_and_name_nobody(films: FilmWriter, tmp_path: Path):
    films.dicom("a.dcm", study="1.2.3", texture=1, patient="P-77701", person="试^甲", StudyDate="20240229")
    table = tmp_path / "reports.csv"
    table.write_text(f"study_uid,patient_id,report\n1.2.3,P-77701,{REPORT}\n", encoding="utf-8")
    out = tmp_path / "out"
    release_films(films.root, out, names=NAMES)
    assert release_reports(read_table(films.root, table), out, names=NAMES).written == 1
    data = read_table(out, out / REPORTS_FILE)
    (study,) = data.studies
    assert study.report is not None
    assert study.report.findings == "患者，双肺野清晰，与9天前胸片比较无变化。"
    assert study.study_uid == NAMES.uid("1.2.3")
    assert study.patient_id == study.film_patient_id == NAMES.patient("P-77701")


def test_reports_of_films_that_were_not_released_stay(films: FilmWriter, tmp_path: Path):
    films.dicom("a.dcm", study="1.2.3", texture=1)
    table = tmp_path / "reports.csv"
    table.write_text(f"study_uid,report\n1.2.3,{REPORT}\n", encoding="utf-8")
    assert release_reports(read_table(films.root, table), tmp_path / "out", names=NAMES).written == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [("双肺野清晰，见编码XP-77701Y。", "id_in_report"), ("张三", "empty_report"), ("报告医生：张三", "empty_report")],
)
def test_a_report_that_still_names_its_patient_or_says_nothing_is_refused_and_not_written(
    films: FilmWriter, tmp_path: Path, text: str, code: str
):
    films.dicom("a.dcm", study="1.2.3", texture=1, patient="P-77701")
    films.dicom("b.dcm", study="1.2.4", texture=2, patient="P-77702")
    table = tmp_path / "reports.csv"
    table.write_text(f"study_uid,report\n1.2.3,{text}\n1.2.4,双肺野清晰。\n", encoding="utf-8")
    out = tmp_path / "out"
    release_films(films.root, out, names=NAMES)
    released = release_reports(read_table(films.root, table), out, names=NAMES)
    assert released.written == 1
    assert [(refusal.code, refusal.row) for refusal in released.refusals] == [(code, "reports.csv, line 2")]
    assert text not in (out / REPORTS_FILE).read_text(encoding="utf-8")


def test_a_film_that_vanished_meanwhile_is_listed_and_the_others_carry_the_report(films: FilmWriter, tmp_path: Path):
    gone = films.dicom("a.dcm", study="1.2.3", texture=1)
    films.dicom("b.dcm", study="1.2.3", texture=2, view="LL")
    lone = films.dicom("c.dcm", study="1.2.4", texture=3)
    table = tmp_path / "reports.csv"
    table.write_text("study_uid,report\n1.2.3,双肺野清晰。\n1.2.4,心影不大。\n", encoding="utf-8")
    out = tmp_path / "out"
    release_films(films.root, out, names=NAMES)
    data = read_table(films.root, table)
    gone.unlink()
    lone.unlink()
    released = release_reports(data, out, names=NAMES)
    assert released.written == 1
    assert [(refusal.where, refusal.code) for refusal in released.refusals] == [
        ("a.dcm", "unreadable"),
        ("c.dcm", "unreadable"),
    ]


def test_a_prepared_store_gives_the_same_pseudonyms(films: FilmWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SITE_KEY_VARIABLE, NAMES.key)
    rows = ["study_uid,patient_id,report"]
    for number in range(4):
        films.dicom(f"{number}.dcm", study=f"1.2.{number}", texture=number, patient=f"P-{number}")
        rows.append(f"1.2.{number},P-{number},双肺野清晰，心影不大，第{number}例。")
    table = tmp_path / "reports.csv"
    table.write_text("\n".join(rows), encoding="utf-8")
    release_films(films.root, tmp_path / "out", names=NAMES)
    settings = SplitSettings(val=0.25, test=0.25)
    store = prepare(read_table(films.root, table), tmp_path / "store", settings=RenderSettings(size=64), split=settings)
    folders = {film.relative_to(tmp_path / "out").parts[:2] for film in released_in(tmp_path / "out")}
    assert {(study.patient_key, study.study_uid) for study in store.studies} == folders


def test_the_command_tells_what_it_wrote_and_lists_what_it_refused(
    films: FilmWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(SITE_KEY_VARIABLE, NAMES.key)
    films.dicom("a.dcm", study="1.2.3", texture=1)
    films.dicom("hand.dcm", study="1.2.4", texture=2, BodyPartExamined="HAND")
    films.dicom("b.dcm", study="1.2.5", texture=3, patient="P-77701")
    table = tmp_path / "reports.csv"
    table.write_text(f"study_uid,report\n1.2.3,{REPORT}\n1.2.5,见编码XP-77701Y。\n", encoding="utf-8")
    out, refused = tmp_path / "out", tmp_path / "refused.txt"
    done = run_command(films.root, out, "--reports", table, "--refused", refused, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    counts = {"id_in_report": 1, "not_chest_film": 1}
    assert told == {"written": 2, "kept": 0, "refused": counts, "reports": 1}
    listed = refused.read_text(encoding="utf-8")
    assert "hand.dcm: not_chest_film" in listed
    assert "reports.csv, line 3: id_in_report" in listed
    assert "reports.csv, line 3: id_in_report" in done.stderr
    assert "released: 2 films, and 0 that were there already; 1 reports" in done.stderr


def test_the_list_of_refusals_stays_out_of_the_release(films: FilmWriter, tmp_path: Path):
    done = run_command(films.root, tmp_path / "out", "--refused", tmp_path / "out" / "refused.txt")
    assert done.exit_code == 2
