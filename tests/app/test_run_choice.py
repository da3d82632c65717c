"""Which run a page shows, and where reviews lie: two runs of the same test studies are never mistaken."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import session
from app.saving import thread_name
from app.store import reviews
from app.store.engine import Database
from tests.app.page import assert_no_error, bench_data, case_ids, draft, html_of, save, stored, table_of

Opener = Callable[..., AppTest]


@pytest.fixture
def two_runs(tmp_path: Path, make_run: Callable[..., Path]) -> Path:
    """A folder of two runs of the same test studies; `run-2` is the newer one."""
    for number in (1, 2):
        folder = make_run(tmp_path / f"folder{number}", run_id=f"run-{number}")
        os.utime(folder / "manifest.json", (number, number))
    return tmp_path


def test_a_folder_of_runs_lets_the_reader_choose(tmp_path: Path, make_run: Callable[..., Path], open_page: Opener):
    for number in (1, 2):
        make_run(tmp_path / f"run{number}", num_cases=2 + number, run_id=f"run-{number}")
    page = open_page(tmp_path)
    for number in (1, 2):
        page.selectbox(key="run").set_value(f"run-{number}").run()
        assert len(table_of(page)) == 2 + number
        assert f"run-{number}" in html_of(page)
        assert page.query_params["run"] == f"run-{number}"


def test_an_address_names_its_run_so_that_a_reload_opens_no_other(two_runs: Path, open_page: Opener):
    case_id = case_ids(two_runs / "folder1")[0]
    assert open_page(two_runs).query_params["run"] == "run-2"
    page = open_page(two_runs, run="run-1", case=case_id)
    assert_no_error(page)
    assert page.query_params == {"run": "run-1", "case": case_id}
    assert page.selectbox(key="run").value == "run-1"
    assert "运行 run-1" in html_of(page)
    assert bench_data(page)["run"] == "run-1"


def test_an_address_of_an_unknown_run_opens_no_other_run(two_runs: Path, open_page: Opener):
    page = open_page(two_runs, run="run-3")
    assert_no_error(page)
    assert "run-3" in page.info[0].value
    assert not page.dataframe
    page.button[0].click().run()
    assert page.query_params["run"] == "run-2"
    assert len(table_of(page)) == 5


def test_a_draft_of_another_run_than_the_one_shown_is_saved_under_its_own(two_runs: Path, open_page: Opener):
    case_id = case_ids(two_runs / "folder1")[0]
    page = open_page(two_runs, run="run-2", case=case_id)
    assert_no_error(save(page, draft("run-1", case_id, comment="第一次运行的意见")))
    data = bench_data(page)
    assert [ack["thread"] for ack in data["acks"]] == [thread_name(run_id="run-1", case_id=case_id, task="")]
    assert data["thread"] != data["acks"][0]["thread"]
    assert "comment" not in data["review"]["document"]
    assert stored(two_runs, run_id="run-1")[case_id].document.comment == "第一次运行的意见"
    assert stored(two_runs, run_id="run-2") == {}


def test_reviews_of_a_run_opened_alone_come_into_the_database_of_its_folder_of_runs_and_stay_the_same_from_then_on(
    two_runs: Path, open_page: Opener
):
    case_id = case_ids(two_runs / "folder1")[0]
    save(open_page(two_runs / "folder1", case=case_id), draft("run-1", case_id, comment="单独打开时写的"))
    session.close()
    among = open_page(two_runs, run="run-1", case=case_id)
    assert bench_data(among)["review"]["document"]["comment"] == "单独打开时写的"
    save(among, draft("run-1", case_id, client="browser-0002", base_revision=1, comment="一起打开时写的"))
    session.close()
    alone = open_page(two_runs / "folder1", case=case_id)
    assert bench_data(alone)["review"]["document"]["comment"] == "一起打开时写的"


def test_another_file_for_all_reviews_can_be_named(two_runs: Path, open_page: Opener):
    case_id, elsewhere = case_ids(two_runs / "folder1")[0], two_runs / "elsewhere" / "all.sqlite"
    for run_id in ("run-1", "run-2"):
        page = open_page(two_runs, run=run_id, case=case_id, database=str(elsewhere))
        assert_no_error(save(page, draft(run_id, case_id, comment=run_id)))
    with closing(Database(elsewhere)) as database:
        said = [reviews.latest(database, run_id)[case_id].document.comment for run_id in ("run-1", "run-2")]
    assert said == ["run-1", "run-2"]
    assert list(two_runs.glob("**/reviews.sqlite")) == []


def test_a_project_whose_folder_takes_no_reviews_says_what_to_do(two_runs: Path, open_page: Opener):
    (two_runs / "reviews.sqlite").mkdir()
    page = open_page(two_runs)
    assert not page.exception
    assert "--database FILE" in page.error[0].value
