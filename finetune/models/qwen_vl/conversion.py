"""How the published weights' names become ours when a checkpoint is read, and theirs again when it is saved."""

from transformers.conversion_mapping import register_checkpoint_conversion_mapping
from transformers.core_model_loading import Chunk, WeightConverter, WeightRenaming

from finetune.models.qwen_vl.configuration import QwenVLConfig

_QKV = ("q_proj", "k_proj", "v_proj")
_IN_A_LAYER = {
    "ln_1": "input_layernorm",
    "ln_2": "post_attention_layernorm",
    "attn.c_proj": "self_attn.o_proj",
    "mlp.w1": "mlp.up_proj",
    "mlp.w2": "mlp.gate_proj",
    "mlp.c_proj": "mlp.down_proj",
}


def register_conversion() -> None:
    """Make `from_pretrained` and `save_pretrained` translate, tensor by tensor."""
    layer = r"^language_model\.layers\.(\d+)\."
    register_checkpoint_conversion_mapping(
        QwenVLConfig.model_type,
        [
            # Saving undoes these from the last to the first: a general rule stands before those that build on it.
            WeightRenaming(r"^transformer\.wte\.", "language_model.embed_tokens."),
            WeightRenaming(r"^transformer\.ln_f\.", "language_model.norm."),
            WeightRenaming(r"^transformer\.visual\.", "visual."),
            WeightRenaming(r"^visual\.transformer\.resblocks\.", "visual.blocks."),
            WeightRenaming(r"^visual\.attn_pool\.", "visual.resampler."),
            WeightRenaming(r"^transformer\.h\.", "language_model.layers."),
            *(
                WeightRenaming(rf"{layer}{theirs.replace('.', chr(92) + '.')}\.", rf"language_model.layers.\1.{ours}.")
                for theirs, ours in _IN_A_LAYER.items()
            ),
            WeightConverter("attn.c_attn", [f"self_attn.{name}" for name in _QKV], operations=[Chunk(dim=0)]),
            *(
                WeightConverter(
                    f"resampler.attn.in_proj_{kind}",
                    [f"resampler.attn.{name}.{kind}" for name in _QKV],
                    operations=[Chunk(dim=0)],
                )
                for kind in ("weight", "bias")
            ),
        ],
    )
