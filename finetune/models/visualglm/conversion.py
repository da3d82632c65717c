"""The names of the published weights, turned into the native ones at loading and back at saving.

`transformer.*` and `lm_head` keep their names; the tower and the Q-Former are transformers' own modules. The original's
Q-Former norms a layer's output where the next layer begins: its norm i > 0 is the native layer i - 1's.
"""

import re
from typing import Any

import torch
from transformers.core_model_loading import Chunk, ConversionOps, WeightConverter, WeightRenaming

_VIT = r"^image_encoder.vit.transformer."
_QFORMER = r"^image_encoder.qformer.transformer."
_VIT_LAYER = {
    "input_layernorm": "layer_norm1",
    "post_attention_layernorm": "layer_norm2",
    "attention.query_key_value": "self_attn.qkv",
    "attention.dense": "self_attn.projection",
    "mlp.dense_h_to_4h": "mlp.fc1",
    "mlp.dense_4h_to_h": "mlp.fc2",
}
_QFORMER_LAYER = {
    "attention.query_key_value": "attention.joint",  # split further below
    "attention.dense": "attention.output.dense",
    "post_attention_layernorm": "attention.output.LayerNorm",
    "cross_attention.query": "crossattention.attention.query",
    "cross_attention.key_value": "crossattention.joint",
    "cross_attention.dense": "crossattention.output.dense",
    "post_cross_attention_layernorm": "crossattention.output.LayerNorm",
    "mlp.dense_h_to_4h": "intermediate_query.dense",
    "mlp.dense_4h_to_h": "output_query.dense",
}


class ShiftedRenaming(WeightRenaming):
    """A renaming that also adds `offset` to the number of the layer, the first number in the new name."""

    __slots__ = ("offset",)

    def __init__(self, source_patterns: str | list[str], target_patterns: str | list[str], offset: int) -> None:
        self.offset = offset
        super().__init__(source_patterns, target_patterns)

    def rename_source_key(self, source_key: str) -> tuple[str, str | None]:
        """Return the new name, and the pattern that matched or None."""
        key, pattern = super().rename_source_key(source_key)
        if pattern is not None:
            key = re.sub(r"\d+", lambda number: str(int(number[0]) + self.offset), key, count=1)
        return key, pattern

    def reverse_transform(self) -> "ShiftedRenaming":
        """Return the way back."""
        return ShiftedRenaming(self._original_target_patterns, self._original_source_patterns, -self.offset)


class AddBatchAxis(ConversionOps):
    """A weight without the leading axis of length 1 that the native module wants."""

    def convert(
        self, input_dict: dict[str, Any], source_patterns: list[str], target_patterns: list[str], **_: Any
    ) -> dict[str, torch.Tensor]:
        """Return the one weight with the axis."""
        (weight,) = input_dict.values()
        return {target_patterns[0]: (weight[0] if isinstance(weight, list) else weight)[None]}

    @property
    def reverse_op(self) -> ConversionOps:
        """Return the way back."""
        return DropBatchAxis()


class DropBatchAxis(ConversionOps):
    """The way back from `AddBatchAxis`."""

    def convert(
        self, input_dict: dict[str, Any], source_patterns: list[str], target_patterns: list[str], **_: Any
    ) -> dict[str, torch.Tensor]:
        """Return the one weight without the axis."""
        (weight,) = input_dict.values()
        return {target_patterns[0]: (weight[0] if isinstance(weight, list) else weight)[0]}

    @property
    def reverse_op(self) -> ConversionOps:
        """Return the way back."""
        return AddBatchAxis()


def checkpoint_mapping() -> list[WeightRenaming | WeightConverter]:
    """Return the mapping of names and shapes that the loader of transformers applies weight by weight."""
    return [
        WeightRenaming(r"^image_encoder.glm_proj", "projector"),
        WeightRenaming(r"^image_encoder.vit.mixins.patch_embedding.proj", "vision_model.embeddings.patch_embedding"),
        WeightRenaming(r"^image_encoder.vit.mixins.cls.ln_vision", "vision_model.post_layernorm"),
        *(
            WeightRenaming(rf"{_VIT}layers.(\d+).{theirs}", rf"vision_model.encoder.layers.\1.{ours}")
            for theirs, ours in _VIT_LAYER.items()
        ),
        WeightRenaming(rf"{_QFORMER}word_embeddings.weight", "query_tokens"),
        WeightRenaming(rf"{_QFORMER}layers.0.input_layernorm", "qformer.layernorm"),
        ShiftedRenaming(
            rf"{_QFORMER}layers.(\d+).input_layernorm", r"qformer.encoder.layer.\1.output_query.LayerNorm", offset=-1
        ),
        WeightRenaming(rf"{_QFORMER}final_layernorm", "qformer_layernorm"),
        *(
            WeightRenaming(rf"{_QFORMER}layers.(\d+).{theirs}", rf"qformer.encoder.layer.\1.{ours}")
            for theirs, ours in _QFORMER_LAYER.items()
        ),
        *_converters(),
    ]


def _converters() -> list[WeightConverter]:
    embeddings = "vision_model.embeddings."
    return [
        WeightConverter(f"{_VIT}word_embeddings.weight", f"{embeddings}class_embedding", [AddBatchAxis()]),
        WeightConverter(f"{_VIT}position_embeddings.weight", f"{embeddings}position_embedding", [AddBatchAxis()]),
        WeightConverter(
            r"\.attention\.joint",
            [rf"\.attention\.attention\.{part}" for part in ("query", "key", "value")],
            [Chunk(dim=0)],
        ),
        WeightConverter(
            r"\.crossattention\.joint",
            [rf"\.crossattention\.attention\.{part}" for part in ("key", "value")],
            [Chunk(dim=0)],
        ),
    ]
