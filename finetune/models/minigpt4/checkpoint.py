"""The parts MiniGPT-4 is published in, read as one set of weights under the native names.

    FOLDER/eva_vit_g.pth                  vision tower: EVA-CLIP ViT-g/14 (bare names)
    FOLDER/blip2_pretrained_*.pth         Q-Former, query tokens and the tower's last LayerNorm (in `model`)
    FOLDER/pretrained_minigpt4*.pth       `llama_proj`, the only layer that MiniGPT-4 trains (in `model`)
    FOLDER/vicuna/                        Vicuna as a Hugging Face folder
    FOLDER/shapes.json                    sizes, where they are not the published ones

Nothing is copied: files are mapped into memory, and each tensor is read when the model takes it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from transformers import AutoConfig, Blip2QFormerConfig, Blip2VisionConfig

from xray.errors import ConfigError

Weights = dict[str, Any]
"""Native name -> tensor, or a slice of a safetensors file that becomes one when indexed."""

VISION, BRIDGE, PROJECTION, LANGUAGE = "eva_vit_g.pth", "blip2_pretrained*.pth", "pre*rained_minigpt4*.pth", "vicuna"
IMAGE_PLACE = 0
"""Llama's `<unk>`, which its tokenizer never writes: an unknown character is spelled in bytes."""
_VISION_NAMES = {
    "cls_token": "embeddings.class_embedding",
    "pos_embed": "embeddings.position_embedding",
    "patch_embed.proj": "embeddings.patch_embedding",
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "attn.qkv": "self_attn.qkv",
    "attn.proj": "self_attn.projection",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_VISION_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")
_PROJECTION_NAME = re.compile(r"(^|\.)language_projection\.(weight|bias)$")
_TEXT_BRANCH = re.compile(r"layer\.\d+\.(intermediate|output)\.")


def is_parts_folder(folder: Path) -> bool:
    """Return True for a folder of published parts: a projection checkpoint, and no configuration of a whole model."""
    return any(folder.glob(PROJECTION)) and not (folder / "config.json").is_file()


# Frozen, and so without dropout in training too.
_NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def read_settings(folder: Path) -> dict[str, Any]:
    """Return the sub-configurations and the number of query tokens, for the model's configuration.

    Raises ConfigError where a part is missing.
    """
    shapes = folder / "shapes.json"
    sizes = json.loads(shapes.read_text(encoding="utf-8")) if shapes.is_file() else {"vision": {}, "qformer": {}}
    bridge = dict(sizes["qformer"])
    queries = bridge.pop("num_query_tokens", 32)
    vision = Blip2VisionConfig(**sizes["vision"])
    language = folder / LANGUAGE
    if not (language / "config.json").is_file():
        raise ConfigError(
            f"{language} is no Hugging Face folder: put Vicuna's config.json, weights and tokenizer there"
        )
    return {
        "vision_config": vision,
        "qformer_config": Blip2QFormerConfig(**_NO_DROPOUT, **bridge, encoder_hidden_size=vision.hidden_size),
        "text_config": AutoConfig.from_pretrained(language, trust_remote_code=False),
        "num_query_tokens": queries,
        "image_token_index": IMAGE_PLACE,
    }


def read_weights(folder: Path) -> Weights:
    """Return the weights of all parts under native names. Raises ConfigError where a part is missing or cut short."""
    depth = read_settings(folder)["vision_config"].num_hidden_layers
    projection = _read_part(folder, PROJECTION)
    return {
        **_vision_weights(_read_part(folder, VISION), depth=depth),
        **_bridge_weights(_read_part(folder, BRIDGE)),
        **{f"language_projection.{kind}": projection[f"llama_proj.{kind}"] for kind in ("weight", "bias")},
        **{f"language_model.{name}": tensor for name, tensor in _language_weights(folder / LANGUAGE)},
    }


def export_projection(adapter: Path, path: Path) -> None:
    """Write the projection that an adapter folder holds as the original code reads it: what users of MiniGPT-4 share.

    Raises ConfigError when the adapter did not train it in full.
    """
    try:
        learnt = load_file(adapter / "adapter_model.safetensors")
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{adapter} is no adapter: name a run folder, or the adapter folder in it") from error
    layer = {name.rpartition(".")[2]: tensor for name, tensor in learnt.items() if _PROJECTION_NAME.search(name)}
    if not layer:
        raise ConfigError(f"{adapter} has no projection: train with adapter.modules_to_save=[language_projection]")
    save_projection(layer, path)


def save_projection(layer: Weights, path: Path) -> None:
    """Write `weight` and `bias` of the projection in the original's format."""
    torch.save({"model": {f"llama_proj.{name}": tensor.detach().cpu() for name, tensor in layer.items()}}, path)


def _vision_weights(part: Weights, *, depth: int) -> Weights:
    """Rename the tower. The published file has one block more than is used, and a head."""
    weights = {}
    for name, tensor in part.items():
        block = _VISION_BLOCK.fullmatch(name)
        if block and int(block[1]) >= depth:
            continue
        place, inner = (f"encoder.layers.{block[1]}.", block[2]) if block else ("", name)
        stem, _, kind = inner.rpartition(".")
        if inner in _VISION_NAMES:
            weights[f"vision_model.{_VISION_NAMES[inner]}"] = tensor
        elif stem in _VISION_NAMES:
            weights[f"vision_model.{place}{_VISION_NAMES[stem]}.{kind}"] = tensor
        elif inner == "attn.q_bias":  # keys have no bias
            bias = torch.cat([tensor, torch.zeros_like(tensor), part[name.replace("q_bias", "v_bias")]])
            weights[f"vision_model.{place}self_attn.qkv.bias"] = bias
    return weights


def _bridge_weights(part: Weights) -> Weights:
    """Rename the Q-Former and leave out its text branch, which answers no image."""
    weights = {"query_tokens": part["query_tokens"]}
    for kind in ("weight", "bias"):
        weights[f"vision_model.post_layernorm.{kind}"] = part[f"ln_vision.{kind}"]
        weights[f"qformer.layernorm.{kind}"] = part[f"Qformer.bert.embeddings.LayerNorm.{kind}"]
    layers = "Qformer.bert.encoder."
    for name, tensor in part.items():
        inner = name.removeprefix(layers)
        if name.startswith(layers) and not _TEXT_BRANCH.match(inner):
            weights[f"qformer.encoder.{inner.replace('attention.self.', 'attention.attention.')}"] = tensor
    return weights


def _read_part(folder: Path, pattern: str) -> Weights:
    found = sorted(folder.glob(pattern))
    if not found:
        raise ConfigError(f"{folder} has no {pattern}: put MiniGPT-4's published parts into one folder")
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ConfigError(f"{folder} holds more than one {pattern} ({names}): leave the one that is meant")
    (path,) = found
    content = _read_pickle(path)
    part: Weights = content.get("model", content)
    return part


def _read_pickle(path: Path) -> Weights:
    """Map a checkpoint of torch into memory; one in the format from before 2020 is read whole."""
    try:
        with path.open("rb") as stream:
            mapped = stream.read(2) == b"PK"
        weights: Weights = torch.load(path, map_location="cpu", mmap=mapped, weights_only=True)
    except (OSError, RuntimeError, UnpicklingError, EOFError) as error:
        raise ConfigError(f"{path} cannot be read as a checkpoint: download it again") from error
    return weights


def _language_weights(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield the name of each weight of a Hugging Face folder, whole or in shards, with the weight."""
    for path in _language_files(folder):
        if path.suffix == ".safetensors":
            try:
                stream: Any = safe_open(path, framework="pt")
                names = list(stream.keys())
            except (OSError, SafetensorError) as error:
                raise ConfigError(f"{path} cannot be read as a checkpoint: download it again") from error
            yield from ((name, stream.get_slice(name)) for name in names)
        else:
            yield from _read_pickle(path).items()


def _language_files(folder: Path) -> list[Path]:
    for whole in ("model.safetensors", "pytorch_model.bin"):
        index = folder / f"{whole}.index.json"
        if index.is_file():
            shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
            paths = [folder / name for name in sorted(set(shards))]
        elif (folder / whole).is_file():
            paths = [folder / whole]
        else:
            continue
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise ConfigError(f"{folder} lacks {', '.join(missing)}: download it again")
        return paths
    raise ConfigError(f"{folder} has no weights: put Vicuna's model.safetensors or pytorch_model.bin there")
