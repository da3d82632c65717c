"""A tiny MiniGPT-4 with random weights, in the parts that it was published in."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import Blip2QFormerConfig, Blip2VisionConfig, LlamaConfig

from finetune.models.minigpt4.checkpoint import save_projection
from finetune.models.minigpt4.modeling import MiniGPT4Config, MiniGPT4ForConditionalGeneration
from tests.finetune.models.part_folders import build_llama_tokenizer

SHAPES = {
    "vision": {"image_size": 28, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    | {"intermediate_size": 48, "patch_size": 14, "initializer_range": 0.2},
    "qformer": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48},
}
QUERIES = 4
# Native name -> original name of the vision tower, and of the Q-Former.
TO_EVA = {
    r"embeddings\.class_embedding": "cls_token",
    r"embeddings\.position_embedding": "pos_embed",
    r"embeddings\.patch_embedding": "patch_embed.proj",
    r"encoder\.layers\.(\d+)\.self_attn\.projection": r"blocks.\1.attn.proj",
    r"encoder\.layers\.(\d+)\.self_attn": r"blocks.\1.attn",
    r"encoder\.layers\.(\d+)\.layer_norm": r"blocks.\1.norm",
    r"encoder\.layers\.(\d+)\.mlp": r"blocks.\1.mlp",
}
TO_BERT = {
    r"^layernorm": "Qformer.bert.embeddings.LayerNorm",
    r"^encoder": "Qformer.bert.encoder",
    r"attention\.attention\.": "attention.self.",
}


def native_model(letters: Iterable[str] = ()) -> MiniGPT4ForConditionalGeneration:
    """Return the model. `letters`: what its tokenizer knows beside English."""
    torch.manual_seed(0)
    config = MiniGPT4Config(
        vision_config=Blip2VisionConfig(**SHAPES["vision"]),
        qformer_config=Blip2QFormerConfig(**SHAPES["qformer"]),
        text_config=LlamaConfig(
            vocab_size=len(build_llama_tokenizer(letters)),
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=2,
            initializer_range=0.15,
        ),
        num_query_tokens=QUERIES,
        image_token_index=0,
    )
    model = MiniGPT4ForConditionalGeneration(config).eval()
    with torch.no_grad():
        model.query_tokens.normal_()
        for layer in model.vision_model.encoder.layers:  # queries and values have a bias, keys have none
            layer.self_attn.qkv.bias.normal_().view(3, -1)[1] = 0
    return model


def _renamed(state: dict[str, torch.Tensor], names: dict[str, str]) -> dict[str, torch.Tensor]:
    out = {}
    for name, tensor in state.items():
        for native, original in names.items():
            name = re.sub(native, original, name)
        out[name] = tensor.clone()
    return out


def write_parts(model: MiniGPT4ForConditionalGeneration, folder: Path, letters: Iterable[str] = ()) -> None:
    """Write the published parts, with all that they hold and MiniGPT-4 does not use."""
    eva = _renamed(model.vision_model.state_dict(), TO_EVA)
    norm = {f"ln_vision.{kind}": eva.pop(f"post_layernorm.{kind}") for kind in ("weight", "bias")}
    for name in [name for name in eva if name.endswith("qkv.bias")]:
        queries, _, values = eva.pop(name).chunk(3)
        eva |= {name.replace("qkv.bias", "q_bias"): queries, name.replace("qkv.bias", "v_bias"): values}
    unused = {name.replace("blocks.1", "blocks.2"): tensor for name, tensor in eva.items() if "blocks.1" in name}
    torch.save({**eva, **unused, "head.weight": torch.zeros(3)}, folder / "eva_vit_g.pth")
    bridge = {"query_tokens": model.query_tokens.detach(), **norm, **_renamed(model.qformer.state_dict(), TO_BERT)}
    text = {
        f"Qformer.bert.encoder.layer.0.{part}.dense.weight": torch.ones(2, 2) for part in ("intermediate", "output")
    }
    words = {"Qformer.bert.embeddings.word_embeddings.weight": torch.ones(2), "Qformer.cls.bias": torch.ones(2)}
    torch.save({"model": {**bridge, **text, **words}}, folder / "blip2_pretrained_flant5xxl.pth")
    save_projection(model.language_projection.state_dict(), folder / "pretrained_minigpt4.pth")
    model.language_model.save_pretrained(folder / "vicuna")
    build_llama_tokenizer(letters).save_pretrained(folder / "vicuna")
    sizes = {**SHAPES, "qformer": SHAPES["qformer"] | {"num_query_tokens": QUERIES}}
    (folder / "shapes.json").write_text(json.dumps(sizes), encoding="utf-8")
