"""Copies of a project's database while readers go on writing, and the way back.

A SQLite file is copied page by page to a file that can be opened as it is. Either database can also be written as JSON
Lines: the schema, a line per row, and the number of rows with the head of the audit chain. Such a file comes back into
an empty database of either kind, which is also how a project moves from SQLite to PostgreSQL.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.store.audit import Entry, verify
from app.store.chain import START, last_of
from app.store.engine import Database
from app.store.schema import Base, PersonRow, RoleRow
from xray.errors import ConfigError, DataError
from xray.records import write_atomically

_FORMAT = "xray-review-backup"
_PREFIX = "reviews-"
_SUFFIXES = frozenset({".sqlite", ".jsonl"})
_TABLES = Base.metadata.sorted_tables  # what others refer to comes first


def back_up(database: Database, target: Path) -> Entry:
    """Write the database to `target`, check the copy's audit chain, and return its head.

    JSON Lines where the name ends in .jsonl, else a SQLite file. Raises ConfigError where `target` exists, or where a
    file of SQLite is asked of PostgreSQL; DataError where the chain is broken, in the copy as in the original.
    """
    if target.exists():
        raise ConfigError(f"{target} exists already. Name a new file for the backup.")
    if target.suffix == ".jsonl":
        write_atomically(target, "".join(f"{line}\n" for line in _lines(database)))
        return verify(database)
    if not database.is_file:
        raise ConfigError(f"A backup of PostgreSQL is a file of JSON Lines. Name it {target.with_suffix('.jsonl')}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database.name)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    with closing(Database(target)) as copied:
        return verify(copied)


def dated_file(database: Database, folder: Path, *, at: datetime) -> Path:
    """Return the name of a backup made now: `reviews-20261129T210425Z.sqlite`, for PostgreSQL `.jsonl`."""
    suffix = ".sqlite" if database.is_file else ".jsonl"
    return folder / f"{_PREFIX}{at.astimezone(UTC):%Y%m%dT%H%M%SZ}{suffix}"


def newest_file(folder: Path) -> Path | None:
    """Return the backup of the folder that was written last, None where there is none."""
    found = [path for path in folder.glob(f"{_PREFIX}*") if path.suffix in _SUFFIXES and path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def restore(database: Database, source: Path) -> Entry:
    """Read a backup in JSON Lines into an empty database and return the head of its verified audit chain.

    Raises DataError, and leaves the database as it was, where it is not empty or the file is no whole backup.
    """
    with source.open(encoding="utf-8") as lines, database.writing() as session:
        if last_of(session) is not None:
            raise DataError(f"{database.name} holds reviews already. Restore into a new, empty database.")
        for table in (RoleRow, PersonRow):  # a new database knows its first user
            session.execute(delete(table))
        _fill(session, lines, source=source)
    return verify(database)


def _lines(database: Database) -> Iterator[str]:
    with database.reading() as session:
        yield json.dumps({"format": _FORMAT, "schema": _schema(session)})
        count = 0
        for table in _TABLES:
            for row in session.execute(select(table).order_by(*table.primary_key.columns)).mappings():
                yield json.dumps({"table": table.name, "row": dict(row)}, ensure_ascii=False)
                count += 1
        last = last_of(session)
        yield json.dumps({"rows": count, "audit_head": last.hash if last else START})


def _fill(session: Session, lines: Iterable[str], *, source: Path) -> None:
    tables = {table.name: table for table in _TABLES}
    try:
        head, *rows, end = (json.loads(line) for line in lines)
        if (head["format"], head["schema"]) != (_FORMAT, _schema(session)):
            raise DataError(f"{source} is a backup of another version of this program. Restore it with that one.")
        if end["rows"] != len(rows):
            raise DataError(f"{source} is damaged: it holds {len(rows)} of {end['rows']} rows.")
        for row in rows:
            session.execute(insert(tables[row["table"]]).values(row["row"]))
    except (ValueError, KeyError, TypeError, SQLAlchemyError):
        raise DataError(f"{source} is no whole backup of reviews.") from None


def _schema(session: Session) -> str:
    return str(session.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
