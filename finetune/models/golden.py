"""Golden files: what the original code of a model computed from a small checkpoint, against what ours computes.

A golden folder holds `checkpoint/` in the layout the model was published in, and `cases.safetensors`: inputs, and the
vision features, logits, losses and greedy tokens that the original gave (float32, CPU). Each family replays its own
cases: a module `golden` in the family's folder with

    def replay(folder: Path, cases: Mapping[str, torch.Tensor]) -> Iterator[Check]
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from xray.errors import DataError

TOLERANCE = 1e-4
"""Largest difference of a logit, of a feature and of a loss that still counts as equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One tensor or one text of a golden folder. `difference`: largest absolute one; None where tokens are compared."""

    name: str
    difference: float | None
    passed: bool


def compare_values(name: str, ours: torch.Tensor, golden: torch.Tensor) -> Check:
    """Compare features, logits or a loss. Raises DataError for different shapes."""
    if ours.shape != golden.shape:
        raise DataError(f"{name}: ours is {list(ours.shape)}, the golden file has {list(golden.shape)}")
    difference = float((ours.float() - golden.float()).abs().max())
    return Check(name=name, difference=difference, passed=difference <= TOLERANCE)  # False for NaN too


def compare_tokens(name: str, ours: Iterable[int], golden: Iterable[int]) -> Check:
    """Compare token ids, one by one."""
    return Check(name=name, difference=None, passed=list(ours) == list(golden))
