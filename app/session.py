"""What all pages share: the opened project, the store, the reader's language. No module-level user state."""

from functools import lru_cache
from pathlib import Path
from threading import Lock

import streamlit as st

from app.marks import MarkedReports, mark_reports
from app.run import ReviewCase, Run, find_runs, load_run
from app.settings import Settings
from app.store import ReviewStore
from app.words import LANGUAGES, Words
from xray.text.lexicon import Profile

LANGUAGE_KEY = "language"
RUN_KEY = "run"
_stores: dict[Path, ReviewStore] = {}  # of the process, not of a reader
_opening = Lock()


def words() -> Words:
    """Return the interface's texts in the language chosen in this browser session (Chinese at first)."""
    return LANGUAGES[st.session_state.get(LANGUAGE_KEY, "zh")]


def store() -> ReviewStore:
    """Return the review store of the project, opened once per process."""
    path = Settings.from_environment().store
    with _opening:
        if path not in _stores:
            _stores[path] = ReviewStore(path)
        return _stores[path]


def runs() -> dict[str, Run]:
    """All runs of the project by run id, newest first."""
    folders = find_runs(Settings.from_environment().project)
    loaded = [_run(folder, _version(folder)) for folder in folders]
    return {run.id: run for run in loaded}


def current_run() -> Run:
    """Return the run chosen in this browser session, the newest one at first."""
    available = runs()
    chosen = st.session_state.get(RUN_KEY)
    return available[chosen] if chosen in available else next(iter(available.values()))


def marked(run: Run, case: ReviewCase) -> MarkedReports:
    """Both reports of a case with their findings marked under the run's own labelling profile."""
    return _marked(case.generated or "", case.case.text, run.profile)


def close() -> None:
    """Close the store and forget what was read; the next use opens it again."""
    with _opening:
        for opened in _stores.values():
            opened.close()
        _stores.clear()
    _run.cache_clear()
    _marked.cache_clear()


def find_film(run_id: str, case_id: str, index: int) -> Path | None:
    """Where a film lies on disk, for the signed route; None when there is none."""
    run = runs().get(run_id)
    return run.film(case_id, index) if run else None


def _version(folder: Path) -> int:
    return max(path.stat().st_mtime_ns for path in folder.glob("*.json*"))


@lru_cache(maxsize=64)
def _run(folder: Path, version: int) -> Run:
    """`version` makes a run that was finished again be read again."""
    del version
    return load_run(folder)


@lru_cache(maxsize=20_000)
def _marked(generated: str, reference: str, profile: Profile) -> MarkedReports:
    return mark_reports(generated, reference=reference, profile=profile)
