"""Reader studies: a protocol frozen at its start, who reads which case in what order, and what the labels stand for.

Readers get `work` and `shown`. Only `unblind` tells where a text came from, and every such look is in the audit.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.document import sha256
from app.store.chain import append, now
from app.store.engine import Database
from app.store.reviews import Revision, Status, newest_status, standing_rows
from app.store.schema import AssignmentRow, BlindingRow, RevisionRow, StudyRow
from xray.errors import ConfigError, DataError

State = Literal["open", "closed"]
Purpose = Literal["study", "repeat", "sentinel"]
PURPOSES: tuple[Purpose, ...] = ("study", "repeat", "sentinel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A protocol at work. `protocol` is its whole JSON text as it was on the first day; `seed` is of the assignment."""

    id: str
    title: str
    protocol: str
    seed: int
    state: State = "open"

    @property
    def protocol_sha256(self) -> str:
        """Hash of the protocol, by which exports name it."""
        return sha256(self.protocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One report as a reader sees it: the neutral label, the exact text, and what is hidden behind them.

    `purpose` tells a repeated case (the same reader again) and a sentinel (planted errors, or known to be right).
    """

    label: str
    text: str
    source_run: str
    source_system: str
    purpose: Purpose = "study"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A case that a reader is to judge, `position` (from 0) in their order. `id` is the `task` of its review.

    `run_id` is the run whose films and reference are shown, whatever the arms come from. `not_before` and `due` are ISO
    8601 dates or times in UTC, None where it does not matter.
    """

    id: str
    study_id: str
    reader: str
    position: int
    run_id: str
    case_id: str
    not_before: str | None = None
    due: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An assignment and how far its reader is, None before the first word."""

    assignment: Assignment
    status: Status | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An assignment and the study that it belongs to."""

    assignment: Assignment
    study: Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a reader may know of an arm."""

    label: str
    text: str


Given = Sequence[tuple[Assignment, Sequence[Arm]]]
"""Assignments, each with its arms."""


def begin(database: Database, study: Study, *, actor: str, assignments: Given = ()) -> None:
    """Start a study, with its first assignments or not at all.

    Raises ConfigError when there is one of that id, and DataError as `assign` does.
    """
    with _writing(database, study.id) as session:
        if session.get(StudyRow, study.id) is not None:
            raise ConfigError(f"There is a study {study.id} already. Choose another name.").in_chinese(
                f"已有研究 {study.id}。请换一个名称。"
            )
        row = StudyRow(
            id=study.id,
            title=study.title,
            protocol=study.protocol,
            protocol_sha256=study.protocol_sha256,
            seed=study.seed,
            state="open",
            created_at=now(),
        )
        session.add(row)
        session.flush()
        details = json.dumps({"protocol_sha256": study.protocol_sha256, "seed": study.seed})
        append(session, actor=actor, action="begin study", subject=study.id, details=details)
        if assignments:
            _assign(session, study.id, assignments, actor=actor)


def close(database: Database, study_id: str, *, actor: str) -> None:
    """End a study: nothing more is assigned in it."""
    with database.writing() as session:
        _open_study(session, study_id).state = "closed"
        append(session, actor=actor, action="close study", subject=study_id)


def all_studies(database: Database) -> tuple[Study, ...]:
    """Return every study, the newest first."""
    with database.reading() as session:
        return tuple(_study(row) for row in session.scalars(select(StudyRow).order_by(StudyRow.created_at.desc())))


def assign(database: Database, study_id: str, assignments: Given, *, actor: str) -> None:
    """Add assignments, each with its arms, all or none; the audit keeps the hash of the whole.

    Raises DataError for a study that is unknown or closed, an unknown reader, and an id or place in a reader's order
    that is taken.
    """
    with _writing(database, study_id) as session:
        _open_study(session, study_id)
        _assign(session, study_id, assignments, actor=actor)


def work(database: Database, study_id: str, reader: str) -> tuple[Work, ...]:
    """Return what one reader has to do in a study, in the order set for them."""
    mine = (AssignmentRow.study_id == study_id, AssignmentRow.reader == reader)
    with database.reading() as session:
        statuses = newest_status(session, select(AssignmentRow.id).where(*mine))
        rows = session.scalars(select(AssignmentRow).where(*mine).order_by(AssignmentRow.position))
        return tuple(Work(assignment=_assignment(row), status=statuses.get(row.id)) for row in rows)


def find_task(database: Database, assignment_id: str, *, reader: str) -> Task | None:
    """Return a reader's assignment with its study; None where there is none of that id, or it is another reader's."""
    with database.reading() as session:
        row = session.get(AssignmentRow, assignment_id)
        study = session.get(StudyRow, row.study_id) if row else None
        if row is None or study is None or row.reader != reader:
            return None
        return Task(assignment=_assignment(row), study=_study(study))


def shown(database: Database, assignment_id: str) -> tuple[Shown, ...]:
    """Return the texts of an assignment under their neutral labels."""
    columns = select(BlindingRow.label, BlindingRow.text).where(BlindingRow.assignment_id == assignment_id)
    with database.reading() as session:
        return tuple(Shown(label=label, text=text) for label, text in session.execute(columns.order_by("label")))


def unblind(database: Database, study_id: str, *, actor: str) -> dict[str, tuple[Arm, ...]]:
    """Return the arms of every assignment of a study, by assignment id. The audit keeps that `actor` has seen them."""
    joined = select(BlindingRow).join(AssignmentRow, AssignmentRow.id == BlindingRow.assignment_id)
    chosen = joined.where(AssignmentRow.study_id == study_id)
    arms: dict[str, tuple[Arm, ...]] = {}
    with database.writing() as session:
        append(session, actor=actor, action="unblind", subject=study_id)
        for row in session.scalars(chosen.order_by(BlindingRow.assignment_id, BlindingRow.label)):
            arms[row.assignment_id] = (*arms.get(row.assignment_id, ()), _arm(row))
    return arms


def given_in(database: Database, study_id: str) -> tuple[Revision, ...]:
    """Return the newest submission of every assignment of a study that is not void, in the order of submission."""
    tasks = select(AssignmentRow.id).where(AssignmentRow.study_id == study_id)
    with database.reading() as session:
        return standing_rows(session, select(RevisionRow).where(RevisionRow.task.in_(tasks)))


@contextmanager
def _writing(database: Database, study_id: str) -> Iterator[Session]:
    try:
        with database.writing() as session:
            yield session
    except IntegrityError:
        raise DataError(
            f"Nothing was assigned in the study {study_id}: a reader is unknown, or an assignment's id or place in its "
            "reader's order is taken."
        ).in_chinese(f"研究 {study_id} 没有分配任何任务：读者不存在，或任务编号、次序已被占用。") from None


def _assign(session: Session, study_id: str, assignments: Given, *, actor: str) -> None:
    content = json.dumps([[astuple(given), [astuple(arm) for arm in arms]] for given, arms in assignments])
    details = json.dumps({"assignments": len(assignments), "sha256": sha256(content)})
    session.add_all(_assignment_row(given, study_id=study_id) for given, _ in assignments)
    session.flush()
    session.add_all(_blinding_row(arm, assignment_id=given.id) for given, arms in assignments for arm in arms)
    session.flush()
    append(session, actor=actor, action="assign", subject=study_id, details=details)


def _open_study(session: Session, study_id: str) -> StudyRow:
    row = session.get(StudyRow, study_id)
    if row is None or row.state != "open":
        raise DataError(f"There is no open study {study_id}.").in_chinese(f"没有进行中的研究 {study_id}。")
    return row


def _study(row: StudyRow) -> Study:
    state: State = "open" if row.state == "open" else "closed"
    return Study(id=row.id, title=row.title, protocol=row.protocol, seed=row.seed, state=state)


def _assignment_row(given: Assignment, *, study_id: str) -> AssignmentRow:
    return AssignmentRow(
        id=given.id,
        study_id=study_id,
        reader=given.reader,
        position=given.position,
        run_id=given.run_id,
        case_id=given.case_id,
        not_before=given.not_before,
        due=given.due,
    )


def _assignment(row: AssignmentRow) -> Assignment:
    return Assignment(
        id=row.id,
        study_id=row.study_id,
        reader=row.reader,
        position=row.position,
        run_id=row.run_id,
        case_id=row.case_id,
        not_before=row.not_before,
        due=row.due,
    )


def _blinding_row(arm: Arm, *, assignment_id: str) -> BlindingRow:
    return BlindingRow(
        assignment_id=assignment_id,
        label=arm.label,
        text=arm.text,
        source_run=arm.source_run,
        source_system=arm.source_system,
        purpose=arm.purpose,
    )


def _arm(row: BlindingRow) -> Arm:
    return Arm(
        label=row.label,
        text=row.text,
        source_run=row.source_run,
        source_system=row.source_system,
        purpose=next(known for known in PURPOSES if known == row.purpose),
    )
