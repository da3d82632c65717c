"""Disease of lung, pleura, heart and ribs, drawn into a chest from the front.

Sizes are exaggerated where needed so that each finding survives shrinking to 128 px, where a small vision model
looks at it: a nodule is never under 4 px in radius there, a fracture steps by more than a rib's width.
Cardiomegaly and the pull of an atelectasis are measures of the `ChestFrame` and need no drawing here.
"""

import numpy as np

from xray.data.phantom.canvas import Canvas, FloatArray, Point, smooth
from xray.data.phantom.frame import mirror, sign
from xray.data.phantom.frontal import Chest
from xray.data.phantom.study import DrawnFinding
from xray.types import Laterality

MM_PER_SIDE = 340.0
"""What the shorter side of a film measures in the detector plane, in mm: sizes in reports are true to PixelSpacing."""


def add_disease(chest: Chest, finding: DrawnFinding, *, rng: np.random.Generator) -> None:
    """Draw one finding; concepts that are devices or belong to the frame are left alone."""
    sides: tuple[Laterality, ...] = ("right", "left")
    if finding.laterality in ("left", "right"):
        sides = (finding.laterality,)
    match finding.concept:
        case "pleural_effusion":
            for side in sides:
                _effusion(chest, side=side, severity=finding.severity or "mild", rng=rng)
        case "pneumothorax":
            _pneumothorax(chest, side=sides[0], large=finding.severity == "severe", rng=rng)
        case "opacity":
            _opacity(chest, finding, side=sides[0], rng=rng)
        case "consolidation":
            _consolidation(chest, finding, side=sides[0], rng=rng)
        case "nodule" | "mass":
            _round_lesion(chest, finding, side=sides[0], rng=rng)
        case "atelectasis":
            _atelectasis(chest, side=sides[0], rng=rng)
        case "edema":
            _edema(chest, rng=rng)
        case "pleural_thickening":
            _pleural_thickening(chest, side=sides[0], rng=rng)
        case "fracture":
            _fracture(chest, side=sides[0], rib=finding.rib or 6, rng=rng)


def _fill(chest: Chest, mask: FloatArray, *, density: float) -> None:
    """Replace lung by something dense: `mask` is how much of the air is gone, `density` what is there in its place."""
    chest.air *= 1 - mask
    chest.soft += density * mask


def _effusion(chest: Chest, *, side: Laterality, severity: str, rng: np.random.Generator) -> None:
    """Draw fluid in the pleural space: level rising to the chest wall (meniscus), angle gone."""
    frame, canvas = chest.frame, chest.canvas
    x, y = canvas.grid()
    across = np.clip(np.abs(x) / frame.half_width, 0, 1)
    height = {"mild": 0.085, "moderate": 0.215, "severe": 0.40}[severity] + float(rng.uniform(-0.01, 0.012))
    rise = {"mild": 0.10, "moderate": 0.10, "severe": 0.09}[severity]
    floor = frame.dome(side) + 0.045 if severity == "mild" else frame.dome(side) + 0.02
    level = floor - height * across**1.5 - rise * across**5 + (0.03 if severity == "mild" else 0.0)
    fluid = 1 / (1 + np.exp(np.clip((level - y) / 0.007, -30, 30)))
    mask = np.asarray(fluid * chest.lungs[side], np.float32)
    _fill(chest, mask, density=0.08 + 0.03 * (severity == "severe"))


def _pneumothorax(chest: Chest, *, side: Laterality, large: bool, rng: np.random.Generator) -> None:
    """Draw air around a shrunken lung: a rim without vessels, and the pleural line as its inner border."""
    frame, canvas = chest.frame, chest.canvas
    outline = np.array(frame.lung_outline(side))
    gap = (0.24 if large else 0.135) + float(rng.uniform(-0.012, 0.012))
    hilum, base = 0.12, frame.angle(side)
    pulled: list[Point] = []
    for x, y in outline:
        depth = np.clip((base - y) / (base - frame.apex), 0, 1)
        inner = sign(side) * max(hilum, abs(x) - gap * (0.62 + 0.5 * depth))
        pulled.append((float(inner), float(y + 0.75 * gap * depth**1.5)))
    lung = canvas.polygon(pulled, soft=0.003)
    rim = np.clip(chest.lungs[side] - lung, 0, 1)
    chest.air *= 1 + 0.32 * rim
    chest.vessels *= 1 - rim
    chest.soft += (0.06 if large else 0.03) * lung * chest.lungs[side]
    line = canvas.blur(canvas.lines([([*pulled, pulled[0]], 0.009, 1.0)]), sigma=0.0015)
    chest.soft += (
        0.22 * line * canvas.blur(chest.lungs[side], sigma=0.01) * np.clip(canvas.blur(rim, sigma=0.01) * 3, 0, 1)
    )


def _opacity(chest: Chest, finding: DrawnFinding, *, side: Laterality, rng: np.random.Generator) -> None:
    """Draw a patchy, ill-defined shadow: a handful of overlapping soft patches."""
    canvas = chest.canvas
    x, y = chest.frame.zone_centre(side, finding.zone or "middle")
    haze = 0.75 * canvas.blob((x, y), radius=0.052)
    for _ in range(6):
        spot = (x + float(rng.normal(0, 0.075)), y + float(rng.normal(0, 0.036)))
        haze = haze + float(rng.uniform(0.45, 0.8)) * canvas.blob(spot, radius=float(rng.uniform(0.014, 0.028)))
    mottled = haze * np.clip(1 + 0.25 * canvas.cloud(rng, grain=0.03), 0.3, 1.6)
    _fill(chest, np.asarray(np.clip(0.72 * mottled, 0, 0.85), np.float32) * chest.lungs[side], density=0.05)


def _consolidation(chest: Chest, finding: DrawnFinding, *, side: Laterality, rng: np.random.Generator) -> None:
    """Draw airless lung, dense and even up to a straight fissure, with the bronchi as dark branches in it."""
    canvas, frame = chest.canvas, chest.frame
    x, y = frame.zone_centre(side, finding.zone or "middle")
    wide, high = 0.21 + float(rng.uniform(-0.015, 0.02)), 0.088 + float(rng.uniform(-0.008, 0.008))
    slant = sign(side) * float(rng.uniform(0.01, 0.03))
    corners = [(x - wide, y - high - slant), (x, y - high * 1.15), (x + wide, y - high + slant)]
    corners += [(x + wide, y + high + slant), (x, y + high), (x - wide, y + high - slant)]
    region = canvas.polygon(corners, soft=0.006) * chest.lungs[side]
    bronchi: list[tuple[list[Point], float, float]] = []
    root = (x - sign(side) * 0.17, y + float(rng.uniform(-0.02, 0.02)))
    for aim in (-0.045, 0.0, 0.05):
        tip = (x + sign(side) * float(rng.uniform(0.05, 0.13)), y + aim + float(rng.uniform(-0.01, 0.01)))
        bronchi.append(([root, tip], 0.011, 1.0))
    airway = canvas.blur(canvas.lines(bronchi), sigma=0.003)
    _fill(chest, np.asarray(region * 0.97, np.float32), density=0.11)
    chest.soft -= 0.17 * airway * region


def _round_lesion(chest: Chest, finding: DrawnFinding, *, side: Laterality, rng: np.random.Generator) -> None:
    """Draw a round shadow of `size_mm`: a nodule with a sharp edge, a mass with a lobed one."""
    canvas = chest.canvas
    x, y = chest.frame.zone_centre(side, finding.zone or "middle")
    centre = (x + float(rng.uniform(-0.05, 0.05)), y + float(rng.uniform(-0.03, 0.03)))
    radius = (finding.size_mm or 24) / 2 / MM_PER_SIDE
    shape = canvas.ellipse(centre, radii=(radius, radius * float(rng.uniform(0.92, 1))), soft=0.0025)
    if finding.concept == "mass":
        for angle in rng.uniform(0, 2 * np.pi, 5):
            lobe = (centre[0] + 1.1 * radius * float(np.cos(angle)), centre[1] + 0.55 * radius * float(np.sin(angle)))
            shape = np.maximum(shape, canvas.ellipse(lobe, radii=(0.5 * radius, 0.5 * radius), soft=0.003))
    _fill(chest, np.asarray(0.9 * shape, np.float32) * chest.lungs[side], density=0.14)


def _atelectasis(chest: Chest, *, side: Laterality, rng: np.random.Generator) -> None:
    """Draw plate-like bands above a raised diaphragm; the frame has already pulled heart and diaphragm over."""
    canvas, frame = chest.canvas, chest.frame
    bands: list[tuple[list[Point], float, float]] = []
    for height in (0.055, 0.105):
        y = frame.dome(side) - height + float(rng.uniform(-0.008, 0.008))
        tilt = float(rng.uniform(-0.02, 0.02))
        inner, outer = 0.26 + float(rng.uniform(0, 0.08)), 0.93 * frame.wall(y)
        bands.append((mirror([(inner, y + tilt), (outer, y - tilt + 0.01)], side=side), 0.02, 1.0))
    plate = canvas.blur(canvas.lines(bands), sigma=0.003) * chest.lungs[side]
    _fill(chest, np.asarray(0.85 * plate, np.float32), density=0.08)


def _edema(chest: Chest, *, rng: np.random.Generator) -> None:
    """Draw a butterfly of haze round both hila, vessels blurred and thicker, short septal lines at the base."""
    canvas, frame = chest.canvas, chest.frame
    haze = canvas.zeros()
    for s in (-1, 1):
        for dx, dy, radius in ((0.22, 0.0, 0.07), (0.34, -0.06, 0.055), (0.34, 0.07, 0.06)):
            haze = haze + canvas.blob((s * dx + frame.shift, 0.43 + dy), radius=radius)
    haze = np.clip(0.62 * haze * (1 + 0.22 * canvas.cloud(rng, grain=0.04)), 0, 0.82)
    both = np.maximum(chest.lungs["left"], chest.lungs["right"])
    chest.vessels = 0.6 * chest.vessels + 1.0 * canvas.blur(chest.vessels, sigma=0.008)
    _fill(chest, np.asarray(haze * both, np.float32), density=0.05)
    chest.soft += 0.13 * _septal_lines(canvas, chest=chest, rng=rng) * both


def _septal_lines(canvas: Canvas, *, chest: Chest, rng: np.random.Generator) -> FloatArray:
    strokes: list[tuple[list[Point], float, float]] = []
    for side in chest.lungs:
        for y in np.linspace(0.54, 0.70, 7):
            outer = chest.frame.wall(float(y)) * 0.985
            inner = outer - float(rng.uniform(0.06, 0.10))
            strokes.append((mirror([(outer, float(y)), (inner, float(y) - 0.004)], side=side), 0.004, 0.9))
    return canvas.lines(strokes)


def _pleural_thickening(chest: Chest, *, side: Laterality, rng: np.random.Generator) -> None:
    """Draw a dense, wavy band along the outer chest wall, with flecks of calcium."""
    frame, canvas = chest.frame, chest.canvas
    heights = np.linspace(frame.apex + 0.13, frame.dome(side) + 0.03, 9)
    depth = rng.uniform(0.075, 0.125, 9)
    depth[[0, -1]] = 0.03
    outer = [(frame.wall(float(y)) + 0.03, float(y)) for y in heights]
    inner = [(frame.wall(float(y)) - float(d), float(y)) for y, d in zip(heights, depth, strict=True)]
    band = canvas.polygon(mirror(smooth(inner) + outer[::-1], side=side), soft=0.003) * chest.lungs[side]
    _fill(chest, np.asarray(0.92 * band, np.float32), density=0.15)
    for _ in range(4):
        y = float(rng.uniform(heights[2], heights[-3]))
        spot = mirror([(frame.wall(y) - float(rng.uniform(0.03, 0.06)), y)], side=side)[0]
        chest.soft += 0.16 * canvas.ellipse(spot, radii=(0.007, 0.014), soft=0.002)


def _fracture(chest: Chest, *, side: Laterality, rib: int, rng: np.random.Generator) -> None:
    """Break the back part of a rib: its outer half steps down, both ends are thick."""
    path = chest.rib_paths[side, rib]
    at = round(len(path) * float(rng.uniform(0.52, 0.62)))
    step = 0.038
    inner, outer = path[: at - 1], [(x + sign(side) * 0.012, y + step) for x, y in path[at + 2 :]]
    chest.rib_paths[side, rib] = inner
    chest.rib_paths[side, rib + 100] = outer
    canvas = chest.canvas
    ends = [canvas.ellipse(end, radii=(0.026, 0.021), soft=0.003) for end in (inner[-1], outer[0])]
    chest.bone += 0.2 * np.maximum(ends[0], ends[1])
