"""Batches that ask the output head for the tokens of the reports alone.

Scores of a prompt's tokens take no part in the loss, but weigh 14 bytes for each word of the vocabulary: 1.1 GB for 512
tokens and 152,064 words. Loss and gradients are the same without them.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedModel

from finetune.batch import IGNORED, collate

_KEEP = "logits_to_keep"


def collate_for_loss(
    rows: Sequence[dict[str, torch.Tensor]], *, pad_token_id: int, reports_only: bool
) -> dict[str, Any]:
    """Join encoded examples into a batch for training; with `reports_only` scores are asked for from the reports on."""
    batch = collate(rows, pad_token_id=pad_token_id)
    return without_prompts(batch) if reports_only else batch


def without_prompts(batch: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Cut the labels, [B, L] -> [B, K], before the first token that a score is compared for, and ask for the last K."""
    labels = batch["labels"]
    told = (labels != IGNORED).any(dim=0)
    start = int(told.int().argmax()) - 1  # the score of a token stands at the place before it
    if start < 1:
        return batch
    return {**batch, "labels": labels[:, start:], _KEEP: labels.shape[1] - start}


def scores_some_tokens(model: PreTrainedModel) -> bool:
    """Return True for a model that can score a part of its tokens, itself or (BLIP-2) by its language model."""
    models = (model, getattr(model, "language_model", None))
    return any(part is not None and _KEEP in inspect.signature(part.forward).parameters for part in models)
