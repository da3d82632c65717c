"""`finetune merge`: a run's adapter and its base as one ordinary model folder, compared before it gets its name.

An adapter that learned on a base in 4 bits belongs to that base's rounded weights, so it is these that it is added to.
The comparison opens the written folder as any other model, so it also sees weights that were lost on the way to disk.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from torch import nn

from finetune.adapter_card import card_of_run, check_model
from finetune.cases import read_test_examples
from finetune.config import ModelConfig, RunConfig
from finetune.console import Screen
from finetune.manifest import ADAPTER, CARD_FILE
from finetune.models.loading import (
    LoadedModel,
    compute_dtype,
    count_parameters,
    free_memory,
    load_adapter,
    load_base,
    set_threads,
)
from finetune.models.minigpt4.checkpoint import is_parts_folder
from finetune.models.registry import read_config
from finetune.models.rounding import QuantisedLayer, quantised_layers, round_weights
from finetune.models.source import resolve_source, weights_digest
from finetune.parity import TOLERANCE, Outputs, compare, read_outputs
from xray.errors import ConfigError, ReproductionError
from xray.records import write_record
from xray.types import Example

_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
_IN_FULL = {"quantization_bit": None, "vision_tower_bit": None, "offload_embedding": False}
_ROOM = 1.05  # weights beside tokenizer and configuration
_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.gguf", "*.h5", "*.msgpack", "*.index.json", "*.py", ".*")


class BaseWeights(StrEnum):
    """What the adapter is added to, after training in 4 or 8 bits. The same thing where the base was held whole."""

    as_trained = "as-trained"
    original = "original"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A merge: of which run, on which weights of the base, compared on which studies, written in which type."""

    config: RunConfig
    adapter: Path
    weights: BaseWeights
    examples: Sequence[Example]
    dtype: str

    @property
    def whole(self) -> ModelConfig:
        """How the merged model is read."""
        return self.config.model.model_copy(update={**_IN_FULL, "compute_dtype": self.dtype})

    @property
    def answers_as_trained(self) -> bool:
        """True where nothing but rounding parts the merged model from the run. LLM.int8 rounds activations as well."""
        settings = self.config.model
        if settings.quantization_bit == 8:
            return False
        is_whole = settings.quantization_bit is None and settings.vision_tower_bit is None
        return is_whole or self.weights is BaseWeights.as_trained

    @property
    def tolerance(self) -> float:
        """Largest difference of a logit that rounding explains, as a share of the largest logit."""
        computed = str(compute_dtype(self.config.model)).removeprefix("torch.")
        return max(TOLERANCE[self.dtype], TOLERANCE[computed] if self.answers_as_trained else 0)


def merge_run(
    folder: Path,
    out: Path,
    *,
    config: RunConfig,
    weights: BaseWeights,
    dtype: str,
    samples: int,
    screen: Screen,
) -> None:
    """Write the merged model of a run to `out`, in `dtype` (`auto`: the base's own).

    Raises ConfigError for an `out` that is in use or has no room, an adapter that is a prefix, a base that is another
    one or that is itself stored quantised; ReproductionError, with nothing left behind, when the merged weights do not
    say what the adapter says.
    """
    _refuse_prefix(folder, config=config)
    card = card_of_run(folder, config=config)
    check_model(card, settings=config.model, base_sha256=weights_digest(config.model))
    set_threads(config.train.num_threads)
    plan = Plan(
        config=config,
        adapter=folder / ADAPTER,
        weights=weights,
        examples=read_test_examples(folder, config=config.data)[:samples],
        dtype=_stored_dtype(config.model) if dtype == "auto" else dtype,
    )
    _check_place(out, needed=int(count_parameters(plan.whole) * _BYTES[plan.dtype] * _ROOM))
    held = _how_held(config.model)
    with screen.stage(f"Reading with the adapter on the base {held}", key="trained"):
        trained = _read_trained(plan)
    with _written_whole(out) as part:
        with screen.stage(f"Merging in {plan.dtype}", key="merge"):
            adapted = _merge(plan, layers=trained.layers, part=part)
            write_record(part / CARD_FILE, card)
        with screen.stage("Reading with the merged weights", key="merged"):
            reopened = plan.whole.model_copy(update={"model_name_or_path": str(part), "revision": None})
            free_memory()  # of the merged model, whose last names end with `_merge`
            merged = read_outputs(load_base(reopened), examples=plan.examples, config=config)
        _check(plan, adapted or trained.outputs, merged, out=out, screen=screen)
    if adapted:
        screen.say(f"Run as trained (base {held}) and merged weights: {compare(trained.outputs, merged)}.")


def _how_held(settings: ModelConfig) -> str:
    bits, tower = settings.quantization_bit, settings.vision_tower_bit
    words = [f"in {bits} bits" if bits else "", f"with its vision tower in {tower} bits" if tower else ""]
    return " ".join(word for word in words if word) or "as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The run as it was trained: what it says, and which layers of its base are held in fewer bits."""

    outputs: Outputs
    layers: list[QuantisedLayer]


def _read_trained(plan: Plan) -> Trained:
    base = load_base(plan.config.model)
    layers = quantised_layers(base.model)
    outputs = read_outputs(load_adapter(base, plan.adapter), examples=plan.examples, config=plan.config)
    return Trained(outputs=outputs, layers=layers)


def _check(plan: Plan, expected: Outputs, merged: Outputs, *, out: Path, screen: Screen) -> None:
    difference = compare(expected, merged)
    limit = plan.tolerance * difference.scale
    what = "Run as trained" if plan.answers_as_trained else "Adapter on the base that it was merged into"
    screen.say(f"{what} and merged weights: {difference} (tolerance {limit:.2g}).")
    if not difference.largest <= limit:
        raise ReproductionError(
            f"the merged weights do not say what the adapter says: {difference}, tolerance {limit:.2g}. "
            f"Nothing was written to {out}. Try --dtype float32."
        )


def _merge(plan: Plan, *, layers: list[QuantisedLayer], part: Path) -> Outputs | None:
    """Write base and adapter as one to `part`. Return what they say as two, where the run as trained says otherwise."""
    free_memory()
    tuned = load_adapter(_whole_base(plan, layers=layers), plan.adapter)
    outputs = None
    if not plan.answers_as_trained:
        outputs = read_outputs(tuned, examples=plan.examples, config=plan.config)
    try:
        model = tuned.model.merge_and_unload(safe_merge=True)
    except ValueError as error:  # a weight that is no number
        raise ConfigError(f"{plan.adapter} cannot be merged: {str(error).splitlines()[0]}") from error
    _cast(model, getattr(torch, plan.dtype))
    model.save_pretrained(part)
    _write_what_lies_beside(tuned, part=part)
    free_memory()
    return outputs


def _whole_base(plan: Plan, *, layers: list[QuantisedLayer]) -> LoadedModel:
    """Return the base held whole, with the values of training where these are wanted."""
    if plan.weights is BaseWeights.original or not layers:
        return _not_stored_quantised(load_base(plan.whole))
    settings = plan.config.model
    base = _not_stored_quantised(load_base(settings.model_copy(update=_IN_FULL)))
    round_weights(base.model, layers=layers, settings=settings)
    _cast(base.model, torch.promote_types(compute_dtype(settings), getattr(torch, plan.dtype)))  # adds, then rounds
    return base


def _cast(model: nn.Module, dtype: torch.dtype) -> None:
    """Bring every parameter to `dtype`, and no buffer: those of rotary positions want 32 bits."""
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)


def _not_stored_quantised(base: LoadedModel) -> LoadedModel:
    if getattr(base.model.config, "quantization_config", None):
        raise ConfigError(
            f"{base.settings.model_name_or_path!r} is stored quantised: nothing can be added to its weights. Train on "
            "the original in 16 bits, with model.quantization_bit=4."
        )
    return base


def _refuse_prefix(folder: Path, *, config: RunConfig) -> None:
    if config.adapter.type == "p_tuning":
        raise ConfigError(
            f"{folder} trained a prefix (adapter.type p_tuning), which is no change of weights: there is nothing to "
            "merge. `finetune chat` and `finetune serve` take the run as it is."
        )


def _stored_dtype(settings: ModelConfig) -> str:
    """Return the type that the base's weights are stored in, float32 where its configuration does not say."""
    config = read_config(resolve_source(settings), revision=settings.revision)
    name = str(config.dtype or config.get_text_config().dtype).removeprefix("torch.")
    return name if name in _BYTES else "float32"


def _write_what_lies_beside(loaded: LoadedModel, *, part: Path) -> None:
    """Write tokenizer, processor and template: copies of the base's files, which stay as they are."""
    settings = loaded.settings
    source = Path(resolve_source(settings))
    if is_parts_folder(source):  # its files lie elsewhere, under other names
        loaded.processor.save_pretrained(part)
        return
    if not source.is_dir():
        source = Path(snapshot_download(str(source), revision=settings.revision, ignore_patterns=list(_WEIGHTS)))
    for path in sorted(source.iterdir()):
        is_weight = any(path.match(pattern) for pattern in _WEIGHTS)
        if path.is_file() and not is_weight and not (part / path.name).exists():
            shutil.copyfile(path, part / path.name)


def _check_place(out: Path, *, needed: int) -> None:
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ConfigError(f"{out} is in use. Name a folder that is not there yet, or an empty one.")
    out.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(out.parent).free
    if free < needed:
        raise ConfigError(
            f"the merged model needs {needed / 1e9:.1f} GB, and {out.parent} has {free / 1e9:.1f} GB left. Make room, "
            "or name a folder on another disk."
        )


@contextmanager
def _written_whole(out: Path) -> Iterator[Path]:
    """Yield a folder beside `out` that becomes `out` when nothing failed, and is deleted otherwise."""
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        part.mkdir()
        yield part
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
