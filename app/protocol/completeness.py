"""What a review still lacks before it can be submitted under its protocol.

The browser says the same at once (components/workbench/completeness.js); this is the rule that counts.
"""

from collections.abc import Iterator
from typing import get_args

from app.document import ErrorCategory, ReviewDocument, SentenceDecision
from app.protocol.model import Protocol, Question

CATEGORIES: tuple[ErrorCategory, ...] = get_args(ErrorCategory)
COUNTS = tuple(f"{category}.{weight}" for category in CATEGORIES for weight in ("significant", "insignificant"))
"""Names of the answers that count errors: one for each category of ReXVal and for both weights."""


def missing(document: ReviewDocument, *, protocol: Protocol, sentences: int) -> tuple[str, ...]:
    """Name what is missing, in the order of the page; `sentences` is the number of the judged text's sentences.

    `question:NAME`, `count:NAME`, `sentence:NUMBER`, `category:REPORT:NUMBER`, `significance:REPORT:NUMBER`,
    `preference`, `correction` and `verdict`.
    """
    return tuple(_missing(document, protocol=protocol, sentences=sentences))


def unanswered_before(document: ReviewDocument, *, protocol: Protocol) -> bool:
    """Whether a question is open that has to be answered before the reports are shown."""
    answers = _answers(document)
    return any(_is_open(question, answers) for question in protocol.questions if question.before_reports)


def _missing(document: ReviewDocument, *, protocol: Protocol, sentences: int) -> Iterator[str]:
    answers = _answers(document)
    yield from (f"question:{one.name}" for one in protocol.questions if one.before_reports and _is_open(one, answers))
    if protocol.sentences:
        yield from _undecided(document, protocol=protocol, sentences=sentences)
    if protocol.errors == "counted":
        yield from (f"count:{name}" for name in COUNTS if not _is_count(answers.get(name)))
    later = (one for one in protocol.questions if not one.before_reports)
    yield from (f"question:{one.name}" for one in later if _is_open(one, answers))
    if protocol.preference and document.preference is None:
        yield "preference"
    if protocol.correction == "required" and not document.corrected.strip():
        yield "correction"
    if protocol.verdict and document.verdict is None:
        yield "verdict"


def _undecided(document: ReviewDocument, *, protocol: Protocol, sentences: int) -> Iterator[str]:
    decided = {one.sentence for one in document.sentences if one.report == "generated" and one.decision}
    yield from (f"sentence:{number}" for number in range(sentences) if number not in decided)
    if protocol.errors == "by_sentence":
        for one in document.sentences:
            yield from _unjudged(one)


def _unjudged(one: SentenceDecision) -> Iterator[str]:
    if one.decision == "reject":
        if one.category is None:
            yield f"category:{one.report}:{one.sentence}"
        if one.significant is None:
            yield f"significance:{one.report}:{one.sentence}"


def _answers(document: ReviewDocument) -> dict[str, object]:
    return {answer.question: answer.value for answer in document.answers}


def _is_open(question: Question, answers: dict[str, object]) -> bool:
    return question.required and not _fits(question, answers.get(question.name))


def _fits(question: Question, value: object) -> bool:
    if question.kind == "yes_no":
        return isinstance(value, bool)
    if question.kind == "text":
        return isinstance(value, str) and value.strip() != ""
    if question.kind == "choice":
        return value in {choice.value for choice in question.choices}
    return _is_count(value) and (question.kind == "count" or value in range(1, 6))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
