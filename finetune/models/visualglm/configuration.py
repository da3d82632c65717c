"""The published `config.json` of VisualGLM-6B, read and written as it is."""

from typing import Any

from transformers import Blip2QFormerConfig, Blip2VisionConfig, PreTrainedConfig


class VisualGLMConfig(PreTrainedConfig):
    """Sizes and special tokens. `eva_config` and `qformer_config` keep the words of the original.

    Raises ValueError for a relative that is no VisualGLM: the ChatGLM text models carry the same `model_type`.
    """

    model_type = "chatglm"
    attribute_map = {  # noqa: RUF012 (the base class reads it as it is)
        "num_hidden_layers": "num_layers",
        "intermediate_size": "inner_hidden_size",
        "max_position_embeddings": "max_sequence_length",
    }

    vocab_size: int = 130528
    hidden_size: int = 4096
    num_layers: int = 28
    num_attention_heads: int = 32
    inner_hidden_size: int = 16384
    max_sequence_length: int = 2048
    layernorm_epsilon: float = 1e-5
    bos_token_id: int = 130004
    eos_token_id: int = 130005
    mask_token_id: int = 130000
    gmask_token_id: int = 130001
    pad_token_id: int = 3
    unk_token_id: int = 0
    image_length: int = 32
    use_cache: bool = True
    initializer_range: float = 0.02
    tie_word_embeddings: bool = False
    eva_config: dict[str, Any] | None = None
    qformer_config: dict[str, Any] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        """Refuse the ChatGLM text models and the layouts that this family does not have."""
        if self.eva_config is None or self.qformer_config is None:
            raise ValueError(
                "this is a ChatGLM model without VisualGLM's eva_config and qformer_config, so it sees no images. "
                "Name a folder of VisualGLM-6B or of a model fine-tuned from it."
            )
        if not kwargs.pop("position_encoding_2d", True):
            raise ValueError("position_encoding_2d is false: ChatGLM with one-dimensional positions is not supported")
        super().__post_init__(position_encoding_2d=True, **kwargs)

    @property
    def image_size(self) -> int:
        """Height and width, in pixels, of the film that the vision tower sees."""
        size = self.eva_config["image_size"] if self.eva_config else 224
        return int(size if isinstance(size, int) else size[0])

    @property
    def num_queries(self) -> int:
        """Learnt queries of the Q-Former, each the source of one image place."""
        return int(self.qformer_config["vocab_size"] if self.qformer_config else self.image_length)

    def vision_config(self) -> Blip2VisionConfig:
        """Return `eva_config` in the words of the native vision tower."""
        eva: dict[str, Any] = self.eva_config or {}
        return Blip2VisionConfig(
            hidden_size=eva["hidden_size"],
            intermediate_size=eva.get("inner_hidden_size") or 4 * eva["hidden_size"],
            num_hidden_layers=eva["num_layers"],
            num_attention_heads=eva["num_attention_heads"],
            image_size=self.image_size,
            patch_size=eva["patch_size"],
            layer_norm_eps=eva["layernorm_epsilon"],
            initializer_range=self.initializer_range,
        )

    def native_qformer_config(self) -> Blip2QFormerConfig:
        """Return `qformer_config` in the words of the native Q-Former. It has no dropout, as in the original."""
        original: dict[str, Any] = self.qformer_config or {}
        width = original["hidden_size"]
        return Blip2QFormerConfig(
            hidden_size=width,
            intermediate_size=original.get("inner_hidden_size") or 4 * width,
            num_hidden_layers=original["num_layers"],
            num_attention_heads=original["num_attention_heads"],
            layer_norm_eps=original["layernorm_epsilon"],
            encoder_hidden_size=original["cross_attn_hidden_size"],
            cross_attention_frequency=_frequency(original["is_decoder"]),
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            initializer_range=self.initializer_range,
        )


def _frequency(is_decoder: bool | list[bool]) -> int:
    """Return every how many layers the Q-Former looks at the film."""
    looks = [is_decoder] if isinstance(is_decoder, bool) else is_decoder
    frequency = looks.index(True, 1) if True in looks[1:] else len(looks)
    if looks != [layer % frequency == 0 for layer in range(len(looks))]:
        raise ValueError(f"qformer_config.is_decoder {looks} is no regular pattern: this Q-Former is not supported")
    return frequency
