"""The chest from the side: spine behind, breastbone in front, one heart, two domes."""

import numpy as np

from xray.data.phantom.canvas import Canvas, FloatArray, Point, smooth
from xray.data.phantom.frame import measure
from xray.data.phantom.study import PhantomStudy


def lateral_density(study: PhantomStudy, *, canvas: Canvas, rng: np.random.Generator) -> FloatArray:
    """Draw a left lateral film as a density map: float32 [H, W]; the patient faces the picture's left."""
    frame = measure(study)
    trunk = canvas.polygon(smooth(_TRUNK), soft=0.008)
    dome = 0.5 * (frame.dome_right + frame.dome_left)
    lung = canvas.polygon(smooth(_lung(dome), closed=True), soft=0.006)
    swell = 1 + 1.1 * max(0.0, frame.heart_ratio - 0.45)
    heart = canvas.ellipse((-0.13, dome - 0.16), radii=(0.15 * swell, 0.135 * swell), angle=-35, soft=0.014)
    arch = canvas.lines([(smooth([(-0.08, 0.42), (-0.03, 0.3), (0.12, 0.27), (0.25, 0.36), (0.28, 0.6)]), 0.06, 1.0)])
    density = 0.66 * trunk + 0.09 * canvas.cloud(rng, grain=0.2) * 0.1
    density = density - 0.36 * lung * (1 - 0.6 * heart) + 0.05 * canvas.blur(arch, sigma=0.012)
    density = density + 0.15 * canvas.blob((-0.01, 0.42), radius=0.035) + _bones(canvas)
    windpipe = canvas.lines([(smooth([(0.02, -0.02), (0.04, 0.15), (0.05, 0.36)]), 0.034, 1.0)])
    return np.asarray(density - 0.1 * canvas.blur(windpipe, sigma=0.005), np.float32)


_TRUNK: list[Point] = [(-0.22, -0.03), (-0.3, 0.05), (-0.62, 0.2), (-0.72, 0.5), (-0.68, 0.8), (-0.7, 1.04)]
_TRUNK += [(0.72, 1.04), (0.74, 0.7), (0.72, 0.4), (0.6, 0.15), (0.34, 0.04), (0.3, -0.03)]


def _lung(dome: float) -> list[Point]:
    front: list[Point] = [(-0.05, 0.11), (-0.32, 0.19), (-0.52, 0.36), (-0.57, dome - 0.06)]
    below: list[Point] = [(-0.4, dome - 0.02), (-0.1, dome), (0.2, dome + 0.05), (0.5, dome + 0.13)]
    return [*front, *below, (0.6, dome - 0.1), (0.58, 0.4), (0.42, 0.2), (0.2, 0.11)]


def _bones(canvas: Canvas) -> FloatArray:
    """Draw vertebral bodies, the breastbone and the steep ribs of both sides."""
    strokes: list[tuple[list[Point], float, float]] = []
    for level in range(14):
        y = 0.0 + level * 0.073
        x = 0.36 + 0.10 * float(np.sin(np.pi * min(y / 0.9, 1)))
        strokes.append(([(x - 0.05, y), (x + 0.05, y)], 0.052, 0.6))
        strokes.append(([(x - 0.055, y - 0.022), (x + 0.055, y - 0.022)], 0.005, 1.0))
    density = 0.17 * canvas.blur(canvas.lines(strokes), sigma=0.004)
    sternum = smooth([(-0.40, 0.2), (-0.58, 0.34), (-0.645, 0.6)])
    density += 0.14 * canvas.blur(canvas.lines([(sternum, 0.035, 0.9), (sternum, 0.022, 0.6)]), sigma=0.003)
    ribs: list[tuple[list[Point], float, float]] = []
    for rib in range(9):
        y = 0.14 + rib * 0.068
        path = smooth([(0.52, y), (0.25, y + 0.06), (-0.05, y + 0.15), (-0.38, y + 0.21)])
        ribs += [(path, 0.02, 0.9), (path, 0.013, 0.5)]
    return density + 0.07 * canvas.blur(canvas.lines(ribs), sigma=0.003)
