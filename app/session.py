"""What all pages share: the project, its database, the run in the address, the language. No module-level user state."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

import streamlit as st

from app.export.archive import find_export
from app.run import ReviewCase, Run, find_runs, load_run, readable_runs
from app.settings import Settings
from app.store.audit import record_event
from app.store.engine import Database
from app.words import LANGUAGES, Words
from xray.metrics.marks import MarkedReports, mark_reports
from xray.text.lexicon import Profile

Texts = TypeVar("Texts")
LANGUAGE_KEY = "language"
RUN_KEY = "run"
_databases: dict[str, Database] = {}  # of the process, not of a reader
_opening = Lock()


def words() -> Words:
    """Return the interface's texts in the language chosen in this browser session (Chinese at first)."""
    return LANGUAGES[st.session_state.get(LANGUAGE_KEY, "zh")]


def in_language(texts: Mapping[str, Texts]) -> Texts:
    """Return an area's texts (see app/words) in the language chosen in this browser session."""
    return texts[words().code]


def database() -> Database:
    """Return the project's database, opened once per process."""
    settings = Settings.from_environment()
    with _opening:
        if settings.database not in _databases:
            _databases[settings.database] = settings.open_database(runs().values())
        return _databases[settings.database]


def runs() -> dict[str, Path]:
    """Folders of all runs of the project that can be read, by run id, newest first."""
    folders = find_runs(Settings.from_environment().project)
    return _runs(tuple((folder, _version(folder)) for folder in folders))


def settle_run() -> str | None:
    """Let the address choose the run, and name the run in an address that has none, so that a reload opens no other.

    Returns the run id of an address whose run the project does not have, None where all is well.
    """
    available = runs()
    asked, known = st.query_params.get(RUN_KEY), st.session_state.get(RUN_KEY)
    chosen = next((run_id for run_id in (asked, known) if run_id in available), next(iter(available)))
    if chosen != known:
        st.session_state[RUN_KEY] = chosen
    if not asked:
        st.query_params[RUN_KEY] = chosen
    return asked if asked and asked != chosen else None


def put_run_in_address() -> None:
    """Make the address follow the run that the reader has chosen in the side bar."""
    st.query_params[RUN_KEY] = st.session_state[RUN_KEY]


def current_run() -> Run:
    """Return the run that `settle_run` found."""
    folder = runs()[st.session_state[RUN_KEY]]
    return _run(folder, _version(folder))


def find_run(run_id: str) -> Run | None:
    """Return the project's run with that id, None where it has none."""
    folder = runs().get(run_id)
    return _run(folder, _version(folder)) if folder else None


def marked(run: Run, case: ReviewCase) -> MarkedReports:
    """Both reports of a case with their findings marked under the run's own labelling profile."""
    return _marked(case.generated or "", case.case.text, run.profile)


def warm_up() -> None:
    """Read and mark the newest run, so that its first reader does not wait for it."""
    folder = next(iter(runs().values()))
    run = _run(folder, _version(folder))
    for case in run.cases:
        marked(run, case)


def close() -> None:
    """Close the database and forget what was read; the next use opens them again."""
    with _opening:
        for opened in _databases.values():
            opened.close()
        _databases.clear()
    for cached in (_run, _runs, _marked):
        cached.cache_clear()


def project() -> Path:
    """Return the project's folder: a run folder, or a folder of runs."""
    return Settings.from_environment().project


def all_runs() -> dict[str, Run]:
    """Return every run of the project that can be read, by run id, newest first."""
    return {run_id: _run(folder, _version(folder)) for run_id, folder in runs().items()}


def take_export(name: str, person: str) -> Path | None:
    """Return the folder of an export that `person` takes away, for the signed route; the audit keeps that they did."""
    folder = find_export(project(), name)
    if folder is not None:
        record_event(database(), actor=person, action="download export", subject=name)
    return folder


def find_film(run_id: str, case_id: str, index: int) -> Path | None:
    """Where a film lies on disk, for the signed route; None when there is none."""
    run = find_run(run_id)
    return run.film(case_id, index) if run else None


def _version(folder: Path) -> int:
    return max(path.stat().st_mtime_ns for path in folder.glob("*.json*"))


@lru_cache(maxsize=8)
def _run(folder: Path, version: int) -> Run:
    del version  # makes a run that was finished again be read again
    return load_run(folder)


@lru_cache(maxsize=8)
def _runs(versions: tuple[tuple[Path, int], ...]) -> dict[str, Path]:
    return readable_runs([folder for folder, _ in versions])


@lru_cache(maxsize=20_000)
def _marked(generated: str, reference: str, profile: Profile) -> MarkedReports:
    return mark_reports(generated, reference=reference, profile=profile)
