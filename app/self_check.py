"""The system check: each part of the installation, its state, and what was found. No Streamlit page in here."""

import platform
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import streamlit as st
from streamlit import runtime

from app.run import SortedRuns, find_runs, sort_runs
from app.settings import Settings
from app.sign_in import is_loopback
from app.store import backup
from app.store.engine import Database
from app.store.integrity import look
from app.words.self_check import SelfCheckWords, State, Topic
from xray.errors import DataError

KIT = "xray-report-kit"
_GIGABYTE = 1e9
_LEAST_FREE_GB = 5.0
_OLDEST_BACKUP_HOURS = 26.0  # a nightly one may take its time
_SHOWN_VERSIONS = ("streamlit", "sqlalchemy", "alembic")
_MUST_BE: tuple[tuple[Topic, str, object], ...] = (
    ("agent", "server.enableAgentApi", False),
    ("telemetry", "browser.gatherUsageStats", False),
    ("static", "server.enableStaticServing", False),
    ("details", "client.showErrorDetails", "none"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One part of the installation. `found` is in the reader's language; `advice` is "" where all is well."""

    topic: Topic
    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """All lines, and the folders that are no readable run with the reason for each."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...]

    def number_of(self, state: State) -> int:
        """Return how many lines have that state."""
        return sum(line.state == state for line in self.lines)


def check(settings: Settings, *, database: Database, words: SelfCheckWords) -> Check:
    """Look at everything."""
    runs = _sorted_runs(settings.project)
    lines = (
        *_database(database, words=words),
        _disk(settings, database=database, words=words),
        _backup(settings.backups, words=words),
        _runs(runs, words=words),
        *_options(st.get_option, words=words),
        _sign_in(settings, words=words),
        _lock(settings, words=words),
        Line(topic="sessions", state="ok", found=_num_sessions()),
        Line(topic="versions", state="ok", found=versions()),
    )
    return Check(lines=lines, left_out=runs.left_out)


def versions() -> str:
    """Return the versions of the kit and of what it stands on."""
    own = _version(KIT)
    return ", ".join(
        (
            f"{KIT} {own}",
            f"Python {platform.python_version()}",
            *(f"{name} {_version(name)}" for name in _SHOWN_VERSIONS),
        )
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # the kit runs from a checkout, too
        return "–"


def _line(topic: Topic, *, state: State, found: str, words: SelfCheckWords) -> Line:
    return Line(topic=topic, state=state, found=found, advice="" if state == "ok" else words.advice[topic])


def _database(database: Database, *, words: SelfCheckWords) -> Iterable[Line]:
    state = look(database, thorough=True)
    found = {"": words.whole.format(engine=state.engine), "silent": words.silent, "damaged": words.damaged}[state.fault]
    yield _line("database", state="fault" if state.fault else "ok", found=found, words=words)
    fits = state.schema == state.expected_schema
    yield _line("schema", state="ok" if fits else "fault", found=state.schema or "–", words=words)


def _disk(settings: Settings, *, database: Database, words: SelfCheckWords) -> Line:
    usage = shutil.disk_usage(Path(database.name).parent if database.is_file else settings.project)
    free, total = usage.free / _GIGABYTE, usage.total / _GIGABYTE
    state: State = "ok" if free >= _LEAST_FREE_GB else "warning"
    return _line("disk", state=state, found=words.free.format(free=free, total=total), words=words)


def _backup(folder: Path, *, words: SelfCheckWords) -> Line:
    newest = backup.newest_file(folder)
    if newest is None:
        return _line("backup", state="warning", found=words.no_backup, words=words)
    hours = max(0.0, time.time() - newest.stat().st_mtime) / 3600
    state: State = "ok" if hours <= _OLDEST_BACKUP_HOURS else "warning"
    return _line("backup", state=state, found=words.backup_age.format(age=hours, name=newest.name), words=words)


def _sorted_runs(project: Path) -> SortedRuns:
    try:
        return sort_runs(find_runs(project))
    except DataError as error:
        return SortedRuns(readable={}, left_out=(str(error),))


def _runs(runs: SortedRuns, *, words: SelfCheckWords) -> Line:
    count, left_out = len(runs.readable), len(runs.left_out)
    if not left_out:
        return _line("runs", state="ok", found=words.runs_ok.format(count=count), words=words)
    found = words.runs_left_out.format(count=count, left_out=left_out)
    return _line("runs", state="warning" if count else "fault", found=found, words=words)


def _options(value_of: Callable[[str], object], *, words: SelfCheckWords) -> Iterable[Line]:
    for topic, option, wanted in _MUST_BE:
        is_so = value_of(option) == wanted
        yield _line(topic, state="ok" if is_so else "fault", found=words.off if is_so else words.on, words=words)


def _sign_in(settings: Settings, *, words: SelfCheckWords) -> Line:
    mode = settings.sign_in.mode
    is_exposed = mode == "header" and not is_loopback(str(st.get_option("server.address")))
    return _line("sign_in", state="warning" if is_exposed else "ok", found=words.modes[mode], words=words)


def _lock(settings: Settings, *, words: SelfCheckWords) -> Line:
    minutes = settings.lock_minutes
    found = words.lock_after.format(minutes=minutes) if minutes else words.never
    return _line("lock", state="ok" if minutes else "warning", found=found, words=words)


def _num_sessions() -> str:
    # Streamlit tells the number nowhere else.
    sessions = getattr(runtime.get_instance(), "_session_mgr", None) if runtime.exists() else None
    return "–" if sessions is None else str(sessions.num_active_sessions())
