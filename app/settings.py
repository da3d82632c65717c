"""What the starter hands to the pages: where the runs and reviews are, how people sign in, when a page locks."""

import argparse
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from app.sign_in import CLAIM, HEADER, MODES, SignIn
from app.store.adopt import open_database
from app.store.engine import Database
from xray.errors import ConfigError

PROJECT_VARIABLE = "XRAY_REVIEW_PROJECT"
DATABASE_VARIABLE = "XRAY_REVIEW_DATABASE"
FILMS_VARIABLE = "XRAY_REVIEW_FILMS"
DATABASE_NAME = "reviews.sqlite"
CACHE_NAME = "film_cache"
SIGN_IN_VARIABLE = "XRAY_REVIEW_SIGN_IN"
HEADER_VARIABLE = "XRAY_REVIEW_HEADER"
CLAIM_VARIABLE = "XRAY_REVIEW_CLAIM"
OIDC_VARIABLE = "XRAY_REVIEW_OIDC"
LOCK_VARIABLE = "XRAY_REVIEW_LOCK_MINUTES"
BACKUPS_VARIABLE = "XRAY_REVIEW_BACKUPS"
BACKUPS_NAME = "backups"
LOCK_MINUTES = 15.0
_VARIABLES = (
    *(PROJECT_VARIABLE, DATABASE_VARIABLE, FILMS_VARIABLE, BACKUPS_VARIABLE, LOCK_VARIABLE),
    *(SIGN_IN_VARIABLE, HEADER_VARIABLE, CLAIM_VARIABLE, OIDC_VARIABLE),
)
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
    """`project` is a run folder or a folder of runs; `database` is a SQLite file or a SQLAlchemy URL.

    `lock_minutes` without input lock a page, 0 never does; `backups` is the folder of the copies that the pages make.
    `films` is the folder of the original films, None where only the pictures that the model saw are at hand.
    """

    project: Path
    database: str
    backups: Path
    sign_in: SignIn = field(default_factory=SignIn)
    lock_minutes: float = LOCK_MINUTES
    films: Path | None = None

    @classmethod
    def of(
        cls,
        project: Path,
        *,
        database: str | None = None,
        sign_in: SignIn | None = None,
        lock_minutes: float = LOCK_MINUTES,
        backups: Path | None = None,
        films: Path | None = None,
    ) -> "Settings":
        """Make all paths absolute. Without a wish, reviews lie in the folder of runs, or in the run opened alone.

        A run opened alone whose folder of runs has a database uses that one, so that its reviews are the same however
        it is opened.
        """
        folder = project.expanduser().resolve()
        return cls(
            project=folder,
            database=_place(folder, wish=database),
            backups=(backups or folder / BACKUPS_NAME).expanduser().resolve(),
            sign_in=sign_in or SignIn(),
            lock_minutes=lock_minutes,
            films=films.expanduser().resolve() if films else None,
        )

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read what `python -m app` has set. Raises ConfigError when the pages were started without it."""
        values = tuple((name, os.environ[name]) for name in _VARIABLES if os.environ.get(name))
        is_settled = DATABASE_VARIABLE in os.environ  # else the place of the database hangs on what files there are
        return (_known_settings if is_settled else _settings_of)(values)

    def environment(self) -> dict[str, str]:
        """Return the variables that `from_environment` reads back."""
        return {
            PROJECT_VARIABLE: str(self.project),
            DATABASE_VARIABLE: self.database,
            SIGN_IN_VARIABLE: self.sign_in.mode,
            HEADER_VARIABLE: self.sign_in.header,
            CLAIM_VARIABLE: self.sign_in.claim,
            OIDC_VARIABLE: str(self.sign_in.secrets or ""),
            LOCK_VARIABLE: str(self.lock_minutes),
            BACKUPS_VARIABLE: str(self.backups),
            FILMS_VARIABLE: str(self.films or ""),
        }

    @property
    def film_cache(self) -> Path:
        """The folder of encoded films."""
        return self._beside_reviews / CACHE_NAME

    @property
    def marks_folder(self) -> Path:
        """Where it is kept how reports compare."""
        return self._beside_reviews / MARKS_FOLDER

    @property
    def _beside_reviews(self) -> Path:
        """The folder of the database's file, the project where it is no file."""
        return self.project if "://" in self.database else Path(self.database).parent

    def open_database(self, runs: Iterable[Path]) -> Database:
        """Open the project's database; reviews that lie in a file of their own in a run's folder come into it."""
        return open_database(self.database, run_files=[run / DATABASE_NAME for run in runs])


def _place(folder: Path, *, wish: str | None) -> str:
    if wish:
        return wish if "://" in wish else str(Path(wish).expanduser().resolve())
    together = folder.parent / DATABASE_NAME
    is_among_others = (folder / "manifest.json").is_file() and together.is_file()
    return str(together if is_among_others else folder / DATABASE_NAME)


def _settings_of(values: tuple[tuple[str, str], ...]) -> Settings:
    named = dict(values)
    if PROJECT_VARIABLE not in named:
        raise ConfigError("No run folder was given. Start the review with `finetune review RUN`.")
    backups, films = named.get(BACKUPS_VARIABLE), named.get(FILMS_VARIABLE)
    return Settings.of(
        Path(named[PROJECT_VARIABLE]),
        database=named.get(DATABASE_VARIABLE),
        sign_in=_sign_in(named),
        lock_minutes=float(named.get(LOCK_VARIABLE, LOCK_MINUTES)),
        backups=Path(backups) if backups else None,
        films=Path(films) if films else None,
    )


_known_settings = lru_cache(maxsize=8)(_settings_of)  # every page asks several times


def _sign_in(named: Mapping[str, str]) -> SignIn:
    asked, secrets = named.get(SIGN_IN_VARIABLE, "local"), named.get(OIDC_VARIABLE)
    mode = next((known for known in MODES if known == asked), None)
    if mode is None:  # a misspelt mode must not open the pages to everyone
        raise ConfigError(f"${SIGN_IN_VARIABLE} is none of {', '.join(MODES)}.")
    return SignIn(
        mode=mode,
        header=named.get(HEADER_VARIABLE, HEADER),
        claim=named.get(CLAIM_VARIABLE, CLAIM),
        secrets=Path(secrets) if secrets else None,
    )
