"""The reports that a study can draw on, of every system of its runs and the reference; and the cases that have them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from app.protocol.assignment import REFERENCE, Source, StudyCase
from app.run import ReviewCase, Run
from finetune.manifest import ADAPTER, Prediction, predictions_path, read_records, systems_of
from xray.errors import ConfigError
from xray.text.labels import label
from xray.text.lexicon import Profile

Mix = Literal["any", "half", "abnormal", "normal"]
MIXES: tuple[Mix, ...] = ("any", "half", "abnormal", "normal")
NORMAL, ABNORMAL = "normal", "abnormal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The cases that every source has a report on, in the order of the first run, and how many others were left out."""

    cases: tuple[StudyCase, ...]
    left_out: int


def sources_of(runs: Sequence[Run]) -> tuple[Source, ...]:
    """Return whose reports there are: the systems of each run whose file is there, and the first run's reference."""
    found = [
        Source(run_id=run.id, system=system)
        for run in runs
        for system in systems_of(run.folder)
        if predictions_path(run.folder, system).is_file()
    ]
    return (*found, *(Source(run_id=run.id, system=REFERENCE) for run in runs[:1]))


def pool(runs: Sequence[Run], sources: Sequence[Source]) -> Pool:
    """Return the cases of the first run that all sources report on.

    A run whose case of that id is another examination, or has another reference, is of other data: the case is left
    out. Raises ConfigError for a source of a run that is not given.
    """
    by_id = {run.id: run for run in runs}
    if any(source.run_id not in by_id for source in sources):
        raise ConfigError("A report was chosen of a run that was not. Choose the run as well.")
    first, *others = runs
    texts = [_texts(by_id[source.run_id], source.system) for source in sources]
    elsewhere = [{case.id: case for case in run.cases} for run in others]
    found = []
    for case in first.cases:
        reports = [of_source.get(case.id) for of_source in texts]
        is_same = all(_is_same(case, of_run.get(case.id)) for of_run in elsewhere)
        if is_same and all(report and report.strip() for report in reports):
            given = tuple(report or "" for report in reports)
            found.append(StudyCase(case_id=case.id, texts=given, reference=case.case.text))
    return Pool(cases=tuple(found), left_out=len(first.cases) - len(found))


def choose(cases: Sequence[StudyCase], *, number: int, mix: Mix, seed: int, profile: Profile) -> tuple[StudyCase, ...]:
    """Choose `number` cases at random, or all where there are fewer, each with its stratum unless any will do.

    A case is normal where its reference states no abnormality. `half` takes as many normal as abnormal ones, as far as
    there are.
    """
    rng = random.Random(f"{seed} choice")
    drawn = rng.sample(cases, len(cases))
    if mix == "any":
        return tuple(drawn[:number])
    strata = [(case, NORMAL if is_normal(case.reference, profile) else ABNORMAL) for case in drawn]
    known = [
        StudyCase(case_id=case.case_id, texts=case.texts, reference=case.reference, stratum=stratum)
        for case, stratum in strata
        if mix in ("half", stratum)
    ]
    if mix != "half":
        return tuple(known[:number])
    sick = [case for case in known if case.stratum == ABNORMAL]
    well = [case for case in known if case.stratum == NORMAL]
    each = min(number // 2, len(sick), len(well))
    return (*sick[:each], *well[:each])


@lru_cache(maxsize=20_000)
def is_normal(reference: str, profile: Profile) -> bool:
    """Whether a reference report states or suspects nothing abnormal."""
    return label(reference, profile=profile).labels["No Finding"] == 1


def _is_same(case: ReviewCase, other: ReviewCase | None) -> bool:
    return other is not None and (case.case.study_uid, case.case.text) == (other.case.study_uid, other.case.text)


def _texts(run: Run, system: str) -> Mapping[str, str | None]:
    if system == REFERENCE:
        return {case.id: case.case.text for case in run.cases}
    if system == ADAPTER:
        return {case.id: case.generated for case in run.cases}
    path = predictions_path(run.folder, system)
    return _predictions(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _predictions(path: Path, version: int) -> Mapping[str, str]:
    del version  # makes a file that was written again be read again
    return {row.id: row.text for row in read_records(path, Prediction)}
