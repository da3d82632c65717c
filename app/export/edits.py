"""A reader's decisions on sentences, as exports name them."""

import re
from collections.abc import Iterator, Mapping

from app.document import ErrorCategory, ReviewDocument, SentenceDecision
from app.export.records import ReXValCategory, SentenceEdit

CATEGORIES: Mapping[ErrorCategory, ReXValCategory] = {
    "false": 1,
    "omission": 2,
    "location": 3,
    "severity": 4,
    "added_comparison": 5,
    "omitted_comparison": 6,
}
"""The numbers of ReXVal's six categories (Yu et al., Patterns 2023, Table 1)."""
_SENTENCE = re.compile(r"[^。；;！!？?\n]+[。；;！!？?]*")


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a report, without the white space around them."""
    found = (match.group().strip() for match in _SENTENCE.finditer(text))
    return tuple(sentence for sentence in found if sentence)


def edits_of(document: ReviewDocument, *, generated: str, reference: str) -> tuple[SentenceEdit, ...]:
    """Return the decisions that were made, those on sentences of the generated text first.

    A sentence of the reference that the reader accepted is one to `add`: `text` is empty and `replacement` is the
    sentence, or what the reader wrote in its place.
    """
    return tuple(_edits(document, generated=sentences(generated), reference=sentences(reference)))


def _edits(
    document: ReviewDocument, *, generated: tuple[str, ...], reference: tuple[str, ...]
) -> Iterator[SentenceEdit]:
    for found in sorted(document.sentences, key=lambda decision: (decision.report == "reference", decision.sentence)):
        if found.decision is None:
            continue
        if found.report == "generated":
            yield _edit(found, text=_at(generated, found.sentence))
        elif found.decision != "reject":
            yield _addition(found, text=_at(reference, found.sentence))


def _edit(found: SentenceDecision, *, text: str) -> SentenceEdit:
    assert found.decision is not None  # the caller asked
    return SentenceEdit(
        text=text,
        decision=found.decision,
        replacement=found.replacement,
        suggested_kind=found.suggested_kind,
        reader_kind=found.reader_kind,
        category=CATEGORIES[found.category] if found.category else None,
        significant=bool(found.significant),
    )


def _addition(found: SentenceDecision, *, text: str) -> SentenceEdit:
    edit = _edit(found, text="")
    return edit.model_copy(update={"decision": "add", "replacement": found.replacement or text})


def _at(found: tuple[str, ...], index: int) -> str:
    return found[index] if index < len(found) else ""
