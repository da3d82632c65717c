"""What a preparation leaves out: counted, named by its place, and whatever its file is called."""

import os
from pathlib import Path

import pytest
from PIL import Image

from xray.data.prepare import prepare
from xray.data.sources import Refusal, SourceData, read_table
from xray.data.split_settings import SplitSettings
from xray.data.store import Store
from xray.dicom.render import RenderSettings
from xray.errors import DataError

NORMAL = "双肺野清晰，心影不大。"


def prepared(source: SourceData, out: Path, **changes: object) -> Store:
    settings, split = RenderSettings(size=48), SplitSettings(val=0, test=0)
    return prepare(source, out, settings=settings, split=split, workers=1, **changes)


def test_films_refused_by_their_header_count_like_those_refused_later(films, tmp_path: Path):
    for number in range(4):
        films.dicom(f"{number}.dcm", study=f"1.2.{number}", texture=number)
    for number in range(4, 6):
        films.dicom(f"{number}.dcm", study=f"1.2.{number}", texture=number, PatientOrientation=["R", "F"])
    table = tmp_path / "reports.csv"
    table.write_text("\n".join(["study_uid,report", *(f"1.2.{n},{NORMAL}" for n in range(6))]) + "\n", encoding="utf-8")
    source = read_table(films.root, table)
    told: list[Refusal] = []
    with pytest.raises(DataError, match=r"2 of 6 films.*turned_film"):
        prepared(source, tmp_path / "store", on_refusals=told.extend)
    assert [refusal.code for refusal in told].count("turned_film") == 2
    allowed = prepared(source, tmp_path / "store", max_refused_fraction=0.4)
    assert allowed.info.studies == 4


def test_what_is_refused_while_preparing_is_listed_by_the_row_of_its_report(films, tmp_path: Path):
    films.png("a.png", texture=1)
    Image.new("L", (80, 80), 9).save(films.root / "blank.png")
    table = tmp_path / "reports.csv"
    table.write_text(f"film,report\na,{NORMAL}\nblank,{NORMAL}\n", encoding="utf-8")
    source = read_table(films.root, table)
    store = prepared(source, tmp_path / "store", max_refused_fraction=0.5)
    assert [(entry.where, entry.code) for entry in store.quarantine() if entry.code.startswith("no_")] == [
        ("reports.csv, line 2", "no_patient_id"),
        ("reports.csv, line 3", "no_film_left"),
    ]


def test_films_and_tables_with_gbk_names_are_prepared(films, tmp_path: Path):
    for number, name in enumerate(("胸片.dcm", "损坏.dcm", "多余.dcm")):
        path = films.dicom("a.dcm", study=f"1.2.{number}", texture=number)
        path.rename(films.root / os.fsdecode(name.encode("gbk")))
    (films.root / os.fsdecode("损坏.dcm".encode("gbk"))).write_bytes(b"no film")
    table = tmp_path / os.fsdecode("报告.csv".encode("gbk"))
    table.write_text(f"film,report\n胸片,{NORMAL}\n损坏,{NORMAL}\n", encoding="utf-8")
    source = read_table(films.root, table)
    store = prepared(source, tmp_path / "store", max_refused_fraction=1)
    assert store.info.studies == 1
    assert {entry.where for entry in store.quarantine() if entry.code == "film_refused"} == {"报告.csv, line 3"}
