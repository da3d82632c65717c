"""Rendered films on disk: each PNG is written once, carries its own facts, and is never decoded from DICOM again."""

import hashlib
import io
import os
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import ValidationError

from xray.data.films import Film, file_sha256, load_film
from xray.data.records import IMAGES_FOLDER, FilmFacts
from xray.dicom.render import RenderSettings
from xray.errors import DataError

_CHUNK = "xray"


def cache_key(sha256: str, *, render_digest: str) -> str:
    """Name of a film rendered with given settings, 24 hex digits; `sha256` is of the source file's bytes."""
    return hashlib.sha256(f"{sha256}\0{render_digest}".encode()).hexdigest()[:24]


def cache_path(sha256: str, *, render_digest: str) -> str:
    """Path of a rendered film relative to the store: `images/<first two digits>/<key>.png`."""
    key = cache_key(sha256, render_digest=render_digest)
    return f"{IMAGES_FOLDER}/{key[:2]}/{key}.png"


def ensure_rendered(path: Path, *, store: Path, settings: RenderSettings) -> FilmFacts:
    """Render the film into the store unless it is there already, and return its facts.

    The PNG appears under its name only when it is complete. Raises Rejected as `load_film` does.
    """
    digest = settings.digest()
    target = store / cache_path(file_sha256(path), render_digest=digest)
    known = read_facts(target)
    if known is not None:
        return known
    film = load_film(path, settings=settings)
    facts = _facts(film, render_digest=digest)
    _write_png(store / cache_path(facts.sha256, render_digest=digest), film=film, facts=facts)
    return facts


def read_facts(png: Path) -> FilmFacts | None:
    """Return the facts in a stored film without decoding it, or None if there is no complete film."""
    if not png.exists():
        return None
    try:
        with Image.open(png) as image:
            return FilmFacts.model_validate_json(str(image.info[_CHUNK])) if _is_complete(png) else None
    except (OSError, KeyError, ValidationError):
        return None


def pixels_sha256(pixels: np.ndarray) -> str:
    """Identity of a rendered film: sha256 over its shape and its uint8 [H, W] values."""
    header = f"{pixels.shape[0]}x{pixels.shape[1]}\0".encode()
    return hashlib.sha256(header + np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()).hexdigest()


def read_pixels(png: Path) -> np.ndarray:
    """Return a stored film, uint8 [H, W], 0 = black. Raises DataError if it is missing or damaged."""
    try:
        with Image.open(png) as image:
            return np.asarray(image.convert("L"), dtype=np.uint8)
    except (OSError, SyntaxError):
        raise DataError(f"{png} is missing or damaged. Prepare the data again.") from None


def _is_complete(png: Path) -> bool:
    """Tell whether a PNG ends with its IEND chunk, that is, was not cut off by a power failure."""
    with png.open("rb") as stream:
        stream.seek(-12, os.SEEK_END)
        return stream.read()[4:8] == b"IEND"


def _facts(film: Film, *, render_digest: str) -> FilmFacts:
    ref = film.ref
    return FilmFacts(
        sha256=ref.sha256,
        pixels_sha256=pixels_sha256(film.pixels),
        render_digest=render_digest,
        view=ref.view,
        view_position=ref.view_position,
        rows=ref.rows,
        columns=ref.columns,
        bits_stored=ref.bits_stored,
        photometric_interpretation=ref.photometric_interpretation,
        pixel_spacing_mm=ref.pixel_spacing_mm,
        flags=film.flags,
    )


def _write_png(target: Path, *, film: Film, facts: FilmFacts) -> None:
    info = PngInfo()
    info.add_itxt(_CHUNK, facts.model_dump_json())
    buffer = io.BytesIO()
    Image.fromarray(film.pixels).save(buffer, format="PNG", compress_level=1, pnginfo=info)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.part")
    temporary.write_bytes(buffer.getvalue())
    temporary.replace(target)
