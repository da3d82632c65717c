"""The few numbers of a model from which its memory follows."""

from finetune.config import Section


class Architecture(Section):
    """Parameters by part, and the widths of the language model. The catalogue stores them, `measure` counts them."""

    vision_tower: int
    """Parameters; also of the next three."""
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
    def parameters(self) -> int:
        """All parameters."""
        return self.vision_tower + self.projector + self.language_model + self.head

    def adapter_parameters(self, rank: int) -> int:
        """Return the parameters of a LoRA adapter on every linear layer of the language model."""
        return rank * (self.linear_inputs + self.linear_outputs)
