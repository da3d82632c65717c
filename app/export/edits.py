"""A reader's decisions on sentences, as exports name them."""

from collections.abc import Iterator, Mapping

from app.document import ErrorCategory, ReviewDocument, SentenceDecision
from app.export.records import ReXValCategory, SentenceEdit
from xray.metrics.alignment import split_sentences

CATEGORIES: Mapping[ErrorCategory, ReXValCategory] = {
    "false": 1,
    "omission": 2,
    "location": 3,
    "severity": 4,
    "added_comparison": 5,
    "omitted_comparison": 6,
}
"""The numbers of ReXVal's six categories (Yu et al., Patterns 2023, Table 1)."""


def edits_of(document: ReviewDocument, *, generated: str) -> tuple[SentenceEdit, ...]:
    """Return the decisions that were made, those on sentences of the generated text first.

    A sentence of the reference that the report omits is one to `add`, with an empty `text`: `replacement` is what the
    reader wants it to say, empty where its absence was an error and nothing was written. Where the reader accepted its
    absence there is nothing to add.
    """
    sentences = tuple(sentence.text.strip() for sentence in split_sentences(generated))
    return tuple(_edits(document, generated=sentences))


def _edits(document: ReviewDocument, *, generated: tuple[str, ...]) -> Iterator[SentenceEdit]:
    for found in sorted(document.sentences, key=lambda decision: (decision.report == "reference", decision.sentence)):
        if found.decision is None:
            continue
        if found.report == "generated":
            yield _edit(found, text=_at(generated, found.sentence))
        elif found.decision != "accept":
            yield _edit(found, text="").model_copy(update={"decision": "add"})


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


def _at(found: tuple[str, ...], index: int) -> str:
    return found[index] if index < len(found) else ""
