"""The few numbers of a model from which its memory follows, counted without reading any weight."""

from typing import Any

from transformers import PreTrainedModel

from finetune.config import Section
from finetune.models.parts import find_parts, part_finder
from finetune.models.placement import in_int8


class Architecture(Section):
    """Parameters by part, and the widths of the language model. The catalogue stores them, `measure` counts them."""

    vision_tower: int
    """Parameters; also of the next four."""
    tower_linear_weights: int
    """Of the tower: what `model.vision_tower_bit` holds in 8 bits."""
    projector: int
    language_model: int
    """With its embedding table."""
    head: int
    """0 where the head shares the embedding table."""
    linear_weights: int
    """Parameters of the language model's linear layers: what is held in 4 or 8 bits."""
    linear_inputs: int
    """Input widths of those layers, summed; with the next they give the size of an adapter and of the activations."""
    linear_outputs: int
    layers: int
    hidden_size: int
    vocab_size: int
    key_value_width: int
    """Width of the keys of one layer; its values are as wide."""

    @property
    def own_embedding(self) -> int:
        """Parameters of the word embeddings that can stay in host memory; 0 where the head shares them."""
        return self.vocab_size * self.hidden_size if self.head else 0

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.vision_tower + self.projector + self.language_model + self.head

    def adapter_parameters(self, rank: int) -> int:
        """Return the parameters of a LoRA adapter on every linear layer of the language model."""
        return rank * (self.linear_inputs + self.linear_outputs)


def measure(model: PreTrainedModel) -> Architecture:
    """Count a model, also one on the meta device."""
    part_of = part_finder(model)
    counts = {"vision_tower": 0, "projector": 0, "language_model": 0, "head": 0}
    for name, parameter in model.named_parameters():
        counts[part_of(name)] += parameter.numel()
    parts = find_parts(model)
    linear = [model.get_submodule(name) for name in parts.language_model]
    text: Any = model.config.get_text_config()
    heads = text.num_attention_heads
    key_heads = getattr(text, "num_key_value_heads", None) or heads
    head_dim = getattr(text, "head_dim", None) or text.hidden_size // heads
    return Architecture(
        **counts,
        tower_linear_weights=sum(model.get_submodule(name).weight.numel() for name in in_int8(model, parts)),
        linear_weights=sum(layer.weight.numel() for layer in linear),
        linear_inputs=sum(layer.in_features for layer in linear),
        linear_outputs=sum(layer.out_features for layer in linear),
        layers=text.num_hidden_layers,
        hidden_size=text.hidden_size,
        vocab_size=text.vocab_size,
        key_value_width=key_heads * head_dim,
    )
