"""From which side a film was taken, and whether it lies upright, judged by its pixels.

Headers are often silent or wrong about it: of the lateral films of the OpenI collection two in three say PA. A small
linear model looks at edges and brightness of a 64 x 64 picture, and at how far both differ from their mirror image. It
is trained by `bench/train_view_check.py`; `docs/decisions/0011` has its accuracy. Whether a film is mirrored cannot be
told from pixels, because hearts on the right exist; nothing here tries.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from xray.types import View

Turn = Literal[0, 90, 180, 270]
Features = NDArray[np.float32]

# What the model tells apart, in the order of its outputs; `turned` is how far clockwise the film was turned.
KINDS: Final = ("frontal", "turned 90", "turned 180", "turned 270", "lateral", "other")
_VIEWS: Final[dict[str, View]] = {"frontal": "frontal", "lateral": "lateral"}
_TURNS: Final[dict[str, Turn]] = {"turned 90": 90, "turned 180": 180, "turned 270": 270}
_SIDE, _CELLS, _DIRECTIONS = 64, 8, 8
_WEIGHTS = Path(__file__).with_name("view_check.npz")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewGuess:
    """What the picture looks like.

    `view` is `unknown` where the model is not sure, and for everything that is no upright chest film. `confidence`, in
    [0, 1], is the model's probability of the most likely kind, sure or not. `turned_degrees` says how far a frontal
    film was turned clockwise from upright; 0 where that is not clear.
    """

    view: View
    confidence: float
    turned_degrees: Turn


def check_view(pixels: NDArray[np.uint8]) -> ViewGuess:
    """Judge a rendered film, uint8 [H, W] of any size, 0 = black, padded or not."""
    weights, bias, needed = _model()
    scores = view_features(pixels) @ weights + bias
    odds = np.exp(scores - scores.max())
    likely = int(odds.argmax())
    kind, confidence = KINDS[likely], float(odds[likely] / odds.sum())
    sure = confidence >= needed[likely]
    return ViewGuess(
        view=_VIEWS.get(kind, "unknown") if sure else "unknown",
        confidence=confidence,
        turned_degrees=_TURNS.get(kind, 0) if sure else 0,
    )


@cache
def weights_digest() -> str:
    """Return the sha256 (hex) of the model's weights: another model may judge a film otherwise."""
    return hashlib.sha256(_WEIGHTS.read_bytes()).hexdigest()


def view_features(pixels: NDArray[np.uint8]) -> Features:
    """Describe a picture for the model: float32 [features].

    The black frame is cut off and the rest stretched to 64 x 64 with even contrast. Then: histograms of edge directions
    in 8 x 8 cells (Dalal and Triggs, CVPR 2005), a 16 x 16 thumbnail, and the differences of both to their mirror
    images, left to right and top to bottom.
    """
    picture = _evened(cv2.resize(_without_frame(pixels), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    edges = _edge_histograms(picture)
    small = cv2.resize(picture, (16, 16), interpolation=cv2.INTER_AREA)
    mirrored = edges[:, ::-1, (-np.arange(_DIRECTIONS)) % _DIRECTIONS]
    flipped = edges[::-1, :, (-np.arange(_DIRECTIONS)) % _DIRECTIONS]
    parts = (
        edges,
        0.3 * small,
        np.abs(edges - mirrored)[:, : _CELLS // 2],
        np.abs(edges - flipped)[: _CELLS // 2],
        0.3 * np.abs(small - small[:, ::-1])[:, :8],
        0.3 * np.abs(small - small[::-1])[:8],
    )
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


def _without_frame(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut off outer rows and columns that are even, the padding of a square or the shutter of a film."""
    small = cv2.resize(pixels, (128, 128), interpolation=cv2.INTER_AREA).astype(np.float32)
    rows, columns = (np.flatnonzero(small.std(axis=axis) > 4) for axis in (1, 0))
    if len(rows) < 32 or len(columns) < 32:
        return pixels
    height, width = pixels.shape
    top, bottom = rows[0] * height // 128, (rows[-1] + 1) * height // 128
    left, right = columns[0] * width // 128, (columns[-1] + 1) * width // 128
    return pixels[top : max(bottom, top + 1), left : max(right, left + 1)]


def _evened(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give each place the same contrast: subtract the wide mean, divide by the wide spread."""
    grey = picture.astype(np.float32) / 255
    wide = cv2.GaussianBlur(grey, (0, 0), 16)
    spread = np.sqrt(cv2.GaussianBlur((grey - wide) ** 2, (0, 0), 16))
    return cast(NDArray[np.float32], (grey - wide) / (spread + 0.03))


def _edge_histograms(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return float32 [8, 8, 8]: row, column, edge direction modulo 180 degrees; cells scaled by their surroundings."""
    dx, dy = cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1)
    strength = np.hypot(dx, dy)
    direction = (np.arctan2(dy, dx) % np.pi) * (_DIRECTIONS / np.pi)
    low = np.floor(direction).astype(np.intp)
    share = direction - low
    row, column = np.indices(picture.shape) * _CELLS // _SIDE
    cell = (row * _CELLS + column) * _DIRECTIONS
    counts = np.bincount((cell + low % _DIRECTIONS).ravel(), ((1 - share) * strength).ravel(), _CELLS**2 * _DIRECTIONS)
    counts += np.bincount((cell + (low + 1) % _DIRECTIONS).ravel(), (share * strength).ravel(), _CELLS**2 * _DIRECTIONS)
    found = counts.reshape(_CELLS, _CELLS, _DIRECTIONS).astype(np.float32)
    around = cv2.blur((found**2).sum(axis=2), (3, 3), borderType=cv2.BORDER_REPLICATE)
    return cast(NDArray[np.float32], found / np.sqrt(around + 1)[..., None])


@cache
def _model() -> tuple[Features, Features, Features]:
    """Load weights [features, kinds], bias [kinds] and the confidence [kinds] from which a kind is said."""
    with np.load(_WEIGHTS) as stored:
        return tuple(stored[name].astype(np.float32) for name in ("weights", "bias", "needed"))
