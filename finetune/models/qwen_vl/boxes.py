"""Regions in an answer: `<ref>心影</ref><box>(310,420),(760,880)</box>`, read into boxes and drawn on a film.

Coordinates are thousandths of the picture's width and height, from its upper left corner, whatever its size.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

GRID = 1000
_CORNER = r"\(\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\)"
_BOX = re.compile(rf"<box>\s*{_CORNER}\s*,\s*{_CORNER}\s*</box>")
_REF = re.compile(r"<ref>((?:(?!</?ref>|</?box>).)*)</ref>", re.DOTALL)
_COLOURS = ((230, 60, 60), (60, 200, 90), (80, 140, 255), (240, 190, 40), (200, 90, 220), (60, 210, 210))


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One region: upper left and lower right corner in thousandths, and the words it belongs to ("" for none)."""

    label: str
    x1: int
    y1: int
    x2: int
    y2: int

    def in_pixels(self, *, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Return x1, y1, x2, y2 on a film of that size, all within it."""
        across = [min(columns - 1, x * columns // GRID) for x in (self.x1, self.x2)]
        down = [min(rows - 1, y * rows // GRID) for y in (self.y1, self.y2)]
        return across[0], down[0], across[1], down[1]


def parse_boxes(text: str) -> tuple[str, list[Box]]:
    """Return the text as a reader wants it, and the boxes in their order.

    A label stays, without its marks; a box leaves the text and takes the label that stands right before it or before
    the boxes that it follows. A box that is none stays as it was written: `count_malformed` counts those.
    """
    pieces: list[str] = []
    boxes: list[Box] = []
    label, place = "", 0
    for match in re.finditer(f"{_REF.pattern}|{_BOX.pattern}", text, re.DOTALL):
        between = text[place : match.start()]
        if between.strip():
            label = ""
        pieces.append(between)
        place = match.end()
        if match[1] is not None:
            label = match[1]
            pieces.append(label)
            continue
        box = _box(label, match.groups()[1:])
        if box is None:
            pieces.append(match[0])
        else:
            boxes.append(box)
    return "".join([*pieces, text[place:]]), boxes


def count_malformed(text: str) -> int:
    """Return how many boxes are left in a text that `parse_boxes` returned."""
    return max(text.count("<box>"), text.count("</box>"))


def draw_boxes(film: NDArray[np.uint8], boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """Return a copy of a film, [H, W] or [H, W, 3], as RGB uint8 [H, W, 3], each box outlined and numbered from 1.

    The label stands beside the picture, not in it: the number says which box is meant.
    """
    canvas = np.ascontiguousarray(np.repeat(film[..., None], 3, axis=2) if film.ndim == 2 else film.copy())
    rows, columns = film.shape[:2]
    thickness = max(1, min(rows, columns) // 250)
    scale = max(0.4, min(rows, columns) / 1000)
    for number, box in enumerate(boxes, start=1):
        colour = _COLOURS[(number - 1) % len(_COLOURS)]
        x1, y1, x2, y2 = box.in_pixels(rows=rows, columns=columns)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, thickness)
        at = (x1 + 2 * thickness, min(rows - 1, y1 + round(30 * scale)))
        cv2.putText(canvas, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA)
    return canvas


def _box(label: str, corners: Sequence[str]) -> Box | None:
    x1, y1, x2, y2 = (int(number) for number in corners)
    if x1 >= x2 or y1 >= y2 or x2 > GRID or y2 > GRID:
        return None
    return Box(label=label, x1=x1, y1=y1, x2=x2, y2=y2)
