"""MiniGPT-4 (arXiv 2304.10592): BLIP-2 with a Llama text model, opened straight from its published parts."""

from os import PathLike
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModelForImageTextToText, Blip2Config, Blip2ForConditionalGeneration

from finetune.models.minigpt4.checkpoint import is_parts_folder, read_settings, read_weights

_FINAL_EPSILON = 1e-5


class MiniGPT4Config(Blip2Config):
    """BLIP-2's configuration under a name of its own."""

    model_type = "minigpt4"


class MiniGPT4ForConditionalGeneration(Blip2ForConditionalGeneration):
    """BLIP-2, but for the epsilon of the LayerNorm that closes the vision tower: 1e-5, inside the tower 1e-6."""

    config_class = MiniGPT4Config

    def __init__(self, config: MiniGPT4Config) -> None:
        super().__init__(config)
        self.vision_model.post_layernorm.eps = _FINAL_EPSILON

    @classmethod
    def from_pretrained(cls, source: str | PathLike[str] | None, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Load a Hugging Face folder, or a folder of the published parts, whose weights stay on disk until their turn.

        Returns what the library does: the model, or (model, report). Raises ConfigError for parts that cannot be read.
        """
        if source is None or not is_parts_folder(Path(source)):
            return super().from_pretrained(source, *args, **kwargs)
        kwargs.pop("revision", None)
        config = kwargs.pop("config", None) or read_config(Path(source))
        loaded = super().from_pretrained(None, *args, config=config, state_dict=read_weights(Path(source)), **kwargs)
        model = loaded[0] if kwargs.get("output_loading_info") else loaded
        model.config.name_or_path = model.name_or_path = str(source)
        return loaded


def read_config(folder: Path) -> MiniGPT4Config:
    """Return the configuration of a folder of published parts. Raises ConfigError where one is missing."""
    settings = read_settings(folder)
    return MiniGPT4Config(**settings, name_or_path=str(folder), architectures=["MiniGPT4ForConditionalGeneration"])


def register() -> None:
    """Make the family known to the Auto classes."""
    AutoConfig.register("minigpt4", MiniGPT4Config)
    AutoModelForImageTextToText.register(MiniGPT4Config, MiniGPT4ForConditionalGeneration)
