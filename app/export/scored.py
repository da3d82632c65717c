"""The patients on whom a project's models are scored or chosen: nothing is to be learned from their reports."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.run import Run
from xray.data.records import STORE_FILE, STUDIES_FILE, StoredStudy, StoreInfo
from xray.errors import DataError
from xray.records import read_lines, read_record

_HELD_OUT = ("val", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPatients:
    """`keys` are the pseudonyms; of the runs in `unknown` only the test patients are known, not those of `val`."""

    keys: frozenset[str]
    unknown: tuple[str, ...]


def scored_patients(runs: Iterable[Run]) -> ScoredPatients:
    """Return the test patients of all runs, from their folders, and the patients of `val`, from their stores.

    A store counts only while it holds the data that the run was trained on, as its fingerprint tells.
    """
    keys: set[str] = set()
    unknown: list[str] = []
    for run in runs:
        keys.update(case.case.patient_key for case in run.cases)
        held_out = _held_out(run)
        if held_out is None:
            unknown.append(run.id)
        else:
            keys |= held_out
    return ScoredPatients(keys=frozenset(keys), unknown=tuple(unknown))


def _held_out(run: Run) -> set[str] | None:
    """Return the patients of a run's held-out splits; none are missing where it has no validation study."""
    if run.manifest.data.studies.get("val") == 0:
        return set()
    named = Path(run.manifest.data.store)
    for store in (named, run.folder.parent.parent / named):  # relative to where the run was started
        try:
            info = read_record(store / STORE_FILE, StoreInfo, remedy="")
            if info.fingerprint == run.manifest.data.fingerprint:
                studies = read_lines(store / STUDIES_FILE, StoredStudy, remedy="")
                return {study.patient_key for study in studies if study.split in _HELD_OUT}
        except DataError:
            continue
    return None
