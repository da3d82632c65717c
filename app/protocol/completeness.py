"""What a review still lacks before it can be submitted under its protocol.

The browser says the same at once (components/workbench/completeness.js); this is the rule that counts.
"""

from collections.abc import Iterator

from app.document import ReviewDocument, SentenceDecision
from app.protocol.model import Protocol, Question


def counts(protocol: Protocol) -> tuple[str, ...]:
    """Return the names of the answers that count errors, `false.significant` and so on: category and weight."""
    if protocol.errors != "counted":
        return ()
    return tuple(
        f"{category}.{weight}" for category in protocol.categories for weight in ("significant", "insignificant")
    )


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
    yield from (f"count:{name}" for name in counts(protocol) if not _is_count(answers.get(name)))
    later = (one for one in protocol.questions if not one.before_reports)
    yield from (f"question:{one.name}" for one in later if _is_open(one, answers))
    if protocol.preference and document.preference is None:
        yield "preference"
    if protocol.correction == "required" and _lacks_correction(document, protocol=protocol):
        yield "correction"
    if protocol.verdict and document.verdict is None:
        yield "verdict"


def _undecided(document: ReviewDocument, *, protocol: Protocol, sentences: int) -> Iterator[str]:
    decided = {one.sentence for one in document.sentences if one.report == "generated" and one.decision}
    yield from (f"sentence:{number}" for number in range(sentences) if number not in decided)
    if protocol.errors == "by_sentence":
        for one in document.sentences:
            yield from _unjudged(one)


def _lacks_correction(document: ReviewDocument, *, protocol: Protocol) -> bool:
    """Whether there is no corrected report; one whose sentences are all accepted needs none."""
    changed = any(one.decision in ("edit", "reject") for one in document.sentences)
    return not document.corrected.strip() and (changed or not protocol.sentences)


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
