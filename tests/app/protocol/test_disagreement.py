"""What readers differ on, and what a decision between them says."""

from app.document import Preference, QuestionAnswer, ReviewDocument, SentenceDecision
from app.protocol.disagreement import Item, Opinion, decided, differences, together
from app.protocol.load import preset
from app.store.reviews import Revision

SAME, TURNED = {"A": "心影增大。", "B": "心影不大。"}, {"A": "心影不大。", "B": "心影增大。"}


def opinion(reviewer: str = "li", *, texts: dict[str, str] = SAME, **document: object) -> Opinion:
    review = Revision(
        run_id="run",
        case_id="case",
        reviewer=reviewer,
        task=reviewer,
        revision=1,
        status="submitted",
        document=ReviewDocument.model_validate(document),
        reason="",
        saved_at="",
    )
    return Opinion(review=review, texts=texts)


def prefers(choice: str, **fields: object) -> Opinion:
    return opinion(preference=Preference(choice=choice), **fields)


def answers(**given: object) -> Opinion:
    return opinion(answers=tuple(QuestionAnswer(question=name, value=value) for name, value in given.items()))


def test_a_preference_is_of_a_text_whatever_letter_it_had():
    protocol = preset("flamingo_pref")
    assert differences([prefers("A"), prefers("B", texts=TURNED)], protocol=protocol) == ()
    assert differences([prefers("A"), prefers("A", texts=TURNED)], protocol=protocol) == (Item(kind="preference"),)
    assert differences([prefers("A"), prefers("neither")], protocol=protocol) == (Item(kind="preference"),)


def test_readers_of_different_texts_cannot_differ():
    other = prefers("A", texts={"A": "心影不大。", "B": "气胸。"})
    assert [len(group) for group in together([prefers("A"), other, prefers("B", texts=TURNED)])] == [2, 1]


def test_answers_differ_by_value_scales_by_more_than_a_step_and_free_words_never():
    protocol = preset("likert_ed")
    near = [answers(accuracy=4, significant_discrepancy=False, discrepancy="无"), answers(accuracy=5)]
    assert differences(near, protocol=protocol) == (Item(kind="question", name="significant_discrepancy"),)
    far = [answers(accuracy=2, discrepancy="左侧"), answers(accuracy=4, discrepancy="右侧")]
    assert differences(far, protocol=protocol) == (Item(kind="question", name="accuracy"),)


def test_one_review_is_enough_where_the_protocol_sends_an_answer_on():
    protocol = preset("radpeer")
    assert differences([answers(score="s2a")], protocol=protocol) == ()
    assert differences([answers(score="s3b")], protocol=protocol) == (Item(kind="question", name="score"),)
    yes = protocol.model_copy(
        update={"adjudicate": ("significant=yes",), "questions": preset("gt_audit").questions[-1:]}
    )
    assert differences([answers(significant=True)], protocol=yes) == (Item(kind="question", name="significant"),)


def test_counts_differ_where_one_reader_finds_an_error_and_the_other_none():
    protocol = preset("rexval6")
    one, two = answers(**{"false.significant": 1}), answers(**{"false.significant": 3})
    assert differences([one, two], protocol=protocol) == ()
    other = answers(**{"omission.insignificant": 1})
    assert differences([one, other], protocol=protocol) == (
        Item(kind="errors", name="false"),
        Item(kind="errors", name="omission"),
    )


def test_sentences_differ_by_right_or_wrong_and_by_the_kind_of_error():
    def judged(**fields: object) -> Opinion:
        return opinion(sentences=(SentenceDecision(sentence=0, **fields),))

    protocol = preset("flamingo_fix")
    wrong = judged(decision="reject", category="location")
    assert differences([wrong, judged(decision="edit", category="location")], protocol=protocol) == ()
    for other in (judged(decision="accept"), judged(decision="reject", category="severity"), opinion()):
        assert differences([wrong, other], protocol=protocol) == (Item(kind="sentence", name="0"),)


def test_a_decision_is_the_chosen_review_but_for_what_was_decided_otherwise():
    base = prefers("B", texts=TURNED, comment="看过")
    changes = {
        Item(kind="preference"): "心影不大。",
        Item(kind="question", name="image_adequate"): True,
        Item(kind="verdict"): "edit",
    }
    document = decided(base, changes, reason="影像不支持增大")
    assert document.preference == Preference(choice="A", reason="影像不支持增大")
    assert document.answers == (QuestionAnswer(question="image_adequate", value=True),)
    assert (document.verdict, document.comment) == ("edit", "看过")
