"""Reviews that were written while a run had a file of its own come into the project's database, once."""

import logging
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, make_transient

from app.store.chain import append, append_record
from app.store.engine import Database
from app.store.schema import AuditRow, RevisionRow
from app.store.version_1 import ensure_reader
from xray.errors import DataError

_ACTION = "adopt file"
_log = logging.getLogger("app")


def open_database(place: str, *, run_files: Iterable[Path]) -> Database:
    """Open a project's database and copy the reviews of those files that are there and were not copied before.

    The files stay as they are. Studies, and reviews made in them, are not taken over. A review that the project has
    already is left alone. A file that cannot be read is named in the log, and the project opens without it: it is tried
    again the next time.
    """
    database = Database(place)
    for path in run_files:
        source = f"{path.parent.name}/{path.name}"
        if not path.is_file() or (database.is_file and path.samefile(database.name)) or _is_adopted(database, source):
            continue
        try:
            rows = _rows_of(path)
        except (DataError, sqlite3.Error) as error:
            _log.warning("reviews of %s were not taken over: %s", path, error)
            continue
        with database.writing() as session:
            new = _without_present(session, rows)
            for row in new:
                ensure_reader(session, row.reviewer)
                append_record(session, row, actor=row.reviewer, action="adopt")
            append(session, actor="server", action=_ACTION, subject=source)
        _log.warning("%d of %d saved reviews were taken over from %s", len(new), len(rows), path)
    return database


def _is_adopted(database: Database, source: str) -> bool:
    known = select(AuditRow.seq).where(AuditRow.action == _ACTION, AuditRow.subject == source)
    with database.reading() as session:
        return session.scalar(known) is not None


def _rows_of(path: Path) -> list[RevisionRow]:
    """Read a copy of the file, brought to the present schema: the file itself may be of any version, or read-only."""
    unwritten = path.with_name(path.name + "-wal").exists()
    address = f"{path.resolve().as_uri()}?mode=ro" + ("" if unwritten else "&immutable=1")
    with tempfile.TemporaryDirectory() as folder:
        with (
            closing(sqlite3.connect(address, uri=True)) as source,
            closing(sqlite3.connect(Path(folder) / "copy.sqlite")) as target,
        ):
            source.backup(target)
        with closing(Database(Path(folder) / "copy.sqlite")) as copy, copy.reading() as session:
            rows = list(session.scalars(select(RevisionRow).where(RevisionRow.task == "").order_by(RevisionRow.seq)))
            for row in rows:
                make_transient(row)
            return rows


def _without_present(session: Session, rows: list[RevisionRow]) -> list[RevisionRow]:
    def review_of(row: RevisionRow) -> tuple[str, str, str, str]:
        return (row.run_id, row.case_id, row.reviewer, row.task)

    columns = (RevisionRow.run_id, RevisionRow.case_id, RevisionRow.reviewer, RevisionRow.task)
    present = {tuple(found) for found in session.execute(select(*columns).distinct())}
    return [row for row in rows if review_of(row) not in present]
