"""`finetune merge`: a run's adapter and its base as one ordinary model folder, compared before it gets its name.

The comparison opens the written folder as any other model, so it also sees weights that were lost on the way to disk.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import snapshot_download
from numpy.typing import NDArray
from transformers import AutoConfig

from finetune.adapter_card import card_of_run, check_model
from finetune.batch import IGNORED, ChatEncoder
from finetune.cases import read_test_examples
from finetune.config import ModelConfig, RunConfig
from finetune.console import Screen
from finetune.generate import write_reports
from finetune.manifest import ADAPTER, CARD_FILE
from finetune.models.loading import LoadedModel, count_parameters, free_memory, load_adapter, load_base, set_threads
from finetune.models.source import resolve_source, weights_digest
from xray.errors import ConfigError, ReproductionError
from xray.records import write_record
from xray.types import Example

TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 5e-2}
"""Largest difference of a logit that rounding explains, as a share of the largest logit."""
_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
_ROOM = 1.05  # weights beside tokenizer and configuration
_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.gguf", "*.h5", "*.msgpack", "*.index.json", "*.py", ".*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a model says of the same studies: the logits of each reference report, float32 [T, V], and its own words."""

    logits: list[NDArray[np.float32]]
    texts: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far two models are apart: the largest difference of a logit, the largest logit, and how many texts agree."""

    largest: float
    scale: float
    same_texts: int
    of: int

    def __str__(self) -> str:
        return f"logits differ by at most {self.largest:.2g}, {self.same_texts} of {self.of} reports are equal"


def merge_run(folder: Path, out: Path, *, config: RunConfig, dtype: str, samples: int, screen: Screen) -> None:
    """Write the merged model of a run to `out`, in `dtype` (`auto`: the base's own).

    Raises ConfigError for an `out` that is in use or has no room, a base that is another one or that is itself stored
    quantised; ReproductionError, with nothing left behind, when the merged weights do not say what the adapter says.
    """
    card = card_of_run(folder, config=config)
    check_model(card, settings=config.model, base_sha256=weights_digest(config.model))
    set_threads(config.train.num_threads)
    chosen = _stored_dtype(config.model) if dtype == "auto" else dtype
    in_full = {"quantization_bit": None, "vision_tower_bit": None, "offload_embedding": False, "compute_dtype": chosen}
    whole = config.model.model_copy(update=in_full)
    _check_place(out, needed=int(count_parameters(whole) * _BYTES[chosen] * _ROOM))
    examples = read_test_examples(folder, config=config.data)[:samples]
    held, adapter = _how_held(config.model), folder / ADAPTER
    trained = None
    if held:
        with screen.stage(f"Reading with the adapter on the base {held}", key="trained"):
            trained = _outputs(load_adapter(load_base(config.model), adapter), examples=examples, config=config)
            free_memory()
    with _written_whole(out) as part:
        with screen.stage(f"Merging in {chosen}", key="merge"):
            adapted = _merge(whole, adapter=adapter, part=part, examples=examples, config=config)
            free_memory()
            write_record(part / CARD_FILE, card)
        with screen.stage("Reading with the merged weights", key="merged"):
            reopened = whole.model_copy(update={"model_name_or_path": str(part), "revision": None})
            merged = _outputs(load_base(reopened), examples=examples, config=config)
        difference = compare(adapted, merged)
        tolerance = TOLERANCE[chosen] * difference.scale
        screen.say(f"Adapter and merged weights: {difference} (tolerance {tolerance:.2g}).")
        if not difference.largest <= tolerance:
            raise ReproductionError(
                f"the merged weights do not say what the adapter says: {difference}, tolerance {tolerance:.2g}. "
                f"Nothing was written to {out}. Try --dtype float32."
            )
    if trained:
        screen.say(f"The adapter was trained on a base {held}. Against that: {compare(trained, merged)}.")


def _how_held(settings: ModelConfig) -> str:
    """Return what of a base is not held in full, empty for nothing."""
    bits, tower = settings.quantization_bit, settings.vision_tower_bit
    words = [f"in {bits} bits" if bits else "", f"with its vision tower in {tower} bits" if tower else ""]
    return " ".join(word for word in words if word)


def compare(first: Outputs, second: Outputs) -> Difference:
    """Compare two models' outputs on the same studies."""
    pairs = list(zip(first.logits, second.logits, strict=True))
    return Difference(
        largest=max(float(np.abs(a - b).max()) for a, b in pairs),
        scale=max(float(np.abs(a).max()) for a, _ in pairs),
        same_texts=sum(a == b for a, b in zip(first.texts, second.texts, strict=True)),
        of=len(pairs),
    )


def _merge(
    settings: ModelConfig, *, adapter: Path, part: Path, examples: Sequence[Example], config: RunConfig
) -> Outputs:
    """Write base and adapter as one to `part`; return what they said before, as two."""
    base = load_base(settings)
    if getattr(base.model.config, "quantization_config", None):
        raise ConfigError(
            f"{settings.model_name_or_path!r} is stored quantised: nothing can be added to its weights. Train on the "
            "original in 16 bits, with model.quantization_bit=4."
        )
    tuned = load_adapter(base, adapter)
    outputs = _outputs(tuned, examples=examples, config=config)
    try:
        tuned.model.merge_and_unload(safe_merge=True).save_pretrained(part)
    except ValueError as error:  # a weight that is no number
        raise ConfigError(f"{adapter} cannot be merged: {str(error).splitlines()[0]}") from error
    for path in _files_beside_weights(settings):
        if not (part / path.name).exists():
            shutil.copyfile(path, part / path.name)
    return outputs


@torch.inference_mode()
def _outputs(loaded: LoadedModel, *, examples: Sequence[Example], config: RunConfig) -> Outputs:
    loaded.model.eval()
    encoder = ChatEncoder(processor=loaded.processor, image_size=config.model.image_size)
    logits, texts = [], []
    for example in examples:
        encoded = encoder.encode(example, encoder.load_pixels(example))
        told = int((encoded["labels"] != IGNORED).sum())
        inputs = {name: value.to(loaded.model.device) for name, value in encoded.items()}
        found = loaded.model(**inputs).logits[0, -told:]  # with labels: some models read the report in a decoder apart
        logits.append(found.float().cpu().numpy())
        (report,) = write_reports([example], loaded=loaded, encoder=encoder, settings=config.generate)
        texts.append(report.text)
    return Outputs(logits=logits, texts=texts)


def _stored_dtype(settings: ModelConfig) -> str:
    """Return the type that the base's weights are stored in, float32 where its configuration does not say."""
    config = AutoConfig.from_pretrained(resolve_source(settings), revision=settings.revision, trust_remote_code=False)
    name = str(config.dtype or config.get_text_config().dtype).removeprefix("torch.")
    return name if name in _BYTES else "float32"


def _files_beside_weights(settings: ModelConfig) -> list[Path]:
    """Return the base's tokenizer, processor and template files, which stay as they are."""
    source = Path(resolve_source(settings))
    if not source.is_dir():
        source = Path(snapshot_download(str(source), revision=settings.revision, ignore_patterns=list(_WEIGHTS)))
    return [
        path
        for path in sorted(source.iterdir())
        if path.is_file() and not any(path.match(pattern) for pattern in _WEIGHTS)
    ]


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
