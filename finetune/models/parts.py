"""Which modules of an image-chat model are the vision tower, the projector and the language model.

Families name these parts differently (`visual`, `vision_tower`, `merger`, `multi_modal_projector`, `qformer` ...), so
they are found by structure: the language model is what `get_decoder()` returns, the vision tower what
`get_encoder("image")` returns, and every other module with weights, except the output head, lies between the two.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn
from transformers import PreTrainedModel

from xray.errors import ConfigError

# Modules that lie inside the vision tower of some families but do the projector's work.
_PROJECTOR_NAME = re.compile(r"(^|\.)(merger|deepstack_merger_list|projector|resampler|aligner|connector)(\.|$)")
_HEAD_NAME = re.compile(r"(^|\.)(lm_head|embed_out|output_layer)(\.(weight|bias))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParts:
    """Names of the linear layers of each part, in the model's own order."""

    vision_tower: tuple[str, ...]
    projector: tuple[str, ...]
    language_model: tuple[str, ...]
    head: tuple[str, ...]

    @property
    def outside_language_model(self) -> tuple[str, ...]:
        """Everything that is never held in 4 bits."""
        return (*self.vision_tower, *self.projector, *self.head)


def find_parts(model: PreTrainedModel) -> ModelParts:
    """Sort the linear layers of `model` (also a model on the meta device) into parts.

    Raises ConfigError when the model has no separate language model or no vision tower.
    """
    part_of = part_finder(model)
    found: dict[str, list[str]] = {"vision_tower": [], "projector": [], "language_model": [], "head": []}
    for name, module in model.named_modules():
        if _is_linear(module):
            found[part_of(name)].append(name)
    return ModelParts(**{part: tuple(names) for part, names in found.items()})


def part_finder(model: PreTrainedModel) -> Callable[[str], str]:
    """Return what tells the part, a field of ModelParts, that a module or parameter of this name belongs to.

    Raises ConfigError when the model has no separate language model or no vision tower.
    """
    language = name_of(model, model.get_decoder())
    tower = name_of(model, model.get_encoder("image"))
    if not language or not tower:
        raise ConfigError(
            f"{type(model).__name__} has no separate vision tower and language model: not an image-chat model"
        )
    return partial(_part_of, language=language, tower=tower)


def in_layers(names: tuple[str, ...], *, layers: tuple[int, ...] | None) -> tuple[str, ...]:
    """Return those of `names` that lie in `layers`; all for None.

    Raises ConfigError for a layer that is not there.
    """
    if layers is None:
        return names
    layer_of = {name: next((int(word) for word in name.split(".") if word.isdigit()), -1) for name in names}
    if not set(layers) <= set(layer_of.values()):
        raise ConfigError(
            f"adapter.lora_layers {list(layers)} names a layer that is not there; the language model has the layers 0 "
            f"to {max(layer_of.values())}"
        )
    return tuple(name for name in names if layer_of[name] in layers)


def still_frozen_parts(model: PreTrainedModel) -> None:
    """Let a vision tower or projector in which nothing learns compute as in evaluation: dropout would only blur films.

    The language model keeps its dropout, which the adapter in it learns with.
    """
    part_of = part_finder(model)

    def still(module: nn.Module, name: str) -> None:
        parameters = dict(module.named_parameters(prefix=name))
        if not parameters:
            return
        parts = {part_of(parameter) for parameter in parameters}
        if parts <= {"vision_tower", "projector"} and not any(value.requires_grad for value in parameters.values()):
            module.register_forward_pre_hook(_as_in_evaluation)
            return
        for child_name, child in module.named_children():
            still(child, f"{name}.{child_name}" if name else child_name)

    still(model, "")


def _as_in_evaluation(module: nn.Module, _: tuple[object, ...]) -> None:
    module.eval()


def _part_of(name: str, *, language: str, tower: str) -> str:
    if _HEAD_NAME.search(name):  # also where it lies inside the language model, as in BLIP-2
        return "head"
    if name.startswith(language + "."):
        return "language_model"
    if _PROJECTOR_NAME.search(name):
        return "projector"
    if name.startswith(tower + "."):
        return "vision_tower"
    return "projector"


def name_of(model: nn.Module, part: nn.Module) -> str:
    """Return the dotted name of `part` in `model`; empty when the part is the model itself or not in it."""
    return next((name for name, module in model.named_modules() if module is part), "")


def _is_linear(module: nn.Module) -> bool:
    """Return True for nn.Linear and its quantised children, and for layers that act as one."""
    return isinstance(module, nn.Linear)
