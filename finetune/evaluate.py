"""Predictions and references -> scores of every system, always beside three trivial baselines.

A score means nothing alone: a constant normal report, a random training report and the nearest neighbour's report show
what is reached without looking at the film or without writing anything.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from finetune.manifest import (
    CASES_FILE,
    GENERATED,
    SCORES_FILE,
    SYSTEMS,
    Case,
    Estimate,
    Prediction,
    ScoresFile,
    predictions_path,
    read_records,
    remote_path,
    systems_of,
)
from xray.data.stored_films import read_film
from xray.errors import DataError
from xray.metrics import ScoreReport, score
from xray.metrics.baselines import constant_normal, film_features, nearest_neighbour, random_reports
from xray.records import write_lines, write_record
from xray.text.frames import Profile
from xray.types import Example


def write_baselines(
    folder: Path, *, train: Sequence[Example], test: Sequence[Example], profile: Profile, seed: int
) -> None:
    """Write the three trivial systems' predictions for the test split, made from the training split alone."""
    reports = [example.target for example in train]
    ids = [example.example_id for example in test]
    constant = constant_normal(reports, profile=profile)
    nearest = nearest_neighbour(_features(train), reports, _features(test))
    systems = {
        "constant_normal": dict.fromkeys(ids, constant),
        "random_report": random_reports(reports, ids, seed=seed),
        "nearest_neighbour": dict(zip(ids, nearest, strict=True)),
    }
    for system, texts in systems.items():
        rows = [Prediction(id=key, text=texts[key], system=system, finish_reason="copied") for key in ids]
        write_lines(predictions_path(folder, system), rows)


def score_run(folder: Path, *, profile: Profile, resamples: int, seed: int) -> ScoresFile:
    """Score every system of a run folder, write `scores.json`, and return it.

    Raises DataError when a system's predictions are missing, with the command that makes them.
    """
    cases = read_records(folder / CASES_FILE, Case)
    if not cases:
        raise DataError(
            f"{folder / CASES_FILE} is missing or empty. Name a run folder; `finetune run` again makes a lost file."
        )
    references = {case.id: case.text for case in cases}
    patients = {case.id: case.patient_key for case in cases}
    reports: dict[str, ScoreReport] = {}
    for system in systems_of(folder):
        texts = _texts(folder, system, wanted=references)
        reports[system] = score(texts, references, profile=profile, groups=patients, resamples=resamples, seed=seed)
    scores = _as_file(reports)
    write_record(folder / SCORES_FILE, scores)
    return scores


def _texts(folder: Path, system: str, *, wanted: Mapping[str, str]) -> dict[str, str]:
    path = predictions_path(folder, system)
    texts = {row.id: row.text for row in read_records(path, Prediction)}
    missing = [key for key in wanted if key not in texts]
    if missing:
        remedy = "Run `finetune run` again: it makes the baselines from the training reports."
        if system in GENERATED:
            remedy = "Run `finetune generate` on the run folder."
        elif system not in SYSTEMS:
            remedy = f"Run `finetune generate --remote` for it again, or delete {remote_path(folder, system).name}."
        raise DataError(f"{path} lacks {len(missing)} of {len(wanted)} test studies, the first: {missing[0]}. {remedy}")
    return {key: texts[key] for key in wanted}


def _as_file(reports: Mapping[str, ScoreReport]) -> ScoresFile:
    any_report = next(iter(reports.values()))
    return ScoresFile(
        profile=any_report.profile,
        signature=any_report.signature,
        lexicon=any_report.lexicon,
        split=any_report.split,
        bootstrap=any_report.bootstrap,
        warnings=any_report.warnings,
        systems={
            system: {name: Estimate(value=e.value, low=e.low, high=e.high, n=e.n) for name, e in report.metrics.items()}
            for system, report in reports.items()
        },
        per_report={system: report.per_report for system, report in reports.items()},
    )


def _features(examples: Sequence[Example]) -> NDArray[np.float32]:
    """Return [N, D] features of each study's first film."""
    return np.stack([film_features(read_film(example.images[0])) for example in examples])
