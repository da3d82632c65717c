"""Checkpoints on disk: which is whole, where training stood, and whether it was over."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerState

from finetune.manifest import HistoryRow


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint in `folder`, None without one."""
    return max(filter(_is_whole, folder.glob("checkpoint-*")), key=step_of, default=None)


def delete_half_written(folder: Path) -> None:
    """Delete the checkpoints that a kill cut short, so that none of their files ends up in a whole one."""
    for path in folder.glob("checkpoint-*"):
        if not _is_whole(path):
            shutil.rmtree(path)


def read_history(folder: Path) -> list[HistoryRow]:
    """Return what training had logged at the newest checkpoint in `folder`: nothing before the first one."""
    last = last_checkpoint(folder)
    return [_as_row(line) for line in _read_state(last)["log_history"]] if last else []


def had_ended(checkpoint: Path, *, patience: int | None) -> bool:
    """Return True when training was over at this checkpoint; going on from it would take a step too many."""
    state = _read_state(checkpoint)
    stopper = state.get("stateful_callbacks", {}).get("EarlyStoppingCallback", {}).get("attributes", {})
    out_of_patience = patience is not None and stopper.get("early_stopping_patience_counter", 0) >= patience
    return bool(state["global_step"] >= state["max_steps"] or out_of_patience)


def state_of(checkpoint: Path) -> TrainerState:
    """Return the Trainer's state at a checkpoint."""
    state: TrainerState = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    return state


def in_fixed_order(path: Path) -> str:
    """Return an adapter's configuration with its lists sorted: peft keeps sets, whose order changes."""
    content = json.loads(path.read_text(encoding="utf-8"))
    fixed = {key: sorted(value) if isinstance(value, list) else value for key, value in content.items()}
    return json.dumps(fixed, indent=2, sort_keys=True) + "\n"


def _is_whole(checkpoint: Path) -> bool:
    """Return True when the file that is written last can be read."""
    try:
        return bool(_read_state(checkpoint)["global_step"] == step_of(checkpoint))
    except (OSError, ValueError, KeyError):
        return False


def _as_row(line: dict[str, Any]) -> HistoryRow:
    values = {name: value for name, value in line.items() if name != "step" and math.isfinite(value)}
    return HistoryRow(step=line["step"], values=values)


def _read_state(checkpoint: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    return state


def step_of(checkpoint: Path) -> int:
    """Return the optimiser step that a checkpoint folder is named after."""
    return int(checkpoint.name.rpartition("-")[2])
