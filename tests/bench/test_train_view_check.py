"""The training script of the view check, on a handful of drawn films."""

import csv
import importlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from xray.data.phantom import Style, draw, sample_studies
from xray.dicom import view_check

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    module = importlib.import_module("train_view_check")
    monkeypatch.setattr(module, "DRAWN_STUDIES", 8)
    return module


def write_table(folder):
    """Drawn films of six studies as PNG, the laterals of the last two only to be measured."""
    rows = []
    for study in sample_studies(6, seed=5, style=Style.DEMO):
        for view in ("frontal", "lateral"):
            name = f"{study.study_number}-{view}.png"
            film = np.rint(255 * draw(study, view=view, style=Style.DEMO, size=256)).astype(np.uint8)
            cv2.imwrite(str(folder / name), film)
            use = "test" if view == "lateral" and study.study_number > 4 else "train"
            rows.append((name, view, study.patient_number, use))
    table = folder / "site.csv"
    with table.open("w", newline="") as stream:
        csv.writer(stream).writerows([("file", "view", "patient", "use"), *rows])
    return table


def test_the_view_check_is_trained_from_a_table_of_films_and_says_how_good_it_is(script, tmp_path, capsys, monkeypatch):
    out = tmp_path / "weights.npz"
    monkeypatch.setattr("sys.argv", ["train_view_check.py", str(write_table(tmp_path)), "--out", str(out)])
    script.main()
    printed = capsys.readouterr().out
    assert "| site frontal, turned 180 | 6 |" in printed
    assert "| site lateral, lateral | 6 |" in printed
    monkeypatch.setattr(view_check, "_WEIGHTS", out)
    view_check._model.cache_clear()
    try:
        study = sample_studies(1, seed=6, style=Style.BASE)[0]
        film = np.rint(255 * draw(study, view="lateral", style=Style.BASE, size=256)).astype(np.uint8)
        assert view_check.check_view(film).view == "lateral"
    finally:
        view_check._model.cache_clear()


def test_films_that_are_only_measured_train_nothing(script, tmp_path):
    rng = np.random.default_rng(0)
    sources = [source for source in script.read_table(write_table(tmp_path)) if source.view == "lateral"]
    samples = [sample for source in sources for sample in script.samples_of(source, textures=[], rng=rng)]
    assert {sample.held_out for sample in samples} == {True, False}
    model = script.fit(samples)
    assert len(model.classes_) == 2
    without = script.fit([sample for sample in samples if not sample.held_out])
    np.testing.assert_array_equal(model.coef_, without.coef_)
