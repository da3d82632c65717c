"""From the store to records: each review beside the text that it judged, or left out by name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.document import Preference, QuestionAnswer, ReviewDocument, SentenceDecision, sha256
from app.export.edits import CATEGORIES
from app.export.gather import Choice, Gathered, gather
from app.export.order import Order, carry_out, plan
from app.export.records import PromptTurn, ReviewedReport
from app.export.scored import scored_patients
from app.store import adjudication, audit, people, reviews
from app.store.adjudication import Decision
from app.store.people import Person
from finetune.manifest import Case, CaseTurn, Prediction, read_records
from tests.app.conftest import REPORTS
from tests.app.export.project import QUESTION, SYSTEM, Project, arm, project_at
from xray.errors import ConfigError, DataError
from xray.records import write_lines

EVERY = frozenset({"draft", "submitted", "amended", "approved", "void"})


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with project_at(tmp_path / "project") as opened:
        yield opened


def gathered(project: Project, **choice: object) -> Gathered:
    choice = {"run_ids": tuple(project.runs), **choice}
    return gather(project.database, runs=project.runs, choice=Choice(**choice), actor="local")


def reasons(found: Gathered) -> list[str]:
    return [exclusion.reason for exclusion in found.left_out]


def only(found: Gathered) -> ReviewedReport:
    (record,) = found.records
    return record


def test_a_submitted_review_is_joined_with_its_case_its_text_and_who_stands_for_it(project: Project):
    project.review(
        1,
        verdict="edit",
        comment="左右相反",
        corrected="右侧胸腔少量积液。",
        sentences=(
            SentenceDecision(sentence=0, decision="edit", category="location", significant=True, replacement="右侧。"),
            SentenceDecision(
                report="reference", sentence=0, decision="edit", category="omission", replacement="少量。"
            ),
            SentenceDecision(report="reference", sentence=1, decision="accept"),
        ),
        answers=(QuestionAnswer(question="seen", value=("lateral", "frontal")),),
    )
    people.put(project.database, Person(name="local", display_name="张三", roles=frozenset({"lead"})), actor="local")
    record = only(gathered(project))
    case = project.run().cases[1]
    assert (record.case_id, record.study_uid, record.patient_key) == (case.id, "1.2.1", "p1")
    assert (record.generated, record.reference, record.final_text) == (
        REPORTS[1][1],
        REPORTS[1][0],
        "右侧胸腔少量积液。",
    )
    assert record.turns == (PromptTurn(role="system", text=SYSTEM), PromptTurn(role="user", text=QUESTION))
    assert [film.view for film in record.films] == ["frontal", "lateral"]
    assert all(film.path.is_file() and film.dicom is None for film in record.films)
    assert (record.split, record.model_name, record.protocol.name) == ("test", "phantom", "open_review")
    assert record.signed is not None
    assert (record.signed.by.name, record.signed.meaning, record.signed.at) == ("张三", "审核", record.saved_at)
    edit, added = record.edits
    assert (edit.text, edit.category, edit.significant) == ("左侧胸腔少量积液，心影不大。", 3, True)
    assert (added.decision, added.text, added.replacement, added.category) == ("add", "", "少量。", 2)
    assert record.answers[0].value == ("lateral", "frontal")


def test_rexvals_categories_are_numbered_in_their_published_order():
    assert [CATEGORIES[name] for name in CATEGORIES] == [1, 2, 3, 4, 5, 6]
    assert set(CATEGORIES) == set(SentenceDecision.model_fields["category"].annotation.__args__[0].__args__)


def test_a_draft_counts_only_on_request_and_never_as_signed(project: Project):
    project.review(0, submit=False)
    project.review(1)
    project.review(1, submit=False, comment="再想想")
    assert [record.status for record in gathered(project).records] == ["submitted"]
    both = gathered(project, statuses=EVERY).records
    assert sorted(record.status for record in both) == ["draft", "submitted"]
    assert [record.comment for record in both] == ["", ""]  # what is being amended stands as it was handed in
    assert [record.signed is None for record in both if record.status == "draft"] == [True]


def test_a_void_review_stands_for_nothing(project: Project):
    project.review(0)
    (latest,) = reviews.newest(project.database, "one")
    reviews.void(project.database, latest, actor="local", reason="错例")
    assert gathered(project).records == ()
    assert only(gathered(project, statuses=EVERY)).signed is None


def test_no_verdict_is_put_beside_a_text_that_it_did_not_judge(project: Project):
    project.review(0)
    project.review(1, generated_sha256="")
    project.review(2)
    path = project.folder / "one" / "predictions.jsonl"
    rows = read_records(path, Prediction)
    write_lines(path, [rows[0].model_copy(update={"text": "另一份报告。"}), *rows[1:]])
    found = gathered(project)
    assert only(found).case_id == project.case(2)
    assert sorted(reasons(found)) == ["outdated", "unknown_text"]


def test_what_the_project_no_longer_has_is_left_out_by_name(project: Project):
    project.review(0)
    project.review(1)
    path = project.folder / "one" / "references.jsonl"
    cases = read_records(path, Case)
    (project.folder / "one" / cases[1].images[0]).unlink()
    write_lines(path, [cases[0].model_copy(update={"id": "other"}), *cases[1:]])
    assert sorted(reasons(gathered(project))) == ["case_missing", "film_missing"]


def test_a_run_that_does_not_tell_its_question_is_refused(project: Project):
    project.review(0)
    (project.folder / "one" / "config.resolved.yaml").unlink()
    with pytest.raises(DataError, match=r"config\.resolved\.yaml.*what the model was asked"):
        gathered(project)


def test_an_answer_to_a_question_of_the_data_set_is_a_row_and_no_report(project: Project):
    path = project.folder / "one" / "references.jsonl"
    cases = read_records(path, Case)
    asked = cases[0].model_copy(update={"turns": (CaseTurn(role="user", text="心影大吗？"),)})
    write_lines(path, [asked, *cases[1:]])
    project.review(0)
    project.review(1)
    order = Order(kind="pdf", choice=Choice(run_ids=("one",)), actor="local", reason="试")
    made = plan(order, database=project.database, runs=project.runs)
    assert [record.turns[-1].text for record in made.records] == ["心影大吗？", QUESTION]
    assert (made.contents.num_written, dict(made.counts)) == (1, {"not_a_report": 1})


def test_an_adjudicated_case_is_approved_by_its_newest_decision(project: Project):
    project.review(2, reader="li", corrected="心影增大。")
    text = project.run().cases[2].generated_sha256

    def decide(corrected: str, **changes: object) -> None:
        document = ReviewDocument(verdict="edit", corrected=corrected, generated_sha256=text)
        fields = {"run_id": "one", "case_id": project.case(2), "adjudicator": "wang", "document": document, "basis": ()}
        adjudication.decide(project.database, Decision(**{**fields, **changes}))

    decide("第一次裁定。")
    decide("心影增大，双侧少量积液。")
    decide("针对旧文本。", case_id=project.case(1))
    first, approved = gathered(project).records
    assert (first.status, first.reader.name) == ("submitted", "李四")
    assert (approved.status, approved.reader.name, approved.final_text) == (
        "approved",
        "王五",
        "心影增大，双侧少量积液。",
    )
    assert approved.signed is not None
    assert approved.signed.meaning == "仲裁审定"
    assert reasons(gathered(project)) == ["outdated"]


def test_in_a_study_the_text_is_the_one_that_was_given_out_and_the_look_behind_it_is_audited(project: Project):
    planted, shown = "左肺实变。", "研究当天的文本。"
    project.study(
        {
            "t1": ("li", 0, (arm(shown),)),
            "t2": ("li", 0, (arm(shown, purpose="repeat"),)),
            "t3": ("li", 1, (arm(planted, purpose="sentinel"),)),
            "t4": ("li", 2, (arm(REPORTS[2][0], system="reference"),)),
        }
    )
    for task, number, text in (("t1", 0, shown), ("t2", 0, ""), ("t3", 1, planted), ("t4", 2, REPORTS[2][0])):
        project.review(number, reader="li", task=task, generated_sha256=sha256(text) if text else "")
    project.review(0)
    found = gathered(project, run_ids=(), study_ids=("s1",))
    assert [(r.task, r.generated, r.repeat, r.sentinel, r.system) for r in found.records] == [
        ("t1", shown, False, False, "adapter"),
        ("t2", shown, True, False, "adapter"),
        ("t3", planted, False, True, "adapter"),
        ("t4", REPORTS[2][0], False, False, "reference"),
    ]
    assert len({record.id for record in found.records}) == 4
    assert (found.records[0].protocol.name, found.seeds[0].value) == ("demo", 7)
    assert [record.ai_label for record in found.records][-1] == "参考报告，非人工智能生成"
    assert audit.newest(project.database, count=1)[0].action == "unblind"

    order = Order(kind="fhir", choice=Choice(study_ids=("s1",)), actor="local", reason="试")
    made = plan(order, database=project.database, runs=project.runs)
    assert made.contents.num_written == 1
    assert dict(made.counts) == {"repeat": 1, "sentinel": 1, "reference_judged": 1}


def test_compared_texts_are_records_of_their_own_and_the_correction_belongs_to_the_preferred_one(project: Project):
    arms = (arm("甲。", label="A"), arm("乙。", label="B", run="other", system="base"))
    project.study({"t1": ("li", 0, arms)})
    preferred = Preference(choice="B", reason="更全")
    project.review(0, reader="li", task="t1", generated_sha256="", preference=preferred, corrected="乙改。")
    a, b = gathered(project, run_ids=(), study_ids=("s1",)).records
    assert [(r.arm, r.generated, r.corrected, r.verdict, r.preference) for r in (a, b)] == [
        ("A", "甲。", "", None, "B"),
        ("B", "乙。", "乙改。", None, "B"),
    ]
    assert (b.model_name, b.run_id) == ("phantom: base", "other")


def test_patients_that_any_run_is_scored_on_make_no_pairs_until_their_run_is_retired(tmp_path: Path):
    with project_at(tmp_path / "project", runs=("one", "two")) as project:
        project.review(0, verdict="edit", corrected="已改。")

        def order(*retired: str) -> Order:
            choice = Choice(run_ids=("one",), retired=frozenset(retired))
            return Order(kind="pairs", choice=choice, actor="local", reason="训练")

        for retired in ((), ("one",)):  # the other run has the same patients
            with pytest.raises(DataError, match=r"evaluation_patient|not known"):
                plan(order(*retired), database=project.database, runs=project.runs)
        one_is_damaged = replace(order("one", "two"), unreadable=1)  # its patients are not known
        with pytest.raises(DataError, match="1 run folders"):
            plan(one_is_damaged, database=project.database, runs=project.runs)
        made = plan(order("one", "two"), database=project.database, runs=project.runs)
        assert made.contents.num_written == 1
        assert scored_patients(project.runs.values()).keys == {f"p{number}" for number in range(5)}


def test_an_export_needs_a_reason_and_leaves_its_counts_and_hash_in_the_audit(project: Project, tmp_path: Path):
    project.review(0)
    order = Order(kind="jsonl", choice=Choice(run_ids=("one",)), actor="local", reason=" ")
    with pytest.raises(ConfigError, match="reason"):
        carry_out(order, database=project.database, runs=project.runs, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    given = Order(kind="jsonl", choice=Choice(run_ids=("one",)), actor="local", reason="统计分析")
    carry_out(given, database=project.database, runs=project.runs, folder=tmp_path / "out")
    entry = audit.newest(project.database, count=1)[0]
    assert (entry.action, entry.actor, entry.subject) == ("export", "local", "out")
    for part in ('"written": 1', "manifest_sha256", "统计分析"):
        assert part in entry.details
    audit.verify(project.database)
