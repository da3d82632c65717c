"""The server's half of the save protocol: untrusted drafts in, acknowledgements out."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.document import LONGEST_TEXT
from app.run import Run, load_run
from app.saving import Answer, receive
from app.store import reviews
from app.store.engine import Database
from app.store.people import LOCAL
from app.store.reviews import Revision

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


def deliver(outbox: object, *, run: Run, database: Database) -> tuple[Answer, ...]:
    return receive(outbox, find_run={run.id: run}.get, database=database, reviewer=LOCAL)


def newest(database: Database, run: Run) -> Revision:
    return reviews.latest(database, run.id)[run.cases[0].id]


def sent(run: Run, number: int = 0, **changes: object) -> dict[str, object]:
    return {
        "run": run.id,
        "case": run.cases[number].id,
        "client": "browser-0001",
        "sequence": 1,
        "base_revision": 0,
        "comment": "字",
        **changes,
    }


def test_a_draft_is_acknowledged_only_once_it_is_stored(run: Run, database: Database):
    (answer,) = deliver({"drafts": [sent(run)]}, run=run, database=database)
    assert (answer.run_id, answer.case_id, answer.sequence, answer.refused) == (run.id, run.cases[0].id, 1, False)
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
    draft = sent(run, verdict="accept", generated_sha256=forged)
    assert deliver({"drafts": [draft]}, run=run, database=database) == ()


def test_one_bad_draft_does_not_hold_up_the_good_one_beside_it(run: Run, database: Database):
    good, bad = sent(run), sent(run, 1, comment="字" * (LONGEST_TEXT + 1))
    answers = deliver({"drafts": [bad, good]}, run=run, database=database)
    assert [answer.case_id for answer in answers] == [run.cases[0].id]


def test_drafts_of_an_unknown_run_stay_where_they_are(run: Run, database: Database):
    assert deliver({"drafts": [{**sent(run), "run": "another"}]}, run=run, database=database) == ()
    assert reviews.latest(database, run.id) == {}


def test_drafts_of_two_runs_with_the_same_cases_are_stored_under_the_run_of_each(
    tmp_path: Path, make_run: Callable[..., Path], database: Database
):
    runs = {name: load_run(make_run(tmp_path / name, run_id=name)) for name in ("first", "second")}
    drafts = [sent(run, comment=name) for name, run in runs.items()]
    answers = receive({"drafts": drafts}, find_run=runs.get, database=database, reviewer=LOCAL)
    assert [answer.run_id for answer in answers] == ["first", "second"]
    for name, run in runs.items():
        assert newest(database, run).document.comment == name


@pytest.mark.parametrize(
    "forged", [{"client": "x\x00yyyyyyy"}, {"sequence": 2**40}, {"comment": "\ud800"}, {"case": "\x00"}]
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outbox=JSON, draft=JSON)
def test_whatever_a_browser_sends_is_answered_without_an_error(
    run: Run, database: Database, outbox: object, draft: object
):
    assert deliver(outbox, run=run, database=database) == ()
    assert deliver({"drafts": [draft]}, run=run, database=database) == ()
