"""The settings of a Qwen-VL, as its `config.json` has them."""

from typing import Any, ClassVar

from transformers import PreTrainedConfig, Qwen2Config

from xray.errors import ConfigError


class QwenVLConfig(PreTrainedConfig):
    """Settings of Qwen-VL under the names of the published `config.json`, which is also how they are saved.

    `intermediate_size` counts the gate and the up projection together; `visual` holds the vision tower. Raises
    ConfigError for a Qwen without `visual`, which is a text model, for GPTQ weights, and for what was never published.
    """

    model_type: ClassVar[str] = "qwen"

    visual: dict[str, Any] | None = None
    vocab_size: int = 151936
    hidden_size: int = 4096
    intermediate_size: int = 22016
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    kv_channels: int = 128
    layer_norm_epsilon: float = 1e-6
    max_position_embeddings: int = 8192
    rotary_emb_base: float = 10000
    rotary_pct: float = 1.0
    seq_length: int = 2048
    use_dynamic_ntk: bool = True
    use_logn_attn: bool = True
    attn_dropout_prob: float = 0.0
    no_bias: bool = True
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        """Refuse what this family is not."""
        name = kwargs.get("name_or_path") or "this model"
        if not self.visual:
            raise ConfigError(
                f"{name} is Qwen, a text model: its config.json has no `visual`, and it cannot see a film. Name "
                "Qwen-VL or Qwen-VL-Chat."
            )
        if not self.no_bias or self.rotary_pct != 1 or self.tie_word_embeddings:
            raise ConfigError(
                f"{name} is no Qwen-VL as published (no_bias=true, rotary_pct=1.0, tie_word_embeddings=false): its "
                "logits would be wrong. Name Qwen-VL or Qwen-VL-Chat."
            )
        held = kwargs.get("quantization_config")
        if isinstance(held, dict) and held.get("quant_method") == "gptq":
            raise ConfigError(
                f"{name} is held in GPTQ, into which no adapter can be merged. Name Qwen-VL-Chat itself: it is put "
                "into 4 bits as it is read."
            )
        super().__post_init__(**kwargs)

    @property
    def num_image_tokens(self) -> int:
        """Tokens that stand for one film."""
        return int((self.visual or {}).get("n_queries", 256))

    def text_settings(self) -> Qwen2Config:
        """Return the settings of the language model, a Qwen2, with what Qwen does beyond `seq_length` tokens."""
        return Qwen2Config(
            vocab_size=self.vocab_size,
            hidden_size=self.hidden_size,
            intermediate_size=self.intermediate_size // 2,
            num_hidden_layers=self.num_hidden_layers,
            num_attention_heads=self.num_attention_heads,
            num_key_value_heads=self.num_attention_heads,
            head_dim=self.kv_channels,
            max_position_embeddings=self.max_position_embeddings,
            rms_norm_eps=self.layer_norm_epsilon,
            attention_dropout=self.attn_dropout_prob,
            rope_parameters={"rope_type": "default", "rope_theta": float(self.rotary_emb_base)},
            tie_word_embeddings=False,
            attn_implementation=self._attn_implementation,
            seq_length=self.seq_length,
            use_dynamic_ntk=self.use_dynamic_ntk,
            use_logn_attn=self.use_logn_attn,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the settings under the published architecture's name."""
        return {**super().to_dict(), "architectures": ["QWenLMHeadModel"]}
