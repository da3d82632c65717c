"""`finetune run`: prepare, train, generate, score, in stages that each take up where a kill left them.

A stage is done when its last file is there: the store's index, `training.json`, one prediction per test study,
`scores.json`. The manifest comes last.
"""

import hashlib
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from finetune.batch import ChatEncoder
from finetune.cases import check_render, read_test_examples, write_cases, write_render
from finetune.checkpoints import read_history
from finetune.config import RunConfig
from finetune.config_file import resolved_yaml
from finetune.console import Screen
from finetune.dataset import PreparedData, count_by_split, count_patients, prepare_data
from finetune.evaluate import predictions_path, score_run, write_baselines
from finetune.figures import draw_curves, draw_systems
from finetune.generate import PixelLoader, generate, shuffle_films
from finetune.manifest import (
    ADAPTER,
    MANIFEST_FILE,
    BaseModelSummary,
    DataSummary,
    RunManifest,
    ScoresFile,
    TrainingSummary,
    read_json,
)
from finetune.models.loading import (
    LoadedModel,
    add_adapter,
    compute_dtype,
    count_parameters,
    load_adapter,
    load_base,
    set_threads,
    weights_digest,
)
from finetune.provenance import artefact, code_state, environment, peak_gpu_memory_mib, peak_memory_mib
from finetune.report_page import write_report_page
from finetune.tokens import count_tokens, refuse_short_limits
from finetune.train import train
from xray.data.records import QUARANTINE_FILE
from xray.records import write_atomically, write_record


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

    A complete run is not repeated: its table is shown again.
    """
    run = open_run(config, screen=screen, command=command)
    if (run.folder / MANIFEST_FILE).exists():
        screen.say(f"{run.folder} is complete. Delete the folder to run it again.")
    else:
        training = _train_stage(run)
        generate_systems(run.folder, config=config, screen=screen)
        write_baselines(
            run.folder, train=run.data.train, test=run.data.test, profile=config.data.profile, seed=config.seed
        )
        scores = _score_stage(run)
        _finish(run, training=training, scores=scores)
    screen.show_scores(read_json(run.folder / "scores.json", ScoresFile))
    return run.folder


def open_run(config: RunConfig, *, screen: Screen, command: str) -> Run:
    """Prepare the data and make the run folder, whose name says what is run on what."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    set_threads(config.train.num_threads)
    with screen.stage("Preparing films", key="prepare") as tick:
        data = prepare_data(config.data, progress=tick)
    for line in describe_data(data):
        screen.say(line)
    base_sha256 = weights_digest(config.model)
    identity = f"{config.digest()}\n{data.store.fingerprint}\n{base_sha256}"
    digest = hashlib.sha256(identity.encode()).hexdigest()
    folder = config.output_dir / f"{config.name}-{digest[:8]}-{config.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "config.resolved.yaml", resolved_yaml(config))
    if not (folder / "references.jsonl").exists():
        write_cases(folder, data.test)
    return Run(
        config=config,
        data=data,
        folder=folder,
        base_sha256=base_sha256,
        screen=screen,
        command=command,
        started=started,
    )


def describe_data(data: PreparedData) -> list[str]:
    """Return the lines that tell what the data are: counts by split, refusals by reason, leakage."""
    counts = count_by_split(data)
    info = data.store.info
    patients = count_patients(data)
    lines = ["Studies: " + ", ".join(f"{split} {counts[split]} ({patients[split]} patients)" for split in counts)]
    left_out = {**info.left_out["refused"], **info.left_out["unpaired"]}
    if left_out:
        listed = ", ".join(f"{code} {number}" for code, number in left_out.items())
        lines.append(f"Left out: {listed}. Each is listed in {data.store.path / 'quarantine.jsonl'}")
    return lines


def _train_stage(run: Run) -> TrainingSummary:
    record = run.folder / "training.json"
    if record.exists():
        run.screen.say(f"Training is complete: {run.folder / ADAPTER}")
        return read_json(record, TrainingSummary)
    started = time.monotonic()
    config = run.config
    base = load_base(config.model)
    encoder = ChatEncoder(
        processor=base.processor, image_size=config.model.image_size, cutoff_len=config.train.cutoff_len
    )
    refuse_short_limits(count_tokens(run.data.all, encoder=encoder), config=config)
    loaded = add_adapter(base, settings=config.model, adapter=config.adapter, seed=config.seed)
    trainable = sum(parameter.numel() for parameter in loaded.model.parameters() if parameter.requires_grad)
    with run.screen.stage("Training", key="train") as tick:
        result = train(
            loaded,
            config=config,
            train_examples=run.data.train,
            val_examples=run.data.val,
            folder=run.folder,
            progress=tick,
        )
    write_render(run.folder, settings=config.data.render_settings())
    summary = TrainingSummary(
        steps=result.steps,
        best_step=result.best_step,
        best_metric=result.best_metric,
        metric_for_best_model=config.train.metric_for_best_model,
        resumed_from=[result.resumed_from] if result.resumed_from else [],
        trainable_parameters=trainable,
        seconds=round(time.monotonic() - started, 2),
        adapter_sha256=artefact(run.folder / ADAPTER / "adapter_model.safetensors", root=run.folder).sha256,
    )
    write_record(record, summary)
    return summary


def generate_systems(folder: Path, *, config: RunConfig, screen: Screen) -> None:
    """Write the reports of the untuned base, of the adapter, and of the adapter on shuffled films.

    Raises DataError when the run has no adapter or its films were rendered in another way than its adapter's.
    """
    set_threads(config.train.num_threads)
    check_render(folder, settings=config.data.render_settings())
    examples = read_test_examples(folder, config=config.data)
    base = load_base(config.model)
    encoder = ChatEncoder(processor=base.processor, image_size=config.model.image_size)

    def write(system: str, loaded: LoadedModel, load_pixels: PixelLoader | None = None) -> None:
        with screen.stage(f"Writing reports ({system})", key=f"generate_{system}") as tick:
            rows = generate(
                examples,
                predictions_path(folder, system),
                system=system,
                loaded=loaded,
                encoder=encoder,
                settings=config.generate,
                load_pixels=load_pixels,
                progress=tick,
            )
        cut = sum(row.finish_reason == "length" for row in rows)
        if cut:
            screen.say(f"  {cut} of {len(rows)} reports ({system}) did not end within generate.max_new_tokens")

    write("base", base)
    tuned = load_adapter(base, folder / ADAPTER)
    write(ADAPTER, tuned)
    shuffled = shuffle_films(examples, encoder=encoder, seed=config.seed)
    if shuffled.kept:
        screen.say(f"{shuffled.kept} of {len(examples)} test studies keep films of their own patient when shuffled")
    write("shuffled_images", tuned, shuffled.load)


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
        data=_data_summary(run),
        base_model=_base_summary(run),
        training=training,
        profile=run.config.data.profile,
        seconds=run.screen.seconds,
        peak_memory_mib=peak_memory_mib(),
        peak_gpu_memory_mib=peak_gpu_memory_mib(),
        metrics={},
        artefacts=[],
    )
    publish(folder, manifest=manifest, scores=scores)


def publish(folder: Path, *, manifest: RunManifest, scores: ScoresFile) -> None:
    """Draw the pictures and the page, then write the manifest: its existence says that all the rest is there."""
    (folder / MANIFEST_FILE).unlink(missing_ok=True)
    draw_curves(read_history(folder / "checkpoints"), folder / "curves.png")
    draw_systems(scores, folder / "systems.png")
    write_report_page(folder, manifest=manifest, scores=scores)
    files = [path for path in sorted(folder.iterdir()) if path.is_file()] + sorted((folder / ADAPTER).iterdir())
    metrics = {name: estimate.value for name, estimate in scores.systems[ADAPTER].items()}
    artefacts = [artefact(path, root=folder) for path in files]
    write_record(folder / MANIFEST_FILE, manifest.model_copy(update={"metrics": metrics, "artefacts": artefacts}))


def score_again(folder: Path, *, config: RunConfig) -> ScoresFile:
    """Score a run's predictions again, and bring its pictures, page and manifest up to date if it is complete."""
    scores = score_run(folder, profile=config.data.profile, resamples=config.evaluate.resamples, seed=config.seed)
    if (folder / MANIFEST_FILE).exists():
        publish(folder, manifest=read_json(folder / MANIFEST_FILE, RunManifest), scores=scores)
    return scores


def _data_summary(run: Run) -> DataSummary:
    info = run.data.store.info
    return DataSummary(
        source=str(run.config.data.root / run.config.data.reports),
        store=str(run.data.store.path),
        fingerprint=run.data.store.fingerprint,
        render_digest=run.config.data.render_settings().digest(),
        image_size=run.config.data.image_size,
        studies=count_by_split(run.data),
        patients=count_patients(run.data),
        left_out=info.left_out,
        leakage=info.leakage,
    )


def _base_summary(run: Run) -> BaseModelSummary:
    settings = run.config.model
    kind = f"{settings.quantization_type}{', double' if settings.double_quantization else ''}"
    return BaseModelSummary(
        name_or_path=settings.model_name_or_path,
        revision=settings.revision,
        sha256=run.base_sha256,
        parameters=count_parameters(settings),
        quantization=kind if settings.quantization_bit else "none",
        compute_dtype=str(compute_dtype(settings)).removeprefix("torch."),
    )
