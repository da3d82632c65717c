"""Submitted reviews as ratings: who said what of which unit, item by item, ready for coefficients of agreement."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from app.document import VERDICTS, ErrorCategory, QuestionAnswer, ReviewDocument, SentenceDecision
from app.protocol.model import Protocol, Question
from app.store.arms import Task
from app.store.reviews import Revision

Scale = Literal["nominal", "ordinal", "count"]
Topic = Literal["verdict", "preference", "question", "errors", "significant_errors", "kinds", "decisions"]
_CATEGORIES = frozenset(get_args(ErrorCategory))
_SCALES: Mapping[str, Scale] = {"choice": "nominal", "yes_no": "nominal", "scale": "ordinal", "count": "count"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A submitted review, what it judged, and the task it answers (None outside of studies).

    `unit` names the case and the reports judged, alike for all readers.
    """

    reader: str
    unit: str
    document: ReviewDocument
    task: Task | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is rated. `question` is set for a question of the protocol."""

    topic: Topic
    scale: Scale
    question: Question | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What was said on an item: rows of (unit, reader, value), the value a number or a category's place."""

    item: Item
    rows: tuple[tuple[str, str, float], ...]


def readings_of(revisions: Iterable[Revision], *, tasks: Sequence[Task] = ()) -> tuple[Reading, ...]:
    """Pair submitted reviews with their tasks; outside of studies a unit is the case with the text that was judged."""
    by_id = {task.id: task for task in tasks}
    return tuple(
        Reading(
            reader=revision.reviewer,
            unit=task.unit if task else _open_unit(revision),
            document=revision.document,
            task=task,
        )
        for revision in revisions
        for task in (by_id.get(revision.task),)
    )


def items_of(protocol: Protocol) -> tuple[Item, ...]:
    """Return what a protocol has rated, in the order of its form. Free texts cannot agree and are left out."""
    found: list[Item] = []
    if protocol.verdict:
        found.append(Item(topic="verdict", scale="nominal"))
    if protocol.preference:
        found.append(Item(topic="preference", scale="nominal"))
    found += [
        Item(topic="question", scale=_SCALES[question.kind], question=question)
        for question in protocol.questions
        if question.kind in _SCALES
    ]
    if protocol.errors != "none":
        found += [Item(topic="significant_errors", scale="count"), Item(topic="errors", scale="count")]
    if protocol.sentences:
        found += [Item(topic="decisions", scale="nominal"), Item(topic="kinds", scale="nominal")]
    return tuple(found)


def ratings(item: Item, readings: Sequence[Reading]) -> Ratings:
    """Collect what all readings say on an item. Categories are numbered in the order of their names."""
    said = [(unit, one.reader, value) for one in readings for unit, value in _said(item, one)]
    names = sorted({value for _, _, value in said if isinstance(value, str)})
    place = {name: float(number) for number, name in enumerate(names)}
    rows = [(unit, reader, place[value] if isinstance(value, str) else value) for unit, reader, value in said]
    return Ratings(item=item, rows=tuple(rows))


def count_errors(document: ReviewDocument, *, significant_only: bool) -> int:
    """Count the errors that a review names: those of sentences, and those counted for the report as a whole.

    A count is an answer called after its category and weight, such as `omission.significant`.
    """
    by_sentence = sum(
        sentence.category is not None and (sentence.significant is True or not significant_only)
        for sentence in document.sentences
    )
    return by_sentence + sum(_counted(answer, significant_only=significant_only) for answer in document.answers)


def answer_to(question: str, document: ReviewDocument) -> object:
    """Return the answer to a question, None where there is none."""
    return next((answer.value for answer in document.answers if answer.question == question), None)


def _counted(answer: QuestionAnswer, *, significant_only: bool) -> int:
    category, _, weight = answer.question.rpartition(".")
    if category.rpartition(".")[2] not in _CATEGORIES or not isinstance(answer.value, int):
        return 0
    return answer.value if weight == "significant" or not significant_only else 0


def _said(item: Item, reading: Reading) -> Iterator[tuple[str, str | float]]:
    document, unit = reading.document, reading.unit
    if item.topic in ("kinds", "decisions"):
        yield from _of_sentences(item.topic, reading)
    elif item.topic == "verdict" and document.verdict is not None:
        yield unit, float(VERDICTS.index(document.verdict))
    elif item.topic == "preference" and document.preference is not None:
        yield unit, _preferred(document.preference.choice, reading.task)
    elif item.topic in ("errors", "significant_errors"):
        yield unit, float(count_errors(document, significant_only=item.topic == "significant_errors"))
    elif item.question is not None:
        value = answer_to(item.question.name, document)
        if item.scale == "nominal" and value is not None:
            yield unit, str(value)
        elif isinstance(value, int | float):
            yield unit, float(value)


def _of_sentences(topic: Topic, reading: Reading) -> Iterator[tuple[str, str]]:
    for sentence in reading.document.sentences:
        value = sentence.reader_kind if topic == "kinds" else sentence.decision
        if value is not None:
            yield _sentence_unit(reading.unit, sentence), value


def _sentence_unit(unit: str, sentence: SentenceDecision) -> str:
    return f"{unit}\0{sentence.report}\0{sentence.sentence}"


def _preferred(choice: str, task: Task | None) -> str:
    """Name the preferred report by its origin: each reader has labels of their own."""
    origin = task.origins.get(choice) if task else None
    return f"{origin.run_id}/{origin.system}" if origin else choice


def _open_unit(revision: Revision) -> str:
    return "\0".join((revision.run_id, revision.case_id, revision.document.generated_sha256))
