"""What the demo base learns from: drawn films of another hospital, each with two questions.

The first question asks for the findings in a fixed order and wording, so that the tokens that count are about the film;
the second for a report as that hospital words it. A model that is only shown reports spends its first hours on wording.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from finetune.batch import ChatEncoder
from finetune.console import Tick
from xray.augment import AugmentSettings
from xray.augment import build as build_augmenter
from xray.data.phantom import BASE_CONCEPTS, DrawnFinding, PhantomStudy, Style, draw, sample_studies, write_report
from xray.data.store import DEFAULT_QUESTION
from xray.dicom.render import RenderSettings, fit
from xray.text.lexicon import concept
from xray.types import Example, Turn, View

FILM_PX = 128
DRAWN_PX = 384
AUGMENTATIONS = 2
LIST_QUESTION = "请列出这份胸部X光检查的异常所见。"
_SIDES = {"left": "左侧", "right": "右侧", "bilateral": "双侧"}
_ZONES = {"upper": "上野", "middle": "中野", "lower": "下野"}
_SEVERITIES = {"mild": "轻度", "moderate": "中度", "severe": "重度"}

Film = NDArray[np.uint8]
Row = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One study: its films, uint8 [128, 128] each, asked for the list of findings and for the report."""

    films: tuple[Film, ...]
    findings: Example
    report: Example


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedLesson:
    """One study under one augmentation, as model inputs for either question. The pixels are shared."""

    findings: Row
    report: Row


def draw_lessons(count: int, *, seed: int, tick: Tick) -> list[Lesson]:
    """Draw `count` studies of the base's hospital at the model's size, on all processors."""
    studies = sample_studies(count, seed=seed, style=Style.BASE)
    lessons = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for number, lesson in enumerate(pool.map(_lesson, studies, chunksize=16), start=1):
            lessons.append(lesson)
            tick(number, len(studies))
    return lessons


def encode_lessons(lessons: Sequence[Lesson], *, encoder: ChatEncoder, seed: int, tick: Tick) -> list[EncodedLesson]:
    """Encode every lesson under `AUGMENTATIONS` augmentations, once, so that the epochs need no processor."""
    augmenter = build_augmenter(AugmentSettings())
    rows = []
    for number, lesson in enumerate(lessons, start=1):
        for epoch in range(AUGMENTATIONS):
            key = lesson.report.example_id
            films = [
                augmenter.apply(film, seed=seed, epoch=epoch, example_id=key, image_index=place)
                for place, film in enumerate(lesson.films)
            ]
            rows.append(_encoded(lesson, films, encoder=encoder))
        tick(number, len(lessons))
    return rows


def tokenizer_texts(lessons: Sequence[Lesson]) -> list[str]:
    """Return everything the base will ever read or write, questions included."""
    questions = [DEFAULT_QUESTION, LIST_QUESTION] * 50
    return [*questions, *(text for lesson in lessons for text in (lesson.report.target, lesson.findings.target))]


def list_findings(study: PhantomStudy) -> str:
    """Return the findings of a study, most important first, in one wording: `右侧胸腔积液，轻度；心影增大，重度。`."""
    found = [study.get(name) for name in BASE_CONCEPTS]
    return (
        "；".join(_one_finding(finding) for finding in found if finding is not None) + "。"
        if study.findings
        else "无。"
    )


def _one_finding(finding: DrawnFinding) -> str:
    side = _SIDES[finding.laterality] if finding.laterality else ""
    zone = _ZONES[finding.zone] if finding.zone else ""
    severity = f"，{_SEVERITIES[finding.severity]}" if finding.severity else ""
    named = concept(finding.concept)
    assert named is not None, finding.concept  # the phantom's concepts are the lexicon's
    return f"{side}{zone}{named.zh}{severity}"


def _lesson(study: PhantomStudy) -> Lesson:
    views: tuple[View, ...] = ("frontal", "lateral") if study.has_lateral else ("frontal",)
    report = _report_of(study, views=views)
    question = (Turn(role="user", text=LIST_QUESTION),)
    findings = replace(report, messages=question, target=list_findings(study))
    return Lesson(films=tuple(_draw_small(study, view) for view in views), findings=findings, report=report)


def _report_of(study: PhantomStudy, *, views: tuple[View, ...]) -> Example:
    return Example(
        example_id=f"base-{study.study_number}",
        study_uid=f"base-{study.study_number}",
        patient_key=f"base-{study.patient_number}",
        images=tuple(Path() for _ in views),
        views=views,
        messages=(Turn(role="user", text=DEFAULT_QUESTION),),
        target=write_report(study, style=Style.BASE),
        language="zh",
        origin="synthetic",
        split="train",
    )


def _draw_small(study: PhantomStudy, view: View) -> Film:
    film = (draw(study, view=view, style=Style.BASE, size=DRAWN_PX) * 255).round().astype(np.uint8)
    return fit(film, settings=RenderSettings(size=FILM_PX, square=True))


def _encoded(lesson: Lesson, films: Sequence[Film], *, encoder: ChatEncoder) -> EncodedLesson:
    report = encoder.encode(lesson.report, films)
    report["pixel_values"] = report["pixel_values"].half()
    findings = encoder.encode(lesson.findings, films)
    findings["pixel_values"] = report["pixel_values"]
    return EncodedLesson(findings=findings, report=report)
