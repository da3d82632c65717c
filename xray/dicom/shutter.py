"""The display shutter: what lies outside it is no part of the picture and is shown black (PS3.3 C.7.6.11).

Several shapes together show only what all of them leave free. Edges, centres and vertices count rows and columns from
1; the pixels on an edge stay visible. The standard lets a device choose the grey of the shutter
(ShutterPresentationValue); here it is always black, as padding is.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray.dicom import tags

Mask = NDArray[np.uint8]
_EDGES = tuple(f"Shutter{edge}Edge" for edge in ("UpperHorizontal", "LowerHorizontal", "LeftVertical", "RightVertical"))
_FAR = 1 << 18  # no pixel of any image is that far away, so such a place is damage


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutter:
    """`visible`: uint8 [H, W], 255 where the film shows and 0 behind the shutter; None where nothing is hidden.

    `flags`: `shutter_ignored` where a shape is unknown or its numbers are missing or impossible.
    """

    visible: Mask | None
    flags: tuple[str, ...]


def shutter_of(dataset: Dataset, *, rows: int, columns: int, aspect: float) -> Shutter:
    """Read the shutter of an image. `aspect` is the height of a pixel over its width: a circle is round on the film."""
    shapes = {str(shape).strip().upper() for shape in tags.values(dataset, "ShutterShape")} - {""}
    masks = []
    for shape in sorted(shapes):
        if shape == "RECTANGULAR":
            masks.append(_rectangle(dataset, rows=rows, columns=columns))
        elif shape == "CIRCULAR":
            masks.append(_circle(dataset, rows=rows, columns=columns, aspect=aspect))
        elif shape == "POLYGONAL":
            masks.append(_polygon(dataset, rows=rows, columns=columns))
        else:
            masks.append(None)
    known = [mask for mask in masks if mask is not None]
    visible = np.bitwise_and.reduce(known) if known else None
    if visible is not None and visible.all():
        visible = None
    return Shutter(visible=visible, flags=("shutter_ignored",) if len(known) < len(masks) else ())


def _numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Return the numbers of an element, none of them where one is no possible place."""
    found = tags.numbers(dataset, keyword)
    return found if all(math.isfinite(number) and abs(number) < _FAR for number in found) else ()


def _rectangle(dataset: Dataset, *, rows: int, columns: int) -> Mask | None:
    edges = [_numbers(dataset, keyword) for keyword in _EDGES]
    if any(len(edge) != 1 for edge in edges):
        return None
    upper, lower, left, right = (int(edge[0]) for edge in edges)
    if upper > lower or left > right:
        return None
    mask = np.zeros((rows, columns), dtype=np.uint8)
    mask[max(upper - 1, 0) : max(lower, 0), max(left - 1, 0) : max(right, 0)] = 255
    return mask


def _circle(dataset: Dataset, *, rows: int, columns: int, aspect: float) -> Mask | None:
    """RadiusOfCircularShutter counts pixels along a row, so a circle on tall pixels spans fewer rows than columns."""
    center, radius = _numbers(dataset, "CenterOfCircularShutter"), _numbers(dataset, "RadiusOfCircularShutter")
    if len(center) != 2 or len(radius) != 1 or radius[0] <= 0:
        return None
    above = (np.arange(1, rows + 1) - center[0]) * aspect
    reach = np.where(np.abs(above) <= radius[0], np.sqrt(np.maximum(radius[0] ** 2 - above**2, 0)), -1)
    beside = np.abs(np.arange(1, columns + 1) - center[1])
    return np.where(beside[None, :] <= reach[:, None], np.uint8(255), np.uint8(0))


def _polygon(dataset: Dataset, *, rows: int, columns: int) -> Mask | None:
    places = _numbers(dataset, "VerticesOfThePolygonalShutter")
    if len(places) < 6 or len(places) % 2:
        return None
    vertices = np.array(places, dtype=np.int32).reshape(-1, 2)[:, ::-1] - 1  # row and column to x and y
    mask = np.zeros((rows, columns), dtype=np.uint8)
    cv2.fillPoly(mask, [np.ascontiguousarray(vertices)], 255)
    return mask
