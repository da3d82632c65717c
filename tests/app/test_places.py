"""Where who is at the page may write: cases of the project, and tasks of their own in a study that is open."""

from pathlib import Path

import pytest

from app import session
from app.protocol.load import preset
from app.protocol.model import Protocol
from app.run import load_run
from app.settings import Settings
from app.store import people, studies
from app.store.people import LOCAL, Person
from app.store.studies import Arm, Assignment, Study
from app.workbench.places import find_place

TEXT = {"zh": "问", "en": "ask"}
PROTOCOL = Protocol.model_validate(
    {"name": "small", "title": TEXT, "instruction": TEXT, "suggestions": False, "sentences": True}
)


@pytest.fixture
def project(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in Settings.of(run_folder).environment().items():
        monkeypatch.setenv(name, value)
    return run_folder


def begin(project: Path, *, reader: str) -> None:
    run, database = load_run(project), session.database()
    studies.begin(database, Study(id="s", title="s", protocol=PROTOCOL.model_dump_json(), seed=1), actor=LOCAL)
    given = Assignment(id="task-1", study_id="s", reader=reader, position=0, run_id=run.id, case_id=run.cases[1].id)
    arm = Arm(label="A", text="心影不大。双肺野清晰。", source_run=run.id, source_system="adapter")
    studies.assign(database, "s", [(given, [arm])], actor=LOCAL)


def test_a_case_of_the_project_is_read_by_the_open_protocol(project: Path):
    run = load_run(project)
    place = find_place(run.id, run.cases[2].id, "")
    assert place is not None
    assert (place.protocol, place.judged_sha256) == (preset("open_review"), run.cases[2].generated_sha256)
    assert find_place(run.id, "no-such-case", "") is None
    assert find_place("no-such-run", run.cases[2].id, "") is None


def test_a_task_leads_to_its_case_and_to_the_protocol_of_its_study_whatever_the_browser_names(project: Path):
    begin(project, reader=LOCAL)
    place = find_place("another-run", "another-case", "task-1")
    run = load_run(project)
    assert place is not None
    assert (place.run_id, place.case_id, place.task) == (run.id, run.cases[1].id, "task-1")
    assert (place.protocol, place.sentences) == (PROTOCOL, 2)


def test_a_task_takes_no_more_words_from_someone_who_is_no_reader_any_more(project: Path):
    begin(project, reader=LOCAL)
    people.put(session.database(), Person(name=LOCAL, display_name="审", roles=frozenset({"adjudicator"})), actor=LOCAL)
    assert find_place("", "", "task-1") is None


def test_a_task_of_a_closed_study_takes_no_more_words(project: Path):
    begin(project, reader=LOCAL)
    studies.close(session.database(), "s", actor=LOCAL)
    assert find_place("", "", "task-1") is None


def test_another_readers_task_is_like_one_that_does_not_exist(project: Path):
    people.put(
        session.database(), people.Person(name="other", display_name="乙", roles=frozenset({"reader"})), actor=LOCAL
    )
    begin(project, reader="other")
    assert find_place("", "", "task-1") is None
    assert find_place("", "", "task-2") is None
