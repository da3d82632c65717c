"""Is there room for a model? Asked before its weights are read."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import PreTrainedModel

from finetune.config import ModelConfig
from finetune.models.estimate import GIB, weight_bytes
from finetune.models.parts import ModelParts
from finetune.models.placement import Placement
from xray.errors import MemoryLimitError

_MEMINFO = Path("/proc/meminfo")


def refuse_too_little_memory(
    model: PreTrainedModel, *, parts: ModelParts, placement: Placement, settings: ModelConfig, dtype: torch.dtype
) -> None:
    """Raise MemoryLimitError when the weights of `model` (on the meta device) do not fit into what is free.

    On a GPU the word embeddings that stay in host memory do not count.
    """
    free = free_bytes()
    linear, in_int8 = _weights(model, parts.language_model), _weights(model, placement.in_int8)
    offloaded = [placement.embedding] if placement.embedding and torch.cuda.is_available() else []
    others = sum(parameter.numel() for parameter in model.parameters()) - linear - in_int8 - _weights(model, offloaded)
    need = in_int8 + weight_bytes(linear, others=others, bits=settings.quantization_bit, value_bytes=dtype.itemsize)
    if free is not None and need > free:
        held = f"{settings.quantization_bit} bits" if settings.quantization_bit else str(dtype).removeprefix("torch.")
        place = "on the GPU" if torch.cuda.is_available() else "in this machine's memory"
        smaller = "".join(f"{change}, " for change in _smaller(settings))
        raise MemoryLimitError(
            f"{settings.model_name_or_path} needs {need / GIB:.1f} GiB for its weights in {held}, and {free / GIB:.1f} "
            f"GiB are free {place}. Choose {smaller}a smaller model (`finetune models list`), or free memory."
        )


def _smaller(settings: ModelConfig) -> list[str]:
    """Return the settings that would take less memory."""
    changes = []
    if settings.quantization_bit != 4:
        changes.append("model.quantization_bit=4")
    if settings.freeze_vision_tower and not settings.vision_tower_bit:
        changes.append("model.vision_tower_bit=8")
    if torch.cuda.is_available() and not settings.offload_embedding:
        changes.append("model.offload_embedding=true")
    return changes


def _weights(model: PreTrainedModel, names: Sequence[str]) -> int:
    return sum(model.get_submodule(name).weight.numel() for name in names)


def free_bytes() -> int | None:
    """Return the free memory of the GPU, or of the machine where there is none; None where nobody tells."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    if not _MEMINFO.is_file():
        return None
    fields = dict(line.split(":", 1) for line in _MEMINFO.read_text(encoding="ascii").splitlines())
    return int(fields["MemAvailable"].split()[0]) * 1024
