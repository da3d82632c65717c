"""Qwen-VL and Qwen-VL-Chat, from a folder as it was published (arXiv 2308.12966)."""


def register() -> None:
    """Make transformers' Auto classes find this family by `model_type: qwen`."""
    from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor

    from finetune.models.qwen_vl.configuration import QwenVLConfig
    from finetune.models.qwen_vl.conversion import register_conversion
    from finetune.models.qwen_vl.modeling import QwenVLForConditionalGeneration
    from finetune.models.qwen_vl.processing import QwenVLProcessor

    AutoConfig.register(QwenVLConfig.model_type, QwenVLConfig)
    AutoModelForImageTextToText.register(QwenVLConfig, QwenVLForConditionalGeneration)
    AutoProcessor.register(QwenVLConfig, QwenVLProcessor)
    register_conversion()
