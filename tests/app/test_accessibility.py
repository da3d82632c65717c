"""Every page of the app against the rules of WCAG 2.1, levels A and AA, as far as a machine can check them (axe)."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.disputes import disputes
from app.run import load_run
from app.sample.project import write_sample_reviews
from app.store import studies
from tests.app.page import case_ids
from tests.app.server import Server, needs_browser
from tests.app.study import FIRST, SECOND, open_database

if TYPE_CHECKING:
    from playwright.sync_api import Page

axe = pytest.importorskip("axe_playwright_python.base")
pytestmark = needs_browser
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
TABLE, FILM = "[data-testid=stDataFrame]", "figure canvas"
AUDIT = """async (tags) => {
  const { violations, passes } = await axe.run(document, { runOnly: tags, resultTypes: ['violations', 'passes'] });
  const told = ({ id, nodes }) => nodes.map(({ target, html }) => `${id}: ${html.slice(0, 200)} at ${target.flat()}`);
  return [violations.flatMap(told), passes.map(({ id }) => id)];
}"""


@pytest.fixture(scope="module")
def server(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A project of two runs, with the reviews and studies of the sample."""
    folder = tmp_path_factory.mktemp("project")
    runs = [load_run(make_run(folder / "runs" / name, num_cases=20, run_id=name)) for name in (FIRST, SECOND)]
    with closing(open_database(folder / "runs")) as database:
        write_sample_reviews(database, runs)
    running = Server(folder / "runs", folder / "server.log")
    running.start()
    yield running
    running.kill()


def addresses(folder: Path) -> dict[str, str]:
    """Return every address that is looked at, and what stands there once the page is whole."""
    with closing(open_database(folder)) as database:
        tasks = {
            study: next(one.assignment.id for one in studies.work(database, study, "local") if one.status is None)
            for study in ("sample-rexval6", "sample-preference")
        }
        known = studies.all_studies(database)
        found = {study.id: disputes(database, study, adjudicator="local") for study in known}
    study, dispute = next((study, those[0]) for study, those in found.items() if those)
    return {
        f"worklist?run={FIRST}": TABLE,
        f"review?run={FIRST}&case={case_ids(folder / FIRST)[1]}": FILM,
        "tasks": ".st-key-next_sample-preference",
        f"reading?task={tasks['sample-rexval6']}": ".counting",
        f"reading?task={tasks['sample-preference']}": FILM,
        f"adjudication?study={study}": TABLE,
        f"adjudication?study={study}&dispute={dispute.key}": "dl.opinion",
        "studies": ".st-key-show_sample-rating",
        "studies?study=sample-rating": TABLE,
        "studies?new=1": ".st-key-new_study_readers",
        f"scores?run={FIRST}": "img.plot",
        f"agreement?run={FIRST}": "table.figures",
        f"progress?run={FIRST}": "table.figures",
        f"generate?run={FIRST}": FILM,
        f"export?run={FIRST}": ".st-key-export_check",
        "people": TABLE,
        "audit": TABLE,
        "check": "table.checks",
        "about": "dl.account",
    }


def look(page: "Page") -> tuple[list[str], list[str]]:
    """Return what breaks a rule on the page, and the names of the rules that something on it keeps."""
    page.locator('[data-test-script-state="notRunning"]').wait_for()  # what a run replaces is faded until it ends
    page.locator("html[lang=zh-CN]").wait_for(state="attached")  # axe takes any language for the right one
    page.evaluate(axe.AXE_SCRIPT)
    broken, kept = page.evaluate(AUDIT, list(RULES))
    return broken, kept


def test_no_page_breaks_a_rule_of_accessibility(server: Server, open_reader: Callable[..., "Page"]):
    page, broken, kept = open_reader(), {}, set()
    for address, whole in addresses(server.project).items():
        page.goto(f"{server.url}/{address}")
        page.locator(whole).first.wait_for()
        broken[address], found = look(page)
        kept.update(found)
        if address.startswith("reading") and whole == FILM:  # the reports come after the first answer
            page.keyboard.press("1")
            page.locator(".asked", has_text="哪一份报告更好").wait_for()
            broken[f"{address} answered"], _ = look(page)
    assert {address: elements for address, elements in broken.items() if elements} == {}
    assert {"color-contrast", "label", "button-name", "html-has-lang"} <= kept
