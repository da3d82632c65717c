"""How far the readers of a study are, and the tasks that a reader puts aside.

A task that was skipped has a void revision by its reader, with the reason; it may still be taken up, and then stands
like any other. Nothing here tells where a text came from.
"""

import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.document import ReviewDocument, canonical
from app.store.chain import append_record, now
from app.store.engine import Database
from app.store.reviews import GIVEN, Status, newest_status
from app.store.schema import AssignmentRow, BlindingRow, RevisionRow, StudyRow
from app.store.studies import PURPOSES, Assignment, Purpose, Shown, Study, Work, all_studies, work
from xray.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What one reader has to do in a study, in the order set for them."""

    study: Study
    reader: str
    work: tuple[Work, ...]

    @property
    def done(self) -> int:
        """Number of tasks that were submitted."""
        return self.count(*GIVEN)

    def count(self, *statuses: Status | None) -> int:
        """Return the number of tasks whose newest revision has one of these statuses; None stands for no revision."""
        return sum(item.status in statuses for item in self.work)

    def upcoming(self, *, moment: str, after: str = "") -> Work | None:
        """Return the first task that is neither submitted nor skipped and may be read at `moment` (ISO 8601, UTC).

        `after` is a task that was just put aside or submitted: it is not returned.
        """
        open_now = (item for item in self.work if item.status in (None, "draft"))
        return next(
            (item for item in open_now if item.assignment.id != after and (item.assignment.not_before or "") <= moment),
            None,
        )


def workload(database: Database, study: Study, *, reader: str) -> Workload:
    """Return what a reader has to do in one study; nothing where they take no part."""
    return Workload(study=study, reader=reader, work=work(database, study.id, reader))


def workloads_of(database: Database, reader: str) -> tuple[Workload, ...]:
    """Return what a reader has to do in every study that they take part in, the newest study first."""
    found = (workload(database, study, reader=reader) for study in all_studies(database))
    return tuple(load for load in found if load.work)


def workloads_in(database: Database, study: Study) -> tuple[Workload, ...]:
    """Return what every reader of a study has to do, by the readers' names."""
    readers = select(AssignmentRow.reader).where(AssignmentRow.study_id == study.id).distinct()
    with database.reading() as session:
        names = sorted(session.scalars(readers))
    return tuple(workload(database, study, reader=name) for name in names)


def blind_cases(database: Database, reader: str | None) -> frozenset[str]:
    """Return the cases of open studies whose protocol does not name the source of a report.

    Those that `reader` has; None for the cases of all readers.
    """
    open_studies = (study for study in all_studies(database) if study.state == "open")
    blind = [study for study in open_studies if not json.loads(study.protocol).get("source_named", False)]
    chosen = select(AssignmentRow.case_id).where(AssignmentRow.study_id.in_([study.id for study in blind])).distinct()
    if reader is not None:
        chosen = chosen.where(AssignmentRow.reader == reader)
    with database.asking() as session:
        return frozenset(session.scalars(chosen))


def purposes(database: Database, study_id: str) -> dict[str, Purpose]:
    """Return why each task of a study is read, by task. Not for its readers."""
    joined = select(BlindingRow.assignment_id, BlindingRow.purpose).join(
        AssignmentRow, AssignmentRow.id == BlindingRow.assignment_id
    )
    with database.reading() as session:
        rows = session.execute(joined.where(AssignmentRow.study_id == study_id).distinct())
        return {task: next(known for known in PURPOSES if known == purpose) for task, purpose in rows}


def texts(database: Database, study_id: str) -> dict[str, tuple[Shown, ...]]:
    """Return the texts of every task of a study under the labels of its reader, by task."""
    joined = select(BlindingRow.assignment_id, BlindingRow.label, BlindingRow.text).join(
        AssignmentRow, AssignmentRow.id == BlindingRow.assignment_id
    )
    found: dict[str, tuple[Shown, ...]] = {}
    with database.reading() as session:
        rows = session.execute(joined.where(AssignmentRow.study_id == study_id).order_by(BlindingRow.label))
        for task, label, text in rows:
            found[task] = (*found.get(task, ()), Shown(label=label, text=text))
    return found


def skip(database: Database, task: Assignment, *, reason: str) -> None:
    """Put a task aside for its reader; what was written of it so far stays readable.

    Raises DataError without a reason, for a task that was submitted, and in a study that is closed.
    """
    if not reason.strip():
        raise DataError("A case is skipped with a reason. Give one.")
    with database.writing() as session:
        study = session.get(StudyRow, task.study_id)
        if study is None or study.state != "open":
            raise DataError("This study is closed. Nothing is changed in it any more.").in_chinese(
                "该研究已结束，不能再改动。"
            )
        if newest_status(session, select(AssignmentRow.id).where(AssignmentRow.id == task.id)).get(task.id) in GIVEN:
            raise DataError("This case was submitted already. Amend it instead.").in_chinese(
                "该病例已提交。请改为修订评审。"
            )
        last = _last(session, task)
        row = RevisionRow(
            run_id=task.run_id,
            case_id=task.case_id,
            reviewer=task.reader,
            task=task.id,
            revision=last.revision + 1 if last else 1,
            status="void",
            reason=reason.strip(),
            client="server",
            sequence=last.revision + 1 if last else 1,
            document=last.document if last else canonical(ReviewDocument()),
            saved_at=now(),
        )
        append_record(session, row, actor=task.reader, action="skip")


def _last(session: Session, task: Assignment) -> RevisionRow | None:
    of_task = select(RevisionRow).where(RevisionRow.task == task.id, RevisionRow.reviewer == task.reader)
    return session.scalars(of_task.order_by(RevisionRow.revision.desc()).limit(1)).first()
