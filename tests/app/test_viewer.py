"""The film viewer in a real browser: windows of the standard, zoom, link, ruler, and films that cannot be shown."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from app.settings import FILMS_VARIABLE
from tests.app.page import case_ids
from tests.app.screen import set_case, write_dicom
from tests.app.server import Server, needs_browser
from xray.dicom.voi import Window

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = needs_browser
Opener = Callable[..., "Page"]
ROWS, COLUMNS = 1500, 1200
PATCHES = (600.0, 1600.0, 2400.0, 3400.0)  # upper left, upper right, lower left, lower right
SPACING = 0.2
ALONE, PAIR, CUT, LATER = range(4)  # cases of the run
GREYS = """(canvas, [columns, rows]) => {
  const { width, height } = canvas, film = Math.min(width / columns, height / rows), brush = canvas.getContext('2d');
  return [[-1, -1], [1, -1], [-1, 1], [1, 1]].map(([x, y]) =>
    brush.getImageData(width / 2 + x * 300 * film, height / 2 + y * 375 * film, 1, 1).data[0]);
}"""


def patches() -> NDArray[np.uint16]:
    film = np.empty((ROWS, COLUMNS), dtype=np.uint16)
    half = np.s_[: ROWS // 2], np.s_[ROWS // 2 :]
    for value, (rows, columns) in zip(
        PATCHES,
        [(half[0], np.s_[:600]), (half[0], np.s_[600:]), (half[1], np.s_[:600]), (half[1], np.s_[600:])],
        strict=True,
    ):
        film[rows, columns] = value
    film[0, :1024] = np.arange(1024) * 4  # every tissue has some width
    return film


@pytest.fixture(scope="module")
def server(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("viewer")
    run, films = make_run(folder / "run", num_cases=5), folder / "films"
    shown = {"WindowCenter": 2000, "WindowWidth": 3000}
    calibrated = {"PixelSpacing": [SPACING, SPACING], "PixelSpacingCalibrationType": "GEOMETRY"}
    alone = write_dicom(films / "a.dcm", patches(), **shown, **calibrated)
    detector = {"PhotometricInterpretation": "MONOCHROME1", "ImagerPixelSpacing": [SPACING, SPACING]}
    lateral = write_dicom(films / "b.dcm", patches(), **detector, **shown, PatientOrientation=["P", "F"])
    cut = films / "cut.dcm"
    write_dicom(cut, patches())
    cut.write_bytes(cut.read_bytes()[:-1000])
    set_case(run, ALONE, film_sha256=(alone,), patient_key="p", day=0)
    set_case(run, PAIR, film_sha256=(alone, lateral))
    set_case(run, CUT, film_sha256=(hashlib.sha256(cut.read_bytes()).hexdigest(),))
    set_case(run, LATER, film_sha256=(), patient_key="p", day=40)
    running = Server(run, folder / "server.log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FILMS_VARIABLE, str(films))
        running.start()
    yield running
    running.kill()


def open_films(page: "Page", server: Server, case: int, *, count: int = 1) -> list["Locator"]:
    page.goto(f"{server.url}/review?case={case_ids(server.project)[case]}")
    figures = page.locator("figure:visible")
    for number in range(count):
        figures.nth(number).locator(".readout:not(:empty)").wait_for()
    assert figures.count() == count
    return [figures.nth(number) for number in range(count)]


def greys(figure: "Locator") -> list[int]:
    figure.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return list(figure.locator("canvas").evaluate(GREYS, [COLUMNS, ROWS]))


def expected(center: float, width: float, *, function: str = "LINEAR") -> list[int]:
    levels = Window(center=center, width=width, function=function)(np.array(PATCHES))
    return [int(level) for level in np.floor(levels * 255 + 0.5)]


def drag(page: "Page", figure: "Locator", *, start: tuple[float, float], by: tuple[float, float]) -> None:
    box = figure.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + start[0], box["y"] + start[1])
    page.mouse.down()
    page.mouse.move(box["x"] + start[0] + by[0], box["y"] + start[1] + by[1], steps=4)
    page.mouse.up()


def test_the_window_its_presets_and_the_inversion_are_those_of_the_standard(server: Server, open_reader: Opener):
    page = open_reader()
    (film,) = open_films(page, server, ALONE)
    assert greys(film) == expected(2000, 3000)
    assert [film.locator(f'[data-edge="{edge}"]').inner_text() for edge in ("left", "right")] == ["R", "L"]

    page.keyboard.press("5")
    assert greys(film) == expected(4092 / 2, 4092, function="LINEAR_EXACT")
    page.keyboard.press("2")
    lungs = greys(film)
    assert lungs[1] - lungs[0] > 100
    assert lungs[3] == 255

    page.keyboard.press("0")
    page.keyboard.press("i")
    assert greys(film) == [255 - grey for grey in expected(2000, 3000)]
    page.get_by_role("button", name="反色 I").click()
    drag(page, film, start=(200, 200), by=(-100, 60))
    found = re.search(r"窗位 (\d+) 窗宽 (\d+)", film.locator(".readout").inner_text())
    assert found is not None
    center, width = int(found[1]), int(found[2])
    assert center > 2000
    assert width < 3000
    assert greys(film) == pytest.approx(expected(center, width), abs=1)  # the reading is rounded


def test_full_size_is_fetched_when_the_reader_zooms_and_not_before(server: Server, open_reader: Opener):
    page, asked = open_reader(), []
    page.on("request", lambda request: asked.append(request.url.split("/")[-1]) if "/films/" in request.url else None)
    (film,) = open_films(page, server, ALONE)
    assert film.get_attribute("data-state") == "preview"
    before = greys(film)
    assert "full" not in asked
    film.hover()
    page.mouse.wheel(0, -200)
    page.wait_for_selector('figure[data-state="full"]')
    assert asked.count("full") == 1
    assert film.locator(".readout").inner_text().endswith("149%")
    page.keyboard.press("f")
    assert greys(film) == before
    assert film.locator(".readout").inner_text().endswith("100%")


def test_linked_films_move_and_change_together_and_unlinked_ones_do_not(server: Server, open_reader: Opener):
    page = open_reader()
    frontal, lateral = open_films(page, server, PAIR, count=2)
    assert greys(lateral) == [255 - grey for grey in expected(2000, 3000)]

    def readings() -> list[str]:
        greys(frontal)
        return [film.locator(".readout").inner_text() for film in (frontal, lateral)]

    frontal.hover()
    page.mouse.wheel(0, -200)
    assert [text.split("· ")[-1] for text in readings()] == ["149%", "100%"]
    page.keyboard.press("l")
    assert [text.split("· ")[-1] for text in readings()] == ["149%", "149%"]
    drag(page, frontal, start=(100, 200), by=(50, 30))
    assert len(set(readings())) == 1
    frontal.locator(".caption").click()
    assert page.locator("figure:visible").count() == 1


def test_the_ruler_says_millimetres_only_with_their_plane(server: Server, open_reader: Opener):
    page = open_reader()
    frontal, lateral = open_films(page, server, PAIR, count=2)
    box = frontal.bounding_box()
    assert box is not None
    scale = min(box["width"] / COLUMNS, box["height"] / ROWS)
    page.get_by_role("button", name="测量 M").click()
    middle = box["height"] / 2
    said = []
    for film in (frontal, lateral):
        drag(page, film, start=(40, middle), by=(100, 0))
        said.append(page.locator(".measured").inner_text())
    assert float(said[0].split(" mm")[0]) == pytest.approx(100 / scale * SPACING, rel=0.01)
    assert said[0].endswith("几何校正")
    assert said[1].endswith("mm 探测器平面，未校正放大率")
    frontal.get_by_role("button", name="原始影像").click()
    frontal.get_by_role("button", name="模型所见（8位）").wait_for()
    greys(frontal)
    drag(page, frontal, start=(40, middle), by=(100, 0))
    assert re.fullmatch(r"\d+ px 无像素间距", page.locator(".measured").inner_text())


def test_a_film_that_cannot_be_shown_says_so_and_the_picture_of_the_model_is_still_there(
    server: Server, open_reader: Opener
):
    page = open_reader()
    page.goto(f"{server.url}/review?case={case_ids(server.project)[CUT]}")
    page.locator(".message", has_text="该影像无法显示（truncated）").wait_for()
    page.keyboard.press("3")  # nothing to look at, nothing breaks
    page.get_by_role("button", name="原始影像").click()
    page.locator(".readout:not(:empty)").wait_for()
    page.keyboard.press("x")
    page.wait_for_selector('.status[data-state="saved"]')


def test_the_patients_prior_film_comes_beside_and_a_changed_address_is_forbidden(server: Server, open_reader: Opener):
    page, asked = open_reader(), []
    page.on("request", lambda request: asked.append(request.url) if "/films/" in request.url else None)
    open_films(page, server, LATER)
    page.keyboard.press("p")
    page.get_by_role("button", name="前片（40 天前）正位").wait_for()
    page.keyboard.press("?")
    page.get_by_role("button", name="关闭").click()
    parts = asked[0].split("/")
    forged = "/".join([*parts[:-3], "0" * len(parts[-3]), *parts[-2:]])
    assert page.request.get(asked[0]).status == 200
    assert page.request.get(forged).status == 403
