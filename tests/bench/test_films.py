"""The film benchmark: its films are what they say, its readers read them, its table tells what failed."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from xray.dicom.decode import decode
from xray.dicom.read import read_dataset

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module


@pytest.fixture
def films(bench, monkeypatch, tmp_path):
    """The film of the benchmark, 600 x 500, in each transfer syntax."""
    syntaxes = bench("film_syntaxes")
    monkeypatch.setattr(syntaxes, "ROWS", 600)
    monkeypatch.setattr(syntaxes, "COLUMNS", 500)
    return syntaxes, syntaxes.write_films(tmp_path)


def test_every_syntax_holds_the_same_values_and_compresses_like_a_real_film(films):
    syntaxes, paths = films
    expected = syntaxes.stored_values()
    for name, path in paths.items():
        assert dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntaxes.SYNTAXES[name]
        np.testing.assert_array_equal(decode(read_dataset(path)), expected)
    assert 2.2 < paths["native"].stat().st_size / paths["JPEG-LS"].stat().st_size < 3.2


def test_the_readers_at_hand_see_the_same_film(films, bench):
    _, paths = films
    readers = bench("film_readers")
    ours = readers.kit_rendering()(paths["native"])
    theirs = readers.pydicom_recipe()(paths["native"])
    assert ours.shape == (448, 448)
    assert max(theirs.shape) == 448
    left = (448 - theirs.shape[1]) // 2
    inside = ours[:, left : left + theirs.shape[1]]
    assert np.corrcoef(inside.ravel(), theirs.ravel())[0, 1] > 0.99
    np.testing.assert_array_equal(readers.kit()(paths["JPEG-LS"]), ours)


def test_a_measurement_has_time_and_memory_and_names_the_error_of_a_reader_that_fails(films, bench, tmp_path):
    _, paths = films
    measure = bench("films").measure
    found = measure("this kit, load_film", film=paths["native"], repeat=2)
    assert 0 < found.cpu_ms < 5000
    assert found.error == ""
    assert measure("this kit, load_film", film=tmp_path / "none.dcm", repeat=2).error == "Rejected"


def test_the_table_shows_ratios_to_the_rendering_of_the_kit_and_what_failed(bench):
    module, readers = bench("films"), bench("film_readers").READERS
    found = {reader: module.Measured(cpu_ms=80, peak_mib=10) for reader in readers}
    found["this kit, rendering alone"] = module.Measured(cpu_ms=20, peak_mib=5)
    found["SimpleITK"] = module.Measured(error="RuntimeError")
    row = module.table({"native": found}, sizes={"native": 15.0}).splitlines()[-1]
    assert row.startswith("| native (15.0) | 80 ms, 4.0x, 10 MiB | 20 ms, 1.0x, 5 MiB |")
    assert "– (RuntimeError)" in row
