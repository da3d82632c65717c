"""Replay of the golden files of Qwen-VL."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText

from finetune.models.golden import Check, compare_tokens, compare_values
from finetune.models.qwen_vl.tokenization import load_tokenizer
from finetune.models.registry import register_families


@torch.inference_mode()
def replay(folder: Path, cases: Mapping[str, torch.Tensor]) -> Iterator[Check]:
    """Compare image tokens, logits, greedy tokens and, where the folder has them, the ids of texts."""
    register_families()
    checkpoint = folder / "checkpoint"
    model = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype=torch.float32).eval()
    images = cases["images"]
    yield compare_values("image_embeddings", model.get_image_features(images), cases["image_embeddings"])
    for number in count():
        name = f"forward{number}"
        if f"{name}.input_ids" not in cases:
            break
        logits = model(input_ids=cases[f"{name}.input_ids"], pixel_values=images[number : number + 1]).logits
        yield compare_values(f"{name}.logits", logits, cases[f"{name}.logits"])
    for number in count():
        name = f"generate{number}"
        if f"{name}.prompt_ids" not in cases:
            break
        prompt, golden = cases[f"{name}.prompt_ids"], cases[f"{name}.sequence"]
        sequence = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            pixel_values=images[number : number + 1],
            do_sample=False,
            max_new_tokens=golden.shape[1] - prompt.shape[1],
        )
        yield compare_tokens(f"{name}.sequence", sequence[0].tolist(), golden[0].tolist())
    yield from _replay_texts(folder / "tokenizer_cases.json", checkpoint)


def _replay_texts(path: Path, checkpoint: Path) -> Iterator[Check]:
    if not path.is_file():
        return
    cases = json.loads(path.read_text(encoding="utf-8"))
    tokenizer = load_tokenizer(checkpoint)
    special = tokenizer.convert_tokens_to_ids(list(cases["spd"]))
    yield compare_tokens("tokenizer.special", special, cases["spd"].values())
    for number, (text, golden) in enumerate(zip(cases["texts"], cases["ids"], strict=True)):
        yield compare_tokens(f"tokenizer.text{number}", tokenizer(text)["input_ids"], golden)
