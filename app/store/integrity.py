"""Whether a database is whole: asked by health checks all day, and thoroughly by the system check."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from app.store.engine import Database
from app.store.schema import AuditRow
from app.store.upgrade import head_of

Fault = Literal["", "silent", "damaged"]
_SQLITE = {True: text("PRAGMA integrity_check(1)"), False: text("PRAGMA quick_check(1)")}
_VERSION = text("SELECT version_num FROM alembic_version")
_SQLITE_ENGINE, _POSTGRESQL_ENGINE = text("SELECT sqlite_version()"), text("SHOW server_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a look at a database found. `fault` is "" where it answers and its pages fit together."""

    engine: str = ""
    schema: str = ""
    expected_schema: str = ""
    fault: Fault = ""

    @property
    def is_whole(self) -> bool:
        """Whether the database answers, its pages fit together, and its tables are those of this program."""
        return not self.fault and self.schema == self.expected_schema


def look(database: Database, *, thorough: bool = False) -> State:
    """Ask the database for its engine, schema and wholeness; whatever it answers, nothing is raised.

    SQLite reads its whole file for this, indexes against tables too if `thorough`. PostgreSQL looks after its pages
    itself and is only asked for the end of the audit.
    """
    try:
        with database.reading() as session:
            engine = session.scalar(_SQLITE_ENGINE if database.is_file else _POSTGRESQL_ENGINE)
            schema = session.scalar(_VERSION)
            session.scalar(select(AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1))
            answer = session.scalar(_SQLITE[thorough]) if database.is_file else "ok"
    except SQLAlchemyError as error:
        is_malformed = database.is_file and type(error) is DatabaseError  # a busy or missing file is a kind of its own
        return State(fault="damaged" if is_malformed else "silent", expected_schema=head_of())
    name = "SQLite" if database.is_file else "PostgreSQL"
    fault: Fault = "" if answer == "ok" else "damaged"
    return State(engine=f"{name} {engine}", schema=str(schema), expected_schema=head_of(), fault=fault)
