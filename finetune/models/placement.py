"""What of a model is read into host memory first, so that the device never holds it in full.

Word embeddings may stay there; the linear layers of a vision tower in 8 bits come from there one by one. Everything
else is read straight to the device, as transformers does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from finetune.config import ModelConfig
from finetune.models.host_embedding import HostEmbedding, embedding_name
from finetune.models.int8_linear import hold_in_int8
from finetune.models.parts import ModelParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Full names of the modules that are not simply read to the device. `embedding`: None where it is."""

    embedding: str | None
    in_int8: tuple[str, ...]

    @property
    def weights_on_host(self) -> tuple[str, ...]:
        """Names of the parameters that are read into host memory."""
        modules = (*self.in_int8, *([self.embedding] if self.embedding else []))
        return tuple(f"{module}.weight" for module in modules)


def plan_placement(empty: PreTrainedModel, *, parts: ModelParts, settings: ModelConfig) -> Placement:
    """Return what `settings` ask for in the model `empty`, which lies on the meta device.

    Raises ConfigError for word embeddings that cannot stay in host memory.
    """
    return Placement(
        embedding=embedding_name(empty) if settings.offload_embedding else None,
        in_int8=in_int8(empty, parts) if settings.vision_tower_bit == 8 else (),
    )


def in_int8(model: PreTrainedModel, parts: ModelParts) -> tuple[str, ...]:
    """Return the layers of the vision tower that can be held in 8 bits.

    A layer of another class than nn.Linear may be read by its owner past its `forward`, as torch's own attention does.
    """
    return tuple(name for name in parts.vision_tower if type(model.get_submodule(name)) is nn.Linear)


@contextmanager
def reading(placement: Placement) -> Iterator[None]:
    """While it is open, `from_pretrained` reads the weights that `placement` names into host memory.

    A device map that says so would make the library move the whole table to the device at each call, and refuse it for
    a model in 4 bits. So the map is changed only where the files are read.
    """
    names = placement.weights_on_host
    if not names:
        yield
        return
    original = PreTrainedModel._load_pretrained_model

    def read(model: Any, state_dict: Any, files: Any, load_config: Any, *rest: Any) -> Any:  # noqa: ANN401
        if load_config.device_map is not None:
            load_config = replace(load_config, device_map={**load_config.device_map, **dict.fromkeys(names, "cpu")})
        return original(model, state_dict, files, load_config, *rest)

    PreTrainedModel._load_pretrained_model = staticmethod(read)
    try:
        yield
    finally:
        PreTrainedModel._load_pretrained_model = staticmethod(original)


def settle(model: PreTrainedModel, placement: Placement) -> None:
    """Put every weight of a model that was read by `placement` to the place and into the form where it will be used."""
    on_host = set(placement.weights_on_host)
    device = next(weight.device for name, weight in model.named_parameters() if name not in on_host)
    hold_in_int8(model, placement.in_int8, device=device)
    if placement.embedding:
        table = model.get_submodule(placement.embedding).weight.detach()
        model.set_submodule(placement.embedding, HostEmbedding(table))
