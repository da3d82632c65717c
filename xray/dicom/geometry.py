"""The shape of a film: pixels that are not square, the long side that is wanted, a black frame around.

Films are reduced by area averaging, because every other filter of OpenCV skips pixels and aliases.
"""

import math
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray.dicom import tags
from xray.dicom.layout import MAX_DECODED_BYTES
from xray.errors import Rejected

Film = TypeVar("Film", NDArray[np.uint8], NDArray[np.uint16])

_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_NEARLY_SQUARE = 0.01  # a heart that is 1 % too wide misleads nobody, and resampling costs sharpness
_LONGEST_PIXEL = 10.0


def pixel_aspect(dataset: Dataset) -> float:
    """Return the height of a pixel over its width, exactly 1.0 where the two differ by less than 1 %.

    PixelSpacing decides, else ImagerPixelSpacing, else NominalScannedPixelSpacing, else PixelAspectRatio: the standard
    asks for the ratio only where no spacing is stated (PS3.3 C.7.6.3.1.7), and DCMTK reads them in this order. All
    name the vertical part first (PS3.3 10.7.1.3). A pair that is not two numbers above 0 is passed over.

    Raises Rejected("bad_tag") for pixels that would be more than ten times as long as wide.
    """
    for keyword in (*_SPACINGS, "PixelAspectRatio"):
        parts = tags.numbers(dataset, keyword)
        if len(parts) != 2 or not all(math.isfinite(part) and part > 0 for part in parts):
            continue
        aspect = parts[0] / parts[1]
        if not 1 / _LONGEST_PIXEL <= aspect <= _LONGEST_PIXEL:
            raise Rejected(
                "bad_tag", f"{keyword} says that pixels are more than {_LONGEST_PIXEL:g} times as long as wide."
            )
        return aspect if abs(aspect - 1) >= _NEARLY_SQUARE else 1.0
    return 1.0


def fit_film(pixels: Film, *, size: int | None, square: bool, aspect: float = 1.0) -> Film:
    """Make the pixels of uint8 or uint16 [H, W] square, reduce the long side to `size` px, pad with black if `square`.

    Pixels that are not square (`aspect`, height over width) are resampled to the finer of their two sides, so no
    detail is lost at native size; together with a `size`, each axis is taken to its final length at once, so nothing
    grows on the way. A film smaller than `size` stays as it is and is padded to its own long side: in a wider black
    frame it would be even smaller when a model or a screen scales the picture.

    Returns a new array or the same one. Raises Rejected("too_large") where square pixels would take over 256 MiB.
    """
    rows, columns = _target(pixels.shape, size=size, aspect=aspect)
    if rows * columns * pixels.itemsize > MAX_DECODED_BYTES:
        raise Rejected("too_large", f"With square pixels the image takes more than {MAX_DECODED_BYTES >> 20} MiB.")
    reduced = (min(rows, pixels.shape[0]), min(columns, pixels.shape[1]))
    if reduced != pixels.shape:
        pixels = cast(Film, cv2.resize(pixels, reduced[::-1], interpolation=cv2.INTER_AREA))
    if (rows, columns) != reduced:
        pixels = cast(Film, cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_LINEAR))
    return _padded(pixels) if square and rows != columns else pixels


def _target(shape: tuple[int, ...], *, size: int | None, aspect: float) -> tuple[int, int]:
    rows, columns = shape[0] * max(aspect, 1.0), shape[1] * max(1 / aspect, 1.0)
    scale = 1.0 if size is None else min(1.0, size / max(rows, columns))
    return max(1, round(rows * scale)), max(1, round(columns * scale))


def _padded(pixels: Film) -> Film:
    side = max(pixels.shape)
    canvas = np.zeros((side, side), dtype=pixels.dtype)
    top, left = (side - pixels.shape[0]) // 2, (side - pixels.shape[1]) // 2
    canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return cast(Film, canvas)
