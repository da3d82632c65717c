"""`python -m app sample`: people, open reviews and studies in a project of two runs. None of the readers exists."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from app.document import ReviewDocument
from app.protocol.assignment import REFERENCE, Design, Reading, Source, make_plan
from app.protocol.load import OPEN_REVIEW, frozen, preset
from app.protocol.model import Protocol
from app.protocol.sources import choose, pool
from app.run import Run
from app.sample.reader import sample_document
from app.store import people, reviews, studies
from app.store.engine import Database
from app.store.people import LOCAL, Person
from app.store.reviews import Draft
from app.store.studies import Study
from xray.errors import DataError

READERS = (
    Person(name="sample-reader-1", display_name="示例医师甲", roles=frozenset({"reader"})),
    Person(name="sample-reader-2", display_name="示例医师乙", roles=frozenset({"reader"})),
    Person(name="sample-reader-3", display_name="示例医师丙", roles=frozenset({"reader", "adjudicator"})),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StudyPlan:
    """A study of the sample: its readers' shares of work done, in the order of `readers`."""

    id: str
    title: str
    protocol: str
    systems: tuple[str, ...]
    cases: int
    readers: tuple[str, ...]
    done: tuple[float, ...]
    overlap: int = 2


_NAMES = tuple(person.name for person in READERS)
_STUDIES = (
    _StudyPlan(
        id="sample-rexval6",
        title="示例：六类错误计数",
        protocol="rexval6",
        systems=("first",),
        cases=16,
        readers=(LOCAL, *_NAMES),
        done=(0.0, 1.0, 1.0, 0.6),
    ),
    _StudyPlan(
        id="sample-preference",
        title="示例：两份报告的偏好",
        protocol="flamingo_pref",
        systems=("first", "second", REFERENCE),
        cases=18,
        readers=(LOCAL, *_NAMES),
        done=(0.25, 1.0, 1.0, 0.5),
    ),
    _StudyPlan(
        id="sample-rating",
        title="示例：急诊五级评分",
        protocol="likert_ed",
        systems=("first", "second"),
        cases=12,
        readers=_NAMES,
        done=(1.0, 1.0, 1.0),
        overlap=3,  # two models in turn: of three readers two see the same report
    ),
)


def write_sample_reviews(database: Database, runs: Sequence[Run], *, seed: int = 0) -> int:
    """Add invented readers, open reviews and three studies to a project of two runs, and return how many reviews.

    Raises DataError where there are fewer than two runs, or where people have begun to review already.
    """
    if len(runs) < 2:
        raise DataError("Sample reviews need a project of two runs. Make one with `finetune sample FOLDER`.")
    if studies.all_studies(database) or any(reviews.newest(database, run.id) for run in runs):
        raise DataError("This project has reviews already. Sample reviews go only into a project without any.")
    for person in READERS:
        people.put(database, person, actor=LOCAL)
    written = _open_reviews(database, runs[0], rng=random.Random(f"{seed} open"))
    for plan in _STUDIES:
        written += _study(database, plan, runs=runs, seed=seed)
    return written


def _open_reviews(database: Database, run: Run, *, rng: random.Random) -> int:
    protocol, shown = preset(OPEN_REVIEW), run.cases[: len(run.cases) // 3]
    for number, case in enumerate(shown):
        document = sample_document(
            protocol, (case.generated,), reference=case.case.text, profile=run.profile, rng=rng, labels=("",)
        )
        reviewers = (LOCAL, _NAMES[0]) if number % 2 else (LOCAL,)
        for reviewer in reviewers:
            _save(
                database, run_id=run.id, case_id=case.id, reviewer=reviewer, document=document, submit=number % 5 != 4
            )
    return sum(2 if number % 2 else 1 for number in range(len(shown)))


def _study(database: Database, plan: _StudyPlan, *, runs: Sequence[Run], seed: int) -> int:
    first, second = runs[:2]
    known = {
        "first": Source(run_id=first.id, system="adapter"),
        "second": Source(run_id=second.id, system="adapter"),
        REFERENCE: Source(run_id=first.id, system=REFERENCE),
    }
    sources = tuple(known[name] for name in plan.systems)
    protocol = preset(plan.protocol)
    chosen = choose(pool(runs[:2], sources).cases, number=plan.cases, mix="any", seed=seed, profile=first.profile)
    design = Design(
        study_id=plan.id,
        run_id=first.id,
        protocol=protocol,
        sources=sources,
        readers=plan.readers,
        seed=seed,
        overlap=plan.overlap,
        repeats=protocol.repeats,
        sentinels=protocol.sentinels,
        profile=first.profile,
    )
    readings = make_plan(design, chosen)
    study = Study(id=plan.id, title=plan.title, protocol=frozen(protocol), seed=seed)
    given = [(reading.assignment, reading.arms) for reading in readings]
    studies.begin(database, study, actor=LOCAL, assignments=given)
    done = 0
    for reader, share in zip(plan.readers, plan.done, strict=True):
        own = [reading for reading in readings if reading.assignment.reader == reader]
        for reading in own[: round(share * len(own))]:
            _read(database, reading, run=first, protocol=protocol, rng=random.Random(f"{seed} {reading.assignment.id}"))
            done += 1
    return done


def _read(database: Database, reading: Reading, *, run: Run, protocol: Protocol, rng: random.Random) -> None:
    given = reading.assignment
    case = run.case(given.case_id)
    if case is None:
        raise DataError(f"The run {run.id} has lost the case {given.case_id}.")
    arms = sorted(reading.arms, key=lambda arm: arm.label)
    document = sample_document(
        protocol,
        tuple(arm.text for arm in arms),
        labels=tuple(arm.label for arm in arms),
        reference=case.case.text,
        profile=run.profile,
        rng=rng,
    )
    _save(database, run_id=given.run_id, case_id=given.case_id, reviewer=given.reader, document=document, task=given.id)


def _save(
    database: Database,
    *,
    run_id: str,
    case_id: str,
    reviewer: str,
    document: ReviewDocument,
    task: str = "",
    submit: bool = True,
) -> None:
    draft = Draft(
        run_id=run_id,
        case_id=case_id,
        client="sample-reviews",
        sequence=1,
        base_revision=0,
        document=document,
        submit=submit,
        reviewer=reviewer,
        task=task,
    )
    reviews.save(database, draft)
