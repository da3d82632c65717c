"""Original films are found by their bytes wherever they lie, and encoded films fill no disk."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from app import originals as module
from app.__main__ import main
from app.film_cache import FilmCache
from app.originals import Originals
from app.run import load_run
from tests.app.screen import set_case, write_dicom

NOISE = np.random.default_rng(0).integers(0, 4096, (20, 20)).astype(np.uint16)


def searched(films: Path, *, cache: Path) -> Originals:
    originals = Originals(films, cache=cache)
    originals.wait()
    return originals


def test_a_film_is_found_by_its_digest_in_any_layout_and_other_files_are_passed_over(tmp_path: Path):
    films, cache = tmp_path / "films", tmp_path / "cache"
    path = films / "病房" / "王小明" / "IM0001"
    sha256 = write_dicom(path, NOISE)
    (films / "notes.txt").write_text("no film")
    originals = searched(films, cache=cache)
    assert originals.find(sha256) == path
    assert originals.find(hashlib.sha256(b"no film").hexdigest()) is None
    assert not any("王小明" in kept.read_text(encoding="utf-8") for kept in cache.iterdir())


def test_films_are_hashed_once_and_found_again_after_they_were_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    films, cache = tmp_path / "films", tmp_path / "cache"
    first, second = (write_dicom(films / f"{name}.dcm", NOISE) for name in "ab")
    for path in films.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    monkeypatch.setattr("xray.data.known_files._SETTLED_NS", -(10**18))  # files of this second count as old
    searched(films, cache=cache)
    hashed: list[Path] = []
    digest = module.digest_file
    monkeypatch.setattr(module, "digest_file", lambda path: hashed.append(path) or digest(path))
    third = write_dicom(films / "b.dcm", NOISE[::-1])
    originals = searched(films, cache=cache)
    assert hashed == [films / "b.dcm"]
    assert originals.find(first) == films / "a.dcm"
    assert originals.find(third) == films / "b.dcm"
    assert originals.find(second) is None


def test_what_was_used_longest_ago_leaves_the_cache_first(tmp_path: Path):
    cache = FilmCache(tmp_path, most_bytes=250)
    for age, name in enumerate(("new", "middle", "old")):
        cache.put(name, b"x" * 80)
        os.utime(tmp_path / f"{name}.film", (1_000_000_000 - age, 1_000_000_000 - age))
    assert cache.get("old") is not None  # now it is the newest
    cache.put("last", b"x" * 80)
    assert [name for name in ("new", "middle", "old", "last") if cache.get(name)] == ["new", "old", "last"]


def test_a_prior_is_the_patients_last_study_of_an_earlier_day_and_none_where_no_day_is_known(run_folder: Path):
    for number, (patient, day) in enumerate([("p", 30), ("p", 0), ("p", 20), ("p", None), ("q", 10)]):
        set_case(run_folder, number, patient_key=patient, day=day)
    run = load_run(run_folder)
    priors = [run.prior_of(case) for case in run.cases]
    assert [prior and prior.id for prior in priors] == [run.cases[2].id, None, run.cases[1].id, None, None]


def test_a_folder_of_films_that_does_not_exist_is_refused_in_one_line(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["--project", str(run_folder), "--films", str(run_folder / "nowhere"), "--headless"]) == 2
    printed = capsys.readouterr().err
    assert "--films" in printed
    assert printed.count("\n") == 1
