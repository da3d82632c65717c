"""A prepared store as a model sees it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xray.data.prepare import prepare
from xray.data.sources import read_table
from xray.data.split_settings import SplitSettings
from xray.data.store import Store
from xray.data.stored_films import film_size, read_film
from xray.dicom.render import RenderSettings
from xray.errors import ConfigError, DataError
from xray.types import StoredFilm


@pytest.fixture
def store(films, tmp_path: Path) -> Store:
    """Three studies: frontal and lateral, lateral alone, and a picture of unknown view."""
    films.dicom("a.dcm", study="1.1", texture=1, patient="A", view="LL")
    films.dicom("b.dcm", study="1.1", texture=2, patient="A", view="PA")
    films.dicom("c.dcm", study="1.2", texture=3, patient="B", view="LL")
    films.png("d.png", texture=4)
    table = tmp_path / "reports.csv"
    table.write_text("study_uid,report\n1.1,甲。\n1.2,乙。\nd,检查所见：丙。 影像诊断：丁。\n", encoding="utf-8")
    settings = RenderSettings(size=None, square=False)
    return prepare(read_table(films.root, table), tmp_path / "store", settings=settings, split=SplitSettings())


def test_examples_hold_the_question_the_films_frontal_first_and_the_report(store: Store):
    examples = {example.target: example for example in store.examples(question="写报告。", system="你是放射科医生。")}
    assert examples.keys() == {"甲。", "乙。", "丙。\n丁。"}
    two = examples["甲。"]
    assert two.views == ("frontal", "lateral")
    assert [(turn.role, turn.text) for turn in two.messages] == [("system", "你是放射科医生。"), ("user", "写报告。")]
    assert [read_film(place).shape for place in two.images] == [film_size(place) for place in two.images]


def test_views_and_number_of_films_can_be_limited(store: Store):
    assert [len(example.images) for example in store.examples(max_images=1)] == [1, 1, 1]
    (frontal,) = store.examples(views=("frontal",))
    assert (frontal.views, frontal.target) == (("frontal",), "甲。")


def test_a_choice_of_views_that_leaves_nothing_is_refused(store: Store, films, tmp_path: Path):
    table = tmp_path / "one.csv"
    table.write_text("film,report\nd,丙。\n", encoding="utf-8")
    only = prepare(
        read_table(films.root, table),
        tmp_path / "only",
        settings=RenderSettings(size=32),
        split=SplitSettings(val=0, test=0),
    )
    with pytest.raises(DataError, match="unknown"):
        only.examples(views=("frontal", "lateral"))
    with pytest.raises(ConfigError, match="max_images"):
        store.examples(max_images=0)


def test_stored_films_hold_the_rendered_pixels(store: Store):
    (example,) = [example for example in store.examples() if example.target.startswith("丙")]
    expected = np.random.default_rng(4).integers(0, 256, (72, 72))
    assert np.array_equal(read_film(example.images[0]), expected)


def test_an_incomplete_foreign_or_edited_store_is_refused_with_what_to_do(store: Store, tmp_path: Path):
    with pytest.raises(DataError, match="xray prepare"):
        Store.open(tmp_path)
    studies = store.path / "studies.jsonl"
    lines = studies.read_text(encoding="utf-8").splitlines()
    studies.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="2 of its 3"):
        Store.open(store.path)
    studies.write_text("\n".join([*lines[:-1], lines[-1][:-9]]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 3"):
        Store.open(store.path)


def test_a_store_of_another_version_is_refused(store: Store):
    path = store.path / "store.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"schema_version": 0}), encoding="utf-8")
    with pytest.raises(DataError, match="version 0"):
        Store.open(store.path)


def test_a_missing_film_is_one_clear_error(store: Store):
    place = store.examples()[0].images[0]
    assert isinstance(place, StoredFilm)
    for gone in (store.path / "none.png", replace(place, row=99), replace(place, shard=store.path / "none.arrow")):
        with pytest.raises(DataError, match="missing or damaged"):
            read_film(gone)


def test_the_studies_that_a_choice_of_views_leaves_out_are_counted(store: Store):
    assert store.count_without(("frontal",)) == 2 == len(store.studies) - len(store.examples(views=("frontal",)))
    assert store.count_without(("frontal", "lateral", "unknown")) == 0
