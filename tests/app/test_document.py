"""The document of a review: one spelling, every word of the kit's own, nothing that cannot be stored."""

import math
from typing import get_args
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.document import ErrorCategory, QuestionAnswer, ReviewDocument, SentenceKind, Timings, canonical
from xray.metrics.alignment import SentenceKind as Kind
from xray.metrics.differences import ErrorKind

words = st.text(max_size=20)
values = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words | st.tuples(words)


def test_a_sentence_is_judged_in_the_words_of_the_scores():
    assert get_args(SentenceKind) == get_args(Kind)
    assert get_args(ErrorCategory) == get_args(ErrorKind)


@given(comment=words, value=values, milliseconds=st.integers(0, 10**12))
def test_a_document_comes_back_from_its_text_as_it_was(comment: str, value: object, milliseconds: int):
    document = ReviewDocument(
        comment=comment,
        answers=(QuestionAnswer(question="q", value=value),),
        timings=Timings(active_ms=milliseconds),
    )
    again = ReviewDocument.model_validate_json(canonical(document))
    assert again == document
    assert type(again.answers[0].value) is type(document.answers[0].value)
    assert canonical(again) == canonical(document)


@given(comment=words)
def test_the_same_words_typed_on_two_systems_are_one_document(comment: str):
    composed, split = (ReviewDocument(comment=normalize(form, comment)) for form in ("NFC", "NFD"))
    assert canonical(composed) == canonical(split)


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": 1}, None])
def test_an_answer_that_json_cannot_hold_is_refused(value: object):
    with pytest.raises(ValidationError):
        QuestionAnswer(question="q", value=value)


def test_two_readings_of_different_length_say_the_same():
    quick, slow = (ReviewDocument(verdict="edit", timings=Timings(active_ms=ms)) for ms in (1, 2))
    assert quick.says_the_same_as(slow)
    assert not quick.says_the_same_as(ReviewDocument(verdict="reject"))
