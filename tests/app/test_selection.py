"""Which cases the worklist shows, in what order, and where previous and next lead."""

from hypothesis import given
from hypothesis import strategies as st

from app.run import ReviewCase
from app.selection import Entry, Selection, neighbour, next_unsubmitted
from app.store.ledger import Progress
from finetune.manifest import Case


def entry(
    name: str,
    *,
    score: float | None = None,
    verdict: str | None = None,
    status: str = "draft",
    sha256: str | None = None,
) -> Entry:
    case = Case(
        id=name,
        text="心影增大。",
        study_uid=name,
        patient_key=name,
        images=(),
        views=(),
        language="zh",
        origin="synthetic",
    )
    reviewed = ReviewCase(case=case, generated="心影不大。", scores=(("finding_f1", score),))
    review = verdict and Progress(
        run_id="run",
        case_id=name,
        reviewer="local",
        task="",
        status=status,
        given_at="2026-01-01T00:00:00+00:00" if status in ("submitted", "amended") else None,
        saved_at="2026-01-01T00:00:00+00:00",
        verdict=verdict,
        generated_sha256=sha256 or reviewed.generated_sha256,
        active_ms=0,
        edits=0,
    )
    return Entry(case=reviewed, findings=(("omitted", "cardiomegaly"),), review=review or None)


def ids(entries: tuple[Entry, ...]) -> list[str]:
    return [item.case.id for item in entries]


scores = st.lists(st.none() | st.floats(0, 1), max_size=12)


@given(scores=scores, descending=st.booleans())
def test_ordering_keeps_every_case_and_puts_those_without_a_score_last(scores: list[float | None], descending: bool):
    entries = [entry(str(number), score=value) for number, value in enumerate(scores)]
    ordered = Selection(order="finding_f1", descending=descending).apply(entries)
    values = [item.case.score("finding_f1") for item in ordered]
    known = [value for value in values if value is not None]
    assert sorted(ids(ordered)) == sorted(ids(tuple(entries)))
    assert values[: len(known)] == sorted(known, reverse=descending)


def test_no_filter_shows_everything_in_the_order_of_the_run():
    assert ids(Selection().apply([entry("b"), entry("a")])) == ["b", "a"]


def test_filters_of_different_kinds_must_all_pass():
    entries = [entry("done", verdict="accept"), entry("open")]
    assert ids(Selection(statuses=frozenset({"unreviewed"}), text="增大").apply(entries)) == ["open"]
    assert ids(Selection(kinds=frozenset({"side"})).apply(entries)) == []
    assert ids(Selection(concepts=frozenset({"cardiomegaly", "nodule"})).apply(entries)) == ["done", "open"]


def test_a_verdict_on_another_generated_text_does_not_count_as_reviewed():
    stale = entry("old", verdict="accept", sha256="0" * 64)
    assert stale.is_outdated
    assert (stale.status, stale.verdict) == ("outdated", None)
    assert not stale.is_done


def test_a_review_is_a_draft_until_it_is_submitted_and_a_void_one_is_none():
    found = [entry("x", verdict="edit", status=status) for status in ("draft", "submitted", "amended", "void")]
    assert [one.status for one in found] == ["draft", "submitted", "submitted", "unreviewed"]
    assert [one.verdict for one in found] == ["edit", "edit", "edit", None]
    assert [one.status for one in Selection(verdicts=frozenset({"edit"})).apply(found)] == [
        "draft",
        "submitted",
        "submitted",
    ]


def test_next_to_submit_goes_round_and_ends_when_all_are_submitted():
    entries = [
        entry("a", verdict="reject"),
        entry("b", verdict="edit", status="submitted"),
        entry("c", verdict="accept", status="amended"),
    ]
    assert next_unsubmitted(entries, after="c") == "a"
    assert next_unsubmitted(entries[1:]) is None


def test_the_present_case_is_not_its_own_next():
    assert next_unsubmitted([entry("only")], after="only") is None


def test_previous_and_next_stop_at_the_ends_of_the_list():
    entries = [entry("a"), entry("b")]
    assert neighbour(entries, of="a", step=1) == "b"
    assert neighbour(entries, of="b", step=1) is None
    assert neighbour(entries, of="a", step=-1) is None


def test_a_case_that_the_filters_hide_leads_to_the_first_listed_one():
    assert neighbour([entry("a")], of="hidden", step=1) == "a"
