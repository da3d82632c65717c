"""An uploaded film as the served model expects it: checked and rendered by the rules of data preparation, as PNG.

It comes from whoever reaches the page, so it is decoded in a guarded process; it is on the disk for as long as it is
read, and nowhere else.
"""

import io
import tempfile
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Literal

from PIL import Image

from app.run import Run
from xray.data.films import check_chest_film, check_upright, load_film, read_header
from xray.dicom.render import RenderSettings
from xray.errors import DataError, Rejected
from xray.guard import Guarded

MOST_MEGABYTES = 64
_PROFILES: tuple[Literal["viewer", "mimic_jpg"], ...] = ("viewer", "mimic_jpg")


def settings_of(run: Run | None) -> RenderSettings:
    """Return how the films of a run were rendered; a plain viewer's rendering where the run is not at hand.

    The run's manifest has the digest of its settings, so they are found by trying what they may be. Raises DataError
    where none fits: a run with a site profile, or of another version.
    """
    if run is None:
        return RenderSettings()
    size, digest = run.manifest.data.image_size, run.manifest.data.render_digest
    for square, profile, deep in product((True, False), _PROFILES, (False, True)):
        shown = RenderSettings(size=max(size, 1), square=square, profile=profile)
        if replace(shown, deep=deep).digest() == digest:
            return shown
    raise DataError(
        f"The films of run {run.id} were rendered with settings of its site or of another version, which this page "
        "cannot repeat. Choose a film of the run instead."
    ).in_chinese(f"运行 {run.id} 的影像按院内设置或其他版本处理，本页无法重复。请改选该运行中的病例。")


def render_upload(content: bytes, *, settings: RenderSettings) -> bytes:
    """Return an uploaded DICOM, PNG or JPEG file as an 8-bit grey PNG.

    Raises Rejected for whatever data preparation refuses too: damaged files, other body parts, films that lie turned.
    """
    if len(content) > MOST_MEGABYTES << 20:
        raise Rejected("too_large", f"The file is above {MOST_MEGABYTES} MB. Export the film alone.")
    with (
        tempfile.TemporaryDirectory(prefix="xray-film-") as folder,
        Guarded(partial(_rendered, settings=settings)) as read,
    ):
        path = Path(folder, "film")
        path.write_bytes(content)
        return read(path)


def _rendered(path: Path, *, settings: RenderSettings) -> bytes:
    check_chest_film(read_header(path))
    film = load_film(path, settings=settings)
    check_upright(film)
    stream = io.BytesIO()
    Image.fromarray(film.pixels).save(stream, format="PNG")
    return stream.getvalue()
