"""What a review has to hold before it can be submitted, under every kind of protocol."""

import pytest

from app.document import Preference, QuestionAnswer, ReviewDocument, SentenceDecision
from app.protocol.completeness import counts, missing, unanswered_before
from app.protocol.model import Protocol

TEXT = {"zh": "问", "en": "ask"}


def protocol(**settings: object) -> Protocol:
    return Protocol.model_validate({"name": "small", "title": TEXT, "instruction": TEXT, **settings})


def question(kind: str, **settings: object) -> dict[str, object]:
    choices = [{"value": value, "text": TEXT} for value in ("one", "two")] if kind == "choice" else []
    return {"name": "q", "kind": kind, "text": TEXT, "choices": choices, **settings}


def answered(**values: object) -> ReviewDocument:
    return ReviewDocument(answers=tuple(QuestionAnswer(question=name, value=value) for name, value in values.items()))


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("choice", ["one"], ["three", True, ""]),
        ("yes_no", [True, False], ["yes", 1]),
        ("scale", [1, 5], [0, 6, True, "3"]),
        ("count", [0, 12], [-1, False, "0"]),
        ("text", ["字"], [" \n", 3]),
    ],
)
def test_a_required_question_is_open_until_its_answer_is_of_its_kind(kind: str, right: list, wrong: list):
    asks = protocol(questions=[question(kind)])
    assert missing(ReviewDocument(), protocol=asks, sentences=0) == ("question:q",)
    assert [value for value in right if missing(answered(q=value), protocol=asks, sentences=0)] == []
    assert [value for value in wrong if not missing(answered(q=value), protocol=asks, sentences=0)] == []


def test_an_optional_question_may_stay_open():
    assert missing(ReviewDocument(), protocol=protocol(questions=[question("text", required=False)]), sentences=0) == ()


def test_the_reports_wait_for_the_questions_that_come_before_them_alone():
    asks = protocol(questions=[question("yes_no", before_reports=True), {**question("text"), "name": "later"}])
    assert unanswered_before(ReviewDocument(), protocol=asks)
    assert not unanswered_before(answered(q=False), protocol=asks)
    assert missing(answered(q=False), protocol=asks, sentences=0) == ("question:later",)


def test_every_generated_sentence_is_decided_and_a_rejected_one_says_what_is_wrong_and_whether_it_matters():
    asks = protocol(sentences=True, errors="by_sentence")
    document = ReviewDocument(
        sentences=(
            SentenceDecision(sentence=0, decision="accept"),
            SentenceDecision(sentence=2, decision="reject", category="location"),
            SentenceDecision(report="reference", sentence=1, decision="reject", significant=False),
        )
    )
    assert missing(document, protocol=asks, sentences=3) == (
        "sentence:1",
        "significance:generated:2",
        "category:reference:1",
    )


def test_errors_are_counted_for_each_category_that_the_protocol_offers_and_both_weights():
    asks = protocol(errors="counted", categories=["false", "location"])
    assert counts(asks) == (
        "false.significant",
        "false.insignificant",
        "location.significant",
        "location.insignificant",
    )
    filled = answered(**{"false.significant": 0, "location.significant": 2})
    assert missing(filled, protocol=asks, sentences=0) == ("count:false.insignificant", "count:location.insignificant")
    assert counts(protocol()) == ()


def test_a_preference_and_a_verdict_are_asked_for_where_the_protocol_has_them():
    asks = protocol(reports=2, preference=True, verdict=True)
    assert missing(ReviewDocument(), protocol=asks, sentences=0) == ("preference", "verdict")
    done = ReviewDocument(preference=Preference(choice="neither"), verdict="reject")
    assert missing(done, protocol=asks, sentences=0) == ()


def test_a_required_correction_is_written_unless_every_sentence_is_right_as_it_is():
    whole, judged = protocol(correction="required"), protocol(correction="required", sentences=True)
    right, wrong = (ReviewDocument(sentences=(SentenceDecision(sentence=0, decision=it),)) for it in ("accept", "edit"))
    assert missing(ReviewDocument(), protocol=whole, sentences=0) == ("correction",)
    assert missing(ReviewDocument(corrected="心影不大。"), protocol=whole, sentences=0) == ()
    assert missing(right, protocol=judged, sentences=1) == ()
    assert missing(wrong, protocol=judged, sentences=1) == ("correction",)
