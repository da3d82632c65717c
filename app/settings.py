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
FILMS_VARIABLE = "XRAY_REVIEW_FILMS"
DATABASE_NAME = "reviews.sqlite"
CACHE_NAME = "film_cache"


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
    """`project` is a run folder or a folder of runs; `database` is a SQLite file or a SQLAlchemy URL.

    `films` is the folder of the original films, None where only the pictures that the model saw are at hand.
    """

    project: Path
    database: str
    films: Path | None = None

    @classmethod
    def of(cls, project: Path, *, database: str | None = None, films: Path | None = None) -> "Settings":
        """Make all paths absolute. Without a wish, reviews lie in the folder of runs, or in the run opened alone.

        A run opened alone whose folder of runs has a database uses that one, so that its reviews are the same however
        it is opened.
        """
        folder = project.expanduser().resolve()
        originals = films.expanduser().resolve() if films else None
        if database and "://" in database:
            return cls(project=folder, database=database, films=originals)
        if database:
            return cls(project=folder, database=str(Path(database).expanduser().resolve()), films=originals)
        together = folder.parent / DATABASE_NAME
        is_among_others = (folder / "manifest.json").is_file() and together.is_file()
        place = together if is_among_others else folder / DATABASE_NAME
        return cls(project=folder, database=str(place), films=originals)

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read what `python -m app` has set. Raises ConfigError when the pages were started without it."""
        project = os.environ.get(PROJECT_VARIABLE)
        if not project:
            raise ConfigError("No run folder was given. Start the review with `finetune review RUN`.")
        films = os.environ.get(FILMS_VARIABLE)
        return cls.of(Path(project), database=os.environ.get(DATABASE_VARIABLE), films=Path(films) if films else None)

    def environment(self) -> dict[str, str]:
        """Return the variables that `from_environment` reads back."""
        films = str(self.films) if self.films else ""
        return {PROJECT_VARIABLE: str(self.project), DATABASE_VARIABLE: self.database, FILMS_VARIABLE: films}

    @property
    def film_cache(self) -> Path:
        """The folder of encoded films: beside the SQLite file, or in the project."""
        return (self.project if "://" in self.database else Path(self.database).parent) / CACHE_NAME

    def open_database(self, runs: Iterable[Path]) -> Database:
        """Open the project's database; reviews that lie in a file of their own in a run's folder come into it."""
        return open_database(self.database, run_files=[run / DATABASE_NAME for run in runs])
