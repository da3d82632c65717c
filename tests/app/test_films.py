"""The signed film route: only addresses this process has made, only while they are valid, only inside the run."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.films import GRID_SECONDS, film_route, film_url
from app.run import Run, load_run
from finetune.manifest import Case, read_records
from xray.records import write_lines


@pytest.fixture
def run(run_folder: Path) -> Run:
    return load_run(run_folder)


@pytest.fixture
def client(run: Run) -> TestClient:
    route = film_route(lambda run_id, case_id, index: run.film(case_id, index) if run_id == run.id else None)
    return TestClient(Starlette(routes=[route]))


def address(run: Run, **changes: object) -> str:
    return film_url(run.id, **{"case_id": run.cases[1].id, "index": 0, **changes})


def test_a_signed_address_gives_the_films_bytes(run: Run, client: TestClient):
    response = client.get(address(run, index=1))
    assert response.status_code == 200
    assert response.content == run.film(run.cases[1].id, 1).read_bytes()
    assert response.headers["cache-control"].startswith("private")


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("/films/0", "/films/1"),
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("exp=", "exp=9"),
        lambda url: url.split("&sig=")[0],
        lambda url: url.replace("case=study", "case=other"),
        lambda url: url.split("?")[0],
    ],
    ids=["other film", "other signature", "longer life", "no signature", "other case", "bare"],
)
def test_any_change_of_the_address_is_refused(run: Run, client: TestClient, change: Callable[[str], str]):
    assert client.get(change(address(run))).status_code == 404


def test_an_expired_address_is_refused(run: Run, client: TestClient):
    assert client.get(address(run, now=1_000_000_000.0)).status_code == 404


def test_the_address_stays_the_same_within_its_grid_and_lives_at_least_that_long(run: Run):
    start = 1_800_000_000 // GRID_SECONDS * GRID_SECONDS
    first, later = address(run, now=start), address(run, now=start + GRID_SECONDS - 1)
    assert first == later
    assert int(parse_qs(urlsplit(first).query)["exp"][0]) - (start + GRID_SECONDS - 1) >= GRID_SECONDS


def test_a_film_outside_the_run_folder_is_not_served(run_folder: Path, tmp_path: Path):
    (tmp_path / "secret.png").write_bytes(b"not yours")
    (case, *rest) = read_records(run_folder / "references.jsonl", Case)
    outside = case.model_copy(update={"images": ("../secret.png",)})
    write_lines(run_folder / "references.jsonl", [outside, *rest])
    assert load_run(run_folder).film(case.id, 0) is None
