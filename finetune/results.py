"""The results of a run: scores, pictures, the page, and the manifest that names each file of them."""

from pathlib import Path

from finetune.config import RunConfig
from finetune.evaluate import score_run
from finetune.figures import draw_curves, draw_systems
from finetune.manifest import (
    ADAPTER,
    CASES_FILE,
    DRAWN_FILES,
    HISTORY_FILE,
    MANIFEST_FILE,
    Case,
    HistoryRow,
    RunManifest,
    ScoresFile,
    read_json,
    read_records,
    result_paths,
)
from finetune.provenance import artefact
from finetune.report_page import write_report_page
from xray.errors import DataError
from xray.records import write_record


def is_complete(folder: Path) -> bool:
    """Return True when the manifest is there and so is every file it names."""
    path = folder / MANIFEST_FILE
    return path.exists() and all((folder / item.path).is_file() for item in read_json(path, RunManifest).artefacts)


def publish(folder: Path, *, manifest: RunManifest, scores: ScoresFile) -> None:
    """Draw the pictures and the page, then write the manifest: its existence says that all the rest is there.

    Raises DataError when a file that is not drawn here is lost.
    """
    paths = result_paths(folder, read_records(folder / CASES_FILE, Case))
    lost = [path for path in paths if path.name not in DRAWN_FILES and not path.is_file()]
    if lost:
        raise DataError(
            f"{', '.join(path.name for path in lost[:3])} {'are' if len(lost) > 1 else 'is'} missing in {folder} "
            f"({len(lost)} of {len(paths)} files). Run `finetune run` again: it makes what is missing."
        )
    draw_curves(read_records(folder / HISTORY_FILE, HistoryRow), folder / "curves.png")
    draw_systems(scores, folder / "systems.png")
    write_report_page(folder, manifest=manifest, scores=scores)
    metrics = {name: estimate.value for name, estimate in scores.systems[ADAPTER].items()}
    artefacts = [artefact(path, root=folder) for path in paths]
    write_record(folder / MANIFEST_FILE, manifest.model_copy(update={"metrics": metrics, "artefacts": artefacts}))


def score_again(folder: Path, *, config: RunConfig) -> ScoresFile:
    """Score a run's predictions again, and bring its pictures, page and manifest up to date if it has ended."""
    scores = score_run(folder, profile=config.data.profile, resamples=config.evaluate.resamples, seed=config.seed)
    if (folder / MANIFEST_FILE).exists():
        publish(folder, manifest=read_json(folder / MANIFEST_FILE, RunManifest), scores=scores)
    return scores
