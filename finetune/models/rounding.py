"""A base's weights as 4 or 8 bits hold them, in an ordinary type: what a QLoRA adapter learned on."""

import torch
from bitsandbytes.functional import dequantize_4bit, int8_vectorwise_dequant, int8_vectorwise_quant, quantize_4bit
from bitsandbytes.nn import Linear4bit, Linear8bitLt
from torch import nn

from finetune.config import ModelConfig


def quantised_layers(model: nn.Module) -> list[str]:
    """Return the names of the layers that a loaded model holds in 4 or 8 bits."""
    return [name for name, module in model.named_modules() if isinstance(module, Linear4bit | Linear8bitLt)]


@torch.no_grad()
def round_weights(model: nn.Module, *, layers: list[str], settings: ModelConfig) -> None:
    """Give `layers` of a whole model the values that they have in a model loaded with `settings`.

    The model's weights must be of the type that `settings` computes in: rounding begins from there.
    """
    for name in layers:
        weight = model.get_parameter(f"{name}.weight")
        weight.copy_(_rounded(weight, settings=settings))


def _rounded(weight: torch.Tensor, *, settings: ModelConfig) -> torch.Tensor:
    if settings.quantization_bit == 8:
        rows, scales, _ = int8_vectorwise_quant(weight.half())  # LLM.int8 begins from 16 bits
        return torch.as_tensor(int8_vectorwise_dequant(rows, scales))
    packed, state = quantize_4bit(
        weight, compress_statistics=settings.double_quantization, quant_type=settings.quantization_type
    )
    return torch.as_tensor(dequantize_4bit(packed, state))
