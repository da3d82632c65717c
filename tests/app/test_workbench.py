"""The report workbench in a real browser: a case is read to its submission by keyboard alone, and nothing is lost."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.document import ReviewDocument
from app.store import reviews
from app.store.engine import Database
from app.store.reviews import Revision
from tests.app.page import case_ids
from tests.app.server import Server, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocketRoute

pytestmark = needs_browser
RUN_ID = "phantom-0123abcd-1"
Opener = Callable[..., "Page"]


@pytest.fixture(scope="module")
def server(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests; the first one submits cases 0 to 4, the others work on cases of their own."""
    folder = tmp_path_factory.mktemp("workbench")
    running = Server(make_run(folder / "run", num_cases=8), folder / "server.log")
    running.start()
    yield running
    running.kill()


def history(server: Server, number: int) -> tuple[Revision, ...]:
    with closing(Database(server.project / "reviews.sqlite")) as database:
        return reviews.history(database, RUN_ID, case_ids(server.project)[number])


def said(server: Server, number: int) -> ReviewDocument:
    return history(server, number)[-1].document


def open_case(page: "Page", server: Server, number: int) -> None:
    page.goto(f"{server.url}/review?case={case_ids(server.project)[number]}")
    page.wait_for_selector(".bench .item")


def wait_saved(page: "Page") -> None:
    page.wait_for_selector('.status[data-state="saved"]')


def wait_state(page: "Page", state: str) -> None:
    page.wait_for_selector(f'.state[data-state="{state}"]')


def decisions(page: "Page") -> list[str]:
    return [str(row.get_attribute("data-decision")) for row in page.locator(".row.item").all()]


def test_five_cases_are_read_from_the_list_to_submission_without_the_mouse(server: Server, open_reader: Opener):
    page, ids = open_reader(), case_ids(server.project)
    page.goto(server.url)
    page.wait_for_selector("[data-testid=stDataFrame]")
    for number in range(5):
        page.keyboard.press("n")
        page.wait_for_url(f"**case={ids[number]}")
        page.wait_for_selector('.state[data-state="none"]')
        if number == 1:  # the wrong side: rejected, with its category and weight; the machine's kind is overruled
            for key in ("x", "3", "s", "r", "4", "Control+Enter"):
                page.keyboard.press(key)
            assert page.locator('.lack[data-lack="verdict"]').count() == 1
            page.keyboard.press("e")
        else:
            page.keyboard.press("Shift+A")
            if number == 3:  # what the program marks wants a decision of its own, and has the cursor
                assert decisions(page)[:2] == ["", "accept"]
                page.keyboard.press("a")
            for key in ("v", "a"):
                page.keyboard.press(key)
        page.keyboard.press("Control+Enter")
        wait_state(page, "submitted")
    assert [history(server, number)[-1].status for number in range(5)] == ["submitted"] * 5
    (judged,) = said(server, 1).sentences
    assert (judged.decision, judged.category, judged.significant) == ("reject", "location", True)
    assert (judged.suggested_kind, judged.reader_kind) == ("side", "side")
    assert said(server, 1).verdict == "edit"
    assert said(server, 1).timings.active_ms > 0
    assert said(server, 1).timings.first_key is not None


def test_a_submitted_review_is_read_only_until_it_is_amended_with_a_reason(server: Server, open_reader: Opener):
    page = open_reader()
    open_case(page, server, 0)
    wait_state(page, "submitted")
    page.keyboard.press("x")
    assert decisions(page) == ["accept"]
    assert not page.locator(".comment").is_editable()

    page.locator(".amend").click()
    page.locator(".comment").fill("补充意见")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector('.lack[data-lack="reason"]')
    page.keyboard.type("漏看侧位片")
    page.keyboard.press("Control+Enter")
    wait_state(page, "submitted")
    newest = history(server, 0)[-1]
    assert (newest.status, newest.reason, newest.document.comment) == ("amended", "漏看侧位片", "补充意见")


def test_an_amendment_is_given_up_and_what_was_submitted_stands(server: Server, open_reader: Opener):
    page = open_reader()
    open_case(page, server, 2)
    wait_state(page, "submitted")
    submitted = said(server, 2)
    page.locator(".amend").click()
    page.keyboard.press("Escape")
    page.keyboard.press("u")  # what was submitted is not undone
    assert page.locator('[data-verdict="accept"]').get_attribute("aria-checked") == "true"
    page.locator(".cancel").click()
    wait_state(page, "submitted")
    page.locator(".amend").click()
    page.locator(".comment").fill("不该写的话")
    wait_saved(page)
    wait_state(page, "amending")
    page.locator(".cancel").click()
    wait_state(page, "submitted")
    assert page.locator(".comment").input_value() == ""
    assert said(server, 2).says_the_same_as(submitted)
    assert (history(server, 2)[-1].status, history(server, 2)[-1].reason) == ("submitted", "")


def test_after_a_submission_from_a_text_the_keys_are_the_pages_again_and_the_next_case_begins_at_its_top(
    server: Server, open_reader: Opener
):
    page, ids = open_reader(), case_ids(server.project)
    page.set_viewport_size({"width": 1100, "height": 620})
    open_case(page, server, 1)
    page.locator(".amend").click()
    page.keyboard.press("c")
    page.keyboard.type("补充")
    box, bar = page.locator(".comment").bounding_box(), page.locator(".bench footer").bounding_box()
    assert box is not None
    assert bar is not None
    assert 0 <= box["y"] <= bar["y"] - box["height"]
    page.locator(".amend-reason").fill("补充意见")
    page.reload()
    page.wait_for_selector('.state[data-state="amending"]')
    page.locator(".comment").fill("补充一句")
    assert page.locator(".amend-reason").input_value() == "补充意见"
    page.keyboard.press("Control+Enter")
    wait_state(page, "submitted")
    page.keyboard.press("n")
    page.wait_for_url(lambda address: ids[1] not in address)
    page.wait_for_selector(".bench .item")
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 0")
    assert history(server, 1)[-1].reason == "补充意见"


def test_every_step_is_undone_and_done_again_by_key(server: Server, open_reader: Opener):
    page = open_reader()
    open_case(page, server, 7)  # 心影增大 with a reference sentence that was left out
    page.keyboard.press("a")
    page.keyboard.press("x")
    assert decisions(page) == ["accept", "reject"]
    page.keyboard.press("u")
    page.keyboard.press("Control+z")
    assert decisions(page) == ["", ""]
    page.keyboard.press("Shift+U")
    assert decisions(page) == ["accept", ""]
    wait_saved(page)
    assert [one.decision for one in said(server, 7).sentences] == ["accept"]


def test_the_corrected_report_follows_the_decisions_until_it_is_edited_by_hand(server: Server, open_reader: Opener):
    page = open_reader()
    open_case(page, server, 7)
    page.locator(".correction summary").click()
    corrected, rewrite = page.locator(".corrected"), page.locator(".replacement >> nth=1")
    page.locator(".row.item >> nth=1").locator('[data-decision="edit"]').click()
    rewrite.fill("双侧胸腔积液。")
    assert corrected.input_value() == "心影增大，心胸比约0.60。双侧胸腔积液。"
    assert page.locator(".edited").inner_text() == "人工智能生成初稿，经人工修改"
    corrected.fill("心影增大。")
    rewrite.fill("双侧少量胸腔积液。")
    assert corrected.input_value() == "心影增大。"
    assert not page.locator(".still").is_visible()
    corrected.fill("心影增大，心胸比约0.60。")
    page.locator(".row.item >> nth=0").locator('[data-decision="reject"]').click()
    assert "第 1 句" in page.locator(".still").inner_text()
    page.keyboard.press("u")
    assert not page.locator(".still").is_visible()
    page.locator(".again").click()
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert corrected.input_value() == "心影增大，心胸比约0.60。双侧少量胸腔积液。"
    wait_saved(page)
    assert said(server, 7).corrected == "心影增大，心胸比约0.60。双侧少量胸腔积液。"


def test_decisions_made_and_submitted_while_the_server_is_dead_are_there_when_it_is_back(
    server: Server, open_reader: Opener
):
    page = open_reader()
    open_case(page, server, 6)
    page.keyboard.press("x")
    wait_saved(page)
    server.kill()
    for key in ("1", "s", "v", "x", "c"):
        page.keyboard.press(key)
    page.keyboard.type("断线时写下")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector('.status[data-state="offline"], .status[data-state="saving"]')
    server.start()
    wait_state(page, "submitted")
    document = said(server, 6)
    assert (document.verdict, document.comment) == ("reject", "断线时写下")
    assert [(one.decision, one.category, one.significant) for one in document.sentences] == [("reject", "false", True)]
    assert page.evaluate("() => Object.keys(localStorage).filter((key) => key.startsWith('xray-review/'))") == []


def test_digits_go_where_the_reader_works_and_one_help_names_the_keys_of_both(server: Server, open_reader: Opener):
    page = open_reader()
    open_case(page, server, 7)
    page.wait_for_selector('.films figure:is([data-state="preview"], [data-state="full"])')
    looks, category = page.locator(".looks button"), page.locator('.category[aria-pressed="true"]').first
    page.keyboard.press("x")
    page.locator(".films canvas").first.click()
    page.keyboard.press("5")
    assert looks.nth(4).get_attribute("aria-pressed") == "true"
    assert category.count() == 0
    for key in ("j", "k", "1"):
        page.keyboard.press(key)
    assert category.get_attribute("data-category") == "false"
    assert looks.nth(4).get_attribute("aria-pressed") == "true"
    page.locator(".films canvas").first.click()
    for key in ("x", "3"):  # a decision takes the digits back to the sentence
        page.keyboard.press(key)
    assert category.get_attribute("data-category") == "location"
    page.keyboard.press("?")
    told = page.locator("dialog.help")
    assert "窗口预设" in told.inner_text()
    assert "错误类型" in told.inner_text()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    assert not told.is_visible()
    assert looks.nth(4).get_attribute("aria-pressed") == "true"
    page.locator('.viewer .tools button[data-key="?"]').click()
    assert told.is_visible()


def test_what_a_report_says_is_never_read_as_markup(server: Server, open_reader: Opener):
    page = open_reader()
    open_case(page, server, 4)
    assert "<script>alert('x')</script><b>粗</b>" in page.locator(".texts").inner_text()
    assert page.locator(".bench b, .bench script").count() == 0


def test_a_copy_that_nobody_saved_for_a_day_is_removed_from_the_machine(server: Server, open_reader: Opener):
    first = open_reader()
    first.route_web_socket("**/_stcore/stream", swallow_drafts)
    open_case(first, server, 5)
    first.locator(".comment").fill("昨天写的")
    first.evaluate(
        """() => Object.keys(localStorage).filter((key) => key.startsWith("xray-review/")).forEach((key) => {
          const draft = JSON.parse(localStorage.getItem(key));
          localStorage.setItem(key, JSON.stringify({ ...draft, typed_at: draft.typed_at - 25 * 3600 * 1000 }));
        })"""
    )
    second = first.context.new_page()
    open_case(second, server, 5)
    assert second.locator(".comment").input_value() == ""
    assert second.evaluate("() => Object.keys(localStorage).filter((key) => key.startsWith('xray-review/'))") == []
    assert history(server, 5) == ()


def swallow_drafts(route: "WebSocketRoute") -> None:
    """Let through what a page asks, but no text that it wants to save."""
    upstream = route.connect_to_server()
    route.on_message(lambda message: None if "昨天写的".encode() in as_bytes(message) else upstream.send(message))


def as_bytes(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message
