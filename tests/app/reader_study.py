"""A reader study with submitted reviews, made through the store as the pages make it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.document import ReviewDocument
from app.run import Run
from app.store import people, reviews, studies
from app.store.engine import Database
from app.store.people import Person
from app.store.reviews import Draft
from app.store.studies import Arm, Assignment, Purpose, Study

READERS = ("chen", "li", "wang")
PROTOCOL = """{"name": "verdicts", "title": {"zh": "结论研究", "en": "Verdicts"},
 "instruction": {"zh": "给出结论", "en": "Give a verdict"}, "verdict": true, "errors": "by_sentence", "sentences": true,
 "questions": [{"name": "quality", "kind": "scale", "text": {"zh": "文字质量", "en": "Quality of the text"}}]}"""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One task of one reader: what it shows, and what was submitted for it (None: nothing yet)."""

    reader: str
    case_id: str
    said: Mapping[str, object] | None
    purpose: Purpose = "study"
    systems: Mapping[str, str] = field(default_factory=lambda: {"A": "adapter"})


def add_readers(database: Database, names: Sequence[str] = READERS) -> None:
    for name in names:
        person = Person(name=name, display_name=f"{name} 医师", roles=frozenset({"reader"}))
        people.put(database, person, actor="local")


def add_study(
    database: Database, run: Run, looks: Sequence[Look], *, study_id: str = "study", protocol: str = PROTOCOL
) -> None:
    """Begin a study with these tasks, and submit what was said."""
    studies.begin(database, Study(id=study_id, title="读者研究一", protocol=protocol, seed=1), actor="local")
    positions = dict.fromkeys((look.reader for look in looks), 0)
    given = []
    for number, look in enumerate(looks):
        arms = [
            Arm(label=label, text=f"{system}。", source_run=run.id, source_system=system, purpose=look.purpose)
            for label, system in look.systems.items()
        ]
        assignment = Assignment(
            id=f"{study_id}-{number}",
            study_id=study_id,
            reader=look.reader,
            position=positions[look.reader],
            run_id=run.id,
            case_id=look.case_id,
        )
        positions[look.reader] += 1
        given.append((assignment, arms))
    studies.assign(database, study_id, given, actor="local")
    for (assignment, _), look in zip(given, looks, strict=True):
        if look.said is not None:
            submit(database, run, look.case_id, look.said, reviewer=look.reader, task=assignment.id)


def submit(
    database: Database,
    run: Run,
    case_id: str,
    said: Mapping[str, object],
    *,
    reviewer: str = "local",
    task: str = "",
    submits: bool = True,
) -> None:
    """Save a review of the case's present generated text."""
    case = run.case(case_id)
    assert case is not None
    document = ReviewDocument.model_validate({"generated_sha256": case.generated_sha256, **said})
    reviews.save(
        database,
        Draft(
            run_id=run.id,
            case_id=case_id,
            client=f"client-{task or 'open'}",
            sequence=1,
            base_revision=0,
            submit=submits,
            reviewer=reviewer,
            task=task,
            document=document,
        ),
    )
