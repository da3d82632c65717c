"""How quickly the viewer answers: `python -m bench.viewer [--films FOLDER] [--out bench/results]`.

A film of 2048 x 2500 px and 12 bits is drawn with noise, and every DICOM file of `--films` is taken as it is. Each is
encoded as the server does it (`app.pixels`), then opened in Chromium by the viewer's own code
(`app/components/viewer_film.js`): unpacking, and repainting the whole film under a window that changes, from the table
of greys to the pixels on the screen's canvas. A pixel is read back each time, so that nothing is left waiting.
"""

import argparse
import base64
import hashlib
import os
import statistics
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Page, sync_playwright

from app import components
from app.pixels import FilmFile, encode_film
from tests.app.screen import write_dicom
from tests.app.server import CHROMIUM
from xray.errors import Rejected

ROWS, COLUMNS = 2500, 2048
_CODE = (Path(components.__file__).parent / "viewer_film.js").read_text(encoding="utf-8")
_MEASURE = """async ([packed, repaints]) => {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const times = { unpack: [], paint: [] };
  const picture = new Picture("", "original", () => {});
  const screen = document.createElement("canvas");
  Object.assign(screen, { width: 900, height: 1000 });
  document.body.append(screen);
  const brush = screen.getContext("2d");
  for (let turn = 0; turn < 5; turn += 1) {
    const start = performance.now();
    const film = unpack(bytes.buffer);
    times.unpack.push(performance.now() - start);
    if (turn === 0) picture.take(film);
  }
  for (let turn = 0; turn < repaints; turn += 1) {
    await new Promise(requestAnimationFrame);
    const start = performance.now();
    picture.change({ look: { name: "whole", wider: 1 + turn / 50, higher: turn / 100 } });
    const film = picture.painted({ left: 0, top: 0, right: 1, bottom: 1 }, true);
    brush.drawImage(film, 0, 0, screen.width, screen.height);
    brush.getImageData(450, 500, 1, 1);
    times.paint.push(performance.now() - start);
  }
  screen.remove();
  return times;
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Of one film: MB of its pixels, of preview and full film as sent; ms to encode (CPU), unpack (least), repaint."""

    name: str
    megapixels: float
    raw_mb: float
    preview_mb: float
    full_mb: float
    encode_ms: float
    unpack_ms: float
    paint_ms: float
    paint_p95_ms: float
    paint_least_ms: float
    first_ms: float


def measure(page: Page, film: Path, *, repaints: int) -> Measured:
    """Encode one film and open it in the browser."""
    file = FilmFile(path=film, sha256=hashlib.sha256(film.read_bytes()).hexdigest())
    started = time.process_time()
    encoded = encode_film(file)
    encode_ms = 1000 * (time.process_time() - started)
    opened = zlib.decompress(encoded.full, wbits=31)
    times = page.evaluate(_MEASURE, [base64.b64encode(opened).decode(), repaints])
    warm = sorted(times["paint"][3:])
    return Measured(
        name=film.name,
        megapixels=len(opened) / 2e6,
        raw_mb=len(opened) / 1e6,
        preview_mb=len(encoded.preview) / 1e6,
        full_mb=len(encoded.full) / 1e6,
        encode_ms=encode_ms,
        unpack_ms=min(times["unpack"]),
        paint_ms=statistics.median(warm),
        paint_p95_ms=warm[int(0.95 * len(warm))],
        paint_least_ms=warm[0],
        first_ms=times["paint"][0],
    )


def table(found: list[Measured]) -> str:
    """Write the results as Markdown."""
    head = (
        "| film | Mpx | raw MB | full MB | preview MB | encode CPU ms | unpack ms | repaint ms | p95 | least | first |"
    )
    rows = [
        f"| {one.name} | {one.megapixels:.1f} | {one.raw_mb:.1f} | {one.full_mb:.2f} | {one.preview_mb:.2f} | "
        f"{one.encode_ms:.0f} | {one.unpack_ms:.0f} | {one.paint_ms:.1f} | {one.paint_p95_ms:.1f} | "
        f"{one.paint_least_ms:.1f} | {one.first_ms:.0f} |"
        for one in found
    ]
    return "\n".join([head, "|---" * 11 + "|", *rows])


def main() -> None:
    """Measure all films and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, help="folder of DICOM films to measure as well")
    parser.add_argument("--repaints", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    options = parser.parse_args()
    with TemporaryDirectory() as folder, sync_playwright() as engine:
        drawn = Path(folder) / "drawn"
        write_dicom(drawn, noisy_film())
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(content=_CODE)
        found = []
        for film in [drawn, *sorted(options.films.rglob("*.dcm") if options.films else ())]:
            try:
                found.append(measure(page, film, repaints=options.repaints))
            except Rejected as rejected:
                print(f"{film.name}: {rejected}")
        version = browser.version
        browser.close()
    text = (
        f"# The viewer, {datetime.now(UTC):%Y-%m-%d}\n\nChromium {version} without a GPU, {os.cpu_count()} cores, load "
        f"at the end {os.getloadavg()[0]:.1f}. Repaint: median, 95th percentile and least of {options.repaints - 3} "
        "windows; the least is what other jobs on the machine disturbed least. First: with the browser's compiler "
        "cold.\n\n"
        f"{table(found)}\n"
    )
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"viewer-{datetime.now(UTC):%Y-%m-%d}.md").write_text(text, encoding="utf-8")
    print(text)


def noisy_film() -> np.ndarray:
    """Draw a film of 12 bits with the noise of a detector: uint16 [H, W]."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    smooth = 1500 + 900 * np.sin(columns / 300) * np.cos(rows / 400)
    noise = np.random.default_rng(0).normal(0, 12, (ROWS, COLUMNS))
    return np.clip(smooth + noise, 0, 4095).astype(np.uint16)


if __name__ == "__main__":
    main()
