"""`finetune run`: prepare, train, generate, score, in stages that each take up where a kill left them.

A stage is done when its files are there: the store's index, the adapter with `training.json`, one prediction per test
study, `scores.json`. The manifest comes last.
"""

import hashlib
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from finetune.adapter_card import write_card
from finetune.batch import ChatEncoder
from finetune.cases import write_cases
from finetune.checkpoints import delete_half_written, last_checkpoint, read_history, step_of
from finetune.config import RunConfig
from finetune.config_file import resolved_yaml
from finetune.console import Screen
from finetune.dataset import PreparedData, describe_data, prepare_data, summarize_data
from finetune.evaluate import score_run, write_baselines
from finetune.manifest import (
    ADAPTER,
    ADAPTER_FILES,
    CONFIG_FILE,
    HISTORY_FILE,
    MANIFEST_FILE,
    PROCESSES_FILE,
    SCORES_FILE,
    TRAINING_FILE,
    BaseModelSummary,
    RunManifest,
    ScoresFile,
    TrainingSummary,
    predictions_path,
    read_json,
)
from finetune.models.loading import add_adapter, compute_dtype, count_parameters, free_memory, load_base, set_threads
from finetune.models.source import weights_digest
from finetune.provenance import artefact, code_state, environment, peak_gpu_memory_mib, peak_memory_mib
from finetune.results import is_complete, publish
from finetune.systems import generate_systems
from finetune.tokens import count_tokens, refuse_short_limits
from finetune.train import TrainingResult, train
from finetune.training_time import TrainingClock, read_processes
from xray.data.notices import tell_refusals
from xray.data.records import QUARANTINE_FILE
from xray.errors import DataError
from xray.lock import locked
from xray.records import write_atomically, write_lines, write_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run under way: its settings, its data and its folder."""

    config: RunConfig
    data: PreparedData
    folder: Path
    base_sha256: str
    screen: Screen
    command: str
    started: str


def start_run(config: RunConfig, *, screen: Screen, command: str) -> Path:
    """Do a whole run, or what is left of it, and return its folder.

    A complete run is neither repeated nor touched: its table is shown again.
    """
    run = open_run(config, screen=screen, command=command)
    if is_complete(run.folder):
        screen.say(f"{run.folder} is complete. To run it again, move the folder away: its reviews are in it.")
    else:
        run.folder.mkdir(parents=True, exist_ok=True)
        with locked(run.folder), run.data.store.reading():
            _do_what_is_left(run)
    screen.show_scores(read_json(run.folder / SCORES_FILE, ScoresFile))
    return run.folder


def open_run(config: RunConfig, *, screen: Screen, command: str) -> Run:
    """Prepare the data and name the run folder after what is run on what. Nothing is written there yet."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    set_threads(config.train.num_threads)
    base_sha256 = weights_digest(config.model)  # before the films: a mistyped model is told at once
    with screen.stage("Preparing films", key="prepare") as tick:
        data = prepare_data(
            config.data, progress=tick, on_refusals=lambda refusals: tell_refusals(refusals, say=screen.say)
        )
    for line in describe_data(data, views=config.data.views):
        screen.say(line)
    identity = f"{config.digest()}\n{data.store.fingerprint}\n{base_sha256}"
    digest = hashlib.sha256(identity.encode()).hexdigest()
    folder = config.output_dir / f"{config.name}-{digest[:8]}-{config.seed}"
    return Run(
        config=config,
        data=data,
        folder=folder,
        base_sha256=base_sha256,
        screen=screen,
        command=command,
        started=started,
    )


def _do_what_is_left(run: Run) -> None:
    config, folder = run.config, run.folder
    (folder / MANIFEST_FILE).unlink(missing_ok=True)  # it names files that are lost
    write_atomically(folder / CONFIG_FILE, resolved_yaml(config))
    write_cases(folder, run.data.test, question=run.config.data.question)
    training = _train_stage(run)
    free_memory()  # before the next stage loads a base of its own
    generate_systems(folder, config=config, screen=run.screen)
    write_baselines(folder, train=run.data.train, test=run.data.test, profile=config.data.profile, seed=config.seed)
    scores = _score_stage(run)
    _finish(run, training=training, scores=scores)


def _train_stage(run: Run) -> TrainingSummary:
    folder = run.folder
    if all((folder / name).is_file() for name in (TRAINING_FILE, *ADAPTER_FILES)):
        run.screen.say(f"Training is complete: {folder / ADAPTER}")
        summary = read_json(folder / TRAINING_FILE, TrainingSummary)
        if not (folder / HISTORY_FILE).is_file():
            _write_history(folder)
        return summary
    summary = _train(run)
    _write_history(folder)
    _forget_reports_of_another_adapter(folder, summary)
    write_record(folder / TRAINING_FILE, summary)
    return summary


def _train(run: Run) -> TrainingSummary:
    config, folder = run.config, run.folder
    delete_half_written(folder / "checkpoints")
    last = last_checkpoint(folder / "checkpoints")
    if last:
        run.screen.say(f"Training goes on after step {step_of(last)}")
    clock = TrainingClock(folder / PROCESSES_FILE, resumed_from=step_of(last) if last else 0)
    base = load_base(config.model)
    encoder = ChatEncoder(
        processor=base.processor, image_size=config.model.image_size, cutoff_len=config.train.cutoff_len
    )
    refuse_short_limits(count_tokens(run.data.all, encoder=encoder), config=config)
    loaded = add_adapter(base, settings=config.model, adapter=config.adapter, seed=config.seed)
    trainable = sum(parameter.numel() for parameter in loaded.model.parameters() if parameter.requires_grad)
    with run.screen.stage("Training", key="train") as tick:

        def progress(done: int, total: int, note: str) -> None:
            clock.tick()
            tick(done, total, note)

        result = train(
            loaded,
            config=config,
            train_examples=run.data.train,
            val_examples=run.data.val,
            folder=folder,
            progress=progress,
        )
    write_card(folder / ADAPTER, run_id=folder.name, config=config, base=_base_summary(run))
    clock.write()
    return _training_summary(run, result, trainable_parameters=trainable)


def _training_summary(run: Run, result: TrainingResult, *, trainable_parameters: int) -> TrainingSummary:
    processes = read_processes(run.folder / PROCESSES_FILE)
    return TrainingSummary(
        base_sha256=run.base_sha256,
        steps=result.steps,
        best_step=result.best_step,
        best_metric=result.best_metric,
        metric_for_best_model=run.config.train.metric_for_best_model,
        resumed_from=[process.resumed_from for process in processes if process.resumed_from],
        trainable_parameters=trainable_parameters,
        seconds=round(sum(process.seconds for process in processes), 2),
        adapter_sha256=artefact(run.folder / ADAPTER / "adapter_model.safetensors", root=run.folder).sha256,
    )


def _write_history(folder: Path) -> None:
    """Keep what training logged: the checkpoints that hold it may be deleted, the curves are drawn from it."""
    history = read_history(folder / "checkpoints")
    if not history:
        raise DataError(
            f"{folder / HISTORY_FILE} is lost, and no checkpoint is left to make it from. "
            f"Restore it, or delete {folder / TRAINING_FILE} to train again."
        )
    write_lines(folder / HISTORY_FILE, history)


def _forget_reports_of_another_adapter(folder: Path, summary: TrainingSummary) -> None:
    """Drop reports written before the adapter was lost, unless training came to the same adapter again."""
    record = folder / TRAINING_FILE
    if record.is_file() and read_json(record, TrainingSummary).adapter_sha256 == summary.adapter_sha256:
        return
    for system in (ADAPTER, "shuffled_images"):
        predictions_path(folder, system).unlink(missing_ok=True)


def _score_stage(run: Run) -> ScoresFile:
    with run.screen.stage("Scoring", key="score"):
        return score_run(
            run.folder, profile=run.config.data.profile, resamples=run.config.evaluate.resamples, seed=run.config.seed
        )


def _finish(run: Run, *, training: TrainingSummary, scores: ScoresFile) -> None:
    folder = run.folder
    shutil.copyfile(run.data.store.path / QUARANTINE_FILE, folder / QUARANTINE_FILE)
    manifest = RunManifest(
        run_id=folder.name,
        name=run.config.name,
        seed=run.config.seed,
        created=run.started,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        command=run.command,
        config_sha256=run.config.digest(),
        code=code_state(),
        environment=environment(),
        data=summarize_data(run.data, settings=run.config.data),
        base_model=_base_summary(run),
        training=training,
        profile=run.config.data.profile,
        seconds=run.screen.seconds | {"train": training.seconds},
        peak_memory_mib=peak_memory_mib(),
        peak_gpu_memory_mib=peak_gpu_memory_mib(),
        metrics={},
        artefacts=[],
    )
    publish(folder, manifest=manifest, scores=scores)


def _base_summary(run: Run) -> BaseModelSummary:
    settings = run.config.model
    four_bits = f"{settings.quantization_type}{', double' if settings.double_quantization else ''}"
    quantization = {4: four_bits, 8: "int8", None: "none"}[settings.quantization_bit]
    return BaseModelSummary(
        name_or_path=settings.model_name_or_path,
        revision=settings.revision,
        sha256=run.base_sha256,
        parameters=count_parameters(settings),
        quantization=quantization + (", vision tower int8" if settings.vision_tower_bit == 8 else ""),
        compute_dtype=str(compute_dtype(settings)).removeprefix("torch."),
    )
