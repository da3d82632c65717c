"""P-tuning v2: a learnt prefix of keys and values in each layer of the text model, which stays as it is."""

import torch
from peft import PeftModel, PrefixTuningConfig, get_peft_model
from transformers import PreTrainedModel

from xray.errors import ConfigError

# Others place their tokens by the length of the cache, and would count the prefix as text.
_MODEL_TYPES = ("chatglm",)


def add_prefix(model: PreTrainedModel, *, length: int, seed: int) -> PeftModel:
    """Put a new prefix of `length` tokens on `model`. Only it learns, in 32 bits.

    Raises ConfigError for a family that a prefix has not been shown to work with.
    """
    if model.config.model_type not in _MODEL_TYPES:
        raise ConfigError(
            f"adapter.type p_tuning is for VisualGLM, not for a model of type {model.config.model_type!r}; "
            "set adapter.type=lora"
        )
    torch.manual_seed(seed)
    return get_peft_model(model, PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=length))
