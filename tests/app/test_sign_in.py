"""The real server behind a real reverse proxy, in a browser: who comes in, what is noted, and the idle lock."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from app.settings import DATABASE_NAME
from app.sign_in import HEADER
from app.store import audit, people, reviews
from app.store.engine import Database
from app.store.people import Person
from tests.app.page import case_ids
from tests.app.proxy import Proxy
from tests.app.server import Server, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUN_ID = "phantom-0123abcd-1"
READER, ADMIN = "li@hospital.cn", "wang@hospital.cn"
IDLE_MS = 15 * 60 * 1000
Opener = Callable[..., "Page"]


@pytest.fixture(scope="module")
def direct(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("ward")
    project = make_run(folder / "run", num_cases=3)
    with closing(Database(project / DATABASE_NAME)) as database:
        reader = Person(name=READER, display_name="李医师", roles=frozenset({"reader"}))
        people.put(database, reader, actor="local")
    running = Server(project, folder / "server.log", "--sign-in", "header", "--admin", ADMIN)
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def server(direct: Server) -> Iterator[Proxy]:
    """The address that browsers know is the proxy's."""
    proxy = Proxy(to_port=direct.port, header=HEADER)
    yield proxy
    proxy.stop()


def noted(direct: Server, action: str) -> list[tuple[str, str]]:
    with closing(Database(direct.project / DATABASE_NAME)) as database:
        return [(entry.actor, entry.subject) for entry in audit.newest(database, count=50) if entry.action == action]


def status_of(url: str, **headers: str) -> int:
    try:
        with urlopen(Request(url, headers=headers), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


@needs_browser
def test_the_proxys_word_decides_who_is_there_and_what_they_see(direct: Server, server: Proxy, open_reader: Opener):
    server.person = "stranger@hospital.cn"
    page = open_reader()
    page.goto(f"{server.url}/review?case={case_ids(direct.project)[0]}")
    page.get_by_text("stranger@hospital.cn").wait_for()
    assert "胸腔" not in page.content()
    assert page.get_by_text("工作列表").count() == 0

    server.person = READER
    page = open_reader()
    page.goto(f"{server.url}/people")
    page.get_by_text("无权访问").wait_for()
    page.get_by_role("button", name="返回首页").click()
    page.wait_for_selector("[data-testid=stDataFrame]")
    assert page.get_by_text("审计日志").count() == 0
    assert noted(direct, "page refused") == [(READER, "people")]
    assert noted(direct, "sign-in refused") == [("stranger@hospital.cn", "unknown")]

    server.person = ADMIN
    page = open_reader()
    page.goto(f"{server.url}/check")
    page.wait_for_selector("table.checks")
    assert page.locator(".state.fault").count() == 0
    page.goto(f"{server.url}/people")  # the first page of an admin, at its own address
    page.get_by_role("button", name="保存").wait_for()
    assert page.get_by_text("Page not found").count() == 0


def appears(page: "Page", selector: str) -> bool:
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    try:
        page.wait_for_selector(selector, timeout=20_000)
    except PlaywrightTimeout:
        return False
    return True


@needs_browser
def test_a_page_without_input_is_covered_loses_its_texts_and_comes_back_with_what_was_typed(
    direct: Server, server: Proxy, open_reader: Opener
):
    server.person = READER
    case_id = case_ids(direct.project)[1]
    page = open_reader()
    page.clock.install()
    page.goto(f"{server.url}/review?case={case_id}")
    if not appears(page, ".comment"):  # seen once on a busy machine, through this proxy: a reader would load it again
        page.reload()
    page.locator(".comment").fill("先写一半")
    page.wait_for_selector('.status[data-state="saved"]')
    page.keyboard.press("Shift")  # input counts from here

    page.clock.fast_forward(IDLE_MS - 30_000)
    page.locator(".xray-lock-soon:visible").wait_for()
    assert "秒后锁定" in page.locator(".xray-lock-soon").inner_text()
    page.mouse.move(200, 200)
    page.locator(".xray-lock-soon").wait_for(state="hidden")

    page.locator(".comment").press_sequentially("，再写一半")
    page.clock.fast_forward(IDLE_MS + 1000)
    page.locator(".xray-lock:visible").wait_for()
    page.wait_for_function("() => !document.querySelector('.report-text')")
    assert "胸腔" not in page.content()
    page.keyboard.press("l")  # the page's keys are dead behind the cover
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".xray-lock").wait_for(state="hidden")
    page.wait_for_selector(".comment")
    assert case_id in page.url
    assert page.locator(".comment").input_value() == "先写一半，再写一半"
    page.wait_for_selector('.status[data-state="saved"]')
    with closing(Database(direct.project / DATABASE_NAME)) as database:
        saved = reviews.latest(database, RUN_ID, reviewer=READER)[case_id]
    assert saved.document.comment == "先写一半，再写一半"


def test_who_passes_the_proxy_by_is_nobody_and_health_tells_nothing_more(direct: Server, server: Proxy):
    server.person = READER
    assert status_of(f"{direct.url}/films/0?run={RUN_ID}") == 403
    assert status_of(f"{server.url}/films/0?run={RUN_ID}", **{HEADER: ADMIN}) == 403
    assert set(noted(direct, "film refused")) == {("unknown", "film"), (READER, "film")}
    for path, word in (("/healthz", b"ok"), ("/readyz", b"ready")):
        with urlopen(direct.url + path, timeout=30) as answer:
            assert answer.read() == b'{"status":"%s"}' % word
            assert answer.headers["Cache-Control"] == "no-store"
    with urlopen(direct.url, timeout=30) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
