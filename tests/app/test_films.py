"""The signed film route: only addresses this process has made, while they are valid, and nothing said but pixels."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import access, session
from app.films import GRID_SECONDS, FilmPlace, film_address, film_route
from app.run import Run, load_run
from app.settings import Settings
from app.store import people
from app.store.people import LOCAL, Person
from tests.app.screen import SECRET, set_case, unpacked, write_dicom

NOISE = np.random.default_rng(0).integers(0, 4096, (40, 30)).astype(np.uint16)
LARGE = np.add.outer(np.arange(1400), np.arange(90)).astype(np.uint16)
ORIGINAL, CUT, GONE, PLAIN = range(1, 5)  # cases of the run


@pytest.fixture(scope="module")
def project(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose second case has its original films at hand; those of others are damaged, or not there."""
    folder = tmp_path_factory.mktemp("films")
    run = make_run(folder / "run", num_cases=5)
    films = folder / "originals"
    sha256 = write_dicom(films / "2024" / "王小明" / "1.dcm", NOISE, WindowCenter=2000, WindowWidth=3000)
    large = write_dicom(films / "2.dcm", LARGE)
    write_dicom(films / "cut.dcm", NOISE)
    (films / "cut.dcm").write_bytes((films / "cut.dcm").read_bytes()[:-500])
    cut = hashlib.sha256((films / "cut.dcm").read_bytes()).hexdigest()
    set_case(run, ORIGINAL, film_sha256=(sha256, large))
    set_case(run, CUT, film_sha256=(cut,))
    set_case(run, GONE, film_sha256=("0" * 64,))
    return folder


@pytest.fixture(scope="module")
def run(project: Path) -> Run:
    return load_run(project / "run")


@pytest.fixture(scope="module")
def client(project: Path) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in Settings.of(project / "run", films=project / "originals").environment().items():
            patch.setenv(name, value)
        originals = session.lightbox().originals
        assert originals is not None
        originals.wait()
        yield TestClient(Starlette(routes=[film_route(session.find_film, may_see=access.may_see_films)]))
        session.close()


@pytest.fixture(autouse=True)
def _fresh_session() -> None:
    """These tests share one session: its decoders take a second to start."""


def address(run: Run, *, case: int = ORIGINAL, index: int = 0, person: str = LOCAL, now: float | None = None) -> str:
    return film_address(FilmPlace(run_id=run.id, case_id=run.cases[case].id, index=index), person=person, now=now)


def test_a_signed_address_gives_every_value_of_the_original_film(run: Run, client: TestClient):
    response = client.get(f"{address(run)}/original/preview")
    assert response.status_code == 200
    assert response.headers["cache-control"].startswith("private")
    received = unpacked(response.content)
    header = received.header
    assert np.array_equal(received.values * header["slope"] + header["intercept"], NOISE)
    assert (header["bits"], header["orientation"], header["looks"][0]["center"]) == (12, ["L", "F"], 2000)


def test_a_large_film_has_a_preview_and_its_full_size(run: Run, client: TestClient):
    base = address(run, index=1)
    preview, full = (unpacked(client.get(f"{base}/original/{size}").content) for size in ("preview", "full"))
    assert preview.values.shape == (1280, 82)
    assert (preview.header["rows"], preview.header["columns"]) == LARGE.shape
    assert np.array_equal(full.values, LARGE + 1)


def test_the_picture_that_the_model_saw_is_at_hand_without_its_film(run: Run, client: TestClient):
    received = unpacked(client.get(f"{address(run, case=PLAIN)}/model/preview").content)
    with Image.open(run.film(run.cases[PLAIN].id, 0)) as picture:
        seen = np.asarray(picture)
    assert np.array_equal(received.values * received.header["slope"] + received.header["intercept"], seen)
    assert client.get(f"{address(run, case=PLAIN)}/original/preview").status_code == 404


def test_nothing_of_the_patient_the_run_or_the_case_is_in_address_or_answer(run: Run, client: TestClient):
    response = client.get(f"{address(run)}/original/preview")
    sent = f"{response.url} {response.headers}".encode() + response.content
    for word in (SECRET, "王小明", "CANARY", run.id, run.cases[ORIGINAL].id, "1.dcm"):
        assert word.encode() not in sent


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: [*parts[:2], "A" * len(parts[2]), *parts[3:]],
        lambda parts: [*parts[:3], str(int(parts[3]) + GRID_SECONDS), *parts[4:]],
        lambda parts: [*parts[:4], parts[4][:-1] + ("0" if parts[4][-1] != "0" else "1"), *parts[5:]],
        lambda parts: [*parts[:4], "", *parts[5:]],
        lambda parts: parts[:3],
        lambda parts: [*parts[:3], "soon", "é", *parts[5:]],
    ],
    ids=["other film", "longer life", "other signature", "no signature", "bare", "no numbers"],
)
def test_any_change_of_the_address_is_forbidden(run: Run, client: TestClient, change: Callable[[list[str]], list[str]]):
    parts = f"{address(run)}/model/preview".split("/")
    response = client.get("/".join(change(parts)))
    assert (response.status_code, response.text) == (403, "403")


def test_an_expired_address_is_forbidden(run: Run, client: TestClient):
    assert client.get(f"{address(run, now=1_000_000_000.0)}/model/preview").status_code == 403


@pytest.mark.parametrize("wanted", ["model/huge", "other/full"])
def test_pixels_that_do_not_exist_are_not_found(run: Run, client: TestClient, wanted: str):
    assert client.get(f"{address(run)}/{wanted}").status_code == 404


def test_films_that_are_not_there_are_not_found(run: Run, client: TestClient):
    assert client.get(f"{address(run, case=GONE)}/original/full").status_code == 404
    assert client.get(f"{address(run, index=7)}/model/full").status_code == 404


def test_a_film_that_cannot_be_decoded_says_why_by_its_code(run: Run, client: TestClient):
    response = client.get(f"{address(run, case=CUT)}/original/preview")
    assert (response.status_code, response.text) == (422, "truncated")
    assert client.get(f"{address(run, case=CUT)}/model/preview").status_code == 200


def test_a_film_that_the_browser_has_is_not_sent_again(run: Run, client: TestClient):
    url = f"{address(run)}/original/preview"
    again = client.get(url, headers={"If-None-Match": client.get(url).headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_address_stays_the_same_within_its_grid_and_lives_at_least_that_long(run: Run):
    start = 1_800_000_000 // GRID_SECONDS * GRID_SECONDS
    first, later = address(run, now=start), address(run, now=start + GRID_SECONDS - 1)
    assert first == later
    assert int(first.split("/")[3]) - (start + GRID_SECONDS - 1) >= GRID_SECONDS


def test_films_are_kept_encoded_by_what_they_hold(run: Run, client: TestClient, project: Path):
    sent = client.get(f"{address(run)}/original/preview").content
    (kept,) = (project / "run" / "film_cache" / "encoded").glob(f"{run.cases[ORIGINAL].case.film_sha256[0]}-*-preview*")
    assert zlib.decompress(kept.read_bytes(), wbits=31) == sent


def test_an_address_is_worth_nothing_once_its_person_may_see_no_films(run: Run, client: TestClient):
    reader = Person(name="zhao", display_name="赵医师", roles=frozenset({"reader"}))
    people.put(session.database(), reader, actor=LOCAL)
    own, other = (f"{address(run, case=PLAIN, person=name)}/model/preview" for name in ("zhao", LOCAL))
    assert own != other
    assert client.get(own).status_code == 200
    for left in (replace(reader, roles=frozenset({"admin"})), replace(reader, active=False)):
        people.put(session.database(), left, actor=LOCAL)
        assert client.get(own).status_code == 403
    assert client.get(other).status_code == 200


def test_a_film_outside_the_run_folder_is_not_served(run_folder: Path, tmp_path: Path):
    (tmp_path / "secret.png").write_bytes(b"not yours")
    outside = set_case(run_folder, 0, images=("../secret.png",))
    assert load_run(run_folder).film(outside.id, 0) is None
