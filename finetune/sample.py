"""`finetune sample`: two runs without a model, so that the review page can be tried before anything is trained.

The films are drawn, and a "generated" report is the reference with errors planted into it. Such a run has no adapter;
its manifest says so, and `finetune` refuses to generate with it.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from finetune.cases import write_cases
from finetune.config import RunConfig
from finetune.config_file import resolved_yaml
from finetune.console import Screen
from finetune.dataset import PreparedData, prepare_data, summarize_data
from finetune.evaluate import score_run, write_baselines
from finetune.manifest import (
    CASES_FILE,
    CONFIG_FILE,
    MANIFEST_FILE,
    SCORES_FILE,
    BaseModelSummary,
    Prediction,
    RunManifest,
    TrainingSummary,
    predictions_path,
)
from finetune.provenance import artefact, code_state, environment, peak_memory_mib
from xray.errors import DataError
from xray.lock import locked
from xray.metrics.baselines import random_reports
from xray.records import write_atomically, write_lines, write_record
from xray.text.planting import PLANTED, plant

NO_MODEL = "none (errors planted into reference reports)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRun:
    """A run to write: the share of reports with no planted error, with one, and with two."""

    name: str
    shares: tuple[float, float, float]


SAMPLE_RUNS = (
    SampleRun(name="sample-a", shares=(0.55, 0.35, 0.10)),
    SampleRun(name="sample-b", shares=(0.25, 0.50, 0.25)),
)


def write_sample(folder: Path, *, config: RunConfig, screen: Screen, command: str) -> tuple[Path, ...]:
    """Write both runs below `folder` from the data that `config` names, and return their folders.

    A run that is there stays as it is: its reviews belong to its reports. Raises DataError for a folder of that name
    that is no complete run.
    """
    with screen.stage("Preparing films", key="prepare") as tick:
        data = prepare_data(config.data, progress=tick)
    folders = []
    for sample in SAMPLE_RUNS:
        target = folder / sample.name
        folders.append(target)
        if (target / MANIFEST_FILE).is_file():
            continue
        if target.exists() and any(target.iterdir()):
            raise DataError(f"{target} is there and is no complete run. Remove it, or choose another folder.")
        target.mkdir(parents=True, exist_ok=True)
        with locked(target), screen.stage(f"Writing {target}", key=sample.name):
            _write_run(target, sample, config=config, data=data, command=command)
    return tuple(folders)


def _write_run(folder: Path, sample: SampleRun, *, config: RunConfig, data: PreparedData, command: str) -> None:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    write_atomically(folder / CONFIG_FILE, resolved_yaml(config))
    write_cases(folder, data.test, question=config.data.question)
    write_baselines(folder, train=data.train, test=data.test, profile=config.data.profile, seed=config.seed)
    reports = {example.example_id: example.target for example in data.test}
    write_lines(predictions_path(folder, "adapter"), _rows(with_errors(reports, sample=sample), system="adapter"))
    known = [example.target for example in data.train]
    guessed = random_reports(known, list(reports), seed=config.seed + 1)
    for system in ("base", "shuffled_images"):
        write_lines(predictions_path(folder, system), _rows(guessed, system=system))
    scores = score_run(folder, profile=config.data.profile, resamples=config.evaluate.resamples, seed=config.seed)
    manifest = _manifest(sample, config=config, data=data, command=command, started=started)
    metrics = {name: estimate.value for name, estimate in scores.systems["adapter"].items()}
    written = [artefact(folder / name, root=folder) for name in (CONFIG_FILE, CASES_FILE, SCORES_FILE)]
    write_record(folder / MANIFEST_FILE, manifest.model_copy(update={"metrics": metrics, "artefacts": written}))


def with_errors(reports: Mapping[str, str], *, sample: SampleRun) -> dict[str, str]:
    """Return each report with as many errors as it drew by its id and the sample's shares; the same every time."""
    return {
        key: _spoiled(text, sample=sample, rng=random.Random(f"{sample.name} {key}")) for key, text in reports.items()
    }


def _spoiled(text: str, *, sample: SampleRun, rng: random.Random) -> str:
    (count,) = rng.choices((0, 1, 2), weights=sample.shares)
    for kind in rng.sample(PLANTED, len(PLANTED)):
        if count == 0:
            break
        spoiled = plant(text, kind=kind, rng=rng)
        if spoiled is not None:
            text, count = spoiled, count - 1
    return text


def _rows(texts: Mapping[str, str], *, system: str) -> list[Prediction]:
    return [Prediction(id=key, text=text, system=system, finish_reason="copied") for key, text in texts.items()]


def _manifest(sample: SampleRun, *, config: RunConfig, data: PreparedData, command: str, started: str) -> RunManifest:
    return RunManifest(
        run_id=sample.name,
        name=sample.name,
        seed=config.seed,
        created=started,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        config_sha256=config.digest(),
        code=code_state(),
        environment=environment(),
        data=summarize_data(data, settings=config.data),
        base_model=BaseModelSummary(
            name_or_path=NO_MODEL, revision=None, sha256="", parameters=0, quantization="none", compute_dtype="none"
        ),
        training=TrainingSummary(
            base_sha256="",
            steps=0,
            best_step=0,
            best_metric=None,
            metric_for_best_model=config.train.metric_for_best_model,
            resumed_from=[],
            trainable_parameters=0,
            seconds=0.0,
            adapter_sha256="",
        ),
        profile=config.data.profile,
        seconds={},
        peak_memory_mib=peak_memory_mib(),
        peak_gpu_memory_mib=None,
        metrics={},
        artefacts=[],
    )
