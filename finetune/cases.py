"""The test studies of a run folder: their films, questions and reference reports.

A run folder holds all that generation and review need, so it can be moved to another machine without the store.
"""

from collections.abc import Sequence
from pathlib import Path

from finetune.config import DataConfig
from finetune.manifest import CASES_FILE, Case, CaseTurn, read_records
from xray.data.stored_films import read_png
from xray.errors import DataError
from xray.records import write_atomically, write_lines
from xray.types import Example, StoredFilm, Turn, View

_VIEWS: dict[str, View] = {"frontal": "frontal", "lateral": "lateral"}


def write_cases(folder: Path, test: Sequence[Example], *, question: str) -> None:
    """Put the films and reference reports of the test studies into the run folder.

    `question` asks for a report; examples that were asked something else keep their own turns.
    """
    films = folder / "films"
    films.mkdir(exist_ok=True)
    write_lines(folder / CASES_FILE, [_case(example, films=films, question=question) for example in test])


def read_test_examples(folder: Path, *, config: DataConfig) -> list[Example]:
    """Return the test studies of a run folder as examples.

    Raises DataError when the folder has none.
    """
    cases = read_records(folder / CASES_FILE, Case)
    if not cases:
        raise DataError(
            f"{folder / CASES_FILE} is missing or empty. Name a run folder; `finetune run` again makes a lost file."
        )
    return [_example(case, folder=folder, config=config) for case in cases]


def _asks_for_a_report(example: Example, *, question: str) -> bool:
    return [turn.text for turn in example.messages if turn.role != "system"] == [question]


def _turns(example: Example) -> tuple[CaseTurn, ...]:
    return tuple(CaseTurn(role=turn.role, text=turn.text) for turn in example.messages)


def _film_sha256(example: Example) -> tuple[str, ...]:
    """Return the digests of the source files, all of them or none: they are paired with the images by their order."""
    known = tuple(place.sha256 for place in example.images if isinstance(place, StoredFilm) and place.sha256)
    return known if len(known) == len(example.images) else ()


def _case(example: Example, *, films: Path, question: str) -> Case:
    names = []
    for place in example.images:
        target = films / (place.name if isinstance(place, Path) else f"{place.key}.png")
        if not target.exists():
            write_atomically(target, read_png(place))
        names.append(f"{films.name}/{target.name}")
    return Case(
        id=example.example_id,
        text=example.target,
        study_uid=example.study_uid,
        patient_key=example.patient_key,
        images=tuple(names),
        views=example.views,
        language=example.language,
        origin=example.origin,
        turns=() if _asks_for_a_report(example, question=question) else _turns(example),
        film_sha256=_film_sha256(example),
        day=example.day,
    )


def _example(case: Case, *, folder: Path, config: DataConfig) -> Example:
    system = (Turn(role="system", text=config.system),) if config.system else ()
    asked = (*system, Turn(role="user", text=config.question))
    return Example(
        example_id=case.id,
        study_uid=case.study_uid,
        patient_key=case.patient_key,
        images=tuple(folder / name for name in case.images),
        views=tuple(_VIEWS.get(view, "unknown") for view in case.views),
        messages=tuple(Turn(role=turn.role, text=turn.text) for turn in case.turns) or asked,
        target=case.text,
        language=case.language,
        origin=case.origin,
        split="test",
        day=case.day,
    )
