"""A base's weights as 4 or 8 bits hold them, in an ordinary type: what a QLoRA adapter learned on."""

from dataclasses import dataclass

import torch
from bitsandbytes.functional import dequantize_4bit, int8_vectorwise_dequant, int8_vectorwise_quant, quantize_4bit
from bitsandbytes.nn import Linear4bit, Linear8bitLt
from torch import nn

from finetune.config import ModelConfig
from finetune.models.int8_linear import Int8Linear, levels_of


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantisedLayer:
    """A layer that a loaded model holds in fewer bits: by bitsandbytes, or as rows of 8 bits (`Int8Linear`)."""

    name: str
    in_rows: bool


def quantised_layers(model: nn.Module) -> list[QuantisedLayer]:
    """Return the layers that a loaded model holds in 4 or 8 bits."""
    kinds = (Linear4bit, Linear8bitLt, Int8Linear)
    return [
        QuantisedLayer(name=name, in_rows=isinstance(module, Int8Linear))
        for name, module in model.named_modules()
        if isinstance(module, kinds)
    ]


@torch.no_grad()
def round_weights(model: nn.Module, *, layers: list[QuantisedLayer], settings: ModelConfig) -> None:
    """Give `layers` of a whole model the values that they have in a model loaded with `settings`.

    The model's weights must be of the type that `settings` computes in: rounding begins from there.
    """
    for layer in layers:
        weight = model.get_parameter(f"{layer.name}.weight")
        if layer.in_rows:
            levels, scale = levels_of(weight)
            weight.copy_(levels * scale)
        else:
            weight.copy_(_rounded(weight, settings=settings))


def _rounded(weight: torch.Tensor, *, settings: ModelConfig) -> torch.Tensor:
    if settings.quantization_bit == 8:
        rows, scales, _ = int8_vectorwise_quant(weight.half())  # LLM.int8 begins from 16 bits
        return torch.as_tensor(int8_vectorwise_dequant(rows, scales))
    packed, state = quantize_4bit(
        weight, compress_statistics=settings.double_quantization, quant_type=settings.quantization_type
    )
    return torch.as_tensor(dequantize_4bit(packed, state))
