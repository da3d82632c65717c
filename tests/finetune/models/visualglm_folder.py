"""A tiny VisualGLM with random weights, in the layout of the published folder."""

import io
import json
from collections.abc import Iterable
from pathlib import Path

import sentencepiece
import torch
from safetensors.torch import load_file

from finetune.models.registry import register_families
from finetune.models.visualglm.configuration import VisualGLMConfig
from finetune.models.visualglm.modeling import VisualGLMForConditionalGeneration

CONTROL = ["[MASK]", "[gMASK]", "<sop>", "<eop>"]
TOKENIZER = {
    "bos_token": "<sop>",
    "eos_token": "<eop>",
    "end_token": "</s>",
    "gmask_token": "[gMASK]",
    "mask_token": "[MASK]",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "num_image_tokens": 0,
    "tokenizer_class": "ChatGLMTokenizer",
    "auto_map": {"AutoTokenizer": ["tokenization_chatglm.ChatGLMTokenizer", None]},
}


def published_config(vocab_size: int) -> dict:
    """Return what `config.json` holds; the special tokens stand where `write_folder` puts them."""
    eva = {"num_layers": 2, "hidden_size": 24, "num_attention_heads": 2, "inner_hidden_size": 40, "vocab_size": 1}
    eva |= {"max_sequence_length": 10, "layernorm_epsilon": 1e-6, "image_size": [24, 24], "patch_size": 8}
    qformer = {
        "num_layers": 3,
        "hidden_size": 16,
        "num_attention_heads": 2,
        "vocab_size": 8,
        "layernorm_epsilon": 1e-12,
    }
    qformer |= {"is_decoder": [True, False, True], "cross_attn_hidden_size": 24, "layernorm_order": "post"}
    return {
        "architectures": ["ChatGLMModel"],
        "auto_map": {"AutoConfig": "configuration_chatglm.ChatGLMConfig"},
        "model_type": "chatglm",
        "vocab_size": vocab_size,
        "hidden_size": 64,
        "num_layers": 2,
        "num_attention_heads": 4,
        "inner_hidden_size": 96,
        "layernorm_epsilon": 1e-5,
        "position_encoding_2d": True,
        "bos_token_id": 6,
        "eos_token_id": 7,
        "mask_token_id": 4,
        "gmask_token_id": 5,
        "pad_token_id": 3,
        "image_length": 8,
        "use_cache": True,
        "eva_config": eva,
        "qformer_config": qformer,
    }


def write_folder(folder: Path, texts: Iterable[str]) -> Path:
    """Write weights (`pytorch_model.bin`), tokenizer and configuration; return the folder."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        vocab_size=420,
        hard_vocab_limit=False,
        pad_id=3,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        control_symbols=CONTROL,
        user_defined_symbols=["<n>", "<|tab|>", "<|blank_2|>", "<|blank_3|>"],
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    folder.mkdir(parents=True)
    (folder / "ice_text.model").write_bytes(model.getvalue())
    size = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).get_piece_size()
    config = published_config(size + 5)  # the embedding is larger than the vocabulary, as in the published model
    torch.manual_seed(0)
    register_families()
    built = VisualGLMForConditionalGeneration(VisualGLMConfig(**config))
    with torch.no_grad():
        for name, weight in built.named_parameters():  # the starting values hide mistakes: biases 0, norms 1
            weight.add_(torch.randn_like(weight) * (0.3 if "embed" in name or "query_tokens" in name else 0.1))
    built.save_pretrained(folder)
    _as_published(folder, config)
    return folder


def _as_published(folder: Path, config: dict) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["transformer.layers.0.attention.rotary_emb.inv_freq"] = torch.ones(4)
    torch.save(weights, folder / "pytorch_model.bin")
    for name in ("model.safetensors", "generation_config.json"):
        (folder / name).unlink()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(TOKENIZER), encoding="utf-8")
