"""Modules that learn in full beside the adapter: a projector that starts from nothing is no case for LoRA.

peft trains a copy of each, saves it whole in the adapter's own file, and puts it in place when the adapter is merged.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from bitsandbytes.nn import Linear4bit
from peft import PeftModel, load_peft_weights, set_peft_model_state_dict
from peft.utils.other import ModulesToSaveWrapper
from torch import nn

from finetune.models.host_embedding import HostEmbedding
from finetune.models.int8_linear import Int8Linear
from xray.errors import ConfigError

_CANNOT_LEARN: dict[type[nn.Module], str] = {
    Linear4bit: "in 4 bits: set model.quantization_bit=null",
    Int8Linear: "in 8 bits: set model.vision_tower_bit=null",
    HostEmbedding: "in host memory: set model.offload_embedding=false",
}


def find_whole_modules(model: nn.Module, names: Sequence[str]) -> list[str]:
    """Return the full names of the modules that `adapter.modules_to_save` means, sorted.

    Raises ConfigError for a name that no module has, and for one that is held in a form that cannot learn.
    """
    found = set()
    for wanted in names:
        matches = {name for name, _ in model.named_modules() if name == wanted or name.endswith(f".{wanted}")}
        if not matches:
            there = ", ".join(sorted(name for name, _ in model.named_children()))
            raise ConfigError(f"adapter.modules_to_save {wanted!r} is no module of this model; it consists of: {there}")
        found |= matches
    for name in found:
        for module in model.get_submodule(name).modules():
            for kind, held in _CANNOT_LEARN.items():
                if isinstance(module, kind):
                    raise ConfigError(f"adapter.modules_to_save {name!r} is held {held}")
    return sorted(found)


def lies_in(name: str, modules: Sequence[str]) -> bool:
    """Return True when the layer `name` is one of `modules` or inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def cast_around(model: PeftModel) -> None:
    """Let each module that learns in full compute in the type of its weights, 32 bits, between 16-bit neighbours."""
    for wrapper in _wrappers(model):
        outside = next(wrapper.original_module.parameters()).dtype
        for module in wrapper.modules_to_save.values():
            module.register_forward_pre_hook(_to_own_type, with_kwargs=True)
            module.register_forward_hook(partial(_to_type, dtype=outside))


def load_in_full(model: PeftModel, folder: Path) -> None:
    """Read the modules that learned in full once more, in 32 bits: peft reads them in the type of the base."""
    wrappers = _wrappers(model)
    for wrapper in wrappers:
        wrapper.modules_to_save.float()
    if wrappers:
        set_peft_model_state_dict(model, load_peft_weights(str(folder), device="cpu"))


def _wrappers(model: PeftModel) -> list[ModulesToSaveWrapper]:
    return [module for module in model.modules() if isinstance(module, ModulesToSaveWrapper)]


def _to_own_type(
    module: nn.Module, inputs: tuple[object, ...], named: dict[str, object]
) -> tuple[tuple[object, ...], dict[str, object]]:
    dtype = next(module.parameters()).dtype
    return tuple(_cast(part, dtype) for part in inputs), {name: _cast(part, dtype) for name, part in named.items()}


def _to_type(_: nn.Module, __: tuple[object, ...], output: object, *, dtype: torch.dtype) -> object:
    return _cast(output, dtype)


def _cast(part: object, dtype: torch.dtype) -> object:
    return part.to(dtype) if isinstance(part, torch.Tensor) and part.is_floating_point() else part
