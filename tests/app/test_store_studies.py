"""Reader studies: the order set for each reader, neutral labels, and who has looked behind them."""

import pytest

from app.store import audit, people, reviews, studies
from app.store.engine import Database
from app.store.people import Person
from app.store.studies import Arm, Assignment, Shown, Study
from tests.app.test_store import draft
from xray.errors import ConfigError, DataError

STUDY = Study(id="s1", title="偏好", protocol='{"name": "flamingo_pref"}', seed=7)
ARMS = (
    Arm(label="A", text="心影增大。", source_run="run", source_system="adapter"),
    Arm(label="B", text="心影不大。", source_run="run", source_system="reference", purpose="sentinel"),
)


def assignment(number: int, *, reader: str = "li", study_id: str = "s1") -> Assignment:
    return Assignment(
        id=f"{study_id}/{reader}/{number}",
        study_id=study_id,
        reader=reader,
        position=number,
        run_id="run",
        case_id=f"case-{number % 2}",
    )


@pytest.fixture
def study(database: Database) -> Database:
    """A database with one study: reader `li` has three assignments, the third is the first case again."""
    people.put(database, Person(name="li", display_name="李", roles=frozenset({"reader"})), actor="local")
    studies.begin(database, STUDY, actor="local")
    order = (2, 0, 1)
    studies.assign(database, "s1", [(assignment(number), ARMS) for number in order], actor="local")
    return database


def test_a_reader_works_in_the_order_set_and_sees_how_far_they_are(study: Database):
    task = assignment(0)
    reviews.save(study, draft(reviewer="li", case_id="case-0", task=task.id, comment="一"))
    reviews.save(study, draft(reviewer="li", case_id="case-0", task=assignment(2).id, submit=True))
    work = studies.work(study, "s1", "li")
    assert [(item.assignment.position, item.status) for item in work] == [(0, "draft"), (1, None), (2, "submitted")]
    assert work[0].assignment == task
    assert studies.work(study, "s1", "local") == ()


def test_the_same_case_twice_in_a_study_makes_two_reviews(study: Database):
    for number, comment in ((0, "第一次"), (2, "第二次")):
        sent = draft(reviewer="li", case_id="case-0", task=assignment(number).id, comment=comment, submit=True)
        assert reviews.save(study, sent).acknowledged == 1
    assert [row.document.comment for row in studies.given_in(study, "s1")] == ["第一次", "第二次"]
    assert {row.task for row in reviews.standing(study, "run")} == {assignment(0).id, assignment(2).id}
    assert reviews.latest(study, "run", reviewer="li") == {}


def test_another_readers_assignment_takes_no_review(study: Database):
    with pytest.raises(DataError, match="not assigned"):
        reviews.save(study, draft(reviewer="local", case_id="case-0", task=assignment(0).id))


def test_a_reader_sees_labels_and_texts_and_nothing_of_their_source(study: Database):
    assert studies.shown(study, assignment(0).id) == (
        Shown(label="A", text="心影增大。"),
        Shown(label="B", text="心影不大。"),
    )


def test_looking_behind_the_labels_is_in_the_audit(study: Database):
    arms = studies.unblind(study, "s1", actor="local")
    assert arms[assignment(1).id] == ARMS
    assert len(arms) == 3
    assert audit.head(study).action == "unblind"
    audit.verify(study)


def test_assignments_are_made_all_or_none(study: Database):
    new = assignment(3)
    for wrong in (assignment(1), assignment(4, reader="nobody")):
        with pytest.raises(DataError, match="Nothing was assigned"):
            studies.assign(study, "s1", [(new, ARMS), (wrong, ARMS)], actor="local")
    assert len(studies.work(study, "s1", "li")) == 3


def test_a_closed_study_takes_no_more_assignments(study: Database):
    studies.close(study, "s1", actor="local")
    with pytest.raises(DataError, match="no open study"):
        studies.assign(study, "s1", [(assignment(3), ARMS)], actor="local")
    (kept,) = studies.all_studies(study)
    assert (kept.state, kept.protocol_sha256) == ("closed", STUDY.protocol_sha256)


def test_a_study_is_begun_once(study: Database):
    with pytest.raises(ConfigError, match="s1"):
        studies.begin(study, STUDY, actor="local")
