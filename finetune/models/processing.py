"""Processors without video and without torchvision.

Today's chat models come with a processor for text, images and video; its video part wants torchvision, which this kit
does not install. Radiographs are images, so the processor is built from its image and text parts alone.
"""

import inspect
import sys
from functools import cache
from pathlib import Path
from typing import Any

from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer, Blip2Config, ProcessorMixin
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from finetune.models.blip2.processing import load_query_processor
from finetune.models.minigpt4.checkpoint import is_parts_folder
from finetune.models.minigpt4.processing import load_parts_processor
from finetune.models.registry import read_config
from finetune.models.templates import DEFAULT_TEMPLATES
from xray.errors import ConfigError

ProcessorClass = Any  # a child of ProcessorMixin: transformers comes without types


def load_processor(source: str | Path, *, revision: str | None = None) -> ProcessorMixin:
    """Load the processor of an image-chat model from a folder or a hub id.

    Raises ConfigError when it does not work on text and images alone, and when there is no chat template for the model:
    a report is asked for in a conversation.
    """
    config = read_config(source, revision=revision)
    where = {"revision": revision, "trust_remote_code": False}
    kind = PROCESSOR_MAPPING.get(type(config), None)
    if kind is not None and not is_parts_folder(Path(source)):
        _check_settings(kind, source)
    if is_parts_folder(Path(source)):
        processor = load_parts_processor(Path(source), config=config)
    elif isinstance(config, Blip2Config):
        processor = load_query_processor(source, config=config, revision=revision)
    elif kind is not None and "video_processor" in kind.get_attributes():
        processor = _from_parts(kind, source, where=where)
    else:
        processor = AutoProcessor.from_pretrained(source, backend="pil", **where)
    if not isinstance(processor, ProcessorMixin):
        raise ConfigError(f"{source} has no processor for images: it is not an image-chat model")
    own = processor.chat_template or processor.tokenizer.chat_template
    processor.chat_template = own or DEFAULT_TEMPLATES.get(config.model_type)
    if not processor.chat_template:
        raise ConfigError(f"{source} has no chat template: it is not an image-chat model, or its files are incomplete")
    if processor.tokenizer.pad_token_id is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def _check_settings(kind: ProcessorClass, source: str | Path) -> None:
    """Raise ConfigError when a folder does not say how films are prepared. Our own families know it themselves."""
    names = ("preprocessor_config.json", "processor_config.json")
    is_ours = not kind.__module__.startswith("transformers.")
    if not is_ours and Path(source).is_dir() and not any((Path(source) / name).is_file() for name in names):
        raise ConfigError(f"{source} holds neither {' nor '.join(names)}. Download the model again, whole.")


def _from_parts(kind: ProcessorClass, source: str | Path, *, where: dict[str, Any]) -> ProcessorMixin:
    """Build a processor as its own loader would, saved settings and chat template included, with video left out."""
    saved, _ = kind.get_processor_dict(source, **where)
    names = inspect.signature(kind.__init__).parameters
    settings = {name: saved[name] for name in names if name in saved and name not in kind.get_attributes()}
    parts = {
        **dict.fromkeys(kind.get_attributes(), _NoVideo()),
        "image_processor": AutoImageProcessor.from_pretrained(source, backend="pil", **where),
        "tokenizer": AutoTokenizer.from_pretrained(source, **where),
    }
    module = sys.modules[kind.__module__]
    if getattr(module, "num2words", kind) is None:
        vars(module)["num2words"] = str  # SmolVLM asks for this package, which only spells how many frames a video has
    try:
        return _image_only(kind)(**parts, **settings)
    except (AttributeError, TypeError) as error:
        raise ConfigError(f"{source}: its {kind.__name__} does not work on text and images alone ({error})") from error


class _NoVideo:
    """Stands where a processor expects its video part: no setting has a value, and it prepares nothing."""

    model_input_names = ()

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


@cache
def _image_only(kind: ProcessorClass) -> ProcessorClass:
    """Return a subclass of a processor class that does without video, one for each class.

    A loader process cannot import it by name: its objects travel as their class's base and their content.
    """

    def check(self: ProcessorMixin, name: str, part: object) -> object:
        return None if isinstance(part, _NoVideo) else kind.check_argument_for_proper_class(self, name, part)

    def reduce(self: ProcessorMixin) -> tuple[object, ...]:
        return _restored, (kind, vars(self))

    def to_dict(self: ProcessorMixin) -> dict[str, Any]:
        content: dict[str, Any] = kind.to_dict(self)
        return {name: value for name, value in content.items() if not isinstance(value, _NoVideo)}

    own = {"check_argument_for_proper_class": check, "to_dict": to_dict, "__reduce__": reduce}
    return type(kind.__name__, (kind,), own)


def _restored(kind: ProcessorClass, content: dict[str, Any]) -> ProcessorMixin:
    cls = _image_only(kind)
    processor = cls.__new__(cls)
    vars(processor).update(content)
    return processor
