"""The way of every family, on a tiny model: four bits, twenty steps, generation, save, load, merge."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from finetune.batch import ChatEncoder, collate
from finetune.config import AdapterConfig, GenerateConfig, ModelConfig
from finetune.generate import write_reports
from finetune.models.loading import LoadedModel, add_adapter, load_adapter, load_base
from finetune.report_tokens import scores_some_tokens, without_prompts
from tests.finetune.conftest import frontal_example
from xray.types import Example

torch.set_num_threads(1)
REPORTS = ("lungs clear.", "left effusion.", "right nodule.", "heart enlarged.")
LORA = AdapterConfig(lora_rank=8, lora_alpha=32, lora_dropout=0.0)


def four_examples(folder: Path) -> list[Example]:
    """Return four studies of different films and reports."""
    examples = []
    for number, report in enumerate(REPORTS):
        film = folder / f"{number}.png"
        pixels = np.random.default_rng(number).integers(0, 255, (32, 32), dtype=np.uint8)
        Image.fromarray(pixels).save(film)
        examples.append(replace(frontal_example(film, target=report), example_id=f"e{number}", study_uid=f"s{number}"))
    return examples


def batch_of(loaded: LoadedModel, examples: list[Example]) -> dict[str, torch.Tensor]:
    """Return the examples as one batch for training."""
    encoder = ChatEncoder(processor=loaded.processor)
    rows = [encoder.encode(example, encoder.load_pixels(example)) for example in examples]
    return collate(rows, pad_token_id=loaded.processor.tokenizer.pad_token_id)


def learn(loaded: LoadedModel, examples: list[Example], *, steps: int = 20) -> list[float]:
    """Train on one batch of all examples and return the loss of each step."""
    batch = batch_of(loaded, examples)
    learning = [parameter for parameter in loaded.model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-2)
    losses = []
    loaded.model.train()
    for _ in range(steps):
        loss = loaded.model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    loaded.model.eval()
    return losses


def gradient_of(loaded: LoadedModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the gradient of a training step, with the loss at its end, as one vector."""
    learning = [parameter for parameter in loaded.model.parameters() if parameter.requires_grad]
    loaded.model.train()
    torch.manual_seed(0)  # dropout
    loss = loaded.model(**batch).loss
    gradient = [part.flatten() for part in torch.autograd.grad(loss, learning)]
    loaded.model.eval()
    return torch.cat([*gradient, loss.detach()[None]])


def logits_of(loaded: LoadedModel, example: Example) -> torch.Tensor:
    """Return the logits of a study with its report."""
    encoder = ChatEncoder(processor=loaded.processor)
    loaded.model.eval()
    with torch.inference_mode():
        return loaded.model(**encoder.encode(example, encoder.load_pixels(example))).logits


def reports_of(loaded: LoadedModel, examples: list[Example], *, batch_size: int) -> list[str]:
    """Return greedy reports, `batch_size` studies at a time."""
    encoder, settings = ChatEncoder(processor=loaded.processor), GenerateConfig(max_new_tokens=24)
    loaded.model.eval()
    texts = []
    for start in range(0, len(examples), batch_size):
        batch = examples[start : start + batch_size]
        texts += [text.text for text in write_reports(batch, loaded=loaded, encoder=encoder, settings=settings)]
    return texts


def walk(base: ModelConfig, folder: Path, *, adapter: AdapterConfig = LORA, steps: int = 20) -> LoadedModel:
    """Go the whole way with the base that `base` names, check each station, and return the trained model."""
    examples = four_examples(folder)
    tuned = add_adapter(load_base(base), settings=base, adapter=adapter, seed=0)
    losses = learn(tuned, examples, steps=steps)
    assert losses[-1] < 0.7 * losses[0], losses
    batch = batch_of(tuned, examples)
    expected = gradient_of(tuned, batch)
    if scores_some_tokens(tuned.base):
        torch.testing.assert_close(gradient_of(tuned, without_prompts(batch)), expected)
    tuned.model.gradient_checkpointing_enable({"use_reentrant": False})
    torch.testing.assert_close(gradient_of(tuned, batch), expected)
    tuned.model.gradient_checkpointing_disable()
    uneven = [replace(examples[0], messages=(replace(examples[0].messages[0], text="Report?"),)), *examples[1:]]
    texts = reports_of(tuned, uneven, batch_size=4)
    assert texts == reports_of(tuned, uneven, batch_size=1)
    assert any(texts)
    expected = logits_of(tuned, examples[0])
    tuned.model.save_pretrained(folder / "adapter")
    again = load_adapter(load_base(base), folder / "adapter")
    assert torch.equal(logits_of(again, examples[0]), expected)
    in_full = {"quantization_bit": None, "vision_tower_bit": None, "offload_embedding": False}
    plain = base.model_copy(update=in_full)
    whole = load_adapter(load_base(plain), folder / "adapter")
    expected = logits_of(whole, examples[0])
    whole.model.merge_and_unload().save_pretrained(folder / "merged")
    whole.processor.save_pretrained(folder / "merged")
    merged = load_base(plain.model_copy(update={"model_name_or_path": str(folder / "merged")}))
    torch.testing.assert_close(logits_of(merged, examples[0]), expected, atol=1e-4, rtol=0)
    assert merged.processor.chat_template == tuned.processor.chat_template
    return tuned
