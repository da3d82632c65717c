"""Pacemaker, tracheal tube and central line on the frontal film."""

import numpy as np

from xray.data.phantom.canvas import Point, smooth
from xray.data.phantom.frame import mirror, sign
from xray.data.phantom.frontal import Chest
from xray.data.phantom.study import DrawnFinding
from xray.types import Laterality

LINE_WIDTH = 0.0135
"""Of tubes and leads, as a fraction of the shorter side: about 1.7 px on a film of 128 px."""


def add_device(chest: Chest, *, finding: DrawnFinding, rng: np.random.Generator) -> None:
    """Draw one device; other concepts are left alone."""
    side: Laterality = "left" if finding.laterality == "left" else "right"
    match finding.concept:
        case "pacemaker":
            _pacemaker(chest, side=side, rng=rng)
        case "endotracheal_tube":
            _tracheal_tube(chest, rng=rng)
        case "central_line":
            _central_line(chest, side=side, rng=rng)


def _strand(chest: Chest, *, points: list[Point], opacity: float, width: float = LINE_WIDTH) -> None:
    layer = chest.canvas.blur(chest.canvas.lines([(smooth(points), width, 1.0)]), sigma=0.0012)
    chest.metal = np.maximum(chest.metal, opacity * layer)


def _cava(chest: Chest) -> list[Point]:
    """Return the way down the superior vena cava, at the right border of the mediastinum."""
    shift = 0.6 * chest.frame.shift
    return [(-0.075 + shift, 0.235), (-0.10 + shift, 0.30), (-0.11 + shift, 0.37)]


def _pacemaker(chest: Chest, *, side: Laterality, rng: np.random.Generator) -> None:
    """Draw the can under the skin of the upper chest, two leads through the vena cava into atrium and ventricle."""
    canvas = chest.canvas
    x, y = 0.60 + float(rng.uniform(-0.05, 0.04)), 0.215 + float(rng.uniform(-0.02, 0.02))
    half = 0.05
    corners = mirror([(x - 1.9 * half, y - half), (x + 1.9 * half, y - half), (x + 1.9 * half, y + half)], side=side)
    corners += mirror([(x + 0.4 * half, y + 1.25 * half), (x - 1.9 * half, y + half)], side=side)
    can = canvas.blur(canvas.polygon(corners, soft=0.007), sigma=0.001)
    chest.metal = np.maximum(chest.metal, 0.97 * can)
    entry = mirror([(x - 0.07, y - half), (0.36, 0.165), (0.16, 0.185)], side=side)
    shift = chest.frame.shift
    atrium = [*_cava(chest), (-0.13 + shift, 0.47), (-0.08 + shift, 0.52)]
    reach = 0.9 * chest.frame.half_width * chest.frame.heart_ratio
    ventricle = [*_cava(chest), (-0.10 + shift, 0.52), (0.05 + shift, 0.61), (reach + shift, 0.655)]
    _strand(chest, points=[*entry, *atrium], opacity=0.9, width=0.009)
    _strand(chest, points=[*entry, *ventricle], opacity=0.9, width=0.009)


def _tracheal_tube(chest: Chest, *, rng: np.random.Generator) -> None:
    """Draw a tube with a radiopaque stripe down the trachea, its tip above the carina."""
    shift = chest.frame.shift
    tip = 0.27 + float(rng.uniform(-0.015, 0.015))
    way: list[Point] = [(0.012, -0.02), (0.004 + 0.2 * shift, 0.13), (-0.012 + 0.45 * shift, tip)]
    _strand(chest, points=way, opacity=0.55, width=0.034)
    chest.metal *= 1 - 0.85 * chest.canvas.lines([(smooth(way), 0.018, 1.0)])
    _strand(chest, points=[(x + 0.02, y) for x, y in way], opacity=1.0, width=0.014)


def _central_line(chest: Chest, *, side: Laterality, rng: np.random.Generator) -> None:
    """Draw a catheter from the arm through the subclavian vein into the vena cava."""
    lift = float(rng.uniform(-0.012, 0.012))
    arm = [(1.05, 0.30 + lift), (0.86, 0.235 + lift), (0.62, 0.185 + lift), (0.36, 0.172), (0.14, 0.19)]
    end = _cava(chest)
    if sign(side) > 0:
        end = [(0.02, 0.212), *end]
    _strand(chest, points=[*mirror(arm, side=side), *end, (end[-1][0] + 0.005, 0.405)], opacity=0.95)
