"""The audit: who did what, as a chain of hashes in which no link can be changed, cut out or put in unnoticed.

Each entry's hash covers its own fields and the hash before it. The entry of a review or a decision also holds the hash
of that record, so the chain vouches for what was said, without repeating it: entries hold no report text.

Whoever can write the database can also rewrite a whole chain. That shows only against a hash kept elsewhere: write the
head down (`python -m app audit` prints it, every backup names it) and give it to `verify` later.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
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
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries to list; "" lets everything through. `subject` is any part of it.

    `since` (included) and `before` (not) are times in UTC as the entries have them, or the beginnings of such.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: str = ""
    before: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the filter in SQL."""
        asked = (
            (self.actor, AuditRow.actor == self.actor),
            (self.action, AuditRow.action == self.action),
            (self.subject, AuditRow.subject.contains(self.subject, autoescape=True)),
            (self.since, AuditRow.at >= self.since),
            (self.before, AuditRow.at < self.before),
        )
        return [condition for value, condition in asked if value]


_NOTHING = Entry(seq=0, at="", actor="", action="", subject="", details="{}", previous="", hash=START)


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
    return listed(database, Filter(), count=count)


def listed(database: Database, kept: Filter, *, count: int | None = None, skip: int = 0) -> tuple[Entry, ...]:
    """Return entries that pass the filter, newest first: `count` of them (None: all) after the first `skip`."""
    asked = select(AuditRow).where(*kept.conditions()).order_by(AuditRow.seq.desc()).limit(count).offset(skip)
    with database.reading() as session:
        return tuple(_entry(row) for row in session.scalars(asked))


def number_of(database: Database, kept: Filter) -> int:
    """Return how many entries pass the filter."""
    with database.reading() as session:
        return session.scalar(select(func.count(AuditRow.seq)).where(*kept.conditions())) or 0


def known_words(database: Database) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return all actors and all actions of the audit, sorted, for a list to choose from."""
    with database.reading() as session:
        actors, actions = (session.scalars(select(kind).distinct()) for kind in (AuditRow.actor, AuditRow.action))
        return tuple(sorted(actors)), tuple(sorted(actions))


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
        previous=row.previous,
        hash=row.hash,
    )
