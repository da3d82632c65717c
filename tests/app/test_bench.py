"""What the browser is told of a case: no more than its protocol shows."""

import json
from collections.abc import Sequence

import pytest

from app.document import QuestionAnswer, ReviewDocument, SentenceDecision
from app.protocol.load import preset
from app.protocol.model import Protocol
from app.store.reviews import Revision, Status
from app.words.workbench import WORKBENCH_WORDS
from app.workbench import Bench, ShownReport
from app.workbench.contents import contents, state_of

TEXT = {"zh": "问", "en": "ask"}
RUN, TASK = "secret-model-run-7", "t-5f3a"
GENERATED, REFERENCE = "左侧胸腔少量积液。心影不大。", "右侧胸腔少量积液。左侧锁骨骨折。"


def protocol(**settings: object) -> Protocol:
    base = {"name": "small", "title": TEXT, "instruction": TEXT, "sentences": True, "suggestions": False}
    return Protocol.model_validate({**base, **settings})


def bench(asked: Protocol, *, texts: Sequence[str] = (GENERATED,), **settings: object) -> Bench:
    labels = "ABCDE" if len(texts) > 1 else [""]
    shown = tuple(ShownReport(text=text, label=label) for text, label in zip(texts, labels, strict=False))
    reference = ShownReport(text=REFERENCE, heading="参考报告") if asked.reference in ("beside", "after") else None
    given = {"task": TASK, "reference": reference, **settings}
    return Bench(protocol=asked, run_id=RUN, case_id="case-1", reports=shown, **given)


def revision(document: ReviewDocument, *, status: Status = "draft", number: int = 1) -> Revision:
    return Revision(
        run_id=RUN,
        case_id="case-1",
        reviewer="local",
        task=TASK,
        revision=number,
        status=status,
        document=document,
        reason="",
        saved_at="2026-01-01T00:00:00+00:00",
    )


def told(shown: Bench, *history: Revision) -> dict[str, object]:
    return contents(shown, history=history, words=WORKBENCH_WORDS["zh"], language="zh")


def dump(data: dict[str, object]) -> str:
    return json.dumps({name: value for name, value in data.items() if name != "words"}, ensure_ascii=False)


def test_the_open_review_shows_rows_with_kinds_and_their_grounds():
    data = told(bench(preset("open_review"), task=""))
    assert [(row["generated"], list(row["reference"]), row["kind"]) for row in data["rows"]] == [
        (0, [0], "side"),
        (None, [1], "omitted"),
        (1, [], ""),
    ]
    (ground,) = data["rows"][0]["grounds"]
    assert ground["contrasts"] == ("侧别：生成报告左侧，参考报告右侧",)
    assert (data["run"], data["case"]) == (RUN, "case-1")


def test_hidden_suggestions_leave_no_kind_no_mark_and_no_ground_in_what_the_browser_is_told():
    data = told(bench(protocol(reference="beside")))
    assert data["rows"] == ()
    pieces = [
        piece for report in (data["reports"][0], data["reference"]) for one in report["sentences"] for piece in one
    ]
    assert {(piece["kind"], piece["tag"], piece["title"]) for piece in pieces} == {("", "", "")}
    assert not any(word in dump(data) for word in ('"side"', '"omitted"', "侧别", "pleural_effusion", "胸腔积液"))


@pytest.mark.parametrize("reference", ["after", "never"])
def test_a_reference_that_is_not_to_be_seen_is_not_in_what_the_browser_is_told(reference: str):
    data = told(bench(protocol(reference=reference)))
    assert data["reference"] is None
    assert "锁骨" not in dump(data)


def test_a_reference_shown_after_the_review_comes_with_its_submission_and_stays_while_it_is_amended():
    shown, document = bench(protocol(reference="after")), ReviewDocument(verdict="accept")
    history = [revision(document), revision(document, status="submitted", number=2), revision(document, number=3)]
    seen = ["锁骨" in dump(told(shown, *history[:number])) for number in (1, 2, 3)]
    assert seen == [False, True, True]
    assert [state_of(history[:number]) for number in range(4)] == ["none", "draft", "submitted", "amending"]


def test_a_task_tells_neither_the_run_nor_the_case():
    assert RUN not in json.dumps(told(bench(protocol()), revision(ReviewDocument(comment="字"))), ensure_ascii=False)
    assert "case-1" not in dump(told(bench(protocol())))
    with pytest.raises(ValueError, match="needs a task"):
        bench(protocol(), task="")


def test_reports_wait_for_the_question_that_comes_before_them():
    first = {"name": "adequate", "kind": "yes_no", "text": TEXT, "before_reports": True}
    shown = bench(protocol(questions=[first]))
    waiting = told(shown)
    assert (waiting["hidden"], waiting["reports"], waiting["reference"]) == (True, (), None)
    assert "积液" not in dump(waiting)
    answered = ReviewDocument(answers=(QuestionAnswer(question="adequate", value=False),))
    assert "积液" in dump(told(shown, revision(answered)))


def test_reports_shown_together_bear_one_badge_that_tells_none_of_them_from_the_others():
    asked = protocol(reports=2, sentences=False, reference="among", preference=True)
    reports = told(bench(asked, texts=(GENERATED, REFERENCE)))["reports"]
    assert [report["badges"] for report in reports] == [(("ai", "含人工智能生成内容"),)] * 2
    with pytest.raises(ValueError, match="labels of their own"):
        Bench(
            protocol=asked,
            run_id=RUN,
            case_id="c",
            task=TASK,
            reports=(ShownReport(text="甲"), ShownReport(text="乙")),
        )


def test_a_saved_review_comes_back_whole():
    said = ReviewDocument(sentences=(SentenceDecision(sentence=1, decision="edit", replacement="心影增大。"),))
    review = told(bench(protocol()), revision(said, number=4))["review"]
    assert (review["revision"], review["state"]) == (4, "draft")
    assert ReviewDocument.model_validate(review["document"]) == said


def test_both_languages_have_every_text():
    chinese, english = WORKBENCH_WORDS["zh"], WORKBENCH_WORDS["en"]
    for name in chinese.__dataclass_fields__:
        one, other = getattr(chinese, name), getattr(english, name)
        assert one, name
        assert other, name
        assert len(one) == len(other) if isinstance(one, tuple) else True
        assert set(one) == set(other) if hasattr(one, "keys") else True
