"""The links of the audit chain, as writing transactions add them. What the chain is for is told in audit.py."""

import json
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.document import sha256
from app.store.schema import AdjudicationRow, AuditRow, RevisionRow

START = "0" * 64
SealedRow = RevisionRow | AdjudicationRow
# By name, so that a column of a later version does not break the seals of earlier records.
SEALED: dict[type[RevisionRow] | type[AdjudicationRow], list[str]] = {
    RevisionRow: [
        *("run_id", "case_id", "reviewer", "task", "revision", "status", "reason"),
        *("client", "sequence", "document", "saved_at"),
    ],
    AdjudicationRow: ["study_id", "run_id", "case_id", "adjudicator", "document", "basis", "reason", "decided_at"],
}


def now() -> str:
    """Return the time in UTC, as all tables hold it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def append(session: Session, *, actor: str, action: str, subject: str, details: str = "{}") -> int:
    """Add an entry within a writing transaction, which has the chain's end for itself; return its number."""
    last = last_of(session)
    row = AuditRow(
        seq=last.seq + 1 if last else 1,
        at=now(),
        actor=actor,
        action=action,
        subject=subject,
        details=details,
        previous=last.hash if last else START,
    )
    row.hash = hash_of(row)
    session.add(row)
    session.flush()
    return row.seq


def append_record(session: Session, record: SealedRow, *, actor: str, action: str) -> None:
    """Add a review or a decision together with the entry that vouches for it."""
    details = json.dumps({"sealed": seal_of(record)})
    subject = f"{record.run_id}/{record.case_id}"
    record.seq = append(session, actor=actor, action=action, subject=subject, details=details)
    session.add(record)
    session.flush()


def last_of(session: Session) -> AuditRow | None:
    """Return the end of the chain, None while it is empty."""
    return session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).first()


def hash_of(row: AuditRow) -> str:
    """Return the SHA-256 of an entry's fields and of the hash before it."""
    fields = (row.seq, row.at, row.actor, row.action, row.subject, row.details, row.previous)
    return sha256(json.dumps(fields))


def seal_of(record: SealedRow) -> str:
    """Return the SHA-256 of all that a record says."""
    return sha256(json.dumps([getattr(record, name) for name in SEALED[type(record)]]))
