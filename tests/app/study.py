"""Reader studies as the tests of the pages begin them: two runs of the same cases, and people who read."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from app.document import ReviewDocument
from app.protocol.assignment import Design, Source, make_plan
from app.protocol.load import frozen, preset
from app.protocol.model import Protocol
from app.protocol.sources import choose, pool
from app.run import load_run
from app.store import people, reviews, studies
from app.store.engine import Database
from app.store.people import ROLES, Person
from app.store.reviews import Draft, Outcome
from app.store.studies import Assignment, Study

FIRST, SECOND = "qwenlike-7b-run", "glmlike-6b-run"
READERS = ("chen", "li")


def make_project(folder: Path, make_run: Callable[..., Path], *, num_cases: int = 10) -> Path:
    """Write two runs of the same cases, the first the newer one, and add the readers."""
    for age, name in enumerate((SECOND, FIRST), start=1):
        os.utime(make_run(folder / name, num_cases=num_cases, run_id=name) / "manifest.json", (age, age))
    with closing(open_database(folder)) as database:
        for name in READERS:
            person = Person(name=name, display_name=f"{name}医师", roles=frozenset({"reader"}))
            people.put(database, person, actor="local")
    return folder


def open_database(folder: Path) -> Database:
    return Database(folder / "reviews.sqlite")


def set_roles(folder: Path, *roles: str) -> None:
    """Give the one user of a machine without sign-in these roles and no others."""
    with closing(open_database(folder)) as database:
        known = frozenset(role for role in ROLES if role in roles)
        people.put(database, Person(name="local", display_name="local", roles=known), actor="test")


def begin(
    folder: Path,
    protocol: str | Protocol,
    *,
    sources: Sequence[Source],
    readers: Sequence[str] = ("local", *READERS),
    number: int = 6,
    study_id: str = "s1",
    **changes: object,
) -> list[Assignment]:
    """Begin a study of `number` cases and return the tasks of all readers in their order."""
    chosen = preset(protocol) if isinstance(protocol, str) else protocol
    runs = [load_run(folder / name) for name in (FIRST, SECOND)]
    cases = choose(pool(runs, sources).cases, number=number, mix="any", seed=1, profile="standard")
    fields: dict[str, object] = {"overlap": min(2, len(readers)), "seed": 5, **changes}
    design = Design(
        study_id=study_id,
        run_id=FIRST,
        protocol=chosen,
        sources=tuple(sources),
        readers=tuple(readers),
        **fields,  # type: ignore[arg-type]
    )
    plan = make_plan(design, cases)
    with closing(open_database(folder)) as database:
        study = Study(id=study_id, title=f"研究 {study_id}", protocol=frozen(chosen), seed=5)
        studies.begin(
            database, study, actor="local", assignments=[(reading.assignment, reading.arms) for reading in plan]
        )
    return [reading.assignment for reading in plan]


def submit(database: Database, task: Assignment, document: ReviewDocument, *, base: int = 0) -> Outcome:
    """Submit a review as its reader, or amend it on top of revision `base`."""
    return reviews.save(
        database,
        Draft(
            run_id=task.run_id,
            case_id=task.case_id,
            client=f"browser-{task.id[:8]}",
            sequence=base + 1,
            base_revision=base,
            document=document,
            submit=True,
            reviewer=task.reader,
            task=task.id,
        ),
    )
