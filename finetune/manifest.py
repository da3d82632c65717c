"""The files of a run folder: names and schemas. The review app reads runs through this module alone.

runs/<name>-<hash>-<seed>/
    config.resolved.yaml            every setting, defaults included
    manifest.json                   written last and atomically: its existence means the run is complete
    scores.json                     metrics of every system, with intervals
    references.jsonl                one `Case` per test study: id, reference text and its origin, films
    predictions.jsonl               one `Prediction` per test study, by the adapter
    predictions.<system>.jsonl      the same for the untuned base, the shuffled images and the trivial baselines
    remote.<name>.json              one `RemoteRecord`: whose model wrote predictions.<name>.jsonl, for comparison
    films/                          the test studies' films as the model saw them, 8-bit grey PNG
    adapter/                        the adapter in Hugging Face peft layout, with adapter_card.json
    checkpoints/                    best and last
    quarantine.jsonl                what was refused, and why
    processes.jsonl                 `TrainingProcess`, added to while training goes on
    history.jsonl                   one `HistoryRow` per line that training logged: what the curves are drawn from
    training.json                   one `TrainingSummary`, written when the adapter and the history are there
    curves.png, systems.png, report.html
    .lock                           held by the one command that works in the folder

The review app keeps its reviews.sqlite and film_cache/ here, or in the folder of runs. Like checkpoints/ they are no
results: no manifest names them.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from xray.data.records import QUARANTINE_FILE
from xray.records import Record, RecordType, read_appended, read_record
from xray.types import Origin

SCHEMA_VERSION = 1
ADAPTER = "adapter"
HEADLINE = "finding_f1"
MANIFEST_FILE = "manifest.json"
CONFIG_FILE = "config.resolved.yaml"
CASES_FILE = "references.jsonl"
SCORES_FILE = "scores.json"
PROCESSES_FILE = "processes.jsonl"
HISTORY_FILE = "history.jsonl"
TRAINING_FILE = "training.json"
CARD_FILE = "adapter_card.json"
ADAPTER_FILES = ("adapter/adapter_config.json", "adapter/adapter_model.safetensors", f"adapter/{CARD_FILE}")
DRAWN_FILES = ("curves.png", "systems.png", "report.html")
SYSTEMS = ("adapter", "base", "constant_normal", "random_report", "nearest_neighbour", "shuffled_images")
GENERATED = ("base", "adapter", "shuffled_images")
"""The systems whose reports a model writes, in that order. The others are the trivial baselines."""
_REMEDY = "Restore the file, or delete it if it is damaged and run `finetune run` again: it makes what is missing."


class CaseTurn(Record):
    """One message of a conversation before the answer."""

    role: Literal["system", "user", "assistant"]
    text: str


class Case(Record):
    """One test study: `id` is the example id, `text` the reference report, `images` paths inside the run folder.

    `turns` are what was asked, where `text` answers a question of the data set's own; empty for a report.
    `film_sha256` are those of the files that the images were rendered from, in their order; empty where they are not
    known. `day` counts from the patient's first study, None where the order of the patient's studies is not known.
    """

    id: str
    text: str
    study_uid: str
    patient_key: str
    images: tuple[str, ...]
    views: tuple[str, ...]
    language: str
    origin: Origin
    turns: tuple[CaseTurn, ...] = ()
    film_sha256: tuple[str, ...] = ()
    day: int | None = None


class Prediction(Record):
    """One generated report. `finish_reason` is `eos`, `length`, or `copied` for the trivial baselines."""

    id: str
    text: str
    system: str
    finish_reason: Literal["eos", "length", "copied"]
    num_tokens: int = 0
    seconds: float = 0.0


class RemoteRecord(Record):
    """Whose model wrote `predictions.<name>.jsonl`."""

    url: str
    model: str


class Estimate(Record):
    """A metric with its 95 % interval. `low` and `high` are None where no interval can be computed."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class ScoresFile(Record):
    """`scores.json`: systems x metrics, and each report's own values.

    lexicon: sha256 of the words that labelled the reports. split: sha256 of the sorted ids and their patient keys: two
    files compare only where both are the same. warnings: where there is little to score. Empty in files of before.
    """

    headline: str = HEADLINE
    profile: str
    signature: str
    lexicon: str = ""
    split: str = ""
    bootstrap: str
    warnings: tuple[str, ...] = ()
    systems: dict[str, dict[str, Estimate]]
    per_report: dict[str, dict[str, dict[str, float | None]]]


class Artefact(Record):
    """One file of the run folder."""

    path: str
    sha256: str
    bytes: int


class CodeState(Record):
    """The code that ran. None where the package is not in a git checkout."""

    version: str
    commit: str | None
    changed: bool | None


class Environment(Record):
    """The machine and the packages that ran it."""

    python: str
    platform: str
    processor: str
    device: str
    num_threads: int
    packages: dict[str, str]


class DataSummary(Record):
    """The data that were used: counts by split, what was left out by kind and reason, and a fingerprint."""

    source: str
    store: str
    fingerprint: str
    render_digest: str
    image_size: int
    studies: dict[str, int]
    patients: dict[str, int]
    left_out: dict[str, dict[str, int]]
    leakage: dict[str, int]


class BaseModelSummary(Record):
    """The base model and how it was held."""

    name_or_path: str
    revision: str | None
    sha256: str
    parameters: int
    quantization: str
    compute_dtype: str


class TrainingProcess(Record):
    """How long one process has trained: `seconds` from its start, `resumed_from` the step it took up, 0 for none.

    A process adds such a line from time to time, since a kill leaves it no last word; its newest line counts.
    """

    process: int
    resumed_from: int
    seconds: float


class HistoryRow(Record):
    """What training logged after an optimiser step: its loss, or the scores of an evaluation (`eval_*`)."""

    step: int
    values: dict[str, float]


class TrainingSummary(Record):
    """What training did. `best_step` is the checkpoint that became the adapter, `base_sha256` the base it belongs to.

    `seconds` and `resumed_from` are those of all processes, the killed ones too.
    """

    base_sha256: str
    steps: int
    best_step: int
    best_metric: float | None
    metric_for_best_model: str
    resumed_from: list[int]
    trainable_parameters: int
    seconds: float
    adapter_sha256: str


class RunManifest(Record):
    """What was run, on what, with what, and what came out.

    `seconds` are by stage: `train` of all processes, every other stage of the process that ended the run.
    """

    schema_version: int = SCHEMA_VERSION
    run_id: str
    name: str
    seed: int
    status: Literal["complete"] = "complete"
    created: str
    finished: str
    command: str
    config_sha256: str
    code: CodeState
    environment: Environment
    data: DataSummary
    base_model: BaseModelSummary
    training: TrainingSummary
    profile: str
    seconds: dict[str, float]
    peak_memory_mib: float
    peak_gpu_memory_mib: float | None
    metrics: dict[str, float | None]
    artefacts: list[Artefact]


def predictions_path(folder: Path, system: str) -> Path:
    """Return the file of a system's predictions: `predictions.jsonl` for the adapter."""
    return folder / ("predictions.jsonl" if system == ADAPTER else f"predictions.{system}.jsonl")


def remote_path(folder: Path, name: str) -> Path:
    """Return the file that says whose model wrote the predictions of that name."""
    return folder / f"remote.{name}.json"


def systems_of(folder: Path) -> tuple[str, ...]:
    """Return every system whose reports lie in a run folder: the run's own, then other people's models by name."""
    return (*SYSTEMS, *sorted(path.name.split(".")[1] for path in folder.glob("remote.*.json")))


def result_paths(folder: Path, cases: Iterable[Case]) -> list[Path]:
    """Return every file that a complete run holds beside its manifest."""
    records = (CONFIG_FILE, CASES_FILE, QUARANTINE_FILE, HISTORY_FILE, TRAINING_FILE, SCORES_FILE)
    films = sorted({film for case in cases for film in case.images})
    named = [folder / name for name in (*records, *ADAPTER_FILES, *DRAWN_FILES, *films)]
    systems = systems_of(folder)
    written = [predictions_path(folder, system) for system in systems]
    return [*named, *written, *(remote_path(folder, name) for name in systems[len(SYSTEMS) :])]


def read_records(path: Path, kind: type[RecordType]) -> list[RecordType]:
    """Read a JSONL file of a run folder; one that is not there yet is empty, and a line that a kill cut off is dropped.

    Raises DataError with the line number for any other line that does not fit the schema.
    """
    return read_appended(path, kind, remedy=_REMEDY)


def read_json(path: Path, kind: type[RecordType]) -> RecordType:
    """Read one JSON file of a run folder. Raises DataError when it is missing or does not fit the schema."""
    return read_record(path, kind, remedy=_REMEDY)
