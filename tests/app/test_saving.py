"""The server's half of the save protocol: untrusted drafts in, acknowledgements out."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.run import Run, load_run
from app.saving import LONGEST_TEXT, receive
from app.store import ReviewStore

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


def sent(case_id: str, **changes: object) -> dict[str, object]:
    return {"case": case_id, "client": "browser-0001", "sequence": 1, "base_revision": 0, "comment": "字", **changes}


def test_a_draft_is_acknowledged_only_once_it_is_stored(run: Run, store: ReviewStore):
    case_id = run.cases[0].id
    (answer,) = receive({"run": run.id, "drafts": [sent(case_id)]}, run=run, store=store)
    assert (answer.case_id, answer.sequence, answer.refused) == (case_id, 1, False)
    assert store.latest(run.id)[case_id].revision == answer.latest.revision == 1


def test_a_verdict_is_stamped_with_the_text_that_its_reader_saw_not_the_one_on_disk(run: Run, store: ReviewStore):
    case_id, seen = run.cases[0].id, "5" * 64
    receive({"run": run.id, "drafts": [sent(case_id, verdict="accept", generated_sha256=seen)]}, run=run, store=store)
    assert seen != run.cases[0].generated_sha256
    assert store.latest(run.id)[case_id].generated_sha256 == seen


def test_a_draft_that_names_no_text_is_kept_and_judges_none(run: Run, store: ReviewStore):
    case_id = run.cases[0].id
    receive({"run": run.id, "drafts": [sent(case_id, verdict="accept")]}, run=run, store=store)
    assert store.latest(run.id)[case_id].generated_sha256 == ""


@pytest.mark.parametrize("forged", ["5" * 63, "x" * 64, "5" * 64 + "\n", 5])
def test_what_is_no_hash_is_not_stored_as_one(run: Run, store: ReviewStore, forged: object):
    draft = sent(run.cases[0].id, verdict="accept", generated_sha256=forged)
    assert receive({"run": run.id, "drafts": [draft]}, run=run, store=store) == ()


def test_one_bad_draft_does_not_hold_up_the_good_one_beside_it(run: Run, store: ReviewStore):
    good, bad = sent(run.cases[0].id), sent(run.cases[1].id, comment="字" * (LONGEST_TEXT + 1))
    answers = receive({"run": run.id, "drafts": [bad, good]}, run=run, store=store)
    assert [answer.case_id for answer in answers] == [run.cases[0].id]


def test_drafts_of_another_run_stay_where_they_are(run: Run, store: ReviewStore):
    assert receive({"run": "another", "drafts": [sent(run.cases[0].id)]}, run=run, store=store) == ()
    assert store.latest(run.id) == {}


def test_a_refused_draft_brings_back_what_the_other_page_saved(run: Run, store: ReviewStore):
    case_id = run.cases[0].id
    receive({"run": run.id, "drafts": [sent(case_id, comment="先")]}, run=run, store=store)
    late = sent(case_id, client="browser-0002", comment="后")
    (answer,) = receive({"run": run.id, "drafts": [late]}, run=run, store=store)
    assert answer.refused
    assert answer.latest.comment == "先"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outbox=JSON, draft=JSON)
def test_whatever_a_browser_sends_is_answered_without_an_error(
    run: Run, store: ReviewStore, outbox: object, draft: object
):
    assert receive(outbox, run=run, store=store) == ()
    assert receive({"run": run.id, "drafts": [draft]}, run=run, store=store) == ()
