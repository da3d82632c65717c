"""Films behind one door: DICOM, PNG and JPEG, told apart by their first bytes and never by their names."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xray.data import pictures
from xray.data.chest_gate import check_chest_film
from xray.data.file_kind import read_head, unreadable
from xray.data.film_header import FilmHeader, dicom_header, is_dicom, is_film_file, read_header
from xray.dicom import tags
from xray.dicom.decode import decode
from xray.dicom.read import read_dataset
from xray.dicom.render import Deep, Grey, RenderSettings, render_dataset, render_picture
from xray.dicom.view_check import Turn, check_view
from xray.errors import Rejected
from xray.types import ImageRef, View

__all__ = [
    "Film",
    "FilmHeader",
    "check_chest_film",
    "check_upright",
    "file_sha256",
    "is_film_file",
    "load_film",
    "read_header",
    "stored_sha256",
    "unchanged",
]


_DESCRIPTIONS = ("SeriesDescription", "StudyDescription", "BodyPartExamined")


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A rendered film: `pixels` uint8 [H, W], 0 = black; `flags` say what was repaired or guessed on the way.

    `deep` is the 16-bit master, uint16 [H, W], as `Rendered.deep` describes it: None where the settings do not ask for
    it, and for pictures of 8 bits, which have nothing beyond black and white. `window` is (center, width) in modality
    units, as `Rendered.window`. `turned_degrees` is how far clockwise a chest film is turned from upright, as the
    picture shows; `check_upright` refuses such a film.
    """

    ref: ImageRef
    pixels: Grey
    flags: tuple[str, ...]
    deep: Deep | None = None
    window: tuple[float, float] | None = None
    turned_degrees: Turn = 0


def load_film(path: Path, *, settings: RenderSettings, sha256: str | None = None) -> Film:
    """Decode and render one film, and see from the picture of a chest film which view it is.

    The view is the header's; where that says nothing, the picture's (flag `view_by_image`); where the picture clearly
    shows the other view, `unknown` (flag `view_conflict`). `sha256` is the file's, where that is known already.

    Raises Rejected: the codes of `read_header`; of `read_dataset` and `render_dataset` for DICOM, of
    `pictures.read_picture` and `render_picture` for PNG and JPEG; `file_changed` where the file was written to
    meanwhile.
    """
    with unchanged(path):
        load = _load_dicom if is_dicom(path) else _load_picture
        return load(path, settings=settings, sha256=sha256 or file_sha256(path))


def check_upright(film: Film) -> None:
    """Raise Rejected("turned_film") for a chest film that does not lie upright: its sides would be named wrongly."""
    if film.turned_degrees:
        raise Rejected("turned_film", f"The picture lies turned by {film.turned_degrees} degrees. Export it upright.")


def file_sha256(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes. Raises Rejected("unreadable"), also for what is no regular file."""
    read_head(path)  # refuses what is no regular file: opening a pipe would wait for ever
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(error) from None


def stored_sha256(path: Path) -> str:
    """Return the identity (sha256, hex) of a film's stored values, however they are encoded and whatever is around.

    Raises Rejected with the codes of `is_dicom`, `read_dataset`, `decode` and `read_picture`. Decodes untrusted bytes:
    call it in `xray.guard.Guarded`.
    """
    if is_dicom(path):
        dataset = read_dataset(path)
        values: np.ndarray = decode(dataset)
        polarity = dicom_header(path, dataset).photometric_interpretation
    else:
        values, polarity = pictures.read_picture(path).values, None
    digest = hashlib.sha256(f"{values.shape} {values.dtype.str} {polarity}\0".encode())
    digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Refuse a file that is written to while it is read: its digest would not be that of its pixels."""
    before = _stamp(path)
    yield
    if _stamp(path) != before:
        raise Rejected("file_changed", "The file changed while it was read. Wait until it is copied.")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _load_dicom(path: Path, *, settings: RenderSettings, sha256: str) -> Film:
    dataset = read_dataset(path)
    header = dicom_header(path, dataset)
    rendered = render_dataset(dataset, settings=settings)
    charset_flags = ("charset_repaired",) if tags.charset_repaired(dataset, *_DESCRIPTIONS) else ()
    seen = _seen(header, pixels=rendered.pixels)
    ref = ImageRef(
        path=path,
        sha256=sha256,
        rows=header.rows,
        columns=header.columns,
        bits_stored=header.bits_stored,
        view=seen.view,
        sop_instance_uid=header.sop_instance_uid,
        view_position=header.view_position,
        photometric_interpretation=header.photometric_interpretation,
        pixel_spacing_mm=header.pixel_spacing_mm,
    )
    return Film(
        ref=ref,
        pixels=rendered.pixels,
        flags=(*rendered.flags, *seen.flags, *charset_flags),
        deep=rendered.deep,
        window=rendered.window,
        turned_degrees=seen.turned_degrees,
    )


def _load_picture(path: Path, *, settings: RenderSettings, sha256: str) -> Film:
    picture = pictures.read_picture(path)
    rows, columns = picture.values.shape
    header = FilmHeader(path=path, is_dicom=False, rows=rows, columns=columns, bits_stored=picture.bits_stored)
    rendered = render_picture(picture.values, settings=settings)
    seen = _seen(header, pixels=rendered.pixels)
    ref = ImageRef(
        path=path, sha256=sha256, rows=rows, columns=columns, bits_stored=picture.bits_stored, view=seen.view
    )
    return Film(
        ref=ref,
        pixels=rendered.pixels,
        flags=(*picture.flags, *rendered.flags, *seen.flags),
        deep=rendered.deep if picture.bits_stored == 16 else None,
        window=rendered.window,
        turned_degrees=seen.turned_degrees,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What header and picture together say of how a film was taken."""

    view: View
    flags: tuple[str, ...] = ()
    turned_degrees: Turn = 0


def _seen(header: FilmHeader, *, pixels: Grey) -> _Seen:
    """Compare the header with the picture. Other things are not judged: the check only knows chest films."""
    try:
        check_chest_film(header)
    except Rejected:
        return _Seen(view=header.view)
    guess = check_view(pixels)
    if guess.view in ("unknown", header.view):
        return _Seen(view=header.view, turned_degrees=guess.turned_degrees)
    if header.view == "unknown":
        return _Seen(view=guess.view, flags=("view_by_image",))
    return _Seen(view="unknown", flags=("view_conflict",))
