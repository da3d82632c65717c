"""A very small Qwen3-VL, built from nothing: the shape of the demo base, and of the models in the tests.

2.6 M parameters: a vision tower of 3 layers x 128 and a language model of 3 layers x 192, films of 128 x 128 px as 16
image tokens, and a byte-level BPE that can write any text. The folder it makes is an ordinary Hugging Face folder.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from finetune.models.templates import chatml

PATCH_PX = 16
MERGE = 2
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
CHAT_TEMPLATE = chatml("<|vision_start|><|image_pad|><|vision_end|>")


def build_tokenizer(texts: Iterable[str], *, vocab_size: int = 1024) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE on `texts`. Characters it has never seen are written as bytes.

    A Chinese character is never merged with its neighbour: in a small corpus whole phrases would become tokens, and a
    left in one hospital's phrase would share nothing with the left in another's.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{Han}"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHAT_TEMPLATE,
        additional_special_tokens=list(SPECIAL_TOKENS[1:]),
        model_max_length=4096,
    )


def build_config(
    tokenizer: PreTrainedTokenizerFast, *, text_width: int = 192, vision_width: int = 128
) -> Qwen3VLConfig:
    """Return the configuration that fits `tokenizer`. Widths are multiples of 64."""
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    return Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": text_width,
            "intermediate_size": text_width * 3,
            "num_hidden_layers": 3,
            "num_attention_heads": text_width // 64,
            "num_key_value_heads": text_width // 64,
            "head_dim": 64,
            "max_position_embeddings": 4096,
            "pad_token_id": ids["<|endoftext|>"],
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [12, 10, 10],
                "mrope_interleaved": True,
            },
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": 3,
            "hidden_size": vision_width,
            "intermediate_size": vision_width * 3,
            "num_heads": max(2, vision_width // 32),
            "patch_size": PATCH_PX,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": 1,
            "out_hidden_size": text_width,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [1],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
        eos_token_id=ids["<|im_end|>"],
        pad_token_id=ids["<|endoftext|>"],
    )


def build_folder(
    folder: Path,
    texts: Iterable[str],
    *,
    seed: int,
    vocab_size: int = 1024,
    text_width: int = 192,
    vision_width: int = 128,
) -> Qwen3VLForConditionalGeneration:
    """Write tokenizer, image processor and random weights to `folder`; return the model."""
    tokenizer = build_tokenizer(texts, vocab_size=vocab_size)
    torch.manual_seed(seed)
    model = Qwen3VLForConditionalGeneration(build_config(tokenizer, text_width=text_width, vision_width=vision_width))
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    film_px = 128 * 128
    Qwen2VLImageProcessorPil(
        patch_size=PATCH_PX,
        temporal_patch_size=1,
        merge_size=MERGE,
        size={"shortest_edge": 64 * 64, "longest_edge": film_px},
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    ).save_pretrained(folder)
    return model
