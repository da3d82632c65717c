"""Checkpoints of SwissArmyTransformer, as XrayGLM is published, turned into a folder of VisualGLM-6B.

Such a checkpoint names the weights a little otherwise, and may hold the LoRA matrices of the original's fine-tuning
beside them. They are merged, with its scale of 1 / rank.
"""

import shutil
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from huggingface_hub import save_torch_state_dict
from transformers.core_model_loading import revert_weight_conversion

from finetune.models.visualglm.configuration import VisualGLMConfig
from finetune.models.visualglm.modeling import VisualGLMForConditionalGeneration
from xray.errors import ConfigError

_STATES = "mp_rank_00_model_states.pt"
_COPIED = ("config.json", "tokenizer_config.json", "ice_text.model")
_RENAMED = {"mixins.eva.model.": "image_encoder.", "mixins.chatglm-final.": ""}
_NOT_MERGED = ("mixins.ptuning.", "mixins.lora.")
# What a training run leaves beside the weights: its arguments and the states of its random generators. NumPy 2 moved
# the function that rebuilds an array.
_REBUILD: Any = np.zeros(0).__reduce__()[0]
_HARMLESS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    Namespace,
    np.ndarray,
    np.dtype,
    np.dtypes.UInt32DType,
    (_REBUILD, "numpy.core.multiarray._reconstruct"),
    (_REBUILD, "numpy._core.multiarray._reconstruct"),
]

Weights = dict[str, torch.Tensor]


def is_sat_checkpoint(folder: Path) -> bool:
    """Return whether `folder` is one that SwissArmyTransformer wrote."""
    return not (folder / "config.json").is_file() and any(folder.glob(f"**/{_STATES}"))


def convert_sat(checkpoint: Path, *, base: Path, folder: Path) -> list[str]:
    """Write a checkpoint as a folder of VisualGLM-6B and return the names of the layers whose LoRA was merged.

    `checkpoint`: a folder that SwissArmyTransformer wrote, or the file in it. `base`: a folder of VisualGLM-6B, for the
    configuration and the tokenizer. Raises ConfigError for a checkpoint that is not whole or holds something else.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty. Name a new folder.")
    lacking = [name for name in _COPIED if not (base / name).is_file()]
    if lacking:
        raise ConfigError(f"{base} has no {lacking[0]}. Name a folder of VisualGLM-6B.")
    config = VisualGLMConfig.from_pretrained(base)
    weights = {_published_name(name): weight for name, weight in _read(checkpoint).items()}
    merged = _merge_lora(weights, heads=config.num_attention_heads)
    expected = _published_shapes(config)
    wrong = sorted(name for name, shape in expected.items() if name not in weights or weights[name].shape != shape)
    if wrong:
        raise ConfigError(
            f"{checkpoint}: {wrong[0]} and {len(wrong) - 1} more weights are missing or of another size than in {base}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    save_torch_state_dict({name: weights[name] for name in expected}, folder, max_shard_size="5GB")
    for name in _COPIED:
        shutil.copyfile(base / name, folder / name)
    return merged


def _read(checkpoint: Path) -> Weights:
    found = [checkpoint] if checkpoint.is_file() else sorted(checkpoint.glob(f"**/{_STATES}"))
    if len(found) != 1:
        raise ConfigError(f"{checkpoint} holds {len(found)} files {_STATES}. Name the one that is meant.")
    try:
        with torch.serialization.safe_globals(_HARMLESS):
            weights: Weights = torch.load(found[0], map_location="cpu", mmap=True, weights_only=True)["module"]
    except (OSError, RuntimeError, UnpicklingError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{found[0]} cannot be read as weights ({type(error).__name__}). Download it again."
        ) from error
    if kind := next((name for name in weights if name.startswith(_NOT_MERGED)), None):
        raise ConfigError(f"{found[0]} holds {kind}: only the LoRA of VisualGLM's own fine-tuning can be merged")
    if any(weight.dtype == torch.uint8 for weight in weights.values() if isinstance(weight, torch.Tensor)):
        raise ConfigError(f"{found[0]} is in 4 bits (QLoRA), from which no folder can be made")
    return weights


def _published_name(name: str) -> str:
    for theirs, published in _RENAMED.items():
        if name.startswith(theirs):
            return published + name.removeprefix(theirs)
    return name


def _merge_lora(weights: Weights, *, heads: int) -> list[str]:
    """Merge the LoRA matrices in place. A joint layer has three pairs, laid out head by head as its weight is."""
    layers = sorted({name.removesuffix(".original.weight") for name in weights if name.endswith(".original.weight")})
    for layer in layers:
        taken = {name: weights.pop(name) for name in list(weights) if name.startswith(f"{layer}.")}
        original = taken[f"{layer}.original.weight"]
        if f"{layer}.matrix_A" in taken:
            change = _product([taken[f"{layer}.matrix_{side}"] for side in "BA"])
        else:
            parts = [_product([taken[f"{layer}.matrix_{side}.{part}"] for side in "BA"]) for part in range(3)]
            change = torch.cat([part.reshape(heads, -1, part.shape[1]) for part in parts], dim=1).flatten(0, 1)
        weights[f"{layer}.weight"] = (original.float() + change).to(original.dtype)
        weights[f"{layer}.bias"] = taken[f"{layer}.original.bias"]
    return layers


def _product(pair: Iterable[torch.Tensor]) -> torch.Tensor:
    outer, inner = (matrix.float() for matrix in pair)
    return outer @ inner / len(inner)


def _published_shapes(config: VisualGLMConfig) -> dict[str, torch.Size]:
    with torch.device("meta"):
        model = VisualGLMForConditionalGeneration(config)
    return {name: weight.shape for name, weight in revert_weight_conversion(model, model.state_dict()).items()}
