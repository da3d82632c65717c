"""What the starter hands to the pages: where the runs are, and where reviews are kept."""

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.store.adopt import open_database
from app.store.engine import Database
from xray.errors import ConfigError

PROJECT_VARIABLE = "XRAY_REVIEW_PROJECT"
DATABASE_VARIABLE = "XRAY_REVIEW_DATABASE"
DATABASE_NAME = "reviews.sqlite"
MARKS_FOLDER = "marks"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a command line the two options that every command on a project has."""
    parser.add_argument("--project", type=Path, required=True, help="a run folder, or a folder of runs")
    parser.add_argument(
        "--database",
        default=os.environ.get(DATABASE_VARIABLE),
        help="SQLite file, or URL like postgresql+psycopg://user@host/name, that keeps all reviews (default: "
        f"${DATABASE_VARIABLE}, else {DATABASE_NAME} in the project)",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`project` is a run folder or a folder of runs; `database` is a SQLite file or a SQLAlchemy URL."""

    project: Path
    database: str

    @classmethod
    def of(cls, project: Path, *, database: str | None = None) -> "Settings":
        """Make all paths absolute. Without a wish, reviews lie in the folder of runs, or in the run opened alone.

        A run opened alone whose folder of runs has a database uses that one, so that its reviews are the same however
        it is opened.
        """
        folder = project.expanduser().resolve()
        if database and "://" in database:
            return cls(project=folder, database=database)
        if database:
            return cls(project=folder, database=str(Path(database).expanduser().resolve()))
        together = folder.parent / DATABASE_NAME
        is_among_others = (folder / "manifest.json").is_file() and together.is_file()
        return cls(project=folder, database=str(together if is_among_others else folder / DATABASE_NAME))

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read what `python -m app` has set. Raises ConfigError when the pages were started without it."""
        project = os.environ.get(PROJECT_VARIABLE)
        if not project:
            raise ConfigError("No run folder was given. Start the review with `finetune review RUN`.")
        return cls.of(Path(project), database=os.environ.get(DATABASE_VARIABLE))

    def environment(self) -> dict[str, str]:
        """Return the variables that `from_environment` reads back."""
        return {PROJECT_VARIABLE: str(self.project), DATABASE_VARIABLE: self.database}

    @property
    def marks_folder(self) -> Path:
        """Where it is kept how reports compare: beside the database's file, in the project where it is no file."""
        beside = self.project if "://" in self.database else Path(self.database).parent
        return beside / MARKS_FOLDER

    def open_database(self, runs: Iterable[Path]) -> Database:
        """Open the project's database; reviews that lie in a file of their own in a run's folder come into it."""
        return open_database(self.database, run_files=[run / DATABASE_NAME for run in runs])
