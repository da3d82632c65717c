"""The server's half of the save protocol: untrusted drafts in, acknowledgements out."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.document import LONGEST_TEXT
from app.protocol.load import preset
from app.run import Run, load_run
from app.saving import Answer, Place, PlaceFinder, receive, thread_name
from app.store import reviews
from app.store.engine import Database
from app.store.people import LOCAL
from app.store.reviews import Revision
from tests.app.page import draft
from xray.metrics.alignment import split_sentences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def run(run_folder: Path) -> Run:
    return load_run(run_folder)


@pytest.fixture
def database(tmp_path: Path):
    with closing(Database(tmp_path / "reviews.sqlite")) as opened:
        yield opened


def places(*runs: Run) -> PlaceFinder:
    """Cases of these runs are read by the open protocol, and there is no task."""

    def find(run_id: str, case_id: str, task: str) -> Place | None:
        run = next((run for run in runs if run.id == run_id), None)
        case = run.case(case_id) if run else None
        if run is None or case is None or task:
            return None
        return Place(
            run_id=run.id,
            case_id=case.id,
            task="",
            protocol=preset("open_review"),
            judged_sha256=case.generated_sha256,
            sentences=len(split_sentences(case.generated or "")),
        )

    return find


def deliver(outbox: object, *, run: Run, database: Database) -> tuple[Answer, ...]:
    return receive(outbox, find_place=places(run), database=database, reviewer=LOCAL)


def newest(database: Database, run: Run) -> Revision:
    return reviews.latest(database, run.id)[run.cases[0].id]


def sent(run: Run, number: int = 0, **changes: object) -> dict[str, object]:
    return draft(run.id, run.cases[number].id, **{"comment": "字", **changes})["drafts"][0]


def complete(run: Run, number: int = 0, **changes: object) -> dict[str, object]:
    """A draft with all that the open protocol asks for."""
    case = run.cases[number]
    accepted = [
        {"sentence": place, "decision": "accept"} for place, _ in enumerate(split_sentences(case.generated or ""))
    ]
    said = {"sentences": accepted, "verdict": "accept", "generated_sha256": case.generated_sha256}
    return sent(run, number, **{**said, **changes})


def statuses(database: Database, run: Run) -> list[str]:
    return [row.status for row in reviews.history(database, run.id, run.cases[0].id)]


def test_a_draft_is_acknowledged_only_once_it_is_stored(run: Run, database: Database):
    (answer,) = deliver({"drafts": [sent(run)]}, run=run, database=database)
    assert answer.thread == thread_name(run_id=run.id, case_id=run.cases[0].id, task="")
    assert (answer.sequence, answer.refused) == (1, False)
    assert newest(database, run).revision == answer.revision == 1


def test_a_verdict_is_stamped_with_the_text_that_its_reader_saw_not_the_one_on_disk(run: Run, database: Database):
    seen = "5" * 64
    deliver({"drafts": [sent(run, verdict="accept", generated_sha256=seen)]}, run=run, database=database)
    assert seen != run.cases[0].generated_sha256
    assert newest(database, run).document.generated_sha256 == seen


def test_a_draft_that_names_no_text_is_kept_and_judges_none(run: Run, database: Database):
    deliver({"drafts": [sent(run, verdict="accept")]}, run=run, database=database)
    assert newest(database, run).document.generated_sha256 == ""


@pytest.mark.parametrize("forged", ["5" * 63, "x" * 64, "5" * 64 + "\n", 5])
def test_what_is_no_hash_is_not_stored_as_one(run: Run, database: Database, forged: object):
    forgery = sent(run, verdict="accept", generated_sha256=forged)
    assert deliver({"drafts": [forgery]}, run=run, database=database) == ()


def test_one_bad_draft_does_not_hold_up_the_good_one_beside_it(run: Run, database: Database):
    good, bad = sent(run), sent(run, 1, comment="字" * (LONGEST_TEXT + 1))
    answers = deliver({"drafts": [bad, good]}, run=run, database=database)
    assert [answer.latest.case_id for answer in answers] == [run.cases[0].id]


def test_drafts_of_an_unknown_run_stay_where_they_are(run: Run, database: Database):
    assert deliver({"drafts": [{**sent(run), "run": "another"}]}, run=run, database=database) == ()
    assert reviews.latest(database, run.id) == {}


def test_drafts_of_two_runs_with_the_same_cases_are_stored_under_the_run_of_each(
    tmp_path: Path, make_run: Callable[..., Path], database: Database
):
    runs = {name: load_run(make_run(tmp_path / name, run_id=name)) for name in ("first", "second")}
    drafts = [sent(run, comment=name) for name, run in runs.items()]
    answers = receive({"drafts": drafts}, find_place=places(*runs.values()), database=database, reviewer=LOCAL)
    assert [answer.latest.run_id for answer in answers] == ["first", "second"]
    for name, run in runs.items():
        assert newest(database, run).document.comment == name


@pytest.mark.parametrize(
    "forged",
    [
        {"client": "x\x00yyyyyyy"},
        {"sequence": 2**40},
        {"comment": "\ud800"},
        {"case": "\x00"},
        {"task": "\x00"},
        {"reason": "\x00"},
    ],
)
def test_what_no_database_could_hold_is_not_answered(run: Run, database: Database, forged: dict[str, object]):
    assert deliver({"drafts": [sent(run, **forged)]}, run=run, database=database) == ()


def test_a_refused_draft_brings_back_what_the_other_page_saved(run: Run, database: Database):
    deliver({"drafts": [sent(run, comment="先")]}, run=run, database=database)
    late = sent(run, client="browser-0002", comment="后")
    (answer,) = deliver({"drafts": [late]}, run=run, database=database)
    assert answer.refused
    assert answer.latest.document.comment == "先"


def test_a_repeated_draft_is_acknowledged_as_its_own_revision_so_that_its_page_then_sees_the_conflict(
    run: Run, database: Database
):
    first = sent(run, comment="甲")
    deliver({"drafts": [first]}, run=run, database=database)
    deliver({"drafts": [sent(run, client="browser-0002", base_revision=1, comment="乙")]}, run=run, database=database)
    (again,) = deliver({"drafts": [first]}, run=run, database=database)
    assert (again.revision, again.latest.document.comment) == (1, "乙")
    more = sent(run, sequence=2, base_revision=again.revision, comment="甲甲")
    (answer,) = deliver({"drafts": [more]}, run=run, database=database)
    assert answer.refused
    assert newest(database, run).document.comment == "乙"


def test_a_submission_is_stored_as_one_when_it_lacks_nothing(run: Run, database: Database):
    (answer,) = deliver({"drafts": [complete(run, submit=True)]}, run=run, database=database)
    assert (answer.missing, statuses(database, run)) == ((), ["submitted"])


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"verdict": None}, ("verdict",)),
        ({"sentences": []}, ("sentence:0",)),
        (
            {"sentences": [{"sentence": 0, "decision": "reject"}]},
            ("category:generated:0", "significance:generated:0"),
        ),
        ({"generated_sha256": "5" * 64}, ("text",)),
        ({"generated_sha256": ""}, ("text",)),
    ],
)
def test_an_incomplete_submission_is_kept_as_a_draft_and_told_what_it_lacks(
    run: Run, database: Database, changes: dict[str, object], missing: tuple[str, ...]
):
    (answer,) = deliver({"drafts": [complete(run, submit=True, **changes)]}, run=run, database=database)
    assert (answer.missing, answer.revision, statuses(database, run)) == (missing, 1, ["draft"])


def test_what_was_submitted_is_amended_only_with_a_reason(run: Run, database: Database):
    def send(sequence: int, **changes: object) -> Answer:
        given = complete(run, sequence=sequence, base_revision=sequence - 1, **changes)
        (answer,) = deliver({"drafts": [given]}, run=run, database=database)
        return answer

    send(1, submit=True)
    send(2, comment="再看")
    assert send(3, comment="再看", submit=True).missing == ("reason",)
    assert send(4, comment="再看", submit=True, reason="漏看侧位片").missing == ()
    assert statuses(database, run) == ["submitted", "draft", "amended"]
    assert newest(database, run).reason == "漏看侧位片"


def test_a_task_that_is_not_the_readers_is_not_answered(run: Run, database: Database):
    assert deliver({"drafts": [sent(run, task="someone-elses")]}, run=run, database=database) == ()
    assert reviews.newest(database, run.id) == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outbox=JSON, forged=JSON)
def test_whatever_a_browser_sends_is_answered_without_an_error(
    run: Run, database: Database, outbox: object, forged: object
):
    assert deliver(outbox, run=run, database=database) == ()
    assert deliver({"drafts": [forged]}, run=run, database=database) == ()
