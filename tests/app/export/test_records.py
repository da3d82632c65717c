"""What a review says of itself, whatever the format."""

from datetime import datetime

import pytest
from pydantic import ValidationError

from app.export.contents import findings_and_impression, select_documents
from app.export.records import Person, PromptTurn, SentenceEdit
from tests.app.export.reviews import CORRECTED, GENERATED, LABEL, review, signed


def test_the_id_stays_with_the_reader_the_case_and_the_protocol() -> None:
    first = review()
    assert first.id == review(revision=4, status="amended", corrected="另一版").id
    others = [
        review("case-2"),
        review(run_id="run-2"),
        review(reader=Person(id="li", name="李四")),
        review(protocol={"name": "rexval6", "sha256": "00"}),
    ]
    assert len({first.id, *(other.id for other in others)}) == 5


def test_a_text_is_labelled_as_generated_until_somebody_signs_it() -> None:
    assert review().ai_label == "人工智能生成"
    assert signed().ai_label == LABEL


@pytest.mark.parametrize("status", ["draft", "void"])
def test_a_signature_does_not_count_on_a_review_that_is_not_handed_in(status: str) -> None:
    assert signed(status=status).signed is None
    assert signed(status=status).ai_label == "人工智能生成"


def test_the_final_text_is_the_corrected_one_and_a_rejected_one_is_none() -> None:
    assert review().final_text == CORRECTED
    assert review(verdict="accept", corrected="", edits=()).final_text == GENERATED
    assert review(verdict="reject", corrected=" \n").final_text == ""
    assert review(verdict="edit", corrected="", edits=()).final_text == ""
    assert review(verdict="reject", corrected="其余句子仍在。").final_text == ""


@pytest.mark.parametrize(
    ("edit", "stands"),
    [
        ({"decision": "reject"}, False),
        ({"decision": "edit", "replacement": "右肺下叶见斑片影，"}, False),
        ({"decision": "edit", "replacement": f"{GENERATED} "}, True),
        ({"decision": "accept"}, True),
        ({"decision": "add", "text": "", "replacement": "右侧少量积液。"}, False),
        ({"decision": "add", "text": ""}, True),
    ],
    ids=["rejected", "rewritten", "rewritten as it was", "accepted", "added", "lacks something"],
)
def test_nobody_stands_for_a_generated_text_with_a_sentence_that_they_struck_out(edit: dict[str, str], stands: bool):
    edits = (SentenceEdit.model_validate({"text": GENERATED, **edit}),)
    assert review(verdict=None, corrected="", edits=edits).final_text == (GENERATED if stands else "")


def test_times_without_an_offset_and_prompts_without_a_question_are_refused() -> None:
    with pytest.raises(ValidationError):
        review(saved_at=datetime(2026, 1, 1))
    with pytest.raises(ValidationError):
        review(turns=(PromptTurn(role="assistant", text="好的。"),))


def test_one_document_is_chosen_for_a_case_and_the_others_say_why_not() -> None:
    li, wang = Person(id="li", name="李四"), Person(id="wang", name="王五")
    records = [
        signed("a"),
        signed("a", reader=li),
        signed("b"),
        signed("b", reader=li, status="approved"),
        review("b", reader=wang),
        signed("c", sentinel=True),
        review("d", status="void"),
        review("e", verdict="reject", corrected=""),
        review("f", status="draft"),
        signed("g", status="amended"),
    ]
    chosen, excluded = select_documents(records, signed_only=True)
    assert [record.case_id for record in chosen] == ["b", "g"]
    assert chosen[0].reader == li
    assert [exclusion.reason for exclusion in excluded] == [
        *["not_adjudicated"] * 2,
        *["superseded_by_approval"] * 2,
        "sentinel",
        "void",
        "no_text",
        "not_signed",
    ]
    assert [record.case_id for record in select_documents(records, signed_only=False)[0]] == ["b", "f", "g"]


def test_a_review_that_was_not_chosen_still_contradicts_and_overrules() -> None:
    li = Person(id="li", name="李四")
    others = [signed("a", reader=li, status="amended"), signed("b", reader=li, status="approved")]
    chosen, excluded = select_documents([signed("a"), signed("b")], signed_only=True, others=others)
    assert chosen == []
    assert [exclusion.reason for exclusion in excluded] == ["not_adjudicated", "superseded_by_approval"]


@pytest.mark.parametrize(
    "text",
    [
        "右肺下叶炎症。",
        "所见：右肺斑片影。",
        "所见：右肺斑片影。\n印象：炎症。\n对比：较前片吸收。",
        "临床诊断：咳嗽。\n所见：右肺斑片影。\n印象：炎症。",
    ],
)
def test_a_report_is_parted_only_where_nothing_of_it_is_lost(text: str) -> None:
    assert findings_and_impression(text) is None
    assert findings_and_impression(CORRECTED) == ("右肺下叶见斑片影，心影不大。", "右肺下叶炎症。")
