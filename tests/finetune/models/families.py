"""A tiny, untrained model folder of each of today's families, in the layout its publisher uses."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, PreTrainedTokenizerFast
from transformers.image_processing_backends import PilBackend
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.glm4v.image_processing_pil_glm4v import Glm4vImageProcessorPil
from transformers.models.glm46v.image_processing_pil_glm46v import Glm46VImageProcessorPil
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.minicpmv4_6.image_processing_pil_minicpmv4_6 import MiniCPMV4_6ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from finetune.models.templates import chatml
from finetune.models.tiny import build_tokenizer

REPORTS = ("双肺野清晰，心影不大。", "左侧胸腔少量积液。", "右肺上叶见斑片影。", "心影增大，主动脉迂曲。")

_TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
}
_HEADS = {"head_dim": 16}
_TOWER = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
_QWEN_TOWER = {"depth": 2, "num_heads": 2, "patch_size": 8, "spatial_merge_size": 2, "hidden_size": 32}
_GRID = {"patch_size": 8, "merge_size": 2, "size": {"shortest_edge": 32 * 32, "longest_edge": 64 * 64}}
_VIDEO_GRID = {**_GRID, "size": {"shortest_edge": 2 * 32 * 32, "longest_edge": 2 * 64 * 64}}
_TILES = {"image_grid_pinpoints": [[32, 32], [64, 32], [32, 64], [64, 64]]}
_SQUARE = {"size": {"height": 32, "width": 32}}
_VISION_MARKS = "<|vision_start|>", "<|image_pad|>", "<|vision_end|>", "<|video_pad|>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What a family's folder holds. `config` takes token ids by token. `image`: what a template writes for a film."""

    config: Callable[[Mapping[str, int]], dict[str, Any]]
    image_processor: type[PilBackend]
    image_settings: dict[str, Any]
    image: str
    tokens: tuple[str, ...] = ()
    named_tokens: dict[str, str] = field(default_factory=dict)
    processor_class: str = ""
    processor_settings: dict[str, Any] = field(default_factory=dict)
    projector: str = "multi_modal_projector"
    closing: str = "<|im_end|>"


def _mrope(**changes: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3], **changes}}


def _qwen(model_type: str, *, tower: dict[str, Any], text: dict[str, Any]) -> Family:
    def config(ids: Mapping[str, int]) -> dict[str, Any]:
        return {
            "model_type": model_type,
            "text_config": {**_TEXT, **text, "vocab_size": len(ids)},
            "vision_config": {**_QWEN_TOWER, **tower},
            "vision_start_token_id": ids["<|vision_start|>"],
            "vision_end_token_id": ids["<|vision_end|>"],
            "image_token_id": ids["<|image_pad|>"],
            "video_token_id": ids["<|video_pad|>"],
        }

    return Family(
        config=config,
        image_processor=Qwen2VLImageProcessorPil,
        image_settings=_GRID,
        image="<|vision_start|><|image_pad|><|vision_end|>",
        tokens=_VISION_MARKS,
        projector="merger",
    )


def _glm(model_type: str, processor: type[PilBackend], settings: dict[str, Any]) -> Family:
    names = ("image", "begin_of_image", "end_of_image", "video", "begin_of_video", "end_of_video")
    tokens = tuple(f"<|{name}|>" for name in names)

    def config(ids: Mapping[str, int]) -> dict[str, Any]:
        tower = {**_TOWER, **_QWEN_TOWER, "out_hidden_size": 64}
        return {
            "model_type": model_type,
            "text_config": {
                **_TEXT,
                **_mrope(partial_rotary_factor=1.0),
                "model_type": "glm4v_text",
                "vocab_size": len(ids),
            },
            "vision_config": {**tower, "model_type": "glm4v_vision"},
            "image_token_id": ids["<|image|>"],
            "image_start_token_id": ids["<|begin_of_image|>"],
            "image_end_token_id": ids["<|end_of_image|>"],
            "video_token_id": ids["<|video|>"],
            "video_start_token_id": ids["<|begin_of_video|>"],
            "video_end_token_id": ids["<|end_of_video|>"],
        }

    return Family(
        config=config,
        image_processor=processor,
        image_settings=settings,
        image="<|begin_of_image|><|image|><|end_of_image|>",
        tokens=tokens,
        projector="merger",
    )


def _llava(
    model_type: str, processor_class: str, *, tower: str, text: str, processor: type[PilBackend], **saved: Any
) -> Family:
    clip = {"size": {"shortest_edge": 32}, "crop_size": _SQUARE["size"]}
    tiles = {} if model_type == "llava" else _TILES

    def config(ids: Mapping[str, int]) -> dict[str, Any]:
        return {
            "model_type": model_type,
            "text_config": {**_TEXT, "model_type": text, "vocab_size": len(ids)},
            "vision_config": {**_TOWER, "model_type": tower, "projection_dim": 32, "vision_use_head": False},
            "image_token_index": ids["<image>"],
            **({"video_token_index": ids["<video>"]} if model_type == "llava_onevision" else {}),
            **tiles,
        }

    return Family(
        config=config,
        image_processor=processor,
        image_settings={**tiles, **(clip if tower == "clip_vision_model" else _SQUARE)},
        image="<image>\n",
        tokens=("<image>", "<video>"),
        processor_class=processor_class,
        processor_settings=saved,
    )


def _internvl(ids: Mapping[str, int]) -> dict[str, Any]:
    return {
        "model_type": "internvl",
        "text_config": {**_TEXT, "model_type": "qwen2", "vocab_size": len(ids)},
        "vision_config": {**_TOWER, "image_size": [32, 32], "patch_size": [8, 8]},
        "image_token_id": ids["<IMG_CONTEXT>"],
        "image_seq_length": 4,
        "tie_word_embeddings": False,
    }


def _gemma3(ids: Mapping[str, int]) -> dict[str, Any]:
    return {
        "model_type": "gemma3",
        "text_config": {**_TEXT, **_HEADS, "vocab_size": len(ids), "query_pre_attn_scalar": 16, "sliding_window": 16},
        "vision_config": _TOWER,
        "mm_tokens_per_image": 4,
        "boi_token_index": ids["<start_of_image>"],
        "eoi_token_index": ids["<end_of_image>"],
        "image_token_index": ids["<image_soft_token>"],
    }


def _smolvlm(ids: Mapping[str, int]) -> dict[str, Any]:
    return {
        "model_type": "smolvlm",
        "text_config": {**_TEXT, "model_type": "llama", "vocab_size": len(ids)},
        "vision_config": _TOWER,
        "scale_factor": 2,
        "image_token_id": ids["<image>"],
        "pad_token_id": ids["<|endoftext|>"],
    }


_LINEAR_TEXT = {
    **_HEADS,
    "layer_types": ["linear_attention", "full_attention"],
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    **_mrope(mrope_section=[1, 1, 2], mrope_interleaved=True, partial_rotary_factor=0.5),
}


def _minicpm(ids: Mapping[str, int]) -> dict[str, Any]:
    return {
        "model_type": "minicpmv4_6",
        "text_config": {**_TEXT, **_LINEAR_TEXT, "model_type": "qwen3_5_text", "vocab_size": len(ids)},
        "vision_config": {**_TOWER, "image_size": 64},
        "insert_layer_id": 0,
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
    }


FAMILIES = {
    "qwen2_vl": _qwen("qwen2_vl", tower={"embed_dim": 32, "mlp_ratio": 2, "hidden_size": 64}, text=_mrope()),
    "qwen2_5_vl": _qwen(
        "qwen2_5_vl",
        tower={"intermediate_size": 48, "out_hidden_size": 64, "window_size": 32, "fullatt_block_indexes": [1]},
        text=_mrope(),
    ),
    "qwen3_vl": _qwen(
        "qwen3_vl",
        tower={
            "intermediate_size": 48,
            "out_hidden_size": 64,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
        },
        text={**_HEADS, **_mrope(mrope_interleaved=True)},
    ),
    "qwen3_5": _qwen(
        "qwen3_5",
        tower={"intermediate_size": 48, "out_hidden_size": 64, "num_position_embeddings": 64},
        text=_LINEAR_TEXT,
    ),
    "glm4v": _glm("glm4v", Glm4vImageProcessorPil, _VIDEO_GRID),
    "glm46v": _glm("glm46v", Glm46VImageProcessorPil, _VIDEO_GRID),
    "internvl": Family(
        config=_internvl,
        image_processor=GotOcr2ImageProcessorPil,
        image_settings={**_SQUARE, "max_patches": 4},
        image="<IMG_CONTEXT>\n",
        tokens=("<img>", "<IMG_CONTEXT>", "</img>", "<video>"),
        named_tokens={
            "start_image_token": "<img>",
            "context_image_token": "<IMG_CONTEXT>",
            "end_image_token": "</img>",
            "video_token": "<video>",
        },
        processor_class="InternVLProcessor",
        processor_settings={"image_seq_length": 4},
    ),
    "llava": _llava(
        "llava",
        "LlavaProcessor",
        tower="clip_vision_model",
        text="llama",
        processor=CLIPImageProcessorPil,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    ),
    "llava_next": _llava(
        "llava_next",
        "LlavaNextProcessor",
        tower="clip_vision_model",
        text="mistral",
        processor=LlavaNextImageProcessorPil,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    ),
    "llava_onevision": _llava(
        "llava_onevision",
        "LlavaOnevisionProcessor",
        tower="siglip_vision_model",
        text="qwen2",
        processor=LlavaOnevisionImageProcessorPil,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
    ),
    "gemma3": Family(
        config=_gemma3,
        image_processor=Gemma3ImageProcessorPil,
        image_settings=_SQUARE,
        image="<start_of_image>",
        tokens=("<start_of_image>", "<image_soft_token>", "<end_of_image>"),
        named_tokens={
            "boi_token": "<start_of_image>",
            "image_token": "<image_soft_token>",
            "eoi_token": "<end_of_image>",
        },
        processor_class="Gemma3Processor",
        processor_settings={"image_seq_length": 4},
    ),
    "smolvlm": Family(
        config=_smolvlm,
        image_processor=SmolVLMImageProcessorPil,
        image_settings={"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}},
        image="<image>",
        tokens=("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", "<video>"),
        processor_class="SmolVLMProcessor",
        processor_settings={"image_seq_len": 4},
        projector="connector",
    ),
    "minicpmv4_6": Family(
        config=_minicpm,
        image_processor=MiniCPMV4_6ImageProcessorPil,
        image_settings={"scale_resolution": 32, "patch_size": 8, "max_slice_nums": 4},
        image="<|image_pad|>",
        tokens=(
            "<|image_pad|>",
            "<|video_pad|>",
            "<image>",
            "</image>",
            "<slice>",
            "</slice>",
            "<image_id>",
            "</image_id>",
        ),
        named_tokens={
            "image_token": "<|image_pad|>",
            "video_token": "<|video_pad|>",
            "image_start_token": "<image>",
            "image_end_token": "</image>",
            "slice_start_token": "<slice>",
            "slice_end_token": "</slice>",
            "image_id_start_token": "<image_id>",
            "image_id_end_token": "</image_id>",
        },
        projector="merger",
    ),
}


@cache
def _words() -> PreTrainedTokenizerFast:
    return build_tokenizer(REPORTS * 20, vocab_size=330)


def write_folder(folder: Path, name: str) -> None:
    """Write a random model of the family `name` with its tokenizer, image processor and chat template."""
    family = FAMILIES[name]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_words().backend_tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=family.named_tokens,
    )
    tokenizer.add_tokens(list(family.tokens), special_tokens=True)
    ids = tokenizer.get_vocab()
    config = family.config(ids)
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(CONFIG_MAPPING[config.pop("model_type")](**config))
    with torch.no_grad():  # an untrained head this narrow says nothing aloud: training would move it for a long time
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=0.1)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    family.image_processor(**family.image_settings).save_pretrained(folder)
    settings = folder / "preprocessor_config.json"
    fast = settings.read_text(encoding="utf-8").replace('ImageProcessor"', 'ImageProcessorFast"')
    settings.write_text(fast, encoding="utf-8")  # the name that most hub folders hold
    if family.processor_settings:
        saved = {"processor_class": family.processor_class, **family.processor_settings}
        (folder / "processor_config.json").write_text(json.dumps(saved), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(chatml(family.image), encoding="utf-8")
