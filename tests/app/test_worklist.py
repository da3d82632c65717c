"""The worklist with few and with thousands of cases: it opens at once, and its filters are in its address."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import address, session
from app.document import ReviewDocument
from app.mark_file import MarkFile
from app.run import load_run
from app.screens.worklist import ROWS
from app.selection import Band, Selection
from app.store import reviews
from app.store.engine import Database
from app.store.ledger import Ledger
from app.store.reviews import Draft
from tests.app.conftest import MAIN, write_run
from tests.app.large_run import write_large_run
from tests.app.page import assert_no_error, case_ids, table_of

Opener = Callable[..., AppTest]
NUM_CASES = 5000


@pytest.fixture(scope="module")
def large_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_large_run(tmp_path_factory.mktemp("large") / "run", num_cases=NUM_CASES)


def draft(run_id: str, case_id: str, *, sequence: int = 1, submit: bool = False, **document: object) -> Draft:
    return Draft(
        run_id=run_id,
        case_id=case_id,
        client="client-0001",
        sequence=sequence,
        base_revision=sequence - 1,
        submit=submit,
        document=ReviewDocument.model_validate(document),
    )


def open_link(query: dict[str, str]) -> AppTest:
    """Open an address in a new browser session, on the project that was opened before."""
    page = AppTest.from_file(str(MAIN), default_timeout=30)
    page.query_params.update(query)
    return page.run()


def said(page: AppTest) -> str:
    return "\n".join(caption.value for caption in page.caption)


def rerun_seconds(page: AppTest) -> float:
    begun = time.process_time()
    page.run()
    return time.process_time() - begun


def test_five_thousand_cases_are_listed_at_once_and_the_marks_follow_in_the_background(
    large_project: Path, open_page: Opener
):
    page = open_page(large_project)
    assert_no_error(page)
    assert len(table_of(page)) == ROWS
    assert f"{NUM_CASES} / {NUM_CASES} 例 · 第 1–{ROWS} 例" in said(page)
    assert "正在逐例比对" in page.info[0].value
    assert page.multiselect(key="filter_kinds").disabled
    assert rerun_seconds(page) < 2

    linked = open_link({"run": "large", "kind": "side"})  # a filter that can only wait for the marks
    assert f"{NUM_CASES} / {NUM_CASES} 例" in said(linked)
    assert linked.query_params["kind"] == "side"

    page.pagination(key="filter_page_0").set_value(NUM_CASES // ROWS).run()
    assert list(table_of(page)["病例"])[-1] == case_ids(large_project)[-1]
    assert page.query_params["page"] == str(NUM_CASES // ROWS)


def test_marks_outlive_the_process_and_hold_no_text(tmp_path: Path):
    run = load_run(write_run(tmp_path / "run"))
    begun = session.Marking(run, folder=tmp_path / "marks")
    assert begun.is_ready
    (written,) = (tmp_path / "marks").iterdir()
    assert "胸腔" not in written.read_text(encoding="utf-8")
    known = MarkFile(tmp_path / "marks").read()
    assert [begun.findings(case.id) for case in run.cases] == [session.marked(run, case).findings for case in run.cases]
    assert len(known) == begun.total

    written.write_text(written.read_text(encoding="utf-8") + '{"pair": "cut o', encoding="utf-8")
    assert MarkFile(tmp_path / "marks").read() == known


def test_a_link_opens_the_same_list_in_another_session(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    page.multiselect(key="filter_kinds").set_value(["side", "omitted"]).run()
    page.multiselect(key="filter_concepts").set_value(["pleural_effusion"]).run()
    page.selectbox(key="filter_order_zh").set_value("finding_f1:high").run()
    page.slider(key="filter_band").set_value((0.3, 1.0)).run()
    listed = list(table_of(page)["病例"])
    assert 0 < len(listed) < 5

    link = dict(page.query_params)
    assert link == {
        "run": "phantom-0123abcd-1",
        "finding": "pleural_effusion",
        "kind": "omitted,side",
        "score": "finding_f1:0.30-1.00",
        "order": "finding_f1:high",
    }
    other = open_link(link)
    assert_no_error(other)
    assert list(table_of(other)["病例"]) == listed
    assert dict(other.query_params) == link

    other.button(key="clear_filters").click().run()
    assert len(table_of(other)) == 5
    assert dict(other.query_params) == {"run": "phantom-0123abcd-1"}


def test_the_words_searched_for_stay_out_of_the_address(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    page.text_input(key="filter_text").set_value("气管居中").run()
    assert dict(page.query_params) == {"run": "phantom-0123abcd-1"}


def test_an_address_of_nonsense_filters_nothing(run_folder: Path, open_page: Opener):
    open_page(run_folder)
    nonsense = {"kind": "agree,<b>", "status": "x", "finding": "no_such", "score": "finding_f1:nan-2", "page": "-3"}
    page = open_link({**nonsense, "order": "bleu:low"})
    assert_no_error(page)
    assert len(table_of(page)) == 5


def test_another_filter_turns_back_to_the_first_page(large_project: Path, open_page: Opener):
    page = open_page(large_project)
    page.pagination(key="filter_page_0").set_value(3).run()
    page.slider(key="filter_band").set_value((0.0, 0.3)).run()
    assert "第 1–100 例" in said(page)
    assert "page" not in page.query_params


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(
            concepts=frozenset({"pneumothorax"}),
            kinds=frozenset({"place", "degree"}),
            statuses=frozenset({"amending"}),
            verdicts=frozenset({"reject"}),
            flaws=frozenset({"cut_off"}),
            band=Band(metric="finding_f1", low=0.25, high=0.5),
            order="saved",
            descending=True,
        ),
    ],
)
def test_filters_come_back_from_an_address_as_they_went_in(selection: Selection):
    query = address.query_of(selection, page=7)
    assert address.selection_of(query, metrics=("finding_f1",)) == selection
    assert address.page_of(query) == 7


def test_the_states_of_a_review_are_told_apart(run_folder: Path, open_page: Opener):
    run = load_run(run_folder)
    first, second, third, fourth, _ = run.cases
    seen = {case.id: {"generated_sha256": case.generated_sha256} for case in run.cases}
    with closing(Database(run_folder / "reviews.sqlite")) as database:
        reviews.save(database, draft(run.id, first.id, comment="在写", **seen[first.id]))
        reviews.save(database, draft(run.id, second.id, submit=True, verdict="accept", **seen[second.id]))
        reviews.save(database, draft(run.id, third.id, submit=True, verdict="edit", **seen[third.id]))
        reviews.save(database, draft(run.id, third.id, sequence=2, verdict="edit", comment="再想", **seen[third.id]))
        reviews.save(database, draft(run.id, fourth.id, verdict="accept", generated_sha256="0" * 64))
    page = open_page(run_folder)
    states = [cell.split(" ", 1)[1] for cell in table_of(page)["评审状态"]]
    assert states == ["草稿", "已提交", "修改中", "报告已更新，需重审", "未评审"]
    assert "已提交 2 / 5，草稿 1" in str(page.get("progress")[0].proto)
    page.multiselect(key="filter_statuses").set_value(["draft", "outdated"]).run()
    assert list(table_of(page)["病例"]) == [first.id, fourth.id]


def test_a_ledger_learns_of_each_save_and_reads_nothing_twice(database: Database):
    ledger = Ledger(database)
    assert ledger.of("run", reviewer="local") == {}
    reviews.save(database, draft("run", "case", comment="一", timings={"active_ms": 10}))
    reviews.save(database, draft("run", "case", sequence=2, submit=True, verdict="edit", timings={"active_ms": 30}))
    (given,) = ledger.of("run", reviewer="local").values()
    assert (given.status, given.verdict, given.active_ms, given.given_at) == ("submitted", "edit", 30, given.saved_at)

    reviews.save(database, draft("run", "case", sequence=3, verdict="reject"))
    (later,) = ledger.all()
    assert (later.status, later.verdict, later.given_at) == ("draft", "reject", given.given_at)
    assert Ledger(database).all() == ledger.all()

    newest = reviews.latest(database, "run")["case"]
    reviews.void(database, newest, actor="local", reason="误开")
    assert ledger.of("run", reviewer="local")["case"].given_at is None
