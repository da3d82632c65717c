"""Drawing in film coordinates: every shape is a float32 mask that the anatomy adds to or takes from a density map.

Coordinates are those of a viewer: x runs from -1 (left edge of the picture, the patient's right on a frontal film) to
+1, y from 0 (top) to 1 (bottom). Lengths of round things are fractions of the shorter side. Density is roughly
proportional to X-ray attenuation: 0 = air, 1 = metal.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Point = tuple[float, float]

_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """The geometry of one film: `height` and `width` in px. All masks are float32 [H, W] in [0, 1]."""

    height: int
    width: int

    @property
    def side(self) -> int:
        """Length of the shorter side in px, the unit of round things."""
        return min(self.height, self.width)

    def zeros(self) -> FloatArray:
        """Return an empty mask."""
        return np.zeros((self.height, self.width), np.float32)

    def grid(self) -> tuple[FloatArray, FloatArray]:
        """Return x [1, W] and y [H, 1] of the pixel centres, to be broadcast."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5) / self.width * 2 - 1
        y = (np.arange(self.height, dtype=np.float32) + 0.5) / self.height
        return np.asarray(x[None, :], np.float32), np.asarray(y[:, None], np.float32)

    def pixels(self, points: Iterable[Point]) -> npt.NDArray[np.int32]:
        """Convert film coordinates to OpenCV's fixed-point pixels [N, 1, 2]."""
        scaled = [((x + 1) / 2 * self.width, y * self.height) for x, y in points]
        return (np.array(scaled, np.float64).reshape(-1, 1, 2) * (1 << _SHIFT)).round().astype(np.int32)

    def polygon(self, points: Iterable[Point], *, soft: float = 0.004) -> FloatArray:
        """Fill a closed outline; `soft` blurs its edge (fraction of the shorter side)."""
        layer = np.zeros((self.height, self.width), np.uint8)
        cv2.fillPoly(layer, [self.pixels(points)], 255, cv2.LINE_AA, _SHIFT)
        return self.blur(_share(layer), sigma=soft)

    def lines(self, strokes: Iterable[tuple[Sequence[Point], float, float]]) -> FloatArray:
        """Draw (points, width as a fraction of the shorter side, value in [0, 1]) one after the other."""
        layer = np.zeros((self.height, self.width), np.uint8)
        for points, width, value in strokes:
            thickness = max(1, round(width * self.side))
            cv2.polylines(
                layer, [self.pixels(points)], False, round(255 * min(value, 1.0)), thickness, cv2.LINE_AA, _SHIFT
            )
        return _share(layer)

    def ellipse(self, centre: Point, *, radii: Point, angle: float = 0.0, soft: float = 0.0) -> FloatArray:
        """Fill an ellipse: `radii` are fractions of the shorter side, `angle` in degrees clockwise."""
        layer = np.zeros((self.height, self.width), np.uint8)
        scale = self.side * (1 << _SHIFT)
        middle = self.pixels([centre])[0, 0]
        axes = (round(radii[0] * scale), round(radii[1] * scale))
        cv2.ellipse(layer, (int(middle[0]), int(middle[1])), axes, angle, 0, 360, 255, cv2.FILLED, cv2.LINE_AA, _SHIFT)
        return self.blur(_share(layer), sigma=soft)

    def blob(self, centre: Point, *, radius: float) -> FloatArray:
        """Return a round Gaussian haze of standard deviation `radius` (fraction of the shorter side)."""
        x, y = self.grid()
        dx = (x - centre[0]) * self.width / 2 / self.side
        dy = (y - centre[1]) * self.height / self.side
        return np.asarray(np.exp(dx**2 / (-2 * radius**2)) * np.exp(dy**2 / (-2 * radius**2)), np.float32)

    def blur(self, mask: FloatArray, *, sigma: float) -> FloatArray:
        """Smooth by a Gaussian of `sigma` (fraction of the shorter side); wide ones on a reduced copy."""
        pixels = sigma * self.side
        if pixels < 0.3:
            return mask
        step = max(1, int(pixels // 3))
        if step == 1:
            return _gaussian(mask, sigma=pixels)
        reduced = (-(-self.width // step), -(-self.height // step))
        small = _gaussian(cv2.resize(mask, reduced, interpolation=cv2.INTER_AREA), sigma=pixels / step)
        return np.asarray(cv2.resize(small, (self.width, self.height), interpolation=cv2.INTER_LINEAR), np.float32)

    def cloud(self, rng: np.random.Generator, *, grain: float) -> FloatArray:
        """Return smooth noise of mean 0 and standard deviation about 1; `grain` is the size of its lumps."""
        cells = max(2, round(1 / grain))
        coarse = rng.standard_normal((cells, cells), dtype=np.float32)
        return np.asarray(cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC), np.float32)


def _gaussian(mask: FloatArray, *, sigma: float) -> FloatArray:
    size = 2 * math.ceil(2.5 * sigma) + 1
    return np.asarray(cv2.GaussianBlur(mask, (size, size), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def _share(layer: npt.NDArray[np.uint8]) -> FloatArray:
    """Turn OpenCV's 0..255 coverage into 0..1."""
    return np.multiply(layer, np.float32(1 / 255), dtype=np.float32)


def smooth(points: Sequence[Point], *, closed: bool = False, steps: int = 8) -> list[Point]:
    """Run a Catmull-Rom spline through `points`, `steps` segments between two of them."""
    control = np.array(points, np.float64)
    ends = (control[-1:], control[:2]) if closed else (control[:1], control[-1:])
    padded = np.concatenate([ends[0], control, ends[1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve: list[Point] = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        segment = 0.5 * (
            2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
        )
        curve += [(float(x), float(y)) for x, y in segment]
    return curve if closed else [*curve, points[-1]]
