"""Which cases the worklist shows, in what order, and where previous and next lead."""

from hypothesis import given
from hypothesis import strategies as st

from app.run import ReviewCase
from app.selection import Entry, Selection, neighbour, next_unreviewed
from app.store.ledger import Progress
from finetune.manifest import Case


def entry(name: str, *, score: float | None = None, verdict: str | None = None, sha256: str | None = None) -> Entry:
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
        status="draft",
        given_at=None,
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
    assert stale.status == "outdated"
    assert not stale.is_done


def test_next_unreviewed_goes_round_and_ends_when_all_are_done():
    entries = [entry("a"), entry("b", verdict="edit"), entry("c", verdict="accept")]
    assert next_unreviewed(entries, after="c") == "a"
    assert next_unreviewed(entries[1:]) is None


def test_the_present_case_is_not_its_own_next():
    assert next_unreviewed([entry("only")], after="only") is None


def test_previous_and_next_stop_at_the_ends_of_the_list():
    entries = [entry("a"), entry("b")]
    assert neighbour(entries, of="a", step=1) == "b"
    assert neighbour(entries, of="b", step=1) is None
    assert neighbour(entries, of="a", step=-1) is None


def test_a_case_that_the_filters_hide_leads_to_the_first_listed_one():
    assert neighbour([entry("a")], of="hidden", step=1) == "a"
