"""Replay of MiniGPT-4's golden files."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from finetune.models.golden import Check, compare_tokens, compare_values
from finetune.models.minigpt4.modeling import MiniGPT4ForConditionalGeneration

Cases = Mapping[str, torch.Tensor]


@torch.inference_mode()
def replay(folder: Path, cases: Cases) -> Iterator[Check]:
    """Compare the tower, the image embeddings, the logits and the greedy tokens. The vision tower comes first."""
    model = MiniGPT4ForConditionalGeneration.from_pretrained(folder / "checkpoint", dtype=torch.float32).eval()
    features = model.get_image_features(cases["images"], return_dict=True)
    yield compare_values("vision_hidden_states", features.last_hidden_state, cases["vision_hidden_states"])
    yield compare_values("image_embeddings", features.pooler_output, cases["image_embeddings"])
    prompt = _with_places(model, cases)
    logits = model(pixel_values=cases["images"], input_ids=prompt).logits
    yield compare_values("forward.logits", logits, cases["forward.logits"])
    golden = cases["generate.new_ids"][:, 1:]  # the original begins with a bos of its own
    sequences = model.generate(
        pixel_values=cases["images"], input_ids=prompt, do_sample=False, max_new_tokens=golden.shape[1]
    )
    end = model.config.text_config.eos_token_id
    for number, (row, expected) in enumerate(zip(sequences[:, prompt.shape[1] :], golden, strict=True)):
        yield compare_tokens(f"generate{number}.new_ids", _until(end, row), _until(end, expected))


def _with_places(model: MiniGPT4ForConditionalGeneration, cases: Cases) -> torch.Tensor:
    """Return the prompt with the places of the film, held by an id that this prompt does not use as text."""
    prefix, suffix = cases["forward.prefix_ids"], cases["forward.suffix_ids"]
    used = {*prefix.flatten().tolist(), *suffix.flatten().tolist()}
    model.config.image_token_id = next(token for token in range(len(used) + 1) if token not in used)
    places = prefix.new_full((len(prefix), model.config.num_query_tokens), model.config.image_token_id)
    return torch.cat([prefix, places, suffix], dim=1)


def _until(end: int, row: torch.Tensor) -> list[int]:
    """Return the ids before `end`: what fills a row after it is each implementation's own."""
    tokens: list[int] = row.tolist()
    return tokens[: tokens.index(end)] if end in tokens else tokens
