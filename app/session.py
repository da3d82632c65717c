"""What all pages share: the project, its database, the run in the address, the language. No module-level user state."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TypeVar

import streamlit as st

from app.export.archive import find_export
from app.film_cache import FilmCache
from app.films import FilmPlace
from app.lightbox import Lightbox, Size, Source
from app.marking import Marking
from app.originals import Originals
from app.run import ReviewCase, Run, find_runs, load_run, readable_runs
from app.settings import Settings
from app.store.audit import record_event
from app.store.engine import Database
from app.store.ledger import Ledger
from app.words import LANGUAGES, Words
from xray.metrics.marks import MarkedReports, mark_reports
from xray.text.lexicon import Profile

Texts = TypeVar("Texts")
LANGUAGE_KEY = "language"
RUN_KEY = "run"
# Of the process, not of a reader.
_databases: dict[str, Database] = {}
_ledgers: dict[str, Ledger] = {}
_markings: dict[tuple[Path, Path, int], Marking] = {}
_lightboxes: dict[Settings, Lightbox] = {}
_opening = Lock()


def words() -> Words:
    """Return the interface's texts in the language chosen in this browser session (Chinese at first)."""
    return LANGUAGES[st.session_state.get(LANGUAGE_KEY) or preferred_language()]


def preferred_language() -> str:
    """Return the language that was last chosen in this browser (app/components/language.js), Chinese at first."""
    kept = st.context.cookies.get("xray_language", "")
    return kept if kept in LANGUAGES else "zh"


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
    return _runs(tuple((folder, version_of(folder)) for folder in folders))


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


def leave_run() -> None:
    """Take the run out of the address of a page that shows none."""
    if RUN_KEY in st.query_params:
        del st.query_params[RUN_KEY]


def put_run_in_address() -> None:
    """Make the address follow the run that the reader has chosen in the side bar."""
    st.query_params[RUN_KEY] = st.session_state[RUN_KEY]


def choose_run(run_id: str) -> None:
    """Make another run the present one, as a choice in the side bar does."""
    st.session_state[RUN_KEY] = run_id
    put_run_in_address()


def current_run() -> Run:
    """Return the run that `settle_run` found."""
    folder = runs()[st.session_state[RUN_KEY]]
    return _run(folder, version_of(folder))


def find_run(run_id: str) -> Run | None:
    """Return the project's run with that id, None where it has none."""
    folder = runs().get(run_id)
    return _run(folder, version_of(folder)) if folder else None


def marked(run: Run, case: ReviewCase) -> MarkedReports:
    """Both reports of a case with their findings marked under the run's own labelling profile."""
    return _marked(case.generated or "", case.case.text, run.profile)


def marking(run: Run) -> Marking:
    """Return how the reports of every case of a run compare, as far as it is known by now."""
    settings = Settings.from_environment()
    key = (settings.marks_folder, run.folder, version_of(run.folder))
    with _opening:
        if key not in _markings:
            for old in [known for known in _markings if known[1] == run.folder]:
                _markings.pop(old).stop()
            _markings[key] = Marking(run, folder=settings.marks_folder)
        return _markings[key]


def ledger() -> Ledger:
    """Return how far every review of the project is."""
    opened = database()
    with _opening:
        return _ledgers.setdefault(opened.name, Ledger(opened))


def warm_up() -> None:
    """Read the newest run and what was said of it, so that its first reader does not wait; the marks are begun.

    The folder of original films is looked through in the background.
    """
    lightbox().warm_up()
    folder = next(iter(runs().values()))
    marking(_run(folder, version_of(folder)))
    ledger().all()


def close() -> None:
    """Close the database and the films and forget what was read; the next use opens them again."""
    with _opening:
        for begun in _markings.values():
            begun.stop()
        for opened in _databases.values():
            opened.close()
        for box in _lightboxes.values():
            box.close()
        for kept in (_markings, _ledgers, _databases, _lightboxes):
            kept.clear()
    for cached in (_run, _runs, _marked):
        cached.cache_clear()


def lightbox() -> Lightbox:
    """Return what gives the project's films, opened once per process."""
    settings = Settings.from_environment()
    with _opening:
        if settings not in _lightboxes:
            cache = settings.film_cache
            originals = Originals(settings.films, cache=cache) if settings.films else None
            _lightboxes[settings] = Lightbox(FilmCache(cache / "encoded"), originals=originals)
        return _lightboxes[settings]


def project() -> Path:
    """Return the project's folder: a run folder, or a folder of runs."""
    return Settings.from_environment().project


def all_runs() -> dict[str, Run]:
    """Return every run of the project that can be read, by run id, newest first."""
    return {run_id: _run(folder, version_of(folder)) for run_id, folder in runs().items()}


def take_export(name: str, person: str) -> Path | None:
    """Return the folder of an export that `person` takes away, for the signed route; the audit keeps that they did."""
    folder = find_export(project(), name)
    if folder is not None:
        record_event(database(), actor=person, action="download export", subject=name)
    return folder


def find_film(place: FilmPlace, source: Source, size: Size) -> bytes | None:
    """Return a film for the signed route, None when there is none. Raises Rejected where it cannot be shown."""
    run = find_run(place.run_id)
    if run is None:
        return None
    if source == "original":
        sha256 = run.film_sha256(place.case_id, place.index)
        return lightbox().original(sha256, size=size) if sha256 else None
    path = run.film(place.case_id, place.index)
    return lightbox().seen(path, size=size) if path else None


def version_of(folder: Path) -> int:
    """Return a number that changes whenever a file of a run's folder is written again."""
    return max(path.stat().st_mtime_ns for path in folder.glob("*.json*"))


@lru_cache(maxsize=8)
def _run(folder: Path, version: int) -> Run:
    del version  # makes a run that was finished again be read again
    return load_run(folder)


@lru_cache(maxsize=8)
def _runs(versions: tuple[tuple[Path, int], ...]) -> dict[str, Path]:
    return readable_runs([folder for folder, _ in versions])


@lru_cache(maxsize=2_000)
def _marked(generated: str, reference: str, profile: Profile) -> MarkedReports:
    return mark_reports(generated, reference=reference, profile=profile)
