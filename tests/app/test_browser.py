"""The review in a real browser: nothing typed is lost, nothing is asked of another host, no stack trace appears."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.run import load_run
from app.store import reviews
from app.store.engine import Database
from finetune.manifest import Prediction, read_records
from tests.app.page import case_ids
from tests.app.server import Server, needs_browser
from xray.records import write_lines

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_browser
RUN_ID = "phantom-0123abcd-1"
Opener = Callable[..., "Page"]


@pytest.fixture(scope="module")
def server(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests; each works on a case of its own."""
    folder = tmp_path_factory.mktemp("review")
    running = Server(make_run(folder / "run", num_cases=9), folder / "server.log")
    running.start()
    yield running
    running.kill()


def open_case(page: "Page", server: Server, case_id: str) -> None:
    page.goto(f"{server.url}/review?case={case_id}")
    page.wait_for_selector(".comment")


def wait_saved(page: "Page") -> None:
    page.wait_for_selector('.status[data-state="saved"]')


def stored(server: Server) -> dict[str, tuple[str | None, str, str]]:
    with closing(Database(server.project / "reviews.sqlite")) as database:
        said = {key: row.document for key, row in reviews.latest(database, RUN_ID).items()}
    return {key: (document.verdict, document.comment, document.corrected) for key, document in said.items()}


def judge(page: "Page", key: str) -> None:
    """Give the verdict on the whole report by keyboard."""
    page.keyboard.press("v")
    page.keyboard.press(key)


def judged_sha256(server: Server, case_id: str) -> str:
    with closing(Database(server.project / "reviews.sqlite")) as database:
        return reviews.latest(database, RUN_ID)[case_id].document.generated_sha256


def generated_sha256(server: Server, case_id: str) -> str:
    case = load_run(server.project).case(case_id)
    assert case is not None
    return case.generated_sha256


def history(server: Server, case_id: str) -> list[str]:
    with closing(Database(server.project / "reviews.sqlite")) as database:
        return [revision.document.comment for revision in reviews.history(database, RUN_ID, case_id)]


def test_text_typed_while_the_server_is_killed_is_saved_once_it_is_back(server: Server, open_reader: Opener):
    page, case_id = open_reader(), case_ids(server.project)[0]
    page.goto(server.url)
    page.get_by_role("button", name="继续评审").click()
    page.wait_for_selector(".comment")
    assert f"case={case_id}" in page.url

    page.locator('button[data-verdict="edit"]').click()
    wait_saved(page)
    page.locator(".comment").press_sequentially("右侧胸腔")
    server.kill()
    page.locator(".comment").press_sequentially("少量积液未提及")
    page.wait_for_selector('.status[data-state="offline"], .status[data-state="saving"]')
    assert "少量" not in stored(server)[case_id][1]
    server.start()
    wait_saved(page)

    page.reload()
    page.wait_for_selector(".comment")
    assert page.locator(".comment").input_value() == "右侧胸腔少量积液未提及"
    assert page.locator('button[data-verdict="edit"]').get_attribute("aria-checked") == "true"
    assert "Traceback" not in page.content()
    assert stored(server)[case_id] == ("edit", "右侧胸腔少量积液未提及", "")


def test_text_typed_without_a_network_is_saved_once_there_is_one(server: Server, open_reader: Opener):
    page, case_id = open_reader(), case_ids(server.project)[8]
    open_case(page, server, case_id)
    page.context.set_offline(True)
    page.locator(".comment").press_sequentially("断网时写的话")
    page.keyboard.press("Escape")
    judge(page, "x")
    page.wait_for_timeout(1500)
    page.context.set_offline(False)
    wait_saved(page)
    page.reload()
    page.wait_for_selector(".comment")
    assert page.locator(".comment").input_value() == "断网时写的话"
    assert stored(server)[case_id] == ("reject", "断网时写的话", "")


def test_chinese_is_drawn_in_characters_and_not_in_boxes(server: Server, open_reader: Opener):
    page = open_reader()
    open_case(page, server, case_ids(server.project)[0])
    drawn = set()
    for character in ("肺", "胸", "\ue123"):  # no font has the last one: it is drawn as a box
        page.locator(".ai-banner").evaluate("(banner, text) => { banner.textContent = text; }", character)
        drawn.add(page.locator(".ai-banner").screenshot())
    page.locator(".bench .text").first.evaluate("(said, text) => { said.textContent = text; }", "肺")
    drawn.add(page.locator(".bench .text").first.screenshot())
    page.locator(".bench .text").first.evaluate("(said, text) => { said.textContent = text; }", "\ue123")
    drawn.add(page.locator(".bench .text").first.screenshot())
    assert len(drawn) == 5


def test_text_of_a_closed_page_is_saved_by_the_next_page(server: Server, open_reader: Opener):
    page, (case_id, other) = open_reader(), case_ids(server.project)[1:3]
    open_case(page, server, case_id)
    server.kill()
    page.locator(".comment").fill("关页前的一句话")
    page.goto("about:blank")
    server.start()
    open_case(page, server, other)
    assert page.locator(".comment").input_value() == ""
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**case={case_id}")
    wait_saved(page)
    assert stored(server)[case_id][1] == "关页前的一句话"


def test_keys_judge_and_move_but_not_while_typing(server: Server, open_reader: Opener):
    page, (case_id, following) = open_reader(), case_ids(server.project)[3:5]
    page.goto(f"{server.url}/?case={case_id}")
    page.wait_for_url(f"**/review?run={RUN_ID}&case={case_id}")
    page.wait_for_selector(".comment")
    judge(page, "x")
    wait_saved(page)
    page.keyboard.press("c")
    page.keyboard.type("a e n l")
    wait_saved(page)
    assert f"case={case_id}" in page.url
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**case={following}")
    assert stored(server)[case_id] == ("reject", "a e n l", "")
    assert following not in stored(server)


def test_letters_of_an_unfinished_input_method_word_are_never_saved(server: Server, open_reader: Opener):
    page, case_id = open_reader(), case_ids(server.project)[6]
    open_case(page, server, case_id)
    page.locator(".comment").focus()
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "xiong", "selectionStart": 5, "selectionEnd": 5})
    page.wait_for_timeout(1000)  # longer than the pause after which typed text is sent
    keyboard.send("Input.insertText", {"text": "胸腔"})
    wait_saved(page)
    assert history(server, case_id) == ["胸腔"]


def test_two_readers_pages_on_one_case_show_both_texts_and_lose_neither(server: Server, open_reader: Opener):
    case_id, first, second = case_ids(server.project)[5], open_reader(), open_reader(width=1920, height=1080)
    open_case(first, server, case_id)
    open_case(second, server, case_id)
    first.locator(".comment").fill("甲的意见")
    wait_saved(first)
    second.locator(".comment").fill("乙的意见")
    second.wait_for_selector(".conflict:not([hidden])")
    assert "甲的意见" in second.locator(".conflict-text").inner_text()
    assert stored(server)[case_id][1] == "甲的意见"
    second.keyboard.press("Control+Enter")  # first it is settled which of the two stands
    second.locator(".keep").click()
    wait_saved(second)
    assert history(server, case_id) == ["甲的意见", "乙的意见"]
    assert second.locator(".comment").is_editable()


def test_a_verdict_judges_the_text_its_reader_saw_and_a_comment_judges_no_newer_one(
    server: Server, open_reader: Opener
):
    page, case_id = open_reader(), case_ids(server.project)[7]
    open_case(page, server, case_id)
    seen = generated_sha256(server, case_id)
    predictions = read_records(server.project / "predictions.jsonl", Prediction)
    changed = [row.model_copy(update={"text": "心影增大。"}) if row.id == case_id else row for row in predictions]
    write_lines(server.project / "predictions.jsonl", changed)
    assert generated_sha256(server, case_id) != seen

    judge(page, "x")
    page.locator(".correction summary").click()
    page.locator(".corrected").fill("按旧文本改写。")
    wait_saved(page)
    assert judged_sha256(server, case_id) == seen

    open_case(page, server, case_id)
    page.locator(".comment").fill("新文本下的意见")
    wait_saved(page)
    assert stored(server)[case_id] == ("reject", "新文本下的意见", "按旧文本改写。")
    assert judged_sha256(server, case_id) == seen

    page.wait_for_selector(".notice:not([hidden])")
    assert page.locator(".notice").inner_text().startswith("上次评审针对的是较早的一版生成报告")
    page.locator('button[data-verdict="reject"]').click()
    wait_saved(page)
    assert judged_sha256(server, case_id) == generated_sha256(server, case_id)
    assert page.locator(".notice").is_hidden()
    assert stored(server)[case_id] == ("reject", "新文本下的意见", "")  # the old correction is of the old text


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
def test_films_reports_and_verdict_fit_on_one_screen(server: Server, open_reader: Opener, width: int, height: int):
    page = open_reader(width=width, height=height)
    open_case(page, server, case_ids(server.project)[4])
    for number in range(2):
        page.locator("figure .readout:not(:empty)").nth(number).wait_for()
    for name in (".films", "figure >> nth=0", ".verdicts", ".comment", ".submit", ".row >> nth=1", ".row >> nth=2"):
        box = page.locator(name).bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        assert 0 <= box["y"] <= box["y"] + box["height"] <= height


def test_nothing_is_fetched_from_other_hosts_and_the_film_needs_its_signature(server: Server, open_reader: Opener):
    page = open_reader()
    page.goto(server.url)
    page.wait_for_selector("[data-testid=stDataFrame]")
    icon = page.locator('link[rel~="icon"]').first.get_attribute("href") or ""
    assert not icon.startswith("http")
    assert page.request.get(f"{server.url}/films/0?run={RUN_ID}").status == 403
    policy = page.request.get(server.url).headers["content-security-policy"]
    assert "default-src 'self'" in policy
