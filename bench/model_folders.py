"""Folders of base models with random weights, at the published sizes or tiny: what `bench/models.py` measures.

The vocabulary of the tokenizers is small, since it is trained on drawn reports; the models' embeddings and output heads
are as large as the published ones.
"""

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast, Qwen2_5_VLConfig
from transformers import Qwen2_5_VLForConditionalGeneration as Qwen2_5_VL
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from finetune.models.registry import register_families
from finetune.models.tiny import SPECIAL_TOKENS, build_tokenizer
from finetune.models.visualglm.configuration import VisualGLMConfig
from finetune.models.visualglm.modeling import VisualGLMForConditionalGeneration
from xray.data.phantom.report import write_report
from xray.data.phantom.study import Style, sample_studies

_GLM_PIECES = {"bos_token": "<sop>", "eos_token": "<eop>", "mask_token": "[MASK]", "gmask_token": "[gMASK]"}
_GLM_PIECES |= {"pad_token": "<pad>", "unk_token": "<unk>", "end_token": "</s>"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How a folder of this family is made, and what it is measured with.

    `film_px`: side of the film; `prompt_tokens`: of film and question; `row_tokens`: of these and the report.
    """

    make: Callable[..., None]
    film_px: int
    prompt_tokens: int
    row_tokens: int


def make_once(family: Family, folder: Path, *, full: bool) -> None:
    """Write the model to `folder` unless it is there; one whose writing was cut short is written again."""
    if folder.is_dir():
        return
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    family.make(unfinished, full=full)
    unfinished.rename(folder)


def make_visualglm(folder: Path, *, full: bool) -> None:
    """Write a VisualGLM in the layout it was published in."""
    register_families()
    _save(VisualGLMForConditionalGeneration, visualglm_config(full=full), folder)
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_reports()),
        model_writer=trained,
        vocab_size=400,
        hard_vocab_limit=False,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        control_symbols=["[MASK]", "[gMASK]", "<sop>", "<eop>"],  # ids 4 to 7, as the configuration says
        user_defined_symbols=["<n>", "<|tab|>", "<|blank_2|>", "<img>", "</img>"],  # unknown ones would be image places
        num_threads=1,
        minloglevel=2,
    )
    (folder / "ice_text.model").write_bytes(trained.getvalue())
    settings = _GLM_PIECES | {"num_image_tokens": 0, "tokenizer_class": "ChatGLMTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def visualglm_config(*, full: bool) -> VisualGLMConfig:
    """Return the sizes of VisualGLM-6B, which are the defaults of its class, or tiny ones."""
    width, layers = (1408, 39) if full else (64, 2)
    eva = {
        "num_layers": layers,
        "hidden_size": width,
        "num_attention_heads": 16,
        "inner_hidden_size": width * 192 // 44,
    }
    eva |= {"image_size": [224, 224], "patch_size": 14, "layernorm_epsilon": 1e-6}
    width, layers = (768, 12) if full else (48, 2)
    qformer = {"num_layers": layers, "hidden_size": width, "num_attention_heads": 12, "vocab_size": 32}
    qformer |= {"layernorm_epsilon": 1e-12, "cross_attn_hidden_size": eva["hidden_size"]}
    text = {"vocab_size": 600, "hidden_size": 64, "num_layers": 2, "num_attention_heads": 4, "inner_hidden_size": 128}
    return VisualGLMConfig(
        **({} if full else text),
        mask_token_id=4,
        gmask_token_id=5,
        bos_token_id=6,
        eos_token_id=7,
        eva_config=eva,
        qformer_config=qformer | {"is_decoder": [layer % 2 == 0 for layer in range(layers)]},
    )


def make_qwen2_5_vl(folder: Path, *, full: bool) -> None:
    """Write a Qwen2.5-VL."""
    tokenizer = build_tokenizer(_reports(), vocab_size=600)
    _save(Qwen2_5_VL, qwen2_5_vl_config(tokenizer, full=full), folder)
    tokenizer.save_pretrained(folder)
    Qwen2VLImageProcessorPil().save_pretrained(folder)


def qwen2_5_vl_config(tokenizer: PreTrainedTokenizerFast, *, full: bool) -> Qwen2_5_VLConfig:
    """Return the sizes of Qwen2.5-VL-7B, or tiny ones, with the special tokens of `tokenizer`."""
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    text: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "vocab_size": 600}
    text |= {"num_attention_heads": 4, "num_key_value_heads": 2}
    vision: dict[str, Any] = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2}
    sections = [2, 3, 3]
    if full:
        text = {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "vocab_size": 152064}
        text |= {"num_attention_heads": 28, "num_key_value_heads": 4}
        vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16}
        sections = [16, 24, 24]
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": sections}
    vision["out_hidden_size"] = text["hidden_size"]
    ends = {"eos_token_id": ids["<|im_end|>"], "pad_token_id": ids["<|endoftext|>"]}
    return Qwen2_5_VLConfig(
        text_config=text | ends | {"bos_token_id": None, "max_position_embeddings": 32768},
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=False,
        **ends,
    )


def _save(kind: type[PreTrainedModel], config: PreTrainedConfig, folder: Path) -> None:
    """Draw the weights where that is quick, and write them in 16 bits."""
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = kind._from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="4GB")


def _reports() -> list[str]:
    return [write_report(study, style=style) for style in Style for study in sample_studies(200, seed=0, style=style)]


FAMILIES = {
    "visualglm": Family(make=make_visualglm, film_px=224, prompt_tokens=64, row_tokens=320),
    "qwen2_5_vl": Family(make=make_qwen2_5_vl, film_px=448, prompt_tokens=320, row_tokens=512),
}
