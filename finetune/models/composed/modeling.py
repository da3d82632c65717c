"""BLIP-2 around any vision tower: Q-Former and language model as in the native class, the tower from AutoModel."""

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2QFormerModel,
    Blip2VisionConfig,
    Blip2VisionModel,
)
from transformers.configuration_utils import SubConfigSpec


class ComposedConfig(Blip2Config):
    """BLIP-2's configuration with a vision tower of any kind."""

    model_type = "composed"
    sub_configs_defaults = {  # noqa: RUF012 - transformers reads it from the class
        **Blip2Config.sub_configs_defaults,
        "vision_config": SubConfigSpec(config_class=AutoConfig, model_type="clip_vision_model"),
    }


class ComposedForConditionalGeneration(Blip2ForConditionalGeneration):
    """BLIP-2 whose tower is whatever `vision_config` names; its last hidden states are what the queries look at."""

    config_class = ComposedConfig

    def __init__(self, config: ComposedConfig) -> None:
        super(Blip2ForConditionalGeneration, self).__init__(config)  # BLIP-2's own would build its own tower
        width = config.qformer_config.hidden_size
        self.vision_model = AutoModel.from_config(config.vision_config)
        self.query_tokens = nn.Parameter(torch.zeros(1, config.num_query_tokens, width))
        self.qformer = Blip2QFormerModel._from_config(config.qformer_config)
        self.language_projection = nn.Linear(width, config.text_config.hidden_size)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.post_init()


def register() -> None:
    """Make the family known to the Auto classes, and BLIP-2's tower as one among others."""
    AutoConfig.register("composed", ComposedConfig)
    AutoModelForImageTextToText.register(ComposedConfig, ComposedForConditionalGeneration)
    AutoModel.register(Blip2VisionConfig, Blip2VisionModel)
