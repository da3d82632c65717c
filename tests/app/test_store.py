"""The review store, on both databases: nothing saved is ever lost or overwritten."""

from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from unicodedata import normalize
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from app.document import Preference, QuestionAnswer, ReviewDocument, SentenceDecision, Timings
from app.store import people, reviews
from app.store.engine import Database
from app.store.people import Person
from app.store.reviews import Draft
from xray.errors import ConfigError, DataError


def draft(*, verdict: str | None = None, comment: str = "", corrected: str = "", **changes: object) -> Draft:
    fields = {
        "run_id": "run",
        "case_id": "case",
        "client": "page-a",
        "sequence": 1,
        "base_revision": 0,
        "document": ReviewDocument(verdict=verdict, comment=comment, corrected=corrected),
    }
    return Draft(**{**fields, **changes})


def said(database: Database, run_id: str = "run", *, reviewer: str = "local") -> str:
    return reviews.latest(database, run_id, reviewer=reviewer)["case"].document.comment


def history(database: Database) -> list[tuple[str, str]]:
    return [(row.status, row.document.comment) for row in reviews.history(database, "run", "case")]


def test_a_saved_review_is_there_after_reopening(place: str):
    document = ReviewDocument(
        verdict="reject",
        comment="左右相反",
        corrected="右侧胸腔积液。",
        generated_sha256="5" * 64,
        sentences=(SentenceDecision(sentence=0, decision="edit", suggested_kind="agree", reader_kind="side"),),
        answers=(QuestionAnswer(question="quality", value=4), QuestionAnswer(question="adequate", value=True)),
        preference=Preference(choice="neither", reason="都不好"),
        timings=Timings(active_ms=1200, first_view="2026-11-22T08:00:00Z"),
    )
    for attempt in range(2):
        database = Database(place)
        if attempt == 0:
            reviews.save(database, draft(document=document))
        review = reviews.latest(database, "run")["case"]
        database.close()
        assert (review.document, review.revision, review.status) == (document, 1, "draft")


def add_reader(database: Database, name: str) -> None:
    people.put(database, Person(name=name, display_name=name, roles=frozenset({"reader"})), actor="local")


def test_every_save_stays_in_the_history_and_the_latest_counts(database: Database):
    for number, verdict in enumerate(("accept", "edit", "reject"), start=1):
        reviews.save(database, draft(sequence=number, base_revision=number - 1, verdict=verdict))
    assert [row.document.verdict for row in reviews.history(database, "run", "case")] == ["accept", "edit", "reject"]
    assert reviews.latest(database, "run")["case"].document.verdict == "reject"


def test_the_same_draft_sent_again_is_stored_once(database: Database):
    outcomes = [reviews.save(database, draft(comment="一次")) for _ in range(3)]
    assert {outcome.latest.revision for outcome in outcomes} == {1}
    assert len(history(database)) == 1


def test_a_draft_that_says_nothing_new_makes_no_revision_and_no_conflict(database: Database):
    reviews.save(database, draft(verdict="accept", comment="同"))
    outcome = reviews.save(database, draft(client="page-b", sequence=7, verdict="accept", comment="同"))
    assert (outcome.conflict, outcome.latest.revision) == (False, 1)
    assert len(history(database)) == 1


def test_a_late_repeat_of_an_earlier_draft_does_not_replace_a_later_one(database: Database):
    reviews.save(database, draft(sequence=2, comment="后来"))
    outcome = reviews.save(database, draft(sequence=1, comment="先前"))
    assert not outcome.conflict
    assert said(database) == "后来"


def test_a_page_may_save_again_before_it_has_heard_of_its_last_save(database: Database):
    reviews.save(database, draft(sequence=1))
    outcome = reviews.save(database, draft(sequence=2, base_revision=0, comment="更多"))
    assert not outcome.conflict
    assert outcome.latest.revision == 2


def test_a_draft_based_on_an_older_revision_than_another_pages_save_is_refused(database: Database):
    reviews.save(database, draft(client="page-a", comment="甲"))
    outcome = reviews.save(database, draft(client="page-b", comment="乙"))
    assert outcome.conflict
    assert outcome.latest.document.comment == "甲"
    assert len(history(database)) == 1


def test_a_repeated_draft_is_acknowledged_as_its_own_revision_not_as_another_pages_later_one(database: Database):
    reviews.save(database, draft(client="page-a", comment="甲"))
    reviews.save(database, draft(client="page-b", base_revision=1, comment="乙"))
    again = reviews.save(database, draft(client="page-a", comment="甲"))
    assert (again.conflict, again.acknowledged, again.latest.revision) == (False, 1, 2)
    assert reviews.save(
        database, draft(client="page-a", sequence=2, base_revision=again.acknowledged, comment="甲甲")
    ).conflict
    assert said(database) == "乙"


def test_a_page_that_took_over_the_text_of_an_earlier_one_is_no_conflict(database: Database):
    reviews.save(database, draft(client="page-a", comment="甲"))
    outcome = reviews.save(database, draft(client="page-b", ancestors=(("page-a", 1),), comment="甲乙"))
    assert not outcome.conflict


def test_what_an_earlier_page_wrote_after_its_text_was_taken_over_is_a_conflict(database: Database):
    reviews.save(database, draft(client="page-a", sequence=1, comment="甲"))
    reviews.save(database, draft(client="page-a", sequence=2, base_revision=1, comment="甲甲"))
    outcome = reviews.save(database, draft(client="page-b", ancestors=(("page-a", 1),), comment="甲乙"))
    assert outcome.conflict
    assert outcome.latest.document.comment == "甲甲"


def test_runs_and_reviewers_do_not_see_each_others_reviews(database: Database):
    add_reader(database, "other")
    reviews.save(database, draft(run_id="one", comment="一"))
    reviews.save(database, draft(run_id="two", comment="二"))
    reviews.save(database, draft(run_id="one", reviewer="other", client="page-b", comment="三"))
    assert said(database, "one") == "一"
    assert said(database, "two") == "二"
    assert said(database, "one", reviewer="other") == "三"
    assert [(row.reviewer, row.document.comment) for row in reviews.newest(database, "one")] == [
        ("local", "一"),
        ("other", "三"),
    ]


def test_the_time_that_a_reading_took_is_no_new_word(database: Database):
    reviews.save(database, draft(comment="同"))
    later = ReviewDocument(comment="同", timings=Timings(active_ms=9000))
    assert reviews.save(database, draft(sequence=2, document=later)).latest.revision == 1


def test_a_review_is_drafted_submitted_and_amended_and_what_was_submitted_stands_meanwhile(database: Database):
    steps = [("一", False), ("二", True), ("三", False), ("四", True)]
    standing = []
    for number, (comment, submit) in enumerate(steps, start=1):
        reviews.save(database, draft(sequence=number, base_revision=number - 1, comment=comment, submit=submit))
        standing.append([row.document.comment for row in reviews.standing(database, "run")])
    assert history(database) == [("draft", "一"), ("submitted", "二"), ("draft", "三"), ("amended", "四")]
    assert standing == [[], ["二"], ["二"], ["四"]]


def test_submitting_the_words_of_a_draft_is_a_revision_and_submitting_them_twice_is_one(database: Database):
    reviews.save(database, draft(comment="同"))
    for sequence in (2, 3):
        outcome = reviews.save(database, draft(sequence=sequence, base_revision=1, comment="同", submit=True))
        assert (outcome.latest.status, outcome.acknowledged) == ("submitted", 2)


def test_a_void_review_stands_for_nothing_keeps_its_words_and_is_seen_by_its_page(database: Database):
    reviews.save(database, draft(comment="看错病例", submit=True))
    with pytest.raises(DataError, match="reason"):
        reviews.void(database, reviews.latest(database, "run")["case"], actor="local", reason=" ")
    reviews.void(database, reviews.latest(database, "run")["case"], actor="local", reason="病例号不符")
    assert reviews.standing(database, "run") == ()
    newest = reviews.latest(database, "run")["case"]
    assert (newest.status, newest.reason, newest.document.comment) == ("void", "病例号不符", "看错病例")
    assert reviews.save(database, draft(sequence=2, base_revision=1, comment="再写")).conflict
    again = reviews.save(database, draft(sequence=2, base_revision=2, comment="再写", submit=True))
    assert again.latest.status == "submitted"


def test_a_review_that_was_saved_again_meanwhile_is_not_declared_void(database: Database):
    old = reviews.save(database, draft(comment="甲")).latest
    reviews.save(database, draft(sequence=2, base_revision=1, comment="乙"))
    with pytest.raises(DataError, match="saved again"):
        reviews.void(database, old, actor="local", reason="错")


def test_an_unknown_reader_or_assignment_is_refused_by_name(database: Database):
    with pytest.raises(DataError, match="stranger"):
        reviews.save(database, draft(reviewer="stranger"))
    with pytest.raises(DataError, match="no-such-task"):
        reviews.save(database, draft(task="no-such-task"))
    assert reviews.history(database, "run", "case") == ()


def test_a_person_is_found_with_their_roles_and_as_changed_last(database: Database):
    assert people.find(database, "local").roles == set(people.ROLES)
    add_reader(database, "li")
    people.put(database, Person(name="li", display_name="李", roles=frozenset({"lead"}), active=False), actor="local")
    assert people.find(database, "li") == Person(name="li", display_name="李", roles=frozenset({"lead"}), active=False)
    assert [person.name for person in people.everyone(database)] == ["li", "local"]
    assert people.find(database, "nobody") is None


@pytest.mark.parametrize("table", ["revision", "audit"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = 9", "DELETE FROM {}"])
def test_the_tables_refuse_changes_of_what_is_stored(database: Database, statement: str, table: str):
    reviews.save(database, draft(comment="留着"))
    with pytest.raises(DatabaseError, match=f"{table} is append-only"), database.writing() as session:
        session.execute(text(statement.format(table)))
    assert said(database) == "留着"


def test_a_failing_transaction_leaves_nothing_behind(database: Database):
    def fail() -> None:
        with database.writing() as session:
            session.execute(text("INSERT INTO person (name, display_name, active) VALUES ('x', 'x', TRUE)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert people.find(database, "x") is None


@pytest.mark.parametrize(
    "url", ["mysql://host/x", "postgresql://", "sqlite://", "://", "postgresql+psycopg://u@127.0.0.1:1/x?nonsense=1"]
)
def test_a_url_of_no_use_is_refused_in_one_sentence(url: str):
    with pytest.raises((ConfigError, DataError)) as refused:
        Database(url)
    assert "\n" not in str(refused.value)


def test_a_server_that_does_not_answer_is_named_without_its_password():
    with pytest.raises(DataError, match=r"127\.0\.0\.1:1/x cannot be opened.*URL") as refused:
        Database("postgresql://reader:secret@127.0.0.1:1/x")
    assert "secret" not in str(refused.value)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(Database(tmp_path_factory.mktemp("store") / "reviews.sqlite")) as opened:
        yield opened


@settings(max_examples=30, deadline=None)
@given(
    saves=st.lists(
        st.tuples(st.sampled_from(["page-a", "page-b"]), st.integers(0, 6), st.text(max_size=8)), max_size=12
    )
)
def test_revisions_count_up_by_one_and_accepted_text_is_never_gone(shared: Database, saves: list[tuple[str, int, str]]):
    run_id, accepted = uuid4().hex, []
    for sequence, (client, base, comment) in enumerate(saves, start=1):
        sent = draft(run_id=run_id, client=client, sequence=sequence, base_revision=base, comment=comment)
        if not reviews.save(shared, sent).conflict:
            accepted.append(normalize("NFC", comment))
    stored = reviews.history(shared, run_id, "case")
    assert [revision.revision for revision in stored] == list(range(1, len(stored) + 1))
    assert [revision.document.comment for revision in stored] == [comment for comment, _ in groupby(accepted)]


def test_an_amendment_that_is_given_up_leaves_the_submission_as_it_was(database: Database):
    reviews.save(database, draft(sequence=1, comment="初稿", submit=True))
    reviews.save(database, draft(sequence=2, base_revision=1, comment="不该写的话"))
    again = reviews.save(database, draft(sequence=3, base_revision=2, comment="初稿", submit=True))
    assert (again.latest.status, again.latest.reason, again.latest.revision) == ("submitted", "", 3)
    (standing,) = reviews.standing(database, again.latest.run_id)
    assert (standing.revision, standing.status) == (1, "submitted")
