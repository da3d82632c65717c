"""The demo base: a tiny image-chat model trained from nothing on another hospital's procedural films.

It plays the part that a public checkpoint plays on a real machine. It can read films and write Chinese, but in its own
hospital's words and about its own hospital's findings; fine-tuning has to teach it the rest. The recipe: drawn
studies, each film under a few augmentations, AdamW, warm-up and cosine, and the best of the checkpoints by the recipe's
own validation studies.
"""

import math
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from finetune.batch import ChatEncoder, collate
from finetune.config import DataConfig, GenerateConfig
from finetune.console import Screen, Tick
from finetune.generate import write_reports
from finetune.models.loading import LoadedModel
from finetune.models.parts import find_parts
from finetune.models.processing import load_processor
from finetune.models.tiny import build_folder
from xray.augment import Augmenter, AugmentSettings
from xray.augment import build as build_augmenter
from xray.data.phantom import PhantomStudy, Style, draw, sample_studies, write_report
from xray.dicom.render import RenderSettings, fit
from xray.metrics import score
from xray.types import Example, Turn, View

FILM_PX = 128
VALIDATION = 150
BATCH = 16
LEARNING_RATE = 2e-3
WARMUP_STEPS = 40
AUGMENTATIONS = 2
Film = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One example with the films that a file would hold otherwise. uint8 [128, 128] each."""

    example: Example
    films: tuple[Film, ...]


def pretrain(folder: Path, *, films: int, epochs: int, seed: int, screen: Screen) -> None:
    """Write the demo base to `folder`: config, tokenizer, image processor and 16-bit weights. Prints its scores."""
    studies = sample_studies(films + VALIDATION, seed=seed, style=Style.BASE)
    with screen.stage("Drawing films", key="films") as tick:
        lessons = draw_lessons(studies, tick=tick)
    texts = [lesson.example.target for lesson in lessons] + _other_texts(seed)
    with tempfile.TemporaryDirectory() as scratch:
        model = build_folder(Path(scratch), texts, seed=seed)
        loaded = LoadedModel(model=model, processor=load_processor(scratch), parts=find_parts(model))
    encoder = ChatEncoder(processor=loaded.processor)
    taught, held_out = lessons[:films], lessons[films:]
    with screen.stage("Encoding", key="encode") as tick:
        rows = encode_lessons(taught, encoder=encoder, seed=seed, tick=tick)
    with screen.stage("Pre-training", key="pretrain") as tick:
        fit_model(loaded, rows, epochs=epochs, seed=seed, held_out=held_out, encoder=encoder, tick=tick)
    model.half().save_pretrained(folder)
    loaded.processor.tokenizer.save_pretrained(folder)
    loaded.processor.image_processor.save_pretrained(folder)
    model.float()
    screen.say(f"Validation: {_validate(loaded, held_out, encoder=encoder):.3f} finding F1. Written to {folder}")


def draw_lessons(studies: Sequence[PhantomStudy], *, tick: Tick) -> list[Lesson]:
    """Draw the studies at the model's size, on all processors."""
    lessons = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for number, lesson in enumerate(pool.map(_lesson, studies, chunksize=16), start=1):
            lessons.append(lesson)
            tick(number, len(studies))
    return lessons


def encode_lessons(
    lessons: Sequence[Lesson], *, encoder: ChatEncoder, seed: int, tick: Tick
) -> list[dict[str, torch.Tensor]]:
    """Encode every lesson under `AUGMENTATIONS` augmentations, once, so that the epochs need no processor."""
    augmenter: Augmenter = build_augmenter(AugmentSettings())
    rows = []
    for number, lesson in enumerate(lessons, start=1):
        for epoch in range(AUGMENTATIONS):
            key = lesson.example.example_id
            films = [
                augmenter.apply(film, seed=seed, epoch=epoch, example_id=key, image_index=place)
                for place, film in enumerate(lesson.films)
            ]
            row = encoder.encode(lesson.example, films)
            rows.append({name: value.half() if value.is_floating_point() else value for name, value in row.items()})
        tick(number, len(lessons))
    return rows


def fit_model(
    loaded: LoadedModel,
    rows: Sequence[dict[str, torch.Tensor]],
    *,
    epochs: int,
    seed: int,
    held_out: Sequence[Lesson],
    encoder: ChatEncoder,
    tick: Tick,
) -> None:
    """Train all weights; leave those of the best validation in the model. One epoch sees each lesson once."""
    model = loaded.model
    steps = math.ceil(len(rows) / AUGMENTATIONS / BATCH) * epochs
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    rng = np.random.default_rng(seed)
    best, best_weights = -1.0, {}
    for step in range(1, steps + 1):
        if (step - 1) % max(1, steps // epochs) == 0:
            order = rng.permutation(len(rows)).tolist()
        chosen = [rows[order[(step * BATCH + place) % len(order)]] for place in range(BATCH)]
        batch = collate(chosen, pad_token_id=loaded.processor.tokenizer.pad_token_id)
        batch["pixel_values"] = batch["pixel_values"].float()
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        note = f"loss {loss.item():.3f}, best validation finding F1 {best:.3f}"
        if step == steps or (step > steps * 0.6 and step % max(1, steps // 20) == 0):
            reached = _validate(loaded, held_out, encoder=encoder)
            if reached > best:
                best, best_weights = reached, {name: value.clone() for name, value in model.state_dict().items()}
        tick(step, steps, note)
    model.load_state_dict(best_weights)


def _validate(loaded: LoadedModel, lessons: Sequence[Lesson], *, encoder: ChatEncoder) -> float:
    films = {lesson.example.example_id: list(lesson.films) for lesson in lessons}
    examples = [lesson.example for lesson in lessons]
    was_training = loaded.model.training
    loaded.model.eval()
    texts: dict[str, str] = {}
    for start in range(0, len(examples), 50):
        batch = examples[start : start + 50]
        reports = write_reports(
            batch,
            loaded=loaded,
            encoder=encoder,
            settings=GenerateConfig(max_new_tokens=160),
            load_pixels=lambda example: films[example.example_id],
        )
        texts.update({example.example_id: report.text for example, report in zip(batch, reports, strict=True)})
    loaded.model.train(was_training)
    report = score(texts, {example.example_id: example.target for example in examples}, resamples=100)
    return report.metrics["finding_f1"].value or 0.0


def _lesson(study: PhantomStudy) -> Lesson:
    views: tuple[View, ...] = ("frontal", "lateral") if study.has_lateral else ("frontal",)
    return Lesson(example=_example(study, views=views), films=tuple(_draw_small(study, view) for view in views))


def _draw_small(study: PhantomStudy, view: View) -> Film:
    film = (draw(study, view=view, style=Style.BASE, size=384) * 255).round().astype(np.uint8)
    return fit(film, settings=RenderSettings(size=FILM_PX, square=True))


def _example(study: PhantomStudy, *, views: tuple[View, ...]) -> Example:
    return Example(
        example_id=f"base-{study.study_number}",
        study_uid=f"base-{study.study_number}",
        patient_key=f"base-{study.patient_number}",
        images=tuple(Path() for _ in views),
        views=views,
        messages=(Turn(role="user", text=DataConfig().question),),
        target=write_report(study, style=Style.BASE),
        language="zh",
        split="train",
    )


def _other_texts(seed: int) -> list[str]:
    """Return text for the tokenizer alone: the question, and how other hospitals write. No film comes with it."""
    studies = sample_studies(600, seed=seed + 1, style=Style.DEMO)
    return [DataConfig().question] * 50 + [write_report(study, style=Style.DEMO) for study in studies]


def _rate(step: int, steps: int) -> float:
    if step < WARMUP_STEPS:
        return (step + 1) / WARMUP_STEPS
    done = (step - WARMUP_STEPS) / max(1, steps - WARMUP_STEPS)
    return 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
