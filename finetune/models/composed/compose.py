"""`finetune models compose`: a vision tower and a language model become one image-chat model with a new bridge."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    Blip2QFormerConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedModel,
    ProcessorMixin,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from finetune.models.blip2.processing import QueryProcessor
from finetune.models.composed.modeling import ComposedConfig, ComposedForConditionalGeneration
from finetune.models.folder import check_part
from finetune.models.registry import register_families
from finetune.models.templates import with_films
from xray.errors import ConfigError

ImageProcessor = Any
Tokenizer = Any
# Tokens that language models keep for such a use, and Llama's <unk>, which its tokenizer never writes.
_SPARE_TOKENS = ("<image>", "<|image_pad|>", "<|reserved_special_token_0|>", "<unk>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is joined, as it was published. `places`: vectors that the tower gives for one film."""

    tower: PreTrainedModel
    language: PreTrainedModel
    tokenizer: Tokenizer
    image_processor: ImageProcessor
    place: str
    places: int

    @property
    def place_id(self) -> int:
        """The id that holds a film's places in a text."""
        return int(self.tokenizer.convert_tokens_to_ids(self.place))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A Q-Former: its shape, and its weights by their names in the composed model, where it has learnt before."""

    config: Blip2QFormerConfig
    num_query_tokens: int = 32
    weights: dict[str, torch.Tensor] | None = None


def read_parts(vision: Path, language: Path) -> Parts:
    """Load the parts in the type they are stored in. Raises ConfigError for a folder that is not such a part."""
    register_families()
    tower = load_tower(vision)
    kind = check_part(language, tokenizer=True)
    if kind not in CONFIG_MAPPING or CONFIG_MAPPING[kind] not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise ConfigError(f"{language}: model_type {kind!r} is no causal language model")
    try:
        model = AutoModelForCausalLM.from_pretrained(language, dtype="auto", trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(language, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        line = str(error).strip().split("\n")[0]
        raise ConfigError(f"{language} is no causal language model that can be loaded: {line}") from error
    image_processor = load_image_processor(vision)
    return Parts(
        tower=tower,
        language=model,
        tokenizer=tokenizer,
        image_processor=image_processor,
        place=_choose_place(tokenizer, vocab_size=model.config.vocab_size),
        places=_count_places(tower, image_processor),
    )


def compose_qformer(parts: Parts, *, bridge: Bridge, folder: Path, seed: int) -> None:
    """Write the model with a Q-Former between its parts. Raises ConfigError for a bridge of another vision tower."""
    config = ComposedConfig(
        vision_config=parts.tower.config,
        qformer_config=bridge.config,
        text_config=parts.language.config,
        num_query_tokens=bridge.num_query_tokens,
        image_token_index=parts.place_id,
    )
    with torch.device("meta"):
        model = ComposedForConditionalGeneration(config)
    _with_new_bridge(model, ("qformer", "language_projection"), seed=seed)
    queries = torch.randn(model.query_tokens.shape) * config.initializer_range  # all 0, they would stay all alike
    model.query_tokens = nn.Parameter(queries)
    try:
        model.load_state_dict(bridge.weights or {}, strict=False)
    except RuntimeError as error:
        raise ConfigError(
            f"the bridge was trained on another vision tower than this, of width {parts.tower.config.hidden_size}"
        ) from error
    model.vision_model, model.language_model = parts.tower, parts.language
    processor = QueryProcessor(
        parts.image_processor,
        parts.tokenizer,
        num_query_tokens=bridge.num_query_tokens,
        image_token_id=parts.place_id,
        chat_template=with_films(parts.tokenizer.chat_template, mark="<image>"),
    )
    _save(model, processor, folder=folder)


def compose_mlp(parts: Parts, *, folder: Path, seed: int) -> None:
    """Write the model with LLaVA's two layers between its parts: one place for each patch of the film."""
    grid = parts.tower.config.image_size // parts.tower.config.patch_size
    extra = parts.places - grid * grid
    config = LlavaConfig(
        vision_config=parts.tower.config,
        text_config=parts.language.config,
        image_token_index=parts.place_id,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default" if extra == 1 else "full",  # one extra is the class token: left out
        image_seq_length=parts.places - (extra == 1),
        tie_word_embeddings=parts.language.config.tie_word_embeddings,
    )
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(config)
    _with_new_bridge(model, ("model.multi_modal_projector",), seed=seed)
    model.model.vision_tower, model.model.language_model = parts.tower, parts.language.base_model
    model.lm_head = parts.language.get_output_embeddings()
    processor = LlavaProcessor(
        parts.image_processor,
        parts.tokenizer,
        patch_size=parts.tower.config.patch_size,
        vision_feature_select_strategy=config.vision_feature_select_strategy,
        num_additional_image_tokens=extra,
        image_token=parts.place,
        chat_template=with_films(parts.tokenizer.chat_template, mark=parts.place),
    )
    _save(model, processor, folder=folder)


def new_bridge(parts: Parts) -> Bridge:
    """Return a Q-Former of BLIP-2's size that looks at these parts' tower and has learnt nothing."""
    return Bridge(config=Blip2QFormerConfig(encoder_hidden_size=parts.tower.config.hidden_size))


def read_bridge(folder: Path) -> Bridge:
    """Read a Q-Former that has learnt: a folder of `finetune models align`, or of a BLIP-2.

    Raises ConfigError when the folder is neither.
    """
    check_part(folder)
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = Blip2QFormerConfig(**{**content["qformer_config"], "use_qformer_text_input": False})
        weights: dict[str, torch.Tensor] = {}
        for path in sorted(folder.glob("*.safetensors")):
            with safe_open(path, framework="pt") as stream:
                names = [name for name in stream.keys() if name.startswith("qformer.") or name == "query_tokens"]  # noqa: SIM118
                weights |= {name: stream.get_tensor(name) for name in names if not _of_the_text_branch(name)}
        return Bridge(config=config, num_query_tokens=weights["query_tokens"].shape[1], weights=weights)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"{folder} holds no Q-Former: name a folder of `finetune models align`") from error


def _of_the_text_branch(name: str) -> bool:
    return ".intermediate." in name or (".output." in name and "attention.output." not in name)


def load_tower(folder: Path) -> PreTrainedModel:
    """Load the vision tower; of a model with a text half, such as CLIP, the vision half."""
    check_part(folder, image_processor=True)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        config = getattr(config, "vision_config", config)
        tower, report = AutoModel.from_pretrained(
            folder, config=config, dtype="auto", trust_remote_code=False, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ConfigError(f"{folder} is no vision tower: {str(error).strip().split(chr(10))[0]}") from error
    missing = [name for name in report["missing_keys"] if "pooler" not in name and "head" not in name]
    if missing or not hasattr(config, "image_size"):
        raise ConfigError(f"{folder} is no vision tower that can be joined: {(missing or ['no image size'])[0]}")
    return tower


def load_image_processor(folder: Path) -> ImageProcessor:
    """Load the processor that makes films fit for the tower. Raises ConfigError where there is none."""
    try:
        return AutoImageProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        line = str(error).strip().split("\n")[0]
        raise ConfigError(f"{folder} has no image processor that can be loaded: {line}") from error


def _count_places(tower: PreTrainedModel, image_processor: ImageProcessor) -> int:
    side = tower.config.image_size
    sizes = {image_processor.size.get("height"), (getattr(image_processor, "crop_size", None) or {}).get("height")}
    if side not in {*sizes, image_processor.size.get("shortest_edge")}:
        raise ConfigError(f"the image processor does not make films of {side} x {side} pixels, as the tower wants")
    with torch.inference_mode():
        blank = torch.zeros(1, 3, side, side, dtype=tower.dtype)
        return int(tower(pixel_values=blank).last_hidden_state.shape[1])


def _choose_place(tokenizer: Tokenizer, *, vocab_size: int) -> str:
    """Return the token that holds a film's places; a new one where the embedding table has a free row."""
    known = tokenizer.get_vocab()
    for token in _SPARE_TOKENS:
        if token in known:
            return token
    if len(tokenizer) >= vocab_size:
        raise ConfigError("the language model's tokenizer has no spare token that could hold the place of a film")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    return "<image>"


def _with_new_bridge(model: PreTrainedModel, names: Sequence[str], *, seed: int) -> None:
    """Give the modules of a model on the meta device that make its bridge weights drawn from `seed`."""
    torch.manual_seed(seed)
    for name in names:
        part: nn.Module = model.get_submodule(name)
        part.to_empty(device="cpu").apply(model._init_weights)


def _save(model: PreTrainedModel, processor: ProcessorMixin, *, folder: Path) -> None:
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
