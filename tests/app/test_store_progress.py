"""How far readers are, tasks put aside, and the cases on which readers differ."""

import pytest

from app.disputes import disputes
from app.document import Preference, QuestionAnswer, ReviewDocument
from app.protocol.assignment import Design, Source, StudyCase, make_plan
from app.protocol.load import frozen, preset
from app.store import adjudication, audit, people, progress, reviews, studies
from app.store.adjudication import Decision, Ground
from app.store.engine import Database
from app.store.people import Person
from app.store.studies import Assignment, Study
from tests.app.study import submit
from xray.errors import DataError

STUDY = Study(id="s1", title="偏好", protocol=frozen(preset("flamingo_pref")), seed=7)
SOURCES = (Source(run_id="run", system="adapter"), Source(run_id="run", system="reference"))
LATER = "2999-01-01T00:00:00.000+00:00"


@pytest.fixture
def tasks(database: Database) -> list[Assignment]:
    """A study of six cases that `li` and `chen` both read, one of them twice, with a sentinel."""
    for name in ("li", "chen"):
        people.put(database, Person(name=name, display_name=name, roles=frozenset({"reader"})), actor="local")
    cases = [
        StudyCase(case_id=f"case-{number}", texts=(f"心影增大{number}。", "心影不大。"), reference="右侧胸腔积液。")
        for number in range(7)
    ]
    design = Design(
        study_id="s1",
        run_id="run",
        protocol=preset("flamingo_pref"),
        sources=SOURCES,
        readers=("li", "chen"),
        overlap=2,
        seed=7,
        repeats=0.17,
        sentinels=0.15,
    )
    plan = make_plan(design, cases)
    studies.begin(database, STUDY, actor="local", assignments=[(reading.assignment, reading.arms) for reading in plan])
    return [reading.assignment for reading in plan]


def of(tasks: list[Assignment], reader: str) -> list[Assignment]:
    return [task for task in tasks if task.reader == reader]


def prefers(database: Database, task: Assignment, wanted: str) -> ReviewDocument:
    """A review that prefers the report with the word `wanted`, whatever its label is."""
    label = next(arm.label for arm in studies.shown(database, task.id) if wanted in arm.text)
    answers = (QuestionAnswer(question="image_adequate", value=True),)
    return ReviewDocument(preference=Preference(choice=label), answers=answers)


def study_tasks(database: Database, tasks: list[Assignment]) -> list[Assignment]:
    purposes = progress.purposes(database, "s1")
    return [task for task in tasks if purposes[task.id] == "study"]


def test_the_next_task_is_the_first_that_is_neither_submitted_nor_skipped(database: Database, tasks: list[Assignment]):
    own = of(tasks, "li")
    submit(database, own[0], ReviewDocument())
    progress.skip(database, own[1], reason="影像打不开")
    (load,) = progress.workloads_of(database, "li")
    assert (load.done, load.count("void"), load.count(None)) == (1, 1, len(own) - 2)
    upcoming = load.upcoming(moment=LATER)
    assert upcoming is not None
    assert upcoming.assignment == own[2]
    following = load.upcoming(moment=LATER, after=own[2].id)
    assert following is not None
    assert following.assignment == own[3]
    assert progress.workloads_of(database, "local") == ()
    assert [found.reader for found in progress.workloads_in(database, STUDY)] == ["chen", "li"]


def test_a_skipped_task_keeps_its_reason_counts_for_nothing_and_can_be_taken_up(
    database: Database, tasks: list[Assignment]
):
    task = of(tasks, "li")[0]
    with pytest.raises(DataError, match="reason"):
        progress.skip(database, task, reason="  ")
    progress.skip(database, task, reason="曾诊治该患者")
    assert studies.given_in(database, "s1") == ()
    (row,) = reviews.history(database, "run", task.case_id, reviewer="li", task=task.id)
    assert (row.status, row.reason) == ("void", "曾诊治该患者")
    assert audit.head(database).action == "skip"
    submit(database, task, ReviewDocument(comment="补读"), base=1)
    (given,) = studies.given_in(database, "s1")
    assert given.document.comment == "补读"
    with pytest.raises(DataError, match="Amend it"):
        progress.skip(database, task, reason="改主意")
    audit.verify(database)


def test_nothing_is_skipped_or_saved_in_a_closed_study(database: Database, tasks: list[Assignment]):
    studies.close(database, "s1", actor="local")
    with pytest.raises(DataError, match="closed"):
        progress.skip(database, tasks[0], reason="太晚")
    with pytest.raises(DataError, match="closed"):
        submit(database, tasks[0], ReviewDocument())


def test_a_study_whose_assignments_fail_is_not_begun(database: Database, tasks: list[Assignment]):
    other = Study(id="s2", title="二", protocol=STUDY.protocol, seed=1)
    with pytest.raises(DataError, match="Nothing was assigned"):
        studies.begin(database, other, actor="local", assignments=[(tasks[0], ())])
    assert [study.id for study in studies.all_studies(database)] == ["s1"]


def test_readers_of_a_case_who_prefer_different_texts_are_put_before_an_adjudicator(
    database: Database, tasks: list[Assignment]
):
    wanted = study_tasks(database, tasks)
    case_ids = sorted({task.case_id for task in wanted})
    for task in wanted:
        differ = task.case_id == case_ids[0] and task.reader == "li"
        submit(database, task, prefers(database, task, "不大" if differ else "增大"))
    (dispute,) = disputes(database, STUDY, adjudicator="local")
    assert dispute.case_id == case_ids[0]
    assert [item.kind for item in dispute.items] == ["preference"]
    assert not dispute.is_decided
    assert disputes(database, STUDY, adjudicator="li") == ()  # nobody decides about their own review


def test_repeats_and_sentinels_are_not_adjudicated(database: Database, tasks: list[Assignment]):
    purposes = progress.purposes(database, "s1")
    assert set(purposes.values()) == {"study", "repeat", "sentinel"}
    for task in tasks:
        if purposes[task.id] != "study":
            document = ReviewDocument(preference=Preference(choice="A" if task.reader == "li" else "B"))
            submit(database, task, document)
    assert disputes(database, STUDY, adjudicator="local") == ()


def test_a_decision_stands_until_a_review_it_rests_on_is_amended(database: Database, tasks: list[Assignment]):
    case_id = study_tasks(database, tasks)[0].case_id
    pair = [task for task in study_tasks(database, tasks) if task.case_id == case_id]
    for task, word in zip(pair, ("增大", "不大"), strict=True):
        submit(database, task, prefers(database, task, word))
    (dispute,) = disputes(database, STUDY, adjudicator="local")
    basis = tuple(
        Ground(reviewer=one.review.reviewer, task=one.review.task, revision=one.review.revision)
        for one in dispute.opinions
    )
    made = Decision(
        run_id="run",
        case_id=case_id,
        study_id="s1",
        adjudicator="local",
        document=dispute.opinions[0].document,
        basis=basis,
        reason="侧位片",
    )
    adjudication.decide(database, made)
    (decided,) = disputes(database, STUDY, adjudicator="local")
    assert decided.is_decided
    assert [one.reason for one in decided.earlier] == ["侧位片"]
    submit(database, pair[0], ReviewDocument(preference=Preference(choice="neither")), base=1)
    (again,) = disputes(database, STUDY, adjudicator="local")
    assert not again.is_decided
    assert len(again.earlier) == 1
