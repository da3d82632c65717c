"""A small finished run with real schemas: films drawn in code, reports that agree and disagree in every way."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args, get_origin

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app import access_log, main, session
from app.settings import Settings
from app.sign_in import SignIn
from app.store.engine import Database
from finetune.manifest import Case, Estimate, Prediction, Record, RunManifest, ScoresFile
from tests.app.postgres import Cluster, running_cluster
from tests.app.server import CHROMIUM, Server
from xray.records import write_lines, write_record

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, WebSocket

MAIN = Path(main.__file__)
PATIENCE_MS = 30_000
# (reference, generated) per case, repeated as often as needed
REPORTS = (
    ("双肺野清晰，心影不大，未见气胸及胸腔积液。", "双肺野清晰，心影不大，未见气胸及胸腔积液。"),
    ("右侧胸腔少量积液，心影不大。", "左侧胸腔少量积液，心影不大。"),
    ("心影增大，心胸比约0.58。双侧少量胸腔积液。", "心影增大，心胸比约0.60。"),
    ("双肺野清晰，肋膈角锐利。", "左肺下野见斑片状密度增高影。肋膈角锐利。"),
    ("右肺上野实变影。气管居中。", "右肺上野实变影。<script>alert('x')</script><b>粗</b>"),
)


def draw_film(path: Path, *, seed: int, size: int = 256) -> None:
    rows, columns = np.mgrid[0:size, 0:size] / size
    lungs = sum(np.exp(-(((columns - x) / 0.14) ** 2) - ((rows - 0.45) / 0.3) ** 2) for x in (0.3, 0.7))
    heart = np.exp(-(((columns - 0.56) / 0.13) ** 2) - ((rows - 0.62) / 0.16) ** 2)
    ribs = 0.06 * np.sin(rows * 60 + np.abs(columns - 0.5) * 9)
    noise = np.random.default_rng(seed).normal(0, 0.015, (size, size))
    body = 0.62 - 0.45 * lungs + 0.35 * heart + ribs * lungs + noise
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.clip(body, 0, 1) * 255).astype(np.uint8)).save(path)


def blank(kind: object) -> object:
    """An empty value of a manifest field's type: the app reads only the run's id and its number of studies."""
    if isinstance(kind, type) and issubclass(kind, Record):
        required = {name: field for name, field in kind.model_fields.items() if field.is_required()}
        return kind(**{name: blank(field.annotation) for name, field in required.items()})
    if type(None) in get_args(kind):
        return None
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return (get_origin(kind) or kind)()


def manifest(run_id: str, *, num_cases: int) -> RunManifest:
    empty = blank(RunManifest)
    data = empty.data.model_copy(update={"studies": {"test": num_cases}})
    return empty.model_copy(update={"run_id": run_id, "name": "phantom", "data": data})


def scores(cases: list[Case]) -> ScoresFile:
    names = ("finding_f1", "finding_precision", "finding_recall", "side_accuracy", "bleu4_char", "rouge_l_char")

    def system(level: float) -> dict[str, Estimate]:
        return {name: Estimate(value=level, low=level - 0.05, high=level + 0.05, n=len(cases)) for name in names}

    per_report = {
        case.id: {"finding_f1": (index * 37 % 100) / 100, "side_accuracy": None if index % 2 else 1.0}
        for index, case in enumerate(cases)
    }
    levels = {"adapter": 0.81, "base": 0.22, "constant_normal": 0.11, "random_report": 0.15, "nearest_neighbour": 0.31}
    return ScoresFile(
        profile="standard",
        signature="test",
        bootstrap="patients, 100 resamples",
        systems={name: system(level) for name, level in levels.items()},
        per_report={"adapter": per_report},
    )


def write_run(folder: Path, *, num_cases: int = 5, run_id: str = "phantom-0123abcd-1") -> Path:
    cases, predictions = [], []
    for index in range(num_cases):
        reference, generated = REPORTS[index % len(REPORTS)]
        identity = f"study-{hashlib.sha256(str(index).encode()).hexdigest()[:8]}-{index:02d}"
        views = ("frontal", "lateral") if index % 3 == 1 else ("frontal",)
        images = tuple(f"films/{identity}-{number}.png" for number in range(len(views)))
        for number, image in enumerate(images):
            draw_film(folder / image, seed=index * 10 + number)
        cases.append(
            Case(
                id=identity,
                text=reference,
                study_uid=f"1.2.{index}",
                patient_key=f"p{index}",
                images=images,
                views=views,
                language="zh",
                origin="synthetic",
            )
        )
        predictions.append(Prediction(id=identity, text=generated, system="adapter", finish_reason="eos"))
    write_lines(folder / "references.jsonl", cases)
    write_lines(folder / "predictions.jsonl", predictions)
    write_record(folder / "scores.json", scores(cases))
    write_record(folder / "manifest.json", manifest(run_id, num_cases=num_cases))
    return folder


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Path]:
    return write_run


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    return write_run(tmp_path / "run")


@pytest.fixture(autouse=True)
def _fresh_session() -> Iterator[None]:
    """No test sees the run, the database or the noted accesses of another one."""
    yield
    session.close()
    access_log.forget()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new database may be: a test that asks for it runs with SQLite and, where it can be had, PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "reviews.sqlite")
    return str(request.getfixturevalue("postgres").new_database())


@pytest.fixture
def database(place: str) -> Iterator[Database]:
    with closing(Database(place)) as opened:
        yield opened


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Start a new browser session on a project: its worklist, the page at `path`, or the review of `case`.

    `run` is the newest without a wish; `user` is what the sign-in says of who is there.
    """

    def start(
        project: Path,
        *,
        case: str | None = None,
        run: str | None = None,
        database: str | None = None,
        sign_in: SignIn | None = None,
        user: dict[str, object] | None = None,
        path: str | None = None,
        query: Mapping[str, str] = MappingProxyType({}),
    ) -> AppTest:
        for name, value in Settings.of(project, database=database, sign_in=sign_in).environment().items():
            monkeypatch.setenv(name, value)
        page = AppTest.from_file(str(MAIN), default_timeout=30)
        page.user = user or {}
        if run is not None:
            page.query_params["run"] = run
        if case is not None:
            page.query_params["case"] = case
        page.query_params.update(query)
        if path is not None:
            page._page_hash = calc_hash(path)  # as the address /path does; AppTest knows only pages that are files
        return page.run()

    return start


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        running = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def open_reader(browser: "Browser", server: Server) -> Iterator[Callable[..., "Page"]]:
    """Open a page of a new reader, who shares no storage with others; requests to other hosts fail the test."""
    contexts, outside = [], []
    own = (server.url, server.url.replace("http", "ws"), "blob:", "data:", "about:")

    def note(seen: "Request | WebSocket") -> None:
        if not seen.url.startswith(own):
            outside.append(seen.url)

    def start(*, width: int = 1366, height: int = 768) -> "Page":
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", note)
        page.on("websocket", note)
        return page

    yield start
    for context in contexts:
        context.close()
    assert outside == []
