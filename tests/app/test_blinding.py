"""A reader of a blind study in a real browser: nothing that reaches it tells who wrote a report."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.protocol.assignment import REFERENCE, Source
from app.store import progress, studies
from app.store.studies import Assignment
from tests.app.server import Server, needs_browser
from tests.app.study import FIRST, SECOND, begin, make_project, open_database

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response, WebSocket

pytestmark = needs_browser
Opener = Callable[..., "Page"]
MODELS = (Source(run_id=FIRST, system="adapter"), Source(run_id=SECOND, system="adapter"))
PAIR = (MODELS[0], Source(run_id=FIRST, system=REFERENCE))


@pytest.fixture(scope="module")
def server(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("study")
    make_project(folder / "runs", make_run)
    begin(folder / "runs", "flamingo_pref", sources=MODELS, repeats=0.3, sentinels=0.3)
    begin(folder / "runs", "radpeer", sources=PAIR[:1], readers=("local",), study_id="s2")
    running = Server(folder / "runs", folder / "server.log")
    running.start()
    yield running
    running.kill()


def listen(page: "Page") -> list[bytes]:
    """Keep what reaches the browser: messages of its WebSocket, and the pages and data it fetches."""
    heard: list[bytes] = []

    def frame(payload: str | bytes) -> None:
        heard.append(payload.encode() if isinstance(payload, str) else payload)

    def response(found: "Response") -> None:
        heard.append(found.url.encode())
        heard.append(str(found.headers).encode())
        if found.request.resource_type in ("document", "xhr", "fetch") and found.status == 200:
            heard.append(found.body())

    def socket(found: "WebSocket") -> None:
        found.on("framereceived", frame)

    page.on("websocket", socket)
    page.on("response", response)
    return heard


def tasks_of(server: Server, study: str) -> list[Assignment]:
    with closing(open_database(server.project)) as database:
        return [item.assignment for item in studies.work(database, study, "local")]


def test_no_message_of_a_blind_comparison_names_a_run_a_system_or_why_a_case_is_read(
    server: Server, open_reader: Opener
):
    page = open_reader()
    heard = listen(page)
    page.goto(f"{server.url}/tasks")
    page.locator(".st-key-next_s1 button").click()
    page.wait_for_url("**/reading?task=*")
    page.locator(".asked", has_text="影像质量").wait_for()
    page.locator("canvas").first.wait_for()
    page.keyboard.press("1")
    page.locator(".asked", has_text="哪一份报告更好").wait_for()
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    page.get_by_text("本例已提交").wait_for()
    page.get_by_role("button", name="下一例").click()
    page.wait_for_url(lambda url: tasks_of(server, "s1")[0].id not in url)
    page.locator(".asked", has_text="影像质量").wait_for()

    everything = b"\n".join(heard).replace(b"tr.adapter", b"")  # a rule of the style sheet
    assert "研究 s1".encode() in everything  # what is heard is the text of the pages
    names = (FIRST, SECOND, "微调模型", "phantom", "adapter", "known_good", "planted", "sentinel", "质控")
    assert [name for name in names if name.encode() in everything] == []
    assert [task.case_id for task in tasks_of(server, "s1") if task.case_id.encode() in everything] == []
    with closing(open_database(server.project)) as database:
        (_, load) = sorted(progress.workloads_of(database, "local"), key=lambda load: load.study.id, reverse=True)
    assert (load.study.id, load.done) == ("s1", 1)


def test_a_reference_that_the_protocol_hides_never_reaches_the_browser(server: Server, open_reader: Opener):
    from app.run import load_run

    run = load_run(server.project / FIRST)
    page = open_reader()
    heard = listen(page)
    hidden = []
    for task in tasks_of(server, "s2")[:3]:
        page.goto(f"{server.url}/reading?task={task.id}&run={SECOND}")
        page.get_by_text("RADPEER 评分").first.wait_for()
        case = run.case(task.case_id)
        assert case is not None
        assert case.generated is not None
        if case.case.text != case.generated:
            hidden.append(case.case.text)
    everything = b"\n".join(heard)
    assert hidden
    assert [text for text in hidden if text.encode() in everything] == []


def test_the_menu_leads_from_the_worklist_to_the_tasks_without_the_run(server: Server, open_reader: Opener):
    page = open_reader()
    page.goto(server.url)
    page.wait_for_url("**run=*")
    page.get_by_role("button", name="读者研究").click()
    page.get_by_role("menuitem", name="我的任务").click()
    page.get_by_role("heading", name="我的任务").wait_for()
    page.wait_for_url(lambda url: "run=" not in url)
