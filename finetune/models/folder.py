"""Is a model folder whole? Asked before any library opens it, so that the answer is one line that says what to do."""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bitsandbytes.nn import Linear4bit, Linear8bitLt
from torch import nn
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from finetune.models.minigpt4.checkpoint import is_parts_folder
from finetune.models.registry import register_families
from xray.errors import ConfigError

_WEIGHTS = (".safetensors", ".bin", ".pth", ".pt")
_TEXTS = (".json", ".jinja", ".model", ".txt", ".tiktoken")
_TOKENIZERS = ("tokenizer.json", "vocab.*", "*.model", "*.tiktoken")
_POINTER = b"version https://git-lfs"
_FETCH = "Download the model again, whole"


def check_folder(folder: Path) -> None:
    """Raise ConfigError for a folder that is no model, or not a whole one, or not one this kit can open."""
    _check_files(folder)
    if is_parts_folder(folder):  # it has no config.json
        return
    _check_kind(folder, _read_config(folder))
    _check_there(folder)
    _check_tokenizer(folder)


def check_part(folder: Path, *, tokenizer: bool = False, image_processor: bool = False) -> str:
    """Raise ConfigError for a folder that is no whole part of a model, with what goes with it; return its model_type.

    The model_type is "" for a bridge, which has none.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder. Name one that is there.")
    _check_files(folder)
    config = _read_config(folder)
    _check_there(folder)
    if tokenizer:
        _check_tokenizer(folder)
    if image_processor and not (folder / "preprocessor_config.json").is_file():
        raise ConfigError(f"{folder} lacks preprocessor_config.json, which says how films become its input. {_FETCH}.")
    return str(config.get("model_type", ""))


def check_adapter(folder: Path) -> None:
    """Raise ConfigError for an adapter whose files are not there, or not whole."""
    again = "Bring the file back, or delete the run's training.json and adapter, and `finetune run` again"
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        path = folder / name
        if not path.is_file():
            raise ConfigError(f"{folder} lacks {name}: the adapter is not whole. {again}.")
        if not _is_whole(path):
            raise ConfigError(f"{path} is not whole: {_why(path)}. {again}.")


def _check_files(folder: Path) -> None:
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        if path.suffix in (*_WEIGHTS, *_TEXTS) and not _is_whole(path):
            raise ConfigError(f"{path} is not whole: {_why(path)}. {_FETCH}.")


def _check_there(folder: Path) -> None:
    weights = {path.name for path in folder.iterdir() if path.is_file() and path.suffix in _WEIGHTS}
    for index in folder.glob("*.index.json"):
        named = set(_read_json(index).get("weight_map", {}).values())
        if missing := sorted(named - weights):
            raise ConfigError(f"{folder} lacks {missing[0]}{_and_others(missing)}, which {index.name} names. {_FETCH}.")
    if not weights:
        raise ConfigError(f"{folder} holds no weights ({', '.join(_WEIGHTS)}). {_FETCH}.")


def _check_tokenizer(folder: Path) -> None:
    if not any(any(folder.glob(pattern)) for pattern in _TOKENIZERS):
        raise ConfigError(f"{folder} holds no tokenizer ({', '.join(_TOKENIZERS)}). {_FETCH}.")


def check_weights(model: nn.Module, report: Mapping[str, Iterable[Any]], *, name: str) -> None:
    """Raise ConfigError when a loaded model got random values for lack of weights that fit it.

    `report`: what `from_pretrained` tells with `output_loading_info`.
    """
    mismatched = {key for key, *_ in report["mismatched_keys"]}
    if lacking := sorted({*report["missing_keys"], *mismatched, *_misshapen(model)}):
        raise ConfigError(
            f"{name} has no weights that fit {lacking[0]}{_and_others(lacking)}: its config.json belongs to another "
            f"model, or a part of it was not downloaded. {_FETCH}."
        )


def _misshapen(model: nn.Module) -> Iterator[str]:
    """Yield the quantised layers whose weights have another shape than the layer: bitsandbytes takes any."""
    for name, module in model.named_modules():
        if isinstance(module, Linear4bit | Linear8bitLt):
            state = getattr(module.weight, "quant_state", None)
            if (state.shape if state else module.weight.shape) != (module.out_features, module.in_features):
                yield name


def _read_config(folder: Path) -> dict[str, Any]:
    if not (folder / "config.json").is_file():
        if (folder / "adapter_config.json").is_file():
            raise ConfigError(f"{folder} holds an adapter, not a model. Name the base model it was trained on.")
        raise ConfigError(f"{folder} holds no config.json: it is no model folder. Name the folder that has one.")
    return _read_json(folder / "config.json")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not whole: {_why(path)}. {_FETCH}.") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} is not what it should be: no JSON object. {_FETCH}.")
    return content


def _check_kind(folder: Path, config: dict[str, Any]) -> None:
    """Raise ConfigError unless transformers, or a family of ours, has an image-chat model of this model_type."""
    register_families()
    name = config.get("model_type")
    if name not in CONFIG_MAPPING:
        if "auto_map" in config:
            raise ConfigError(
                f"{folder}: model_type {name!r} runs only with code of its own, which this kit never executes. "
                "Choose a model from `finetune models list`, or a version converted for transformers (often named -hf)."
            )
        raise ConfigError(
            f"{folder}: model_type {name!r} is not known to this version of transformers. Upgrade transformers, or "
            "choose a model from `finetune models list`."
        )
    if CONFIG_MAPPING[name] not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise ConfigError(
            f"{folder}: model_type {name!r} is no image-chat model: it reads no films. Choose one from "
            "`finetune models list`."
        )


def _is_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        start = stream.read(len(_POINTER))
    whole = start != _POINTER and (bool(start) or path.suffix in (".txt", ".jinja"))
    if whole and path.suffix == ".safetensors":
        whole = _safetensors_is_whole(path)
    elif whole and path.suffix in _WEIGHTS and start.startswith(b"PK"):
        whole = zipfile.is_zipfile(path)  # its directory is the last thing in the file
    return whole


def _safetensors_is_whole(path: Path) -> bool:
    """Return whether the header, whose length the first 8 bytes tell, and all tensors that it lists are there."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 + length:
            return False
        try:
            header = json.loads(stream.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
    return size >= 8 + length + max(ends, default=0)


def _why(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(len(_POINTER))
    if not start:
        return "it is empty"
    if start == _POINTER:
        return "it is a Git LFS pointer, and the content was never fetched (git lfs pull)"
    return "the download was cut short or the file is damaged"


def _and_others(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
