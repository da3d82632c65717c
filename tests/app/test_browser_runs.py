"""Two runs of the same test studies in a real browser: no word of one run is ever saved, or shown, as the other's."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.app.page import case_ids, stored
from tests.app.server import Server, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocketRoute

pytestmark = needs_browser
Opener = Callable[..., "Page"]


@pytest.fixture(scope="module")
def server(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server on a folder of two runs; `newer` is the one that opens first. Each test works on a case of its own."""
    folder = tmp_path_factory.mktemp("review")
    for age, name in enumerate(("older", "newer"), start=1):
        os.utime(make_run(folder / "runs" / name, num_cases=5, run_id=name) / "manifest.json", (age, age))
    running = Server(folder / "runs", folder / "server.log")
    running.start()
    yield running
    running.kill()


def case_of(server: Server, number: int) -> str:
    return case_ids(server.project / "newer")[number]


def open_case(page: "Page", server: Server, *, run: str, case_id: str) -> None:
    page.goto(f"{server.url}/review?run={run}&case={case_id}")
    wait_for_run(page, run)


def wait_for_run(page: "Page", run: str) -> None:
    page.wait_for_selector(f'.report-head .badge:text-is("运行 {run}")')
    page.wait_for_selector(".comment")


def wait_saved(page: "Page") -> None:
    page.wait_for_selector('.status[data-state="saved"]')


def comments(server: Server, case_id: str) -> dict[str, str]:
    found = {}
    for run in ("older", "newer"):
        reviews = stored(server.project, run_id=run)
        if case_id in reviews:
            found[run] = reviews[case_id].document.comment
    return found


def test_the_same_case_of_two_runs_keeps_two_texts_over_a_reload_and_a_restart(server: Server, open_reader: Opener):
    page, case_id = open_reader(), case_of(server, 0)
    for run in ("older", "newer"):
        open_case(page, server, run=run, case_id=case_id)
        assert page.locator(".comment").input_value() == ""
        page.locator(".comment").fill(f"{run} 的意见")
        wait_saved(page)

    open_case(page, server, run="older", case_id=case_id)
    page.reload()
    wait_for_run(page, "older")
    assert page.locator(".comment").input_value() == "older 的意见"

    server.kill()
    page.locator(".comment").fill("older 的意见，断线时补充")
    server.start()
    wait_saved(page)
    wait_for_run(page, "older")
    assert page.locator(".comment").input_value() == "older 的意见，断线时补充"
    assert comments(server, case_id) == {"older": "older 的意见，断线时补充", "newer": "newer 的意见"}


def test_text_left_unsaved_in_one_run_is_saved_by_a_page_of_the_other(server: Server, open_reader: Opener):
    page, case_id = open_reader(), case_of(server, 1)
    open_case(page, server, run="older", case_id=case_id)
    server.kill()
    page.locator(".comment").fill("关页前写在 older 里")
    page.goto("about:blank")
    server.start()
    open_case(page, server, run="newer", case_id=case_id)
    assert page.locator(".comment").input_value() == ""
    page.wait_for_function("() => Object.keys(localStorage).every((key) => !key.startsWith('xray-review/'))")
    assert page.locator(".comment").input_value() == ""
    assert comments(server, case_id) == {"older": "关页前写在 older 里"}


def test_choosing_another_run_while_typing_saves_the_text_to_the_run_it_was_typed_in(
    server: Server, open_reader: Opener
):
    page, case_id = open_reader(), case_of(server, 2)
    open_case(page, server, run="newer", case_id=case_id)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.locator(".comment").press_sequentially("写在 newer 里")
    page.locator(".st-key-run [data-testid=stSelectbox] input").click()
    page.get_by_role("option", name="older").click()
    wait_for_run(page, "older")
    page.wait_for_url("**run=older**")
    page.wait_for_function("() => Object.keys(localStorage).every((key) => !key.startsWith('xray-review/'))")
    wait_until(lambda: page.locator(".comment").input_value() == "", page=page)
    assert comments(server, case_id) == {"newer": "写在 newer 里"}

    page.go_back()
    wait_for_run(page, "newer")
    wait_until(lambda: page.locator(".comment").input_value() == "写在 newer 里", page=page)


def test_the_list_and_the_steps_between_cases_stay_in_the_run_of_the_address(server: Server, open_reader: Opener):
    page, (case_id, following) = open_reader(), case_ids(server.project / "older")[3:5]
    open_case(page, server, run="older", case_id=case_id)
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**run=older&case={following}")
    wait_for_run(page, "older")
    page.keyboard.press("w")
    page.wait_for_selector("[data-testid=stDataFrame]")
    page.wait_for_url("**run=older")
    page.reload()
    page.wait_for_selector("[data-testid=stDataFrame]")
    assert page.locator(".report-head h3").first.inner_text() == "运行 older"


def test_a_page_that_missed_its_acknowledgement_does_not_overwrite_what_another_page_saved_on_top(
    server: Server, open_reader: Opener
):
    case_id, deaf = case_of(server, 4), []

    def pass_on(route: "WebSocketRoute") -> None:
        upstream = route.connect_to_server()
        upstream.on_message(lambda message: deaf or route.send(message))

    first, second = open_reader(), open_reader()
    first.route_web_socket("**/_stcore/stream", pass_on)
    open_case(first, server, run="newer", case_id=case_id)
    deaf.append(True)
    first.locator(".comment").fill("甲的意见")
    wait_until(lambda: comments(server, case_id) == {"newer": "甲的意见"}, page=first)
    open_case(second, server, run="newer", case_id=case_id)
    second.locator(".comment").fill("甲的意见，乙补充")
    wait_saved(second)

    deaf.clear()
    wait_saved(first)
    first.locator(".comment").press_sequentially("，甲再写")
    wait_saved(first)
    assert comments(server, case_id)["newer"] == "甲的意见，乙补充，甲再写"


def wait_until(fact: Callable[[], bool], *, page: "Page") -> None:
    for _ in range(300):
        if fact():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not happen within 30 seconds")
