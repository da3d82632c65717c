"""Frozen linear layers whose weights are held in 8 bits, while inputs and sums stay in 16 or 32 bits.

LLM.int8 would round the inputs as well, and compute in float16 alone, while a vision tower's inputs may hold a few very
large channels. Here each row of a matrix is held as 255 levels up to its largest value, and unpacked while it is used.
"""

import torch
from torch import nn

_LEVELS = 127


class Int8Linear(nn.Module):
    """Stands in for a nn.Linear that does not learn. Gradients pass through to its input."""

    weight: torch.Tensor
    scale: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, linear: nn.Linear, *, device: torch.device) -> None:
        """Hold the weight of `linear`, [outputs, inputs], in 8 bits on `device`; its bias stays as it is."""
        super().__init__()
        weight = linear.weight.detach().to(device)
        bias = None if linear.bias is None else linear.bias.detach().to(device)
        self.out_features, self.in_features = weight.shape
        self.compute_dtype = weight.dtype
        levels, scale = levels_of(weight)
        self.register_buffer("weight", levels)
        self.register_buffer("scale", scale)
        self.register_buffer("bias", bias)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """[..., inputs] -> [..., outputs], in the type of the layer that this one replaces."""
        return nn.functional.linear(states, (self.weight * self.scale).to(self.compute_dtype), self.bias)


def levels_of(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a matrix [outputs, inputs] as int8 levels, and the float32 step of each row, [outputs, 1]."""
    largest = weight.float().abs().amax(dim=1, keepdim=True)
    scale = largest.clamp(min=torch.finfo(torch.float32).tiny) / _LEVELS
    return (weight.float() / scale).round().to(torch.int8), scale


def hold_in_int8(model: nn.Module, names: tuple[str, ...], *, device: torch.device) -> None:
    """Replace the linear layers `names` of `model`, one at a time, wherever their weights lie now."""
    for name in names:
        linear = model.get_submodule(name)
        assert isinstance(linear, nn.Linear)
        model.set_submodule(name, Int8Linear(linear, device=device))
