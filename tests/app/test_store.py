"""The review store: nothing saved is ever lost or overwritten."""

import os
import signal
import sqlite3
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from app.store import Draft, ReviewStore
from xray.errors import DataError

WRITER = """
import sys
from itertools import groupby
from pathlib import Path
from unicodedata import normalize
from app.store import Draft, ReviewStore

path, name, count, cases = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
store = ReviewStore(path)
for number in range(1, count + 1):
    outcome = store.save(Draft(
        run_id="run", case_id=f"case-{name}-{number % cases}", client=name, sequence=number, base_revision=0,
        verdict="accept", comment=f"{name} {number}", corrected="",
    ))
    assert not outcome.conflict
    print(number, flush=True)
"""


def draft(**changes: object) -> Draft:
    fields = {
        "run_id": "run",
        "case_id": "case",
        "client": "page-a",
        "sequence": 1,
        "base_revision": 0,
        "verdict": None,
        "comment": "",
        "corrected": "",
    }
    return Draft(**{**fields, **changes})


@pytest.fixture
def store(tmp_path: Path):
    opened = ReviewStore(tmp_path / "reviews.sqlite")
    yield opened
    opened.close()


def start_writer(path: Path, *, name: str, count: int, cases: int = 5) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), name, str(count), str(cases)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()})


def comments(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in connection.execute("SELECT comment FROM review")]
    finally:
        connection.close()


def test_a_saved_review_is_there_after_reopening(tmp_path: Path):
    first = ReviewStore(tmp_path / "reviews.sqlite")
    first.save(draft(verdict="reject", comment="左右相反", corrected="右侧胸腔积液。"))
    first.close()
    again = ReviewStore(tmp_path / "reviews.sqlite")
    review = again.latest("run")["case"]
    again.close()
    assert (review.verdict, review.comment, review.corrected, review.revision) == (
        "reject",
        "左右相反",
        "右侧胸腔积液。",
        1,
    )


def test_every_save_stays_in_the_history_and_the_latest_counts(store: ReviewStore):
    for number, verdict in enumerate(("accept", "edit", "reject"), start=1):
        store.save(draft(sequence=number, base_revision=number - 1, verdict=verdict))
    assert [revision.verdict for revision in store.history("run", "case")] == ["accept", "edit", "reject"]
    assert store.latest("run")["case"].verdict == "reject"


def test_the_same_draft_sent_again_is_stored_once(store: ReviewStore):
    outcomes = [store.save(draft(comment="一次")) for _ in range(3)]
    assert {outcome.latest.revision for outcome in outcomes} == {1}
    assert len(store.history("run", "case")) == 1


def test_a_draft_that_says_nothing_new_makes_no_revision_and_no_conflict(store: ReviewStore):
    store.save(draft(verdict="accept", comment="同"))
    outcome = store.save(draft(client="page-b", sequence=7, verdict="accept", comment="同"))
    assert (outcome.conflict, outcome.latest.revision) == (False, 1)
    assert len(store.history("run", "case")) == 1


def test_a_late_repeat_of_an_earlier_draft_does_not_replace_a_later_one(store: ReviewStore):
    store.save(draft(sequence=2, comment="后来"))
    outcome = store.save(draft(sequence=1, comment="先前"))
    assert not outcome.conflict
    assert store.latest("run")["case"].comment == "后来"


def test_a_page_may_save_again_before_it_has_heard_of_its_last_save(store: ReviewStore):
    store.save(draft(sequence=1))
    outcome = store.save(draft(sequence=2, base_revision=0, comment="更多"))
    assert not outcome.conflict
    assert outcome.latest.revision == 2


def test_a_draft_based_on_an_older_revision_than_another_pages_save_is_refused(store: ReviewStore):
    store.save(draft(client="page-a", comment="甲"))
    outcome = store.save(draft(client="page-b", comment="乙"))
    assert outcome.conflict
    assert outcome.latest.comment == "甲"
    assert len(store.history("run", "case")) == 1


def test_a_repeated_draft_is_acknowledged_as_its_own_revision_not_as_another_pages_later_one(store: ReviewStore):
    store.save(draft(client="page-a", comment="甲"))
    store.save(draft(client="page-b", base_revision=1, comment="乙"))
    again = store.save(draft(client="page-a", comment="甲"))
    assert (again.conflict, again.acknowledged, again.latest.revision) == (False, 1, 2)
    assert store.save(draft(client="page-a", sequence=2, base_revision=again.acknowledged, comment="甲甲")).conflict
    assert store.latest("run")["case"].comment == "乙"


def test_a_page_that_took_over_the_text_of_an_earlier_one_is_no_conflict(store: ReviewStore):
    store.save(draft(client="page-a", comment="甲"))
    outcome = store.save(draft(client="page-b", ancestors=(("page-a", 1),), comment="甲乙"))
    assert not outcome.conflict


def test_what_an_earlier_page_wrote_after_its_text_was_taken_over_is_a_conflict(store: ReviewStore):
    store.save(draft(client="page-a", sequence=1, comment="甲"))
    store.save(draft(client="page-a", sequence=2, base_revision=1, comment="甲甲"))
    outcome = store.save(draft(client="page-b", ancestors=(("page-a", 1),), comment="甲乙"))
    assert outcome.conflict
    assert outcome.latest.comment == "甲甲"


def test_runs_and_reviewers_do_not_see_each_others_reviews(store: ReviewStore):
    store.save(draft(run_id="one", comment="一"))
    store.save(draft(run_id="two", comment="二"))
    store.save(draft(run_id="one", reviewer="other", client="page-b", comment="三"))
    assert store.latest("one")["case"].comment == "一"
    assert store.latest("two")["case"].comment == "二"
    assert store.latest("one", reviewer="other")["case"].comment == "三"


@pytest.mark.parametrize("statement", ["UPDATE review SET comment = ''", "DELETE FROM review"])
def test_the_table_refuses_changes_of_what_is_stored(store: ReviewStore, statement: str):
    store.save(draft(comment="留着"))
    connection = sqlite3.connect(store.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_a_file_that_is_no_store_is_refused_in_one_sentence(tmp_path: Path):
    path = tmp_path / "reviews.sqlite"
    path.write_text("this is no database, and long enough to be read as one" * 20)
    with pytest.raises(DataError, match="--reviews"):
        ReviewStore(path)


def test_a_place_where_no_file_can_be_is_refused_in_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="--reviews"):
        ReviewStore(tmp_path / "file" / "reviews.sqlite")


def test_a_place_where_nothing_can_be_written_is_refused_in_one_sentence():
    with pytest.raises(DataError, match=r"writable.*--reviews FILE"):
        ReviewStore(Path("/proc/reviews.sqlite"))


def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path):
    path = tmp_path / "reviews.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(DataError, match="newer version"):
        ReviewStore(path)


def test_the_sequence_of_one_page_is_unique_in_the_table(store: ReviewStore):
    store.save(draft())
    connection = sqlite3.connect(store.path)
    with pytest.raises((sqlite3.IntegrityError, IntegrityError)):
        connection.execute(
            "INSERT INTO review SELECT NULL, run_id, case_id, reviewer, 2, client, sequence, verdict, comment, "
            "corrected, generated_sha256, saved_at FROM review"
        )
    connection.close()


def test_four_processes_writing_at_once_lose_nothing(tmp_path: Path):
    path = tmp_path / "reviews.sqlite"
    writers = [start_writer(path, name=f"writer-{number}", count=20) for number in range(4)]
    acknowledged = [writer.communicate(timeout=60)[0].split() for writer in writers]
    assert [len(lines) for lines in acknowledged] == [20] * 4
    assert sorted(comments(path)) == sorted(f"writer-{who} {number}" for who in range(4) for number in range(1, 21))


def test_a_killed_writer_loses_no_acknowledged_save_and_leaves_a_usable_store(tmp_path: Path):
    path = tmp_path / "reviews.sqlite"
    other = start_writer(path, name="other", count=20)
    victim = start_writer(path, name="victim", count=10_000)
    acknowledged = [victim.stdout.readline().strip() for _ in range(15)]
    victim.send_signal(signal.SIGKILL)
    acknowledged += victim.communicate(timeout=30)[0].split("\n")
    other.communicate(timeout=60)
    stored = set(comments(path))
    assert {f"victim {number}" for number in acknowledged if number} <= stored
    assert {f"other {number}" for number in range(1, 21)} <= stored


@settings(max_examples=30, deadline=None)
@given(
    saves=st.lists(
        st.tuples(st.sampled_from(["page-a", "page-b"]), st.integers(0, 6), st.text(max_size=8)), max_size=12
    )
)
def test_revisions_count_up_by_one_and_accepted_text_is_never_gone(
    tmp_path_factory: pytest.TempPathFactory, saves: list[tuple[str, int, str]]
):
    store = ReviewStore(tmp_path_factory.mktemp("store") / "reviews.sqlite")
    accepted = []
    for sequence, (client, base, comment) in enumerate(saves, start=1):
        outcome = store.save(draft(client=client, sequence=sequence, base_revision=base, comment=comment))
        if not outcome.conflict:
            accepted.append(normalize("NFC", comment))
    history = store.history("run", "case")
    store.close()
    assert [revision.revision for revision in history] == list(range(1, len(history) + 1))
    assert [revision.comment for revision in history] == [comment for comment, _ in groupby(accepted)]
