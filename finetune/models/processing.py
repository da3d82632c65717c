"""Processors without video and without torchvision.

Today's chat models come with a processor for text, images and video; its video part wants torchvision, which this kit
does not install. Radiographs are images, so the processor is built from its image and text parts alone.
"""

from pathlib import Path

from transformers import AutoConfig, AutoImageProcessor, AutoProcessor, AutoTokenizer, ProcessorMixin
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from xray.errors import ConfigError


def load_processor(source: str | Path, *, revision: str | None = None) -> ProcessorMixin:
    """Load the processor of an image-chat model from a folder or a hub id.

    Raises ConfigError when the model has no chat template: a report is asked for in a conversation.
    """
    config = AutoConfig.from_pretrained(source, revision=revision)
    kind = PROCESSOR_MAPPING.get(type(config), None)
    if kind is not None and "video_processor" in kind.get_attributes():
        processor = _image_only(kind)(
            image_processor=AutoImageProcessor.from_pretrained(source, revision=revision, backend="pil"),
            tokenizer=AutoTokenizer.from_pretrained(source, revision=revision),
        )
    else:
        processor = AutoProcessor.from_pretrained(source, revision=revision, backend="pil")
    processor.chat_template = processor.chat_template or processor.tokenizer.chat_template
    if not processor.chat_template:
        raise ConfigError(f"{source} has no chat template: it is not an image-chat model, or its files are incomplete")
    if processor.tokenizer.pad_token_id is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def _image_only(kind: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """Return a subclass of a processor class that neither asks for nor saves a video processor."""

    def get_attributes(cls: type[ProcessorMixin]) -> list[str]:
        return [name for name in kind.get_attributes() if name != "video_processor"]

    return type(kind.__name__, (kind,), {"get_attributes": classmethod(get_attributes)})
