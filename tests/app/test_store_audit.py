"""The audit chain: it holds while the program writes, and names the first link that something else has touched."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.document import ReviewDocument
from app.store import adjudication, audit, reviews
from app.store.adjudication import Decision, Ground
from app.store.engine import Database
from tests.app.test_store import draft
from xray.errors import DataError

TAMPERINGS = {
    "UPDATE audit SET actor = 'other' WHERE seq = 2": "entry 2 .*its content does not give its hash",
    "UPDATE audit SET hash = 'f' WHERE seq = 2": "entry 2 .*its content",
    "DELETE FROM audit WHERE seq = 2": "entry 3 .*entries 2 to 2 are missing",
    "DELETE FROM revision WHERE seq = 2": "entry 2 .*gone",
    "UPDATE revision SET document = '{}' WHERE seq = 3": "entry 3 .*was changed",
    "UPDATE revision SET reviewer = 'other' WHERE seq = 3": "entry 3 .*was changed",
    "UPDATE revision SET seq = 99 WHERE seq = 3": "entry 3 .*gone",
    "UPDATE adjudication SET reason = 'other'": "entry 4 .*was changed",
    "INSERT INTO revision SELECT 99, 'new', case_id, reviewer, task, revision, status, reason, client, sequence, "
    "document, saved_at FROM revision WHERE seq = 1": "knows nothing of 1 rows of the table revision",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with three saves of one review, and a decision."""
    with closing(Database(tmp_path / "reviews.sqlite")) as database:
        for number in (1, 2, 3):
            reviews.save(database, draft(sequence=number, base_revision=number - 1, comment=str(number)))
        ground = Ground(reviewer="local", task="", revision=3)
        document = ReviewDocument(verdict="edit")
        decision = Decision(run_id="run", case_id="case", adjudicator="local", document=document, basis=(ground,))
        adjudication.decide(database, decision)
    return tmp_path / "reviews.sqlite"


def tamper(path: Path, statement: str) -> None:
    """What whoever owns the file can do: drop the triggers first."""
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        connection.commit()


def test_the_chain_of_an_untouched_database_holds(path: Path):
    with closing(Database(path)) as database:
        assert audit.verify(database) == audit.head(database)
        assert [entry.action for entry in audit.newest(database, count=2)] == ["adjudicate", "draft"]
        assert audit.head(database).seq == 4


def test_an_empty_chain_holds(database: Database):
    assert audit.verify(database).seq == 0


@pytest.mark.parametrize("statement", TAMPERINGS)
def test_the_first_broken_link_is_named(path: Path, statement: str):
    tamper(path, statement)
    with closing(Database(path)) as database, pytest.raises(DataError, match=TAMPERINGS[statement]):
        audit.verify(database)


def test_a_chain_that_was_cut_short_shows_against_a_head_written_down(path: Path):
    with closing(Database(path)) as database:
        anchor = audit.head(database).hash
        audit.record_event(database, actor="local", action="export", subject="jsonl")
        assert audit.verify(database, anchor=anchor).seq == 5
    tamper(path, "DELETE FROM adjudication")
    tamper(path, "DELETE FROM audit WHERE seq >= 4")
    with closing(Database(path)) as database:
        assert audit.verify(database).seq == 3
        with pytest.raises(DataError, match=anchor):
            audit.verify(database, anchor=anchor)


def test_the_audit_holds_no_word_of_a_report(database: Database):
    document = ReviewDocument(comment="右侧胸腔积液", corrected="右侧胸腔积液")
    reviews.save(database, draft(document=document, submit=True))
    (entry,) = audit.newest(database, count=9)
    assert (entry.actor, entry.action, entry.subject) == ("local", "submitted", "run/case")
    assert "积液" not in repr(entry)
    assert "\\u" not in entry.details


def test_the_newest_decision_on_a_case_counts_and_names_the_reviews_it_rests_on(database: Database):
    for verdict in ("edit", "reject"):
        adjudication.decide(
            database,
            Decision(
                run_id="run",
                case_id="case",
                adjudicator="local",
                document=ReviewDocument(verdict=verdict),
                basis=(Ground(reviewer="li", task="", revision=2),),
                reason="多数",
            ),
        )
    decision = adjudication.decisions(database, "run")["case"]
    assert (decision.document.verdict, decision.basis[0].reviewer, decision.reason) == ("reject", "li", "多数")
    assert decision.decided_at
    assert adjudication.decisions(database, "run", study_id="s") == {}
    assert audit.verify(database).seq == 2


def test_a_decision_of_nobody_is_refused(database: Database):
    decision = Decision(run_id="r", case_id="c", adjudicator="nobody", document=ReviewDocument(), basis=())
    with pytest.raises(DataError, match="nobody"):
        adjudication.decide(database, decision)
