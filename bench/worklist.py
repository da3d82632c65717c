"""How long the worklist of thousands of cases takes to open and to answer, in Chromium at the real review server.

    python -m bench.worklist [--cases 5000] [--reviews 2500]

Every report is its own; half of the cases have a saved review. The first opening is right after the start of a server
that knows no comparison of the reports yet: they are made in the background meanwhile. A time is from the click (or the
address) until the page shows what was asked for. Prints a table for bench/results.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from app.run import load_run
from app.store.engine import Database
from tests.app.large_run import write_large_run
from tests.app.reader_study import submit
from tests.app.server import CHROMIUM, Server

PATIENCE_MS = 120_000
TIMES = 3
VERDICTS = ("accept", "edit", "reject")
TABLE = '[data-testid="stDataFrame"] canvas'


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How long something took, and what the server used of the processor meanwhile."""

    seconds: float
    processor: float


Rows = list[tuple[str, Taken]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--reviews", type=int, default=2500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = write_large_run(Path(folder) / "run", num_cases=options.cases)
        begun = time.perf_counter()
        _review(project, number=options.reviews)
        saving = time.perf_counter() - begun
        server = Server(project, Path(folder) / "server.log")
        rows = _measure(server, cases=options.cases)
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{options.cases} cases, {options.reviews} reviews (saved in {saving:.0f} s), load average {load}\n")
    print("| what | seconds | processor seconds of the server |\n|---|---|---|")
    for name, taken in rows:
        print(f"| {name} | {taken.seconds:.2f} | {taken.processor:.2f} |")


def _review(project: Path, *, number: int) -> None:
    run = load_run(project)
    with closing(Database(project / "reviews.sqlite")) as database:
        for place, case in enumerate(run.cases[:number]):
            submit(database, run, case.id, {"verdict": VERDICTS[place % 3]}, submits=place % 2 == 0)


def _measure(server: Server, *, cases: int) -> Rows:
    rows: Rows = []
    log = server.log
    log.write_text("")
    rows.append(("start of the server", _timed(server, server.start)))
    try:
        with sync_playwright() as engine:
            browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.set_default_timeout(PATIENCE_MS)
            rows += _while_comparing(page, server)
            rows += _when_compared(page, server, cases=cases)
            server.kill()
            rows.append(("start of the server with the marks on disk", _timed(server, server.start)))
            rows.append(("opening after that", _timed(server, lambda: _open(page, server))))
            browser.close()
    finally:
        server.kill()
    return rows


def _while_comparing(page: Page, server: Server) -> Rows:
    begun, used = time.perf_counter(), _processor_seconds(server)
    rows = [
        ("first opening, no marks yet, the browser's cache empty", _timed(server, lambda: _open(page, server))),
        ("opening while reports are compared, median of 3", _median(server, lambda: _open(page, server))),
        ("next page of the list meanwhile, median of 3", _turn(page, server)),
    ]
    page.wait_for_selector('[data-testid="stAlert"]', state="detached")
    taken = Taken(seconds=time.perf_counter() - begun, processor=_processor_seconds(server) - used)
    return [*rows, ("until all reports are compared", taken)]


def _when_compared(page: Page, server: Server, *, cases: int) -> Rows:
    def choose_kind() -> None:
        page.get_by_label("分歧").click()
        page.get_by_role("option", name="侧别错误").click()
        page.wait_for_function(f"!document.body.innerText.includes('{cases} / {cases} 例')")

    def next_case() -> None:
        title = page.locator(".report-head h3").first.inner_text()
        page.keyboard.press("n")
        page.wait_for_function("title => document.querySelector('.report-head h3').innerText != title", arg=title)

    rows = [
        ("opening with all marks, median of 3", _median(server, lambda: _open(page, server))),
        ("next page of the list, median of 3", _turn(page, server)),
    ]
    _open(page, server)
    rows.append(("filter by a wrong side", _timed(server, choose_kind)))
    rows.append(("search for words of the reports", _timed(server, lambda: _search(page))))
    rows.append(("next case to review", _timed(server, lambda: _continue(page))))
    page.wait_for_timeout(3000)
    rows.append(("from case to case, median of 3", _median(server, next_case)))
    return rows


def _open(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.wait_for_selector(TABLE)


def _turn(page: Page, server: Server) -> Taken:
    taken = []
    for number in range(2, 2 + TIMES):
        first = (number - 1) * 100 + 1

        def turn(number: int = number, first: int = first) -> None:
            page.get_by_role("button", name=f"Page {number}", exact=True).click()
            page.wait_for_function(f"document.body.innerText.includes('第 {first}–')")

        taken.append(_timed(server, turn))
    return _middle(taken)


def _search(page: Page) -> None:
    before = page.locator('[data-testid="stCaptionContainer"]').last.inner_text()
    field = page.get_by_label("搜索报告文字")
    field.fill("积液 气胸")
    field.press("Enter")
    page.wait_for_function(
        "before => [...document.querySelectorAll('[data-testid=stCaptionContainer]')].at(-1).innerText != before",
        arg=before,
    )


def _continue(page: Page) -> None:
    page.get_by_role("button", name="继续评审").click()
    page.wait_for_selector(".bench .item")


def _median(server: Server, action: Callable[[], None]) -> Taken:
    return _middle([_timed(server, action) for _ in range(TIMES)])


def _middle(taken: Sequence[Taken]) -> Taken:
    return Taken(
        seconds=statistics.median(one.seconds for one in taken),
        processor=statistics.median(one.processor for one in taken),
    )


def _timed(server: Server, action: Callable[[], None]) -> Taken:
    begun, used = time.perf_counter(), _processor_seconds(server)
    action()
    return Taken(seconds=time.perf_counter() - begun, processor=_processor_seconds(server) - used)


def _processor_seconds(server: Server) -> float:
    """Return what the server has used so far, 0 before it runs: what a time would be on a machine of its own."""
    if server.process is None or server.process.poll() is not None:
        return 0.0
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
