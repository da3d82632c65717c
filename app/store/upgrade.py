"""Bringing a database to the schema of this program, in the one transaction that opens it.

Alembic knows the way. Files from before Alembic (version 1: one table `review`) are taken over with their reviews.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from app.store.version_1 import adopt_table
from xray.errors import DataError

_MIGRATIONS = Path(__file__).parent / "migrations"
# Programs of version 1 read this number and refuse a greater one.
_FILE_VERSION = 2


def upgrade(session: Session, *, name: str) -> None:
    """Run the migrations that are missing. Raises DataError when a newer program has written the database."""
    connection = session.connection()
    config = _config()
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_revision()
    if present == scripts.get_current_head():
        return
    known = {script.revision for script in scripts.walk_revisions()}
    is_file = connection.dialect.name == "sqlite"
    file_version = connection.exec_driver_sql("PRAGMA user_version").scalar_one() if is_file else 0
    if present not in {None, *known} or file_version > _FILE_VERSION:
        raise DataError(f"{name} was written by a newer version of this program. Update the program to open it.")
    command.upgrade(config, "head")
    if is_file:
        connection.exec_driver_sql(f"PRAGMA user_version={_FILE_VERSION}")
        if inspect(connection).has_table("review"):
            adopt_table(session)
            connection.exec_driver_sql("DROP TABLE review")


@cache
def head_of() -> str:
    """Return the schema of this program."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
