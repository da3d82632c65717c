"""Decisions on cases where readers differ. A later decision on a case replaces none; the newest counts."""

import json
from dataclasses import dataclass

from sqlalchemy import func, select

from app.document import ReviewDocument, canonical
from app.store.chain import append_record, now
from app.store.engine import Database
from app.store.schema import AdjudicationRow, PersonRow
from xray.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A review that a decision rests on."""

    reviewer: str
    task: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the adjudicator holds true of a case, and the reviews they had before them. `study_id` is "" without one.

    `decided_at` (ISO 8601, UTC) is set when the decision is stored.
    """

    run_id: str
    case_id: str
    adjudicator: str
    document: ReviewDocument
    basis: tuple[Ground, ...]
    reason: str = ""
    study_id: str = ""
    decided_at: str = ""


def decide(database: Database, decision: Decision) -> Decision:
    """Store a decision and return it with its time. Raises DataError for an adjudicator the project does not have."""
    with database.writing() as session:
        if session.get(PersonRow, decision.adjudicator) is None:
            raise DataError(f"The project has no user {decision.adjudicator}. Add them before they decide.")
        row = AdjudicationRow(
            study_id=decision.study_id,
            run_id=decision.run_id,
            case_id=decision.case_id,
            adjudicator=decision.adjudicator,
            document=canonical(decision.document),
            basis=json.dumps([[ground.reviewer, ground.task, ground.revision] for ground in decision.basis]),
            reason=decision.reason,
            decided_at=now(),
        )
        append_record(session, row, actor=decision.adjudicator, action="adjudicate")
        return _decision(row)


def decisions(database: Database, run_id: str, *, study_id: str = "") -> dict[str, Decision]:
    """Return the newest decision on each case of a run in a study (or outside of studies), by case id."""
    where = (AdjudicationRow.run_id == run_id, AdjudicationRow.study_id == study_id)
    newest = select(func.max(AdjudicationRow.seq)).where(*where).group_by(AdjudicationRow.case_id)
    with database.reading() as session:
        rows = session.scalars(select(AdjudicationRow).where(AdjudicationRow.seq.in_(newest)))
        return {row.case_id: _decision(row) for row in rows}


def decided_in(database: Database, study_id: str) -> tuple[Decision, ...]:
    """Return every decision in a study, the oldest first."""
    chosen = select(AdjudicationRow).where(AdjudicationRow.study_id == study_id)
    with database.reading() as session:
        return tuple(_decision(row) for row in session.scalars(chosen.order_by(AdjudicationRow.seq)))


def _decision(row: AdjudicationRow) -> Decision:
    return Decision(
        run_id=row.run_id,
        case_id=row.case_id,
        adjudicator=row.adjudicator,
        document=ReviewDocument.model_validate_json(row.document),
        basis=tuple(Ground(reviewer=who, task=task, revision=number) for who, task, number in json.loads(row.basis)),
        reason=row.reason,
        study_id=row.study_id,
        decided_at=row.decided_at,
    )
