"""The server's half of the save protocol: untrusted drafts in, acknowledgements out."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.run import Run, load_run
from app.saving import LONGEST_TEXT, Answer, receive
from app.store import ReviewStore
from xray.errors import DataError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def run(run_folder: Path) -> Run:
    return load_run(run_folder)


@pytest.fixture
def store(tmp_path: Path):
    with closing(ReviewStore(tmp_path / "reviews.sqlite")) as opened:
        yield opened


def deliver(outbox: object, *, run: Run, store: ReviewStore) -> tuple[Answer, ...]:
    return receive(outbox, find_run={run.id: run}.get, open_store=lambda _run: store)


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


def test_a_draft_is_acknowledged_only_once_it_is_stored(run: Run, store: ReviewStore):
    (answer,) = deliver({"drafts": [sent(run)]}, run=run, store=store)
    assert (answer.run_id, answer.case_id, answer.sequence, answer.refused) == (run.id, run.cases[0].id, 1, False)
    assert store.latest(run.id)[run.cases[0].id].revision == answer.revision == 1


def test_a_verdict_is_stamped_with_the_text_that_its_reader_saw_not_the_one_on_disk(run: Run, store: ReviewStore):
    seen = "5" * 64
    deliver({"drafts": [sent(run, verdict="accept", generated_sha256=seen)]}, run=run, store=store)
    assert seen != run.cases[0].generated_sha256
    assert store.latest(run.id)[run.cases[0].id].generated_sha256 == seen


def test_a_draft_that_names_no_text_is_kept_and_judges_none(run: Run, store: ReviewStore):
    deliver({"drafts": [sent(run, verdict="accept")]}, run=run, store=store)
    assert store.latest(run.id)[run.cases[0].id].generated_sha256 == ""


@pytest.mark.parametrize("forged", ["5" * 63, "x" * 64, "5" * 64 + "\n", 5])
def test_what_is_no_hash_is_not_stored_as_one(run: Run, store: ReviewStore, forged: object):
    draft = sent(run, verdict="accept", generated_sha256=forged)
    assert deliver({"drafts": [draft]}, run=run, store=store) == ()


def test_one_bad_draft_does_not_hold_up_the_good_one_beside_it(run: Run, store: ReviewStore):
    good, bad = sent(run), sent(run, 1, comment="字" * (LONGEST_TEXT + 1))
    answers = deliver({"drafts": [bad, good]}, run=run, store=store)
    assert [answer.case_id for answer in answers] == [run.cases[0].id]


def test_drafts_of_an_unknown_run_stay_where_they_are(run: Run, store: ReviewStore):
    assert deliver({"drafts": [{**sent(run), "run": "another"}]}, run=run, store=store) == ()
    assert store.latest(run.id) == {}


def test_drafts_of_two_runs_with_the_same_cases_go_to_the_store_of_each(tmp_path: Path, make_run: Callable[..., Path]):
    runs = {name: load_run(make_run(tmp_path / name, run_id=name)) for name in ("first", "second")}
    stores = {name: ReviewStore(tmp_path / f"{name}.sqlite") for name in runs}
    drafts = [sent(run, comment=name) for name, run in runs.items()]
    answers = receive({"drafts": drafts}, find_run=runs.get, open_store=lambda run: stores[run.id])
    assert [answer.run_id for answer in answers] == ["first", "second"]
    for name, opened in stores.items():
        with closing(opened):
            assert {row.comment for row in opened.latest(name).values()} == {name}


def test_a_run_whose_store_cannot_be_opened_does_not_hold_up_the_drafts_of_others(
    tmp_path: Path, make_run: Callable[..., Path], store: ReviewStore
):
    runs = {name: load_run(make_run(tmp_path / name, run_id=name)) for name in ("locked", "open")}

    def open_store(run: Run) -> ReviewStore:
        if run.id == "locked":
            raise DataError("the folder is not writable")
        return store

    drafts = [sent(run) for run in runs.values()]
    answers = receive({"drafts": drafts}, find_run=runs.get, open_store=open_store)
    assert [answer.run_id for answer in answers] == ["open"]


def test_a_refused_draft_brings_back_what_the_other_page_saved(run: Run, store: ReviewStore):
    deliver({"drafts": [sent(run, comment="先")]}, run=run, store=store)
    late = sent(run, client="browser-0002", comment="后")
    (answer,) = deliver({"drafts": [late]}, run=run, store=store)
    assert answer.refused
    assert answer.latest.comment == "先"


def test_a_repeated_draft_is_acknowledged_as_its_own_revision_so_that_its_page_then_sees_the_conflict(
    run: Run, store: ReviewStore
):
    first = sent(run, comment="甲")
    deliver({"drafts": [first]}, run=run, store=store)
    deliver({"drafts": [sent(run, client="browser-0002", base_revision=1, comment="乙")]}, run=run, store=store)
    (again,) = deliver({"drafts": [first]}, run=run, store=store)
    assert (again.revision, again.latest.comment) == (1, "乙")
    more = sent(run, sequence=2, base_revision=again.revision, comment="甲甲")
    (answer,) = deliver({"drafts": [more]}, run=run, store=store)
    assert answer.refused
    assert store.latest(run.id)[run.cases[0].id].comment == "乙"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outbox=JSON, draft=JSON)
def test_whatever_a_browser_sends_is_answered_without_an_error(
    run: Run, store: ReviewStore, outbox: object, draft: object
):
    assert deliver(outbox, run=run, store=store) == ()
    assert deliver({"drafts": [draft]}, run=run, store=store) == ()
