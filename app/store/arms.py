"""The tasks of a study with what stands behind their labels, for figures over the study as a whole.

Agreement on a preference, scores beside judgements and the outcome of sentinels need to know which reports came from
the same place. What is made of it are coefficients and counts; to show a person where one text came from is `unblind`,
which the audit remembers.
"""

from dataclasses import dataclass

from sqlalchemy import select

from app.store.engine import Database
from app.store.schema import AssignmentRow, BlindingRow
from app.store.studies import PURPOSES, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a text came from: a system of a run."""

    run_id: str
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One assignment of a reader: its case, why it is read, and the origin of the text under each label."""

    id: str
    study_id: str
    reader: str
    run_id: str
    case_id: str
    purpose: Purpose
    origins: dict[str, Origin]

    @property
    def unit(self) -> str:
        """What is judged, spelled alike for all readers: the case and the origins, without their labels."""
        behind = sorted(f"{origin.run_id}/{origin.system}" for origin in self.origins.values())
        return "\0".join((self.run_id, self.case_id, *behind))


def tasks(database: Database, *, study_id: str | None = None, reader: str | None = None) -> tuple[Task, ...]:
    """Return the tasks of one study or of all, of one reader or of all, in each reader's order."""
    chosen = (
        select(AssignmentRow, BlindingRow)
        .outerjoin(BlindingRow, BlindingRow.assignment_id == AssignmentRow.id)
        .order_by(AssignmentRow.study_id, AssignmentRow.reader, AssignmentRow.position, BlindingRow.label)
    )
    if study_id is not None:
        chosen = chosen.where(AssignmentRow.study_id == study_id)
    if reader is not None:
        chosen = chosen.where(AssignmentRow.reader == reader)
    found: dict[str, Task] = {}
    with database.reading() as session:
        for given, arm in session.execute(chosen):
            task = found.get(given.id) or _task(given, purpose=_purpose(arm))
            if arm is not None:
                task.origins[arm.label] = Origin(run_id=arm.source_run, system=arm.source_system)
            found[given.id] = task
    return tuple(found.values())


def _task(row: AssignmentRow, *, purpose: Purpose) -> Task:
    return Task(
        id=row.id,
        study_id=row.study_id,
        reader=row.reader,
        run_id=row.run_id,
        case_id=row.case_id,
        purpose=purpose,
        origins={},
    )


def _purpose(arm: BlindingRow | None) -> Purpose:
    return next((known for known in PURPOSES if arm is not None and known == arm.purpose), "study")
