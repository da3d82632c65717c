"""Word embeddings that stay in host memory: the ids go to the table, and only the rows of a batch go to the device.

A table of 130,528 x 4,096 in 16 bits takes 1.07 GB, of which 320 tokens read 2.6 MB. The numbers are the same.
"""

from collections.abc import Callable

import torch
from torch import nn
from transformers import PreTrainedModel

from finetune.models.parts import name_of
from xray.errors import ConfigError


class HostEmbedding(nn.Module):
    """A table that `to`, `cuda` and the libraries' own placement leave where it is; it never learns.

    `weight` is a buffer: it is saved under the name of the layer that it replaces, and is not the parameter by which
    transformers tells the device of a model. transformers refuses to resize it.
    """

    weight: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Ids [...] -> rows [..., width] on the device of the ids."""
        rows = nn.functional.embedding(input_ids.to(self.weight.device), self.weight)
        return rows.to(input_ids.device)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> "HostEmbedding":
        """Follow a change of type, not of place."""
        self.weight = self.weight.to(fn(self.weight.new_empty(0)).dtype)
        return self


def embedding_name(model: PreTrainedModel) -> str:
    """Return the full name of the word embeddings of `model` (also on the meta device).

    Raises ConfigError where they cannot stay behind: other layers share the table, or the layer does more than look up.
    """
    embedding = model.get_input_embeddings()
    name, weight = name_of(model, embedding), getattr(embedding, "weight", None)
    users = [user for user, shared in model.named_parameters(remove_duplicate=False) if shared is weight]
    if type(embedding) is not nn.Embedding or users != [f"{name}.weight"]:
        shared = f" ({', '.join(users)} share one table)" if len(users) > 1 else ""
        raise ConfigError(
            f"the word embeddings of this model cannot stay in host memory{shared}: set model.offload_embedding=false"
        )
    return name
