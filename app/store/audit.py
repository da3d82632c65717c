"""The audit: who did what, as a chain of hashes in which no link can be changed, cut out or put in unnoticed.

Each entry's hash covers its own fields and the hash before it. The entry of a review or a decision also holds the hash
of that record, so the chain vouches for what was said, without repeating it: entries hold no report text.

Whoever can write the database can also rewrite a whole chain. That shows only against a hash kept elsewhere: write the
head down (`python -m app audit` prints it, every backup names it) and give it to `verify` later.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.store.chain import SEALED, START, SealedRow, append, hash_of, last_of, seal_of
from app.store.engine import Database
from app.store.schema import AdjudicationRow, AuditRow, RevisionRow
from xray.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry, or the head of an empty chain (number 0). `details` is JSON; `at` is ISO 8601 in UTC."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    details: str
    hash: str


_NOTHING = Entry(seq=0, at="", actor="", action="", subject="", details="{}", hash=START)


def record_event(database: Database, *, actor: str, action: str, subject: str, details: str = "{}") -> None:
    """Add an entry for what changes no table: a sign-in, an export, a look behind the blinding."""
    with database.writing() as session:
        append(session, actor=actor, action=action, subject=subject, details=details)


def head(database: Database) -> Entry:
    """Return the newest entry: its hash stands for the whole chain."""
    with database.reading() as session:
        last = last_of(session)
        return _entry(last) if last else _NOTHING


def newest(database: Database, *, count: int) -> tuple[Entry, ...]:
    """Return the last `count` entries, newest first."""
    with database.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(count)).all()
        return tuple(_entry(row) for row in rows)


def verify(database: Database, *, anchor: str = START) -> Entry:
    """Follow the chain from its start and return its head.

    `anchor` is the hash of a head that was written down earlier. Raises DataError naming the first broken link, or
    that the anchor is no longer in the chain.
    """
    hashes, last = {START}, _NOTHING
    with database.reading() as session:
        for row, *records in _links(session):
            entry, record = _entry(row), next((found for found in records if found is not None), None)
            fault = _fault(row, record, last=last)
            if fault:
                raise DataError(
                    f"The audit chain is broken at entry {row.seq} ({row.action} of {row.subject}, {row.at}): {fault}. "
                    "Everything before it holds. Compare with a backup."
                )
            hashes.add(row.hash)
            last = entry
        for kind in SEALED:
            stray = session.scalar(select(func.count()).where(kind.seq.not_in(select(AuditRow.seq))))
            if stray:
                raise DataError(f"The audit chain knows nothing of {stray} rows of the table {kind.__tablename__}.")
    if anchor not in hashes:
        raise DataError(f"The audit chain has no entry with the hash {anchor}: it was cut short or written anew.")
    return last


def _links(session: Session) -> Iterator[tuple[AuditRow, RevisionRow | None, AdjudicationRow | None]]:
    joined = (
        select(AuditRow, RevisionRow, AdjudicationRow)
        .outerjoin(RevisionRow, RevisionRow.seq == AuditRow.seq)
        .outerjoin(AdjudicationRow, AdjudicationRow.seq == AuditRow.seq)
        .order_by(AuditRow.seq)
    )
    for row in session.execute(joined.execution_options(yield_per=1000)):
        yield row[0], row[1], row[2]


def _fault(row: AuditRow, record: SealedRow | None, *, last: Entry) -> str | None:
    if row.seq != last.seq + 1:
        return f"entries {last.seq + 1} to {row.seq - 1} are missing"
    if row.previous != last.hash:
        return "it does not follow from the entry before it"
    if row.hash != hash_of(row):
        return "its content does not give its hash"
    sealed = json.loads(row.details).get("sealed")
    if sealed and record is None:
        return "what it vouches for is gone"
    if record is not None and sealed != seal_of(record):
        return "what it vouches for was changed"
    return None


def _entry(row: AuditRow) -> Entry:
    return Entry(
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        details=row.details,
        hash=row.hash,
    )
