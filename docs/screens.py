"""Draw the pictures of `docs/review.md`: every page of the review app and its main states, on the sample project.

    python docs/screens.py [--sample FOLDER] [PAGE ...]

makes the sample (`finetune sample`, `python -m app sample`) where the folder has none, opens its pages in Chromium as
1440 x 900 and writes `docs/screens/PAGE.png`. The server works on a copy of the sample's reviews.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from app.disputes import disputes
from app.network import free_port
from app.run import Run, load_run
from app.store import studies
from app.store.engine import Database
from xray.metrics.alignment import align_reports

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "screens"
RUN = "sample-a"
WIDTH, HEIGHT = 1440, 900
COLOURS = (160, 96, 64, 48, 32)  # as many as fit into so many bytes
MOST_BYTES = 150_000
Act = Callable[[Page], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One picture: the address, what stands there once the page is whole, and what is done before it is taken."""

    path: str
    query: dict[str, str]
    ready: str
    act: Act | None = None


def decide(page: Page) -> None:
    """Reject the sentence with the false finding, give its category and weight, and accept the others."""
    row = page.locator(".row.item", has_text="误报").first
    row.locator('button[data-decision="reject"]').click()
    for key in ("1", "s", "Shift+A"):
        page.keyboard.press(key)
    page.locator('.status[data-state="saved"]').wait_for()
    page.locator("[data-testid=stMain]").evaluate("(main) => main.scrollTo(0, 0)")


def answer(page: Page) -> None:
    """Say that the film is good enough, so that the two reports appear."""
    page.keyboard.press("1")
    page.locator(".asked", has_text="哪一份报告更好").wait_for()


def plan(page: Page) -> None:
    """Name a study of both runs and ask for its plan."""
    page.get_by_label("研究名称").fill("胸片报告偏好研究")
    page.locator(".st-key-new_study_protocol input").click()
    page.get_by_role("option").filter(has_text="flamingo_pref").click()
    page.get_by_text("难分高下").first.wait_for()
    readers = page.locator(".st-key-new_study_readers input")
    for _ in range(3):
        readers.press_sequentially("示例医师")
        readers.press("Enter")
    page.locator(".ai-banner").click()  # closes the list
    page.locator("[data-testid=stDataFrame]").nth(1).wait_for()
    page.locator("[data-testid=stDataFrame]").nth(1).scroll_into_view_if_needed()


def check(page: Page) -> None:
    """Look what an export would hold."""
    page.locator(".st-key-export_check button").click()
    page.get_by_text("将写出").first.wait_for()


def screens(project: Path) -> dict[str, Screen]:
    """Return the pictures by name, in the order of the document."""
    case_id = invented_finding(load_run(project / RUN))
    with closing(Database(project / "reviews.sqlite")) as database:
        counting = unread(database, "sample-rexval6")
        comparing = unread(database, "sample-preference")
        study = next(study for study in studies.all_studies(database) if study.id == "sample-rating")
        dispute = next(one for one in disputes(database, study, adjudicator="local") if not one.is_decided)
    films, table = "figure canvas", "[data-testid=stDataFrame]"
    run = {"run": RUN}
    return {
        "worklist": Screen(path="worklist", query=run, ready=table),
        "review": Screen(path="review", query={**run, "case": case_id}, ready=films, act=decide),
        "tasks": Screen(path="tasks", query={}, ready=".st-key-next_sample-rexval6"),
        "reading": Screen(path="reading", query={"task": counting}, ready=".counting"),
        "comparison": Screen(path="reading", query={"task": comparing}, ready=films, act=answer),
        "adjudication": Screen(path="adjudication", query={"study": study.id}, ready=table),
        "dispute": Screen(path="adjudication", query={"study": study.id, "dispute": dispute.key}, ready=films),
        "studies": Screen(path="studies", query={}, ready=".report-head"),
        "study": Screen(path="studies", query={"study": study.id}, ready=table),
        "new_study": Screen(path="studies", query={"new": "1"}, ready=".st-key-new_study_readers", act=plan),
        "scores": Screen(path="scores", query=run, ready="img.plot"),
        "agreement": Screen(path="agreement", query=run, ready="table.figures"),
        "progress": Screen(path="progress", query=run, ready="table.figures"),
        "generate": Screen(path="generate", query=run, ready=films),
        "export": Screen(path="export", query=run, ready=".st-key-export_check", act=check),
        "people": Screen(path="people", query={}, ready=".report-head"),
        "audit": Screen(path="audit", query={}, ready=table),
        "check": Screen(path="check", query={}, ready="table.checks"),
        "about": Screen(path="about", query={}, ready="dl.account"),
    }


def invented_finding(run: Run) -> str:
    """Return a case of two films that nobody has read, whose report states what the reference does not."""
    for case in run.cases[len(run.cases) // 3 :]:
        rows = align_reports(case.generated or "", reference=case.case.text, profile=run.profile).rows
        if len(case.case.images) > 1 and len(rows) > 2 and "false" in {row.kind for row in rows}:
            return case.id
    raise SystemExit(f"No report on two films of the run {run.id} states a false finding.")


def unread(database: Database, study_id: str) -> str:
    """Return a task of the local reader that waits."""
    return next(work.assignment.id for work in studies.work(database, study_id, "local") if work.status is None)


@contextmanager
def serving(sample: Path) -> Iterator[tuple[str, Path]]:
    """Serve a copy of the sample with its original films; give the address and the project."""
    with tempfile.TemporaryDirectory() as folder:
        project, port = Path(folder) / "sample", free_port(None)
        shutil.copytree(sample, project, ignore=shutil.ignore_patterns("stores", "data"))
        words = ["--project", str(project), "--films", str(sample / "data" / "films"), "--port", str(port)]
        log = Path(folder) / "server.log"
        with log.open("w") as out:
            server = subprocess.Popen(
                [sys.executable, "-m", "app", *words, "--headless"], cwd=ROOT, stdout=out, stderr=out
            )
            try:
                while "Review page:" not in log.read_text():
                    if server.poll() is not None:
                        raise SystemExit(log.read_text())
                    time.sleep(0.2)
                yield f"http://127.0.0.1:{port}", project
            finally:
                server.terminate()
                server.wait()


def made(sample: Path) -> Path:
    """Return the folder of the sample project, made where it is not there."""
    if not (sample / "reviews.sqlite").is_file():
        for words in (["finetune.cli", "sample", str(sample)], ["app", "sample", "--project", str(sample)]):
            subprocess.run([sys.executable, "-m", *words], cwd=ROOT, check=True)
    return sample.resolve()


def small(picture: bytes) -> bytes:
    """Return a picture in fewer colours, which screens of text do not miss, and in no more bytes than it may have."""
    with Image.open(BytesIO(picture)) as full:
        colourful = full.convert("RGB")
    for count in COLOURS:
        out = BytesIO()
        reduced = colourful.quantize(count, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        reduced.save(out, "PNG", optimize=True)
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


def draw(page: Page, screen: Screen, *, url: str) -> bytes:
    """Open a page, do what the picture shows, and return the picture once nothing moves."""
    page.goto(f"{url}/{screen.path}?{urlencode(screen.query)}")
    page.locator(screen.ready).first.wait_for()
    if screen.act:
        screen.act(page)
    page.locator('[data-test-script-state="notRunning"]').wait_for()
    page.locator("[data-testid=stSkeleton]").first.wait_for(state="detached")
    page.wait_for_timeout(1500)  # films and tables are drawn after they came
    return page.screenshot(animations="disabled")


def main() -> int:
    """Draw the pictures that were asked for, all of them without a wish."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="PAGE", help="pictures to draw (default: all)")
    parser.add_argument("--sample", type=Path, default=ROOT / "sample", help="the sample project (default: sample)")
    options = parser.parse_args()
    PICTURES.mkdir(exist_ok=True)
    with serving(made(options.sample)) as (url, project), sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale="zh-CN")
        for name, screen in screens(project).items():
            if options.names and name not in options.names:
                continue
            picture = small(draw(page, screen, url=url))
            (PICTURES / f"{name}.png").write_bytes(picture)
            print(f"{name}.png {len(picture) // 1000} kB", flush=True)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
