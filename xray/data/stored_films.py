"""Reading rendered films, wherever they lie: in a prepared store, or as PNG files in the folder of a run."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from xray.data.shards import read_deep_image, read_image
from xray.errors import DataError
from xray.types import FilmPlace

_HEADER_BYTES = 24  # signature, length and name of the IHDR chunk, width, height (PNG specification, 5.3)


def read_film(place: FilmPlace) -> NDArray[np.uint8]:
    """Return a rendered film: uint8 [H, W], 0 = black. Raises DataError when it is missing or damaged."""
    pixels = decode_png(read_png(place))
    if pixels is None:
        raise _damaged(place)
    return pixels


def decode_png(png: bytes) -> NDArray[np.uint8] | None:
    """Return the pixels of a grey PNG, uint8 [H, W]; None where it is damaged."""
    pixels = cv2.imdecode(np.frombuffer(png, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if pixels is None else np.asarray(pixels, dtype=np.uint8)


def read_deep(place: FilmPlace) -> NDArray[np.uint16] | None:
    """Return the 16-bit master of a film, uint16 [H, W] (see `Rendered.deep`); None where there is none."""
    png = None if isinstance(place, Path) else read_deep_image(place.shard, place.row)
    if png is None:
        return None
    pixels = cv2.imdecode(np.frombuffer(png, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise _damaged(place)
    return np.asarray(pixels, dtype=np.uint16)


def film_size(place: FilmPlace) -> tuple[int, int]:
    """Return (rows, columns) of a rendered film, from its header alone. Raises DataError as `read_film` does."""
    head = read_png(place)[:_HEADER_BYTES]
    if len(head) < _HEADER_BYTES:
        raise _damaged(place)
    return int.from_bytes(head[20:24], "big"), int.from_bytes(head[16:20], "big")


def read_png(place: FilmPlace) -> bytes:
    """Return the PNG file of a rendered film. Raises DataError when it is missing, or nothing that could be one."""
    if not isinstance(place, Path):
        return read_image(place.shard, place.row)
    try:
        data = place.read_bytes()
    except OSError:
        raise _damaged(place) from None
    if not data.startswith(b"\x89PNG"):
        raise _damaged(place)
    return data


def _damaged(place: FilmPlace) -> DataError:
    if isinstance(place, Path):
        return DataError(f"prepared film {place} is missing or damaged. Delete its store folder and run again.")
    return DataError(f"film {place.key} of {place.shard} is damaged. Delete this file and run the same command again.")
