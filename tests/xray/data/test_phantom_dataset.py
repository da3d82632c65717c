import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from xray.data.phantom import Style, draw, labels, sample_studies, write_dataset
from xray.data.phantom.dicom import make_dataset, sample_variant, stored_values, study_uid
from xray.errors import DataError

NUM_STUDIES = 24


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("phantom") / "demo"
    write_dataset(out, studies=NUM_STUDIES, seed=7, workers=1)
    return out


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_two_workers_write_the_same_bytes_as_one(written, tmp_path):
    write_dataset(tmp_path / "again", studies=NUM_STUDIES, seed=7, workers=2)
    assert contents(tmp_path / "again") == contents(written)


def test_another_style_writes_other_films_and_reports(written, tmp_path):
    write_dataset(tmp_path / "base", studies=3, seed=7, style=Style.BASE, workers=1)
    assert not set(contents(tmp_path / "base").values()) & set(contents(written).values()) - {
        (written / "README.txt").read_bytes()
    }


def test_the_tables_tell_the_truth_of_the_same_studies(written):
    studies = sample_studies(NUM_STUDIES, seed=7, style=Style.DEMO)
    reports, findings, classes = (rows(written / name) for name in ("reports.csv", "labels.csv", "labels14.csv"))
    assert [row["study_uid"] for row in reports] == [study_uid(study) for study in studies]
    assert len({row["patient_id"] for row in reports}) < len(reports)
    assert len(findings) == sum(len(study.findings) for study in studies)
    for row, study in zip(classes, studies, strict=True):
        assert {name: int(value) for name, value in row.items() if name != "study_uid"} == labels(study)


def test_every_film_belongs_to_a_study_of_the_tables_and_has_what_a_viewer_needs(written):
    by_study = {row["study_uid"]: row for row in rows(written / "reports.csv")}
    seen = set()
    for path in (written / "films").rglob("*.dcm"):
        film = pydicom.dcmread(path)
        row = by_study[film.StudyInstanceUID]
        assert film.PatientID == row["patient_id"]
        assert str(film.PatientName).startswith("测试^")
        assert film.ViewPosition in {"PA", "AP", "LL"}
        assert film.BodyPartExamined == "CHEST"
        assert film.Modality in {"CR", "DX"}
        assert film.PatientOrientation == (["P", "F"] if film.ViewPosition == "LL" else ["L", "F"])
        assert (film.BitsAllocated, film.BitsStored, film.HighBit) == (16, 12, 11)
        assert float(film.PixelSpacing[0]) > 0
        assert film.SOPInstanceUID.is_valid
        assert film.pixel_array.shape == (film.Rows, film.Columns)
        assert film.PatientID not in path.as_posix()
        seen.add(film.StudyInstanceUID)
    assert seen == set(by_study)


@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_decoding_returns_the_values_from_before_compression(view):
    syntaxes = set()
    for study in sample_studies(40, seed=5, style=Style.DEMO):
        variant = sample_variant(study, view=view)
        film = draw(study, view=view, style=Style.DEMO, size=64)
        dataset = make_dataset(study, film=film, view=view, variant=variant)
        assert np.array_equal(dataset.pixel_array, stored_values(film, variant=variant))
        syntaxes.add(variant.transfer_syntax)
    assert len(syntaxes) == 3


def test_the_set_holds_every_way_of_storing_a_film_and_no_illegal_one():
    studies = sample_studies(400, seed=5, style=Style.DEMO)
    variants = [sample_variant(study, view="frontal") for study in studies]
    for field, values in {
        "modality": {"CR", "DX"},
        "inverted": {True, False},
        "window": {"none", "one", "two", "sigmoid", "lut"},
        "rescaled": {True, False},
        "character_set": {"GB18030", "ISO_IR 192"},
    }.items():
        assert {getattr(variant, field) for variant in variants} == values
    assert not any(v.modality == "DX" and (v.rescaled or v.window == "none") for v in variants)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("window", ["none", "one", "lut"])
@pytest.mark.parametrize("rescaled", [False, True])
def test_a_film_shows_what_was_drawn_however_it_is_stored(inverted, window, rescaled):
    study = sample_studies(1, seed=2, style=Style.DEMO)[0]
    drawn = draw(study, view="frontal", style=Style.DEMO, size=128)
    variant = replace(
        sample_variant(study, view="frontal"), modality="CR", inverted=inverted, window=window, rescaled=rescaled
    )
    dataset = make_dataset(study, film=drawn, view="frontal", variant=variant)
    values = pydicom.pixels.apply_rescale(dataset.pixel_array, dataset)
    shown = pydicom.pixels.apply_voi_lut(values.astype(np.int16) if window == "lut" else values, dataset).astype(float)
    shown = (shown - shown.min()) / (shown.max() - shown.min())
    drawn = (drawn - drawn.min()) / (drawn.max() - drawn.min())
    shown = 1 - shown if dataset.PhotometricInterpretation == "MONOCHROME1" else shown
    assert np.abs(shown - drawn).mean() < 0.03
    assert np.corrcoef(shown.ravel(), drawn.ravel())[0, 1] > 0.995


def test_a_dx_film_carries_the_lut_shape_that_its_polarity_demands(written):
    shapes = set()
    for path in (written / "films").rglob("*.dcm"):
        film = pydicom.dcmread(path, stop_before_pixels=True)
        if film.Modality == "DX":
            shapes.add((film.PhotometricInterpretation, film.PresentationLUTShape))
    assert shapes == {("MONOCHROME1", "INVERSE"), ("MONOCHROME2", "IDENTITY")}


def test_a_finished_set_is_not_written_again(written):
    before = {path: path.stat().st_mtime_ns for path in written.rglob("*")}
    write_dataset(written, studies=NUM_STUDIES, seed=7, workers=1)
    assert {path: path.stat().st_mtime_ns for path in written.rglob("*")} == before


def test_a_set_with_a_missing_film_is_written_again(tmp_path):
    write_dataset(tmp_path, studies=3, seed=1, workers=1)
    whole = contents(tmp_path)
    next((tmp_path / "films").rglob("*.dcm")).unlink()
    write_dataset(tmp_path, studies=3, seed=1, workers=1)
    assert contents(tmp_path) == whole


def test_another_whole_set_is_not_replaced(tmp_path):
    write_dataset(tmp_path, studies=4, seed=1, workers=1)
    whole = contents(tmp_path)
    with pytest.raises(DataError, match="another drawn data set"):
        write_dataset(tmp_path, studies=3, seed=2, workers=1)
    assert contents(tmp_path) == whole


def test_a_half_written_set_is_replaced_and_leaves_nothing_of_the_old_one(tmp_path):
    write_dataset(tmp_path / "a", studies=4, seed=1, workers=1)
    (tmp_path / "a" / "complete.json").unlink()
    write_dataset(tmp_path / "a", studies=3, seed=2, workers=1)
    write_dataset(tmp_path / "b", studies=3, seed=2, workers=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_strangers_file_among_the_films_of_a_half_written_set_is_left_alone(tmp_path):
    write_dataset(tmp_path, studies=2, seed=1, workers=1)
    (tmp_path / "complete.json").unlink()
    (tmp_path / "films" / "notes.txt").write_text("words", encoding="utf-8")
    with pytest.raises(DataError, match="Choose an empty folder"):
        write_dataset(tmp_path, studies=2, seed=1, workers=1)
    assert (tmp_path / "films" / "notes.txt").exists()


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.docx").write_bytes(b"years of work")
    with pytest.raises(DataError, match="Choose an empty folder"):
        write_dataset(tmp_path, studies=2, seed=1, workers=1)
    assert contents(tmp_path) == {"thesis.docx": b"years of work"}


def test_progress_counts_every_study(tmp_path):
    counts = []
    write_dataset(tmp_path, studies=5, seed=1, workers=1, progress=counts.append)
    assert counts == [1, 2, 3, 4, 5]


def test_a_killed_run_is_not_taken_for_complete_and_the_next_one_repairs_it(written, tmp_path):
    code = (
        "import sys, pathlib; from xray.data.phantom import write_dataset; "
        f"write_dataset(pathlib.Path(sys.argv[1]), studies={NUM_STUDIES}, seed=7, workers=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    deadline = time.monotonic() + 60
    while not list((tmp_path / "films").rglob("*.dcm")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "complete.json").exists()
    write_dataset(tmp_path, studies=NUM_STUDIES, seed=7, workers=1)
    assert contents(tmp_path) == contents(written)


def test_the_mark_of_completeness_names_its_seed_style_and_counts(written):
    complete = json.loads((written / "complete.json").read_text(encoding="utf-8"))
    films = list((written / "films").rglob("*.dcm"))
    assert (complete["seed"], complete["style"], complete["num_studies"]) == (7, "demo", NUM_STUDIES)
    assert complete["num_films"] == len(films)
    assert len(complete["sha256"]) == 64
