"""The demo base: a tiny image-chat model trained from nothing on another hospital's drawn films.

It plays the part that a public checkpoint plays on a real machine. It can read films and write Chinese, but in its own
hospital's words, about its own hospital's findings; fine-tuning has to teach it the rest. The recipe: findings first,
then mostly reports, AdamW, warm-up and cosine, and the best of the last checkpoints by validation studies.
"""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from finetune.batch import ChatEncoder, collate
from finetune.config import GenerateConfig, ModelConfig
from finetune.console import Screen, Tick
from finetune.generate import write_reports
from finetune.lessons import (
    AUGMENTATIONS,
    EncodedLesson,
    Lesson,
    Row,
    draw_lessons,
    encode_lessons,
    tokenizer_texts,
)
from finetune.models.loading import LoadedModel
from finetune.models.parts import find_parts
from finetune.models.processing import load_processor
from finetune.models.tiny import build_folder
from xray.metrics import score

VALIDATION = 200
BATCH = 32
LEARNING_RATE = 2e-3
WARMUP_STEPS = 40
FINDINGS_ONLY = 0.45
"""Share of the steps in which only the list of findings is asked for."""
REPORTS = 2 / 3
"""Share of reports in a batch after that; the rest stays lists of findings."""
CHECKED = 0.8
"""Share of the steps after which checkpoints are compared."""


def pretrain(folder: Path, *, films: int, epochs: int, seed: int, screen: Screen) -> None:
    """Write the demo base to `folder`: config, tokenizer, image processor and 16-bit weights. Prints its score."""
    with screen.stage("Drawing films", key="films") as tick:
        lessons = draw_lessons(films + VALIDATION, seed=seed, tick=tick)
    taught, held_out = lessons[:films], lessons[films:]
    with tempfile.TemporaryDirectory() as scratch:
        model = build_folder(Path(scratch), tokenizer_texts(taught), seed=seed)
        loaded = LoadedModel(
            model=model,
            processor=load_processor(scratch),
            parts=find_parts(model),
            settings=ModelConfig(model_name_or_path=scratch, quantization_bit=None),
        )
    encoder = ChatEncoder(processor=loaded.processor)
    with screen.stage("Encoding", key="encode") as tick:
        school = encode_lessons(taught, encoder=encoder, seed=seed, tick=tick)
    with screen.stage("Pre-training", key="pretrain") as tick:
        reached = _fit(loaded, school, epochs=epochs, seed=seed, held_out=held_out, encoder=encoder, tick=tick)
    model.half().save_pretrained(folder)
    loaded.processor.tokenizer.save_pretrained(folder)
    loaded.processor.image_processor.save_pretrained(folder)
    screen.say(f"Validation on {VALIDATION} studies: finding F1 {reached:.3f}. Written to {folder}")


def validate(loaded: LoadedModel, lessons: Sequence[Lesson], *, encoder: ChatEncoder) -> float:
    """Return the finding F1 of reports written for `lessons`."""
    films = {lesson.report.example_id: list(lesson.films) for lesson in lessons}
    examples = [lesson.report for lesson in lessons]
    was_training = loaded.model.training
    loaded.model.eval()
    texts: dict[str, str] = {}
    for start in range(0, len(examples), 50):
        batch = examples[start : start + 50]
        reports = write_reports(
            batch,
            loaded=loaded,
            encoder=encoder,
            settings=GenerateConfig(max_new_tokens=128),
            load_pixels=lambda example: films[example.example_id],
        )
        texts.update({example.example_id: report.text for example, report in zip(batch, reports, strict=True)})
    loaded.model.train(was_training)
    report = score(texts, {example.example_id: example.target for example in examples}, resamples=100)
    return report.metrics["finding_f1"].value or 0.0


def _fit(
    loaded: LoadedModel,
    school: Sequence[EncodedLesson],
    *,
    epochs: int,
    seed: int,
    held_out: Sequence[Lesson],
    encoder: ChatEncoder,
    tick: Tick,
) -> float:
    """Train all weights and leave the best ones in the model. One epoch is as many examples as there are studies."""
    model, pad = loaded.model, loaded.processor.tokenizer.pad_token_id
    steps = math.ceil(len(school) / AUGMENTATIONS * epochs / BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    rng = np.random.default_rng(seed)
    best, best_weights, note = -1.0, model.state_dict(), ""
    model.train()
    for step in range(1, steps + 1):
        batch = collate(_draw_batch(school, rng=rng, step=step, steps=steps), pad_token_id=pad)
        batch["pixel_values"] = batch["pixel_values"].float()
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step == steps or (step > steps * CHECKED and step % max(1, steps // 25) == 0):
            reached = validate(loaded, held_out, encoder=encoder)
            if reached > best:
                best, best_weights = reached, {name: value.clone() for name, value in model.state_dict().items()}
            note = f"validation finding F1 {reached:.3f}"
        tick(step, steps, f"loss {loss.item():.3f} {note}")
    model.load_state_dict(best_weights)
    return best


def _draw_batch(school: Sequence[EncodedLesson], *, rng: np.random.Generator, step: int, steps: int) -> list[Row]:
    """Draw a batch: lists of findings at first, then mostly reports."""
    lessons = [school[place] for place in rng.choice(len(school), size=min(BATCH, len(school)), replace=False)]
    reports = 0.0 if step <= steps * FINDINGS_ONLY else BATCH * REPORTS
    return [lesson.report if place < reports else lesson.findings for place, lesson in enumerate(lessons)]


def _rate(step: int, steps: int) -> float:
    if step < WARMUP_STEPS:
        return (step + 1) / WARMUP_STEPS
    done = (step - WARMUP_STEPS) / max(1, steps - WARMUP_STEPS)
    return 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
