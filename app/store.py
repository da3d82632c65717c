"""Where reviews live: one append-only SQLite table. A save is a new row; the latest row of a case counts.

Nothing is ever updated or deleted (triggers refuse it), so every earlier wording stays readable. WAL with
`synchronous=FULL`: a revision that `save` has returned survives SIGKILL and power loss. Local disks only: WAL
needs shared memory, which network file systems do not give (sqlite.org/wal.html).

Conflicts are found by revision number, never by comparing clocks of two machines.
"""

import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, Integer, Select, String, Text, UniqueConstraint, create_engine, event, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from xray.errors import DataError

STORE_VERSION = 1
LOCAL_REVIEWER = "local"
Verdict = Literal["accept", "edit", "reject"]
VERDICTS: tuple[Verdict, ...] = ("accept", "edit", "reject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a reviewer's browser asks to save.

    `client` names one loaded page and `sequence` counts its saves, so a repeated request is recognised.
    `base_revision` is the revision the text was typed on (0 = none); `ancestors` are the earlier pages whose unsaved
    text this page took over, each with the sequence it took: that page may be open still and have gone on writing.
    `generated_sha256` is of the text that the verdict judged, "" where that is unknown.
    """

    run_id: str
    case_id: str
    client: str
    sequence: int
    base_revision: int
    verdict: Verdict | None
    comment: str
    corrected: str
    ancestors: tuple[tuple[str, int], ...] = ()
    generated_sha256: str = ""
    reviewer: str = LOCAL_REVIEWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One stored row: the review of a case as it stood at `saved_at` (ISO 8601, UTC)."""

    case_id: str
    revision: int
    verdict: Verdict | None
    comment: str
    corrected: str
    generated_sha256: str
    reviewer: str
    saved_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result of a save: the case's latest revision, whoever wrote it, and the revision that holds the draft.

    Only `acknowledged` may become the base of what the page sends next: the page has not seen `latest`. It is None
    where the draft was refused.
    """

    latest: Revision
    acknowledged: int | None

    @property
    def conflict(self) -> bool:
        """Whether the draft was refused because another page has saved meanwhile."""
        return self.acknowledged is None


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("run_id", "case_id", "reviewer", "revision"),
        UniqueConstraint("run_id", "case_id", "reviewer", "client", "sequence"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(String)
    case_id: Mapped[str] = mapped_column(String)
    reviewer: Mapped[str] = mapped_column(String)
    revision: Mapped[int] = mapped_column(Integer)
    client: Mapped[str] = mapped_column(String)
    sequence: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str | None] = mapped_column(String)
    comment: Mapped[str] = mapped_column(Text)
    corrected: Mapped[str] = mapped_column(Text)
    generated_sha256: Mapped[str] = mapped_column(String)
    saved_at: Mapped[str] = mapped_column(String)


class ReviewStore:
    """Reviews of any number of runs in one file. Safe to share between threads and processes of one machine."""

    def __init__(self, path: Path) -> None:
        """Open or create the store. Raises DataError when the file cannot be used."""
        self.path = path
        self._engine = _engine(path)
        self._writer = self._engine.execution_options(immediate=True)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._writer.begin() as connection:
                _prepare(connection, path=path)
        except (DatabaseError, OSError) as error:
            self.close()
            reason = error.orig if isinstance(error, DatabaseError) else error.strerror
            raise DataError(
                f"{path} cannot be opened for reviews: {reason}. Reviews lie in the run's folder, which must be on a "
                "local disk and writable; `--reviews FILE` keeps them in another place."
            ) from None

    def save(self, draft: Draft) -> Outcome:
        """Append `draft` as a new revision and return after COMMIT; the same draft again changes nothing.

        A draft typed on an older revision than another page has saved meanwhile is refused: `conflict` is True and
        `latest` is what the other page saved.
        """
        with Session(self._writer) as session, session.begin():
            rows = session.scalars(_history_of(draft.run_id, draft.case_id, draft.reviewer)).all()
            holder = _holder(rows, draft)
            if holder is not None:
                return Outcome(latest=_revision(rows[-1]), acknowledged=holder.revision)
            if any(_is_unseen(row, draft) for row in rows):
                return Outcome(latest=_revision(rows[-1]), acknowledged=None)
            row = _new_row(draft, revision=rows[-1].revision + 1 if rows else 1)
            session.add(row)
            latest = _revision(row)
        return Outcome(latest=latest, acknowledged=latest.revision)

    def latest(self, run_id: str, *, reviewer: str = LOCAL_REVIEWER) -> dict[str, Revision]:
        """Return the newest revision of every reviewed case of a run, by case id."""
        newest = (
            select(func.max(_Row.id)).where(_Row.run_id == run_id, _Row.reviewer == reviewer).group_by(_Row.case_id)
        )
        with Session(self._engine) as session:
            rows = session.scalars(select(_Row).where(_Row.id.in_(newest))).all()
            return {row.case_id: _revision(row) for row in rows}

    def history(self, run_id: str, case_id: str, *, reviewer: str = LOCAL_REVIEWER) -> tuple[Revision, ...]:
        """All revisions of one case, oldest first."""
        with Session(self._engine) as session:
            rows: Sequence[_Row] = session.scalars(_history_of(run_id, case_id, reviewer)).all()
            return tuple(_revision(row) for row in rows)

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # pysqlite's own BEGIN would come too late and be deferred
        connection.execute("PRAGMA busy_timeout=15000")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _prepare(connection: Connection, *, path: Path) -> None:
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > STORE_VERSION:
        raise DataError(f"{path} was written by a newer version of this program. Update the program to open it.")
    _Base.metadata.create_all(connection)
    for action in ("UPDATE", "DELETE"):
        connection.exec_driver_sql(
            f"CREATE TRIGGER IF NOT EXISTS review_no_{action.lower()} BEFORE {action} ON review "
            "BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END"
        )
    connection.exec_driver_sql(f"PRAGMA user_version={STORE_VERSION}")


def _history_of(run_id: str, case_id: str, reviewer: str) -> Select[_Row]:
    mine = (_Row.run_id == run_id, _Row.case_id == case_id, _Row.reviewer == reviewer)
    return select(_Row).where(*mine).order_by(_Row.revision)


def _holder(rows: Sequence[_Row], draft: Draft) -> _Row | None:
    """Return the row that holds the draft's text already: its own, a later one of its page, or a latest one like it."""
    for row in rows:
        if row.client == draft.client and row.sequence >= draft.sequence:
            return row
    return rows[-1] if rows and _says_the_same(rows[-1], draft) else None


def _is_unseen(row: _Row, draft: Draft) -> bool:
    """Whether the draft was typed without knowing of that row."""
    if row.revision <= draft.base_revision or row.client == draft.client:
        return False
    return all(row.client != client or row.sequence > sequence for client, sequence in draft.ancestors)


def _new_row(draft: Draft, *, revision: int) -> _Row:
    return _Row(
        run_id=draft.run_id,
        case_id=draft.case_id,
        reviewer=draft.reviewer,
        revision=revision,
        client=draft.client,
        sequence=draft.sequence,
        verdict=draft.verdict,
        comment=unicodedata.normalize("NFC", draft.comment),
        corrected=unicodedata.normalize("NFC", draft.corrected),
        generated_sha256=draft.generated_sha256,
        saved_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _says_the_same(row: _Row, draft: Draft) -> bool:
    new = _new_row(draft, revision=row.revision)
    fields = ("verdict", "comment", "corrected", "generated_sha256")
    return all(getattr(row, field) == getattr(new, field) for field in fields)


def _revision(row: _Row) -> Revision:
    verdict = next((known for known in VERDICTS if known == row.verdict), None)
    return Revision(
        case_id=row.case_id,
        revision=row.revision,
        verdict=verdict,
        comment=row.comment,
        corrected=row.corrected,
        generated_sha256=row.generated_sha256,
        reviewer=row.reviewer,
        saved_at=row.saved_at,
    )
