"""Checkpoints on disk: which is whole, where training stood, and whether it was over."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerState


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint, and delete those that a kill left half written."""
    whole = []
    for path in sorted(folder.glob("checkpoint-*"), key=step_of):
        if _is_whole(path):
            whole.append(path)
        else:
            shutil.rmtree(path)
    return whole[-1] if whole else None


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Return the log of the newest checkpoint, empty before the first one."""
    last = last_checkpoint(folder)
    return list(_read_state(last)["log_history"]) if last else []


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


def _read_state(checkpoint: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    return state


def step_of(checkpoint: Path) -> int:
    """Return the optimiser step that a checkpoint folder is named after."""
    return int(checkpoint.name.rpartition("-")[2])
