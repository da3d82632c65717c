"""Tiny BLIP-2 models with random weights, as their older hub folders are."""

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers.processors import TemplateProcessing
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    OPTConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    T5Config,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from finetune.models.tiny import build_tokenizer

VISION = Blip2VisionConfig(
    image_size=28,
    patch_size=14,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=48,
    initializer_range=0.2,
)
QFORMER = Blip2QFormerConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48)
QUERIES = 4


def write_opt(folder: Path, texts: Iterable[str], *, positions: int = 128) -> None:
    """Write a BLIP-2 with OPT, whose tokenizer knows the words of `texts`. `positions`: tokens that it can read."""
    tokenizer = _text_tokenizer(texts, bos="</s>", ends=False)
    text = OPTConfig(
        vocab_size=len(tokenizer) + 3,
        hidden_size=64,
        ffn_dim=96,
        word_embed_proj_dim=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=positions,
        init_std=0.15,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    _write(folder, text=text, tokenizer=tokenizer)


def write_t5(folder: Path, texts: Iterable[str], *, spread: float = 0.8) -> None:
    """Write a BLIP-2 with Flan-T5, whose tokenizer knows the words of `texts`. `spread`: of its random weights."""
    tokenizer = _text_tokenizer(texts, bos=None, ends=True)
    text = T5Config(
        vocab_size=len(tokenizer) + 3,
        d_model=64,
        d_kv=32,
        d_ff=96,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        initializer_factor=spread,
        decoder_start_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    _write(folder, text=text, tokenizer=tokenizer)


def _text_tokenizer(texts: Iterable[str], *, bos: str | None, ends: bool) -> PreTrainedTokenizerFast:
    """Return a tokenizer that begins a text with `bos` (as OPT's does) or ends it with </s> (as T5's does)."""
    inner = build_tokenizer(texts, vocab_size=600).backend_tokenizer
    inner.add_special_tokens(["</s>", "<pad>"])
    end = inner.token_to_id("</s>")
    inner.post_processor = TemplateProcessing(single="$A </s>" if ends else "</s> $A", special_tokens=[("</s>", end)])
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=bos, eos_token="</s>", pad_token="<pad>")


def _write(folder: Path, *, text: PreTrainedConfig, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write a BLIP-2 folder as its older hub folders are: no place for a film named, no chat template."""
    torch.manual_seed(0)
    config = Blip2Config(
        vision_config=VISION, qformer_config=QFORMER, text_config=text, num_query_tokens=QUERIES, image_token_index=None
    )
    model = Blip2ForConditionalGeneration(config)
    with torch.no_grad():
        model.query_tokens.normal_()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    BlipImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)
