"""A film as the browser gets it: all its values, predicted from their neighbours, in two planes of bytes under gzip.

A page of bytes: the length of the header (uint32), the header (JSON), the VOI LUT by value (uint16, where the header
says `curve`), then the low and the high bytes of what the prediction leaves. All numbers are little-endian. Browsers
open 16-bit PNG with 8 bits, so PNG's own average predictor is applied here and undone in `viewer_film.js`; gzip looks
for nothing but runs, which is as small as its best level on films and three times as quick.
"""

import json
import struct
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xray.data.soft_copies import ScreenFilm, load_screen_film, load_screen_picture
from xray.dicom.soft_copy import reduced

LAYOUT = 1
PREVIEW_SIDE = 1280
_BAND_ROWS = 512
Values = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFile:
    """A file and the sha256 (hex) of the bytes that it should have."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedFilm:
    """Gzip bytes of a film at full size, and of one of at most 1280 px; the same bytes where it is no larger."""

    preview: bytes
    full: bytes


def encode_film(file: FilmFile) -> EncodedFilm:
    """Read and encode a film. Raises Rejected as `load_screen_film` does: call it in `xray.guard.Guarded`."""
    return _encoded(load_screen_film(file.path, sha256=file.sha256))


def encode_picture(path: Path) -> EncodedFilm:
    """Encode a picture that this kit wrote. Raises Rejected as `load_screen_picture` does."""
    return _encoded(load_screen_picture(path))


def _encoded(film: ScreenFilm) -> EncodedFilm:
    whole = film.soft_copy.values
    small = reduced(whole, size=PREVIEW_SIDE)
    full = _gzip(_page(film, values=whole))
    return EncodedFilm(preview=full if small is whole else _gzip(_page(film, values=small)), full=full)


def _page(film: ScreenFilm, *, values: Values) -> bytes:
    header = json.dumps(_header(film, values=values), separators=(",", ":")).encode()
    curve = film.soft_copy.curve
    table = b"" if curve is None else curve.astype("<u2").tobytes()
    return b"".join([struct.pack("<I", len(header)), header, table, _planes(values).tobytes()])


def _header(film: ScreenFilm, *, values: Values) -> dict[str, object]:
    """Say what the browser has to know, and nothing else that a film's own header says."""
    copy = film.soft_copy
    return {
        "layout": LAYOUT,
        "width": values.shape[1],
        "height": values.shape[0],
        "columns": copy.values.shape[1],
        "rows": copy.values.shape[0],
        "aspect": copy.aspect,
        "values": int(copy.values.max()) + 1 if copy.curve is None else len(copy.curve),
        "slope": copy.slope,
        "intercept": copy.intercept,
        "inverted": copy.inverted,
        "bits": copy.bits,
        "curve": copy.curve is not None,
        "looks": [asdict(look) for look in copy.looks],
        "spacing": asdict(copy.spacing) if copy.spacing else None,
        "orientation": film.orientation,
    }


def _planes(values: Values) -> NDArray[np.uint8]:
    """Return what prediction leaves, low bytes first: uint8 [2, H, W]. In bands, so that it takes little memory."""
    planes = np.empty((2, *values.shape), dtype=np.uint8)
    for top in range(0, values.shape[0], _BAND_ROWS):
        context = 1 if top else 0
        left = _zigzag(_predicted(values[top - context : top + _BAND_ROWS]))[context:]
        planes[0, top : top + _BAND_ROWS], planes[1, top : top + _BAND_ROWS] = left & 255, left >> 8
    return planes


def _predicted(values: Values) -> Values:
    """Subtract from each value the mean of its left and its upper neighbour (PNG, 9.3), modulo 65536."""
    left = values.copy()
    above = values[:-1, 1:].astype(np.uint32)
    left[1:, 1:] -= ((above + values[1:, :-1]) >> 1).astype(np.uint16)
    left[0, 1:] -= values[0, :-1]
    left[1:, 0] -= values[:-1, 0]
    return left


def _zigzag(left: Values) -> Values:
    """Write small differences of either sign as small numbers: 0, -1, 1, -2 become 0, 1, 2, 3."""
    signed = left.view(np.int16)
    return ((signed << 1) ^ (signed >> 15)).view(np.uint16)


def _gzip(page: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31, 9, zlib.Z_RLE)
    return packer.compress(page) + packer.flush()
