"""What the browser is told of a case: no more than the protocol shows at this moment."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from app.document import ReviewDocument
from app.protocol.completeness import counts, unanswered_before
from app.protocol.model import Protocol, Question
from app.store.reviews import Revision, is_given, last_said
from app.words.workbench import WorkbenchWords
from app.workbench.bench import Bench
from app.workbench.texts import Texts, texts_of

State = Literal["none", "draft", "submitted", "amending", "void"]
_TEXTS_OF_MOUNT = ("history", "history_columns", "statuses", "judging", "keys")  # words that the browser has no use for


def state_of(history: Sequence[Revision]) -> State:
    """Return how far a review with these revisions, the oldest first, is."""
    if not history:
        return "none"
    if history[-1].status == "void":
        return "void"
    if history[-1].status != "draft":
        return "submitted"
    return "amending" if is_given(history) else "draft"


def contents(
    bench: Bench, *, history: Sequence[Revision], words: WorkbenchWords, language: Literal["zh", "en"]
) -> dict[str, Any]:
    """Return the protocol, the texts and the review as the browser may see them now."""
    state = state_of(history)
    latest = history[-1] if history else None
    hidden = unanswered_before(latest.document if latest else ReviewDocument(), protocol=bench.protocol)
    given = state in ("submitted", "amending")
    texts = Texts() if hidden else texts_of(bench, given=given, words=words, language=language)
    return {
        "run": "" if bench.task else bench.run_id,
        "case": "" if bench.task else bench.case_id,
        "task": bench.task,
        "judged": bench.judged_sha256,
        "read_only": bench.read_only,
        "protocol": _protocol_json(bench.protocol, language=language),
        "review": {
            **review_json(latest),
            "state": state,
            "given": _given_json(history, state=state),
        },
        "hidden": hidden,
        **asdict(texts),
        "words": {name: text for name, text in _words_json(words).items() if name not in _TEXTS_OF_MOUNT},
    }


def review_json(latest: Revision | None) -> dict[str, Any]:
    """Return a review as the browser keeps it; revision 0 is none."""
    if latest is None:
        return {"revision": 0, "document": {}}
    return {
        "revision": latest.revision,
        "document": latest.document.model_dump(mode="json", exclude_defaults=True),
    }


def _given_json(history: Sequence[Revision], *, state: State) -> dict[str, Any] | None:
    """Return what stands while an amendment is in the making: the last submission."""
    given = last_said(history)
    return given.document.model_dump(mode="json", exclude_defaults=True) if given and state == "amending" else None


def _protocol_json(protocol: Protocol, *, language: Literal["zh", "en"]) -> dict[str, Any]:
    return {
        "instruction": getattr(protocol.instruction, language),
        "sentences": protocol.sentences,
        "errors": protocol.errors,
        "verdict": protocol.verdict,
        "correction": protocol.correction,
        "preference": protocol.preference,
        "suggestions": protocol.suggestions,
        "categories": list(protocol.categories),
        "counts": list(counts(protocol)),
        "questions": [_question_json(question, language=language) for question in protocol.questions],
    }


def _question_json(question: Question, *, language: Literal["zh", "en"]) -> dict[str, Any]:
    return {
        "name": question.name,
        "kind": question.kind,
        "text": getattr(question.text, language),
        "choices": [{"value": one.value, "text": getattr(one.text, language)} for one in question.choices],
        "required": question.required,
        "before_reports": question.before_reports,
    }


def _words_json(words: WorkbenchWords) -> dict[str, Any]:
    values = ((name, getattr(words, name)) for name in words.__dataclass_fields__)
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values}
