"""A tiny model of each seed family through `finetune run`, on the same drawn studies and with the same recipe.

    python -m bench.seed_families --folder DISK [--families visualglm qwen_vl ...] [--out bench/results]

Writes the models and 200 drawn studies once, runs `finetune run` for one family after the other, each in a process of
its own on one core with another `model.model_name_or_path`, and prints losses and scores. A run that is complete is not
repeated. The weights are random, so the scores say only that every family learns; no family is better for its row.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.seed_folders import SEED_FAMILIES, write_once
from finetune.manifest import (
    HISTORY_FILE,
    MANIFEST_FILE,
    SCORES_FILE,
    HistoryRow,
    RunManifest,
    ScoresFile,
    read_json,
    read_records,
)
from xray.data.phantom import Style, sample_studies, write_dataset, write_report

STUDIES = 200
_SYSTEMS = ("adapter", "base")
_SCORES = ("finding_f1", "frame_f1", "bleu4_char")
_RECIPE = """\
name: seed
output_dir: {folder}/runs
data:
  root: {folder}/films
  store_dir: {folder}/stores
  image_size: 256
  split: {{val: 0.1, test: 0.1, seed: 0}}
model:
  model_name_or_path: {folder}/models/NAME
  image_size: 256
  freeze_vision_tower: false
  freeze_multi_modal_projector: false
adapter:
  lora_rank: 32
  lora_alpha: 32
  lora_dropout: 0.0
train:
  num_train_epochs: {epochs}
  per_device_train_batch_size: 16
  learning_rate: 1e-2
  eval_steps: 0.5
  max_eval_examples: 4
  logging_steps: 5
  cutoff_len: 1024
  num_threads: 1
generate:
  max_new_tokens: 110
  batch_size: 20
evaluate:
  resamples: 200
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a family. `losses`: means of the first and the last five steps. `scores`: by system and metric."""

    parameters: int
    losses: tuple[float, float]
    scores: dict[tuple[str, str], float | None]
    seconds: float


def main() -> None:
    """Write what is not there yet, run, print a table; with `--out` it is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where models, films and runs go, about 200 MB")
    parser.add_argument("--families", nargs="+", choices=list(SEED_FAMILIES), default=list(SEED_FAMILIES))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    folder = options.folder.resolve()
    recipe = prepare(folder, epochs=options.epochs)
    found: dict[str, Outcome | None] = {}
    for name in options.families:
        model = folder / "models" / name
        write_once(name, model, texts=reports())
        found[name] = run(recipe, model=model)
        print(_row(name, found[name]), flush=True)
    page = _page(found, recipe=recipe)
    print("\n" + page)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / f"seed_families-{datetime.now(UTC):%Y-%m-%d}.md").write_text(page, encoding="utf-8")


def prepare(folder: Path, *, epochs: int) -> Path:
    """Draw the studies and write the one recipe of all runs; return its path."""
    write_dataset(folder / "films", studies=STUDIES, seed=0, style=Style.DEMO, workers=1)
    recipe = folder / "seed_families.yaml"
    recipe.write_text(recipe_text(folder, epochs=epochs), encoding="utf-8")
    return recipe


def recipe_text(folder: Path, *, epochs: int) -> str:
    """Return the YAML of all runs; each names its own base on the command line."""
    return _RECIPE.format(folder=folder, epochs=epochs)


def reports() -> list[str]:
    """Return the reports that the tokenizers learn their letters from: those of other patients in the same words."""
    return [write_report(study, style=Style.DEMO) for study in sample_studies(300, seed=9, style=Style.DEMO)]


def run(recipe: Path, *, model: Path) -> Outcome | None:
    """Do `finetune run` with this base, and return what became of it; None where the command failed."""
    command = [sys.executable, "-m", "finetune.cli", "run", str(recipe), f"model.model_name_or_path={model}"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    page = next((line for line in done.stdout.splitlines() if line.startswith("Results: ")), None)
    if done.returncode or page is None:
        print(done.stdout, file=sys.stderr)
        return None
    return read_outcome(Path(page.removeprefix("Results: ")).parent)


def read_outcome(run_folder: Path) -> Outcome:
    """Read a complete run's losses, scores and time."""
    manifest = read_json(run_folder / MANIFEST_FILE, RunManifest)
    systems = read_json(run_folder / SCORES_FILE, ScoresFile).systems
    losses = [row.values["loss"] for row in read_records(run_folder / HISTORY_FILE, HistoryRow) if "loss" in row.values]
    return Outcome(
        parameters=manifest.base_model.parameters,
        losses=(losses[0], losses[-1]),
        scores={(system, metric): systems[system][metric].value for system in _SYSTEMS for metric in _SCORES},
        seconds=sum(manifest.seconds.values()),
    )


def _row(name: str, found: Outcome | None) -> str:
    if found is None:
        return f"| {name} | failed |" + " |" * (2 + len(_SYSTEMS))
    first, last = found.losses
    scores = [" / ".join(_shown(found.scores[system, metric]) for metric in _SCORES) for system in _SYSTEMS]
    cells = [name, f"{found.parameters:,}", f"{first:.2f} → {last:.2f}", *scores, f"{found.seconds:.0f}"]
    return f"| {' | '.join(cells)} |"


def _shown(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


def _page(found: dict[str, Outcome | None], *, recipe: Path) -> str:
    head = ["family", "parameters", "loss, first and last five steps", *_SYSTEMS, "seconds"]
    lines = [f"# Seed families through `finetune run`, {datetime.now(UTC):%Y-%m-%d}", ""]
    lines += [
        f"Tiny models with random weights, {STUDIES} drawn studies, one CPU core. Scores are {' / '.join(_SCORES)}."
    ]
    lines += ["Only `model.model_name_or_path` changes from row to row.", ""]
    lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [_row(name, outcome) for name, outcome in found.items()]
    text = recipe.read_text(encoding="utf-8").replace(str(recipe.parent), "DISK")
    return "\n".join([*lines, "", "```yaml", text.rstrip(), "```"]) + "\n"


if __name__ == "__main__":
    main()
