"""VisualGLM-6B and what was fine-tuned from it: an EVA-CLIP tower, a Q-Former and the ChatGLM-6B text model."""


def register() -> None:
    """Make the family known to transformers' Auto classes and its checkpoint layout to their loader."""
    from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer
    from transformers.conversion_mapping import register_checkpoint_conversion_mapping

    from finetune.models.visualglm.configuration import VisualGLMConfig
    from finetune.models.visualglm.conversion import checkpoint_mapping
    from finetune.models.visualglm.modeling import VisualGLMForConditionalGeneration
    from finetune.models.visualglm.processing import VisualGLMProcessor
    from finetune.models.visualglm.tokenization import ChatGLMTokenizer

    AutoConfig.register(VisualGLMConfig.model_type, VisualGLMConfig)
    AutoModelForImageTextToText.register(VisualGLMConfig, VisualGLMForConditionalGeneration)
    AutoTokenizer.register(VisualGLMConfig, tokenizer_class=ChatGLMTokenizer)
    AutoProcessor.register(VisualGLMConfig, VisualGLMProcessor)
    register_checkpoint_conversion_mapping(VisualGLMConfig.model_type, checkpoint_mapping())
