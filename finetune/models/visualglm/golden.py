"""Replay of the golden files of VisualGLM."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText, PreTrainedModel

from finetune.models.golden import Check, compare_tokens, compare_values
from finetune.models.registry import register_families


@torch.inference_mode()
def replay(folder: Path, cases: Mapping[str, torch.Tensor]) -> Iterator[Check]:
    """Yield one check per golden tensor and text, as `finetune.models.golden` describes."""
    register_families()
    model = AutoModelForImageTextToText.from_pretrained(folder / "checkpoint", dtype=torch.float32)
    seen = model.get_image_features(cases["images"])
    yield compare_values("vision_hidden_states", seen.last_hidden_state, cases["vision_hidden_states"])
    yield compare_values("image_embeddings", seen.pooler_output, cases["image_embeddings"])
    for row, film in enumerate(cases["images"][:, None]):
        if f"forward{row}.input_ids" in cases:
            yield from _replay_forward(model, film, cases=cases, name=f"forward{row}")
        if f"generate{row}.prompt_ids" in cases:
            yield _replay_generate(model, film, cases=cases, name=f"generate{row}")


def _replay_forward(
    model: PreTrainedModel, film: torch.Tensor, *, cases: Mapping[str, torch.Tensor], name: str
) -> Iterator[Check]:
    input_ids = cases[f"{name}.input_ids"]
    answered = (input_ids == model.config.bos_token_id).cumsum(-1) > 0
    labels = torch.where(answered, input_ids, -100)
    output = model(input_ids=input_ids, pixel_values=film, labels=labels)
    yield compare_values(f"{name}.logits", output.logits, cases[f"{name}.logits"])
    yield compare_values(f"{name}.loss", output.loss.reshape(1), cases[f"{name}.loss"].reshape(1))


def _replay_generate(
    model: PreTrainedModel, film: torch.Tensor, *, cases: Mapping[str, torch.Tensor], name: str
) -> Check:
    prompt, golden = cases[f"{name}.prompt_ids"], cases[f"{name}.sequence"]
    length = golden.shape[1] - prompt.shape[1]
    ours = model.generate(input_ids=prompt, pixel_values=film, do_sample=False, max_new_tokens=length)
    return compare_tokens(f"{name}.sequence", ours[0].tolist(), golden[0].tolist())
