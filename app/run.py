"""A finished run as the review sees it: cases, generated reports, scores. Read through the manifest schema alone."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from finetune.manifest import Case, Prediction, RunManifest, ScoresFile, read_json
from xray.errors import DataError
from xray.records import read_lines
from xray.text.lexicon import PROFILES, Profile
from xray.types import Split

ADAPTER_SYSTEM = "adapter"
TEST_SPLIT: Split = "test"
_RESTORE = "Restore the file, or delete it and run `finetune run` again: it makes what is missing."
_log = logging.getLogger("app")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCase:
    """One test study with its generated report; `generated` is None where the run wrote no report for it.

    `cut_off` tells that the report ran into the length limit and lacks its end.
    `scores` are this report's own values (metric name -> value in [0, 1], None = not computable).
    """

    case: Case
    generated: str | None
    cut_off: bool = False
    scores: tuple[tuple[str, float | None], ...] = ()

    @property
    def id(self) -> str:
        """The case's example id, unique in the run."""
        return self.case.id

    def score(self, metric: str) -> float | None:
        """Return the report's value of `metric`, None where it has none."""
        return dict(self.scores).get(metric)

    @property
    def generated_sha256(self) -> str:
        """Hash of the generated text, so that a verdict remembers which text it judged."""
        return hashlib.sha256((self.generated or "").encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A complete run folder in memory, cases in the order of `references.jsonl`; `profile` is the scores' lexicon."""

    folder: Path
    manifest: RunManifest
    scores: ScoresFile
    cases: tuple[ReviewCase, ...]
    profile: Profile

    @property
    def id(self) -> str:
        """The run's name in every stored review."""
        return self.manifest.run_id

    def case(self, case_id: str) -> ReviewCase | None:
        """Return the case with that id, None where the run has none."""
        return next((case for case in self.cases if case.id == case_id), None)

    def film(self, case_id: str, index: int) -> Path | None:
        """Path of the case's film number `index` (from 0), None where there is none inside the run folder."""
        found = self.case(case_id)
        if found is None or not 0 <= index < len(found.case.images):
            return None
        path = (self.folder / found.case.images[index]).resolve()
        inside = path.is_relative_to(self.folder.resolve())
        return path if inside and path.is_file() else None

    def film_sha256(self, case_id: str, index: int) -> str | None:
        """Digest of the file that film number `index` was rendered from, None where the run does not know it."""
        found = self.case(case_id)
        known = found.case.film_sha256 if found else ()
        return known[index] if 0 <= index < len(known) else None

    def prior_of(self, case: ReviewCase) -> ReviewCase | None:
        """Return the same patient's last earlier study of the run, None where none is known to be earlier."""
        day = case.case.day
        if day is None:
            return None
        earlier = [
            (other.case.day, other)
            for other in self.cases
            if other.case.patient_key == case.case.patient_key and other.case.day is not None and other.case.day < day
        ]
        return max(earlier, key=lambda found: found[0])[1] if earlier else None


def find_runs(project: Path) -> tuple[Path, ...]:
    """Run folders of `project`: itself, or its complete children, newest first.

    Raises DataError when there is none: a folder counts as a run once its manifest.json is written.
    """
    if (project / "manifest.json").is_file():
        return (project,)
    if not project.is_dir():
        raise DataError(f"{project} is no folder. Give a run folder, or a folder of runs.")
    manifests = sorted(project.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    if not manifests:
        raise DataError(f"{project} holds no finished run (no manifest.json). Run `finetune run` to its end first.")
    return tuple(path.parent for path in manifests)


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedRuns:
    """The folders of a project: those that can be read, by run id, and why each other one is left out.

    `unreadable` counts those that cannot be read; the rest of the others are copies.
    """

    readable: Mapping[str, Path]
    left_out: tuple[str, ...]
    unreadable: int = 0


def readable_runs(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the folders that can be read, by run id, in the order given; of copies of one run, the first.

    What is left out is named in the log. Raises the DataError of the first folder when none is left.
    """
    found = sort_runs(folders)
    for reason in found.left_out:
        _log.warning("left out: %s", reason)
    if found.left_out and not found.readable:
        raise DataError(found.left_out[0])
    return dict(found.readable)


def sort_runs(folders: Sequence[Path]) -> SortedRuns:
    """Read every folder and tell which ones make no run, and why."""
    found: dict[str, Path] = {}
    left_out: list[str] = []
    unreadable = 0
    for folder in folders:
        try:
            run_id = load_run(folder).id
        except DataError as error:
            left_out.append(str(error))
            unreadable += 1
            continue
        if found.setdefault(run_id, folder) is not folder:
            left_out.append(f"{folder} has the same run id as {found[run_id]}, which is newer")
    return SortedRuns(readable=found, left_out=tuple(left_out), unreadable=unreadable)


def load_run(folder: Path) -> Run:
    """Read one run folder. Raises DataError naming the file that is missing or does not fit its schema."""
    manifest = read_json(folder / "manifest.json", RunManifest)
    scores = read_json(folder / "scores.json", ScoresFile)
    references = _references(folder / "references.jsonl", expected=manifest.data.studies.get(TEST_SPLIT))
    predictions = _predictions(folder / "predictions.jsonl")
    values = scores.per_report.get(ADAPTER_SYSTEM, {})
    cases = tuple(_review_case(case, predictions.get(case.id), values.get(case.id, {})) for case in references)
    return Run(folder=folder, manifest=manifest, scores=scores, cases=cases, profile=_profile(scores, folder=folder))


def _references(path: Path, *, expected: int | None) -> list[Case]:
    cases = read_lines(path, Case, remedy=_RESTORE)
    if not cases or len(cases) != expected:
        raise DataError(f"{path} lists {len(cases)} test studies, the run's manifest counts {expected}. {_RESTORE}")
    return cases


def _predictions(path: Path) -> dict[str, Prediction]:
    rows = read_lines(path, Prediction, remedy=_RESTORE)
    if not rows:
        raise DataError(f"{path} holds no report, but the run is complete. {_RESTORE}")
    return {row.id: row for row in rows}


def _profile(scores: ScoresFile, *, folder: Path) -> Profile:
    for profile in PROFILES:
        if scores.profile == profile:
            return profile
    raise DataError(f"{folder / 'scores.json'}: unknown profile. It was written by another version of this program.")


def _review_case(case: Case, prediction: Prediction | None, values: dict[str, float | None]) -> ReviewCase:
    if prediction is None:
        return ReviewCase(case=case, generated=None, scores=tuple(values.items()))
    cut_off = prediction.finish_reason == "length"
    return ReviewCase(case=case, generated=prediction.text, cut_off=cut_off, scores=tuple(values.items()))
