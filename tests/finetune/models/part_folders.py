"""Tiny vision encoders and language models with random weights: parts of a composed model."""

from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import (
    CLIPConfig,
    CLIPModel,
    Dinov2Config,
    Dinov2Model,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    Qwen2Config,
    Qwen2ForCausalLM,
    SiglipVisionConfig,
    SiglipVisionModel,
    ViTConfig,
    ViTModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from finetune.models.tiny import build_tokenizer
from tests.finetune.models.path import REPORTS

TOWER = {"image_size": 28, "patch_size": 14, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2} | {
    "intermediate_size": 48
}
TEXT = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2} | {
    "num_key_value_heads": 2,
    "initializer_range": 0.15,
}
ASCII = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.#:</> "


def write_clip(folder: Path) -> None:
    torch.manual_seed(0)
    text = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 1}
    CLIPModel(CLIPConfig(vision_config=TOWER, text_config=text | {"vocab_size": 99})).save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}, do_center_crop=True
    ).save_pretrained(folder)


def write_siglip(folder: Path) -> None:
    torch.manual_seed(0)
    SiglipVisionModel(SiglipVisionConfig(**TOWER)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)


def write_dinov2(folder: Path) -> None:
    torch.manual_seed(0)
    Dinov2Model(Dinov2Config(**TOWER)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)


def write_vit(folder: Path) -> None:
    torch.manual_seed(0)
    ViTModel(ViTConfig(**TOWER)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)


def write_qwen(folder: Path) -> None:
    """A chat model with tied embeddings, a chat template for texts and a free row in its embedding table."""
    tokenizer = build_tokenizer(REPORTS, vocab_size=320)
    tokenizer.chat_template = (
        "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    torch.manual_seed(0)
    config = Qwen2Config(vocab_size=len(tokenizer) + 8, tie_word_embeddings=True, **TEXT)
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def build_llama_tokenizer(letters: Iterable[str] = ()) -> LlamaTokenizer:
    """Return Llama's tokenizer with the letters of English and `letters`: what is no letter is spelled in bytes."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *ASCII]
    pieces += sorted({*letters} - {*pieces})
    return LlamaTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[], add_bos_token=True)


def write_llama(folder: Path, letters: Iterable[str] = ()) -> None:
    """A model without a chat template, whose tokenizer fills its embedding table."""
    tokenizer = build_llama_tokenizer(letters)
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **TEXT)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
