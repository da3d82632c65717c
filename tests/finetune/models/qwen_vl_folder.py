"""A very small Qwen-VL in the layout that the large one was published in."""

import base64
import json
from pathlib import Path

import torch

from finetune.models.qwen_vl.configuration import QwenVLConfig
from finetune.models.qwen_vl.modeling import QwenVLForConditionalGeneration
from finetune.models.registry import register_families

TEXT = "双肺野清晰，心影不大。左侧胸腔少量积液右结节增Picture user assistant system You are a helpful assistant."
CONTROL_TOKENS = 217
PUBLISHED = {
    "hidden_size": 256,
    "intermediate_size": 384,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "kv_channels": 64,
    "max_position_embeddings": 512,
    "initializer_range": 0.02,
    "onnx_safe": None,
    "auto_map": {"AutoConfig": "configuration_qwen.QWenConfig"},
    "architectures": ["QWenLMHeadModel"],
    "model_type": "qwen",
}


def write_vocabulary(folder: Path, text: str = TEXT) -> int:
    """Write every byte, and the characters and short words of `text`, by rank; return how many."""
    ranks = [bytes([byte]) for byte in range(256)]
    for word in [*text, *text.split()]:
        spelled = word.encode()
        ranks += [part for end in range(2, len(spelled) + 1) if (part := spelled[:end]) not in ranks]
    lines = [f"{base64.b64encode(token).decode()} {rank}" for rank, token in enumerate(ranks)]
    (folder / "qwen.tiktoken").write_text("\n".join(lines) + "\n", encoding="ascii")
    return len(ranks)


def build(
    folder: Path, *, chat_format: str = "chatml", seq_length: int = 2048, text: str = TEXT
) -> QwenVLForConditionalGeneration:
    """Write a folder as published, with random weights; return the model.

    `seq_length`: tokens it was trained at. `text`: what its vocabulary has the characters and words of.
    """
    register_families()
    first = write_vocabulary(folder, text)
    visual = {"heads": 4, "image_size": 56, "image_start_id": first + 214, "layers": 2, "mlp_ratio": 2.0}
    visual |= {"output_dim": 256, "patch_size": 14, "width": 64, "n_queries": 4}
    torch.manual_seed(0)
    config = QwenVLConfig(**PUBLISHED, seq_length=seq_length, vocab_size=first + CONTROL_TOKENS, visual=visual)
    model = QwenVLForConditionalGeneration(config).eval()
    with torch.no_grad():  # far from what is initialised, so that a weight in the wrong place changes the logits
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * (0.08 if parameter.dim() > 1 else 0.3))
    model.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(published(model)), encoding="utf-8")
    tokenizer = {"tokenizer_class": "QWenTokenizer", "auto_map": {"AutoTokenizer": ["t.QWenTokenizer", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    ends = {"eos_token_id": first, "pad_token_id": first, "do_sample": True, "top_k": 0, "top_p": 0.3}
    (folder / "generation_config.json").write_text(json.dumps({"chat_format": chat_format, **ends}), encoding="utf-8")
    return model


def published(model: QwenVLForConditionalGeneration) -> dict[str, object]:
    """Return the config.json that the folder has."""
    own = ("vocab_size", "visual", "seq_length")
    return {**PUBLISHED, **{name: getattr(model.config, name) for name in own}}
