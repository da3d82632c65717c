"""The same studies through every engine: processes of this machine, and Ray Data."""

import os
from dataclasses import dataclass

import pytest

from xray.data.convert import ConvertedFilm, StudyConverter, StudyTask, film_key
from xray.data.engines import convert_studies
from xray.data.film_pool import map_guarded
from xray.data.films import file_sha256
from xray.dicom.render import RenderSettings
from xray.types import Engine

SETTINGS = RenderSettings(size=32, deep=True)


def converted(tasks: list[StudyTask], **options: object) -> dict[str, ConvertedFilm]:
    films: list[ConvertedFilm] = []
    convert_studies(tasks, settings=SETTINGS, known=options.pop("known", ()), on_film=films.append, **options)
    assert len({film.path for film in films}) == len(films)
    return {film.path.name: film for film in films}


@pytest.fixture
def tasks(films) -> list[StudyTask]:
    """Four studies: two films, one film, a file that is none, a file that is not there."""
    two = StudyTask(films=tuple(films.dicom(f"{name}.dcm", study="1.2", texture=ord(name)) for name in "ab"))
    broken = films.root / "broken.dcm"
    broken.write_bytes(b"not a film")
    alone = StudyTask(films=(films.png("c.png", texture=3),))
    return [two, alone, StudyTask(films=(broken,)), StudyTask(films=(films.root / "gone.dcm",))]


def test_each_film_becomes_a_row_or_a_refusal(tasks: list[StudyTask]) -> None:
    found = converted(tasks, workers=1)
    assert {name for name, film in found.items() if film.row is not None} == {"a.dcm", "b.dcm", "c.png"}
    assert found["broken.dcm"].key is not None
    assert found["broken.dcm"].rejected is not None
    assert (found["gone.dcm"].key, found["gone.dcm"].rejected.code) == (None, "unreadable")
    assert (found["a.dcm"].row.deep is None, found["c.png"].row.deep is None) == (False, True)


@pytest.mark.parametrize(("engine", "workers"), [(Engine.local, 2), (Engine.ray, 1), (Engine.ray, 2)])
def test_every_engine_gives_the_same(tasks: list[StudyTask], engine: Engine, workers: int) -> None:
    if engine is Engine.ray:
        pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    one, other = converted(tasks, workers=1), converted(tasks, workers=workers, engine=engine)
    assert {name: film.row for name, film in one.items()} == {name: film.row for name, film in other.items()}
    codes = ({name: film.rejected and film.rejected.code for name, film in side.items()} for side in (one, other))
    assert next(codes) == next(codes)


def test_ray_hands_over_films_after_a_few_studies_however_many_there_are(
    films, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pytest.importorskip("ray", reason="the extra `cluster` is not installed").data
    from_items, made = data.from_items, []
    monkeypatch.setattr(
        data, "from_items", lambda *given, **options: made.append(from_items(*given, **options)) or made[0]
    )
    tasks = [StudyTask(films=(films.root / f"{number}.dcm",)) for number in range(2000)]
    assert len(converted(tasks, workers=1, engine=Engine.ray)) == 2000
    assert made[0].num_blocks() == 250


def test_a_known_film_is_not_decoded(tasks: list[StudyTask]) -> None:
    path = tasks[1].films[0]
    key = film_key(file_sha256(path), settings=SETTINGS)
    found = converted([tasks[1]], known=[key], workers=1)
    assert found["c.png"] == ConvertedFilm(path=path, key=key)


def test_the_key_follows_the_bytes_and_the_settings() -> None:
    other = RenderSettings(size=33, deep=True)
    assert film_key("a", settings=SETTINGS) == film_key("a", settings=RenderSettings(size=32, deep=True))
    assert len({film_key("a", settings=SETTINGS), film_key("b", settings=SETTINGS), film_key("a", settings=other)}) == 3


@dataclass(frozen=True)
class CrashingOn:
    """Converts, but dies like a decoder on one film."""

    name: str
    converter: StudyConverter

    def __call__(self, task: StudyTask) -> tuple[ConvertedFilm, ...]:
        if any(film.name == self.name for film in task.films):
            os._exit(9)
        return self.converter(task)


def test_a_film_that_kills_its_process_is_refused_and_the_others_of_its_study_are_kept(
    tasks: list[StudyTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crashing(converter: StudyConverter, *arguments: object, **options: object) -> None:
        map_guarded(CrashingOn(name="b.dcm", converter=converter), *arguments, **options)

    monkeypatch.setattr("xray.data.engines.map_guarded", crashing)
    found = converted(tasks[:2], workers=1)
    assert found["b.dcm"].rejected.code == "decoder_crashed"
    assert [found[name].row is not None for name in ("a.dcm", "c.png")] == [True, True]
