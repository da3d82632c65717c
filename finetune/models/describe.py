"""What `finetune models show` tells about a model folder or a model of the catalogue; no weight is read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment

from finetune.batch import ChatEncoder
from finetune.config import AdapterConfig, ModelConfig
from finetune.models.architecture import Architecture, measure
from finetune.models.catalogue import CatalogueEntry, find_entry
from finetune.models.folder import check_folder
from finetune.models.loading import adapter_targets, build_on_meta
from finetune.models.parts import find_parts
from finetune.models.processing import load_processor
from finetune.models.source import resolve_source
from finetune.models.templates import DEFAULT_TEMPLATES
from xray.errors import ConfigError
from xray.types import Example, Turn

QUESTION = "详细描述这张胸部X光片的诊断结果"  # XrayGLM's
PREPARED_SIZE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A model without its weights. What is None or empty is not known."""

    name: str
    entry: CatalogueEntry | None = None
    architecture: Architecture | None = None
    targets: tuple[str, ...] = ()
    """Last names of the layers that get an adapter by default."""
    image_size: int | None = None
    """Side in px of the square film that `image_tokens` belongs to."""
    image_tokens: int | None = None
    prompt: str | None = None
    """One film and XrayGLM's question, in the model's chat template."""


def describe(name: str, *, image_size: int | None = None) -> Description:
    """Describe the model of a folder, or one of the catalogue that is not here.

    `image_size`: side in px of the square film whose tokens are counted; by default the model's own.
    Raises ConfigError for a name that is neither, and for a folder that is no image-chat model.
    """
    entry = find_entry(name)
    if entry is None or Path(name).is_dir():
        return _describe_folder(name, image_size=image_size or PREPARED_SIZE)
    size = image_size or entry.image_size
    return Description(
        name=entry.hub_id,
        entry=entry,
        architecture=entry.architecture,
        image_size=size,
        image_tokens=entry.tokens_at(size) if size else None,
        prompt=_default_prompt(entry.model_type),
    )


def _describe_folder(name: str, *, image_size: int) -> Description:
    settings = ModelConfig(model_name_or_path=name)
    try:
        source = resolve_source(settings)
    except ConfigError as error:
        raise ConfigError(
            f"{name!r} is neither a folder here nor a model of the catalogue: finetune models list shows those."
        ) from error
    if Path(source).is_dir():
        check_folder(Path(source))
    model = build_on_meta(source)
    targets = adapter_targets(find_parts(model), settings=settings, adapter=AdapterConfig())
    encoder = ChatEncoder(processor=load_processor(source))
    film = np.zeros((image_size, image_size), dtype=np.uint8)
    with_film, without = (encoder.encode_prompt(_question(films), [film] * films)["input_ids"] for films in (1, 0))
    return Description(
        name=name,
        architecture=measure(model),
        targets=tuple(sorted({target.rsplit(".", 1)[-1] for target in targets})),
        image_size=image_size,
        image_tokens=with_film.shape[1] - without.shape[1],
        prompt=encoder.prompt(_question(1)),
    )


def _question(films: int) -> Example:
    return Example(
        example_id="sample",
        study_uid="sample",
        patient_key="sample",
        images=tuple(Path(f"{number}.png") for number in range(films)),
        views=tuple("unknown" for _ in range(films)),
        messages=(Turn(role="user", text=QUESTION),),
        target="",
        language="zh",
        origin="radiologist",
        split="test",
    )


def _default_prompt(model_type: str) -> str | None:
    template = DEFAULT_TEMPLATES.get(model_type)
    if template is None:
        return None
    question = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}
    return (
        Environment(autoescape=False, trim_blocks=True, lstrip_blocks=True)
        .from_string(template)
        .render(messages=[question], add_generation_prompt=True)
    )
