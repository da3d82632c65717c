"""Disease of lung, pleura, heart and ribs, drawn into a chest from the front.

Sizes are exaggerated where needed so that each finding survives shrinking to 128 px, where a small vision model
looks at it: a nodule is never under 4 px in radius there, a fracture steps by more than a rib's width.
Cardiomegaly and the pull of an atelectasis are measures of the `ChestFrame` and need no drawing here.
"""

import numpy as np

from xray.data.phantom.canvas import Canvas, FloatArray, Point, smooth
from xray.data.phantom.frame import NUM_RIBS, mirror, sign
from xray.data.phantom.frontal import Chest
from xray.data.phantom.study import DrawnFinding
from xray.types import Laterality

MM_PER_SIDE = 340.0
"""What the shorter side of a film measures in the detector plane, in mm: sizes in reports are true to PixelSpacing."""


def add_disease(chest: Chest, *, finding: DrawnFinding, rng: np.random.Generator) -> None:
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
            _opacity(chest, finding=finding, side=sides[0], rng=rng)
        case "consolidation":
            _consolidation(chest, finding=finding, side=sides[0], rng=rng)
        case "nodule" | "mass":
            _round_lesion(chest, finding=finding, side=sides[0], rng=rng)
        case "atelectasis":
            _atelectasis(chest, side=sides[0], rng=rng)
        case "edema":
            _edema(chest, rng=rng)
        case "pleural_thickening":
            _pleural_thickening(chest, side=sides[0], rng=rng)
        case "fracture":
            _fracture(chest, side=sides[0], rib=finding.rib or 6, rng=rng)


def _fill(chest: Chest, *, mask: FloatArray, density: float) -> None:
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
    _fill(chest, mask=mask, density=0.08 + 0.03 * (severity == "severe"))


def _pneumothorax(chest: Chest, *, side: Laterality, large: bool, rng: np.random.Generator) -> None:
    """Draw air around a shrunken lung: a rim without vessels, and the pleural line as its inner border."""
    frame, canvas = chest.frame, chest.canvas
    gap = (0.25 if large else 0.15) + float(rng.uniform(-0.012, 0.012))
    base = frame.angle(side)
    pulled: list[Point] = []
    for x, y in frame.lung_outline(side):
        depth = float(np.clip((base - y) / (base - frame.apex), 0, 1))
        inner = max(min(abs(x), 0.12), abs(x) - gap * (0.62 + 0.5 * depth))
        pulled.append((sign(side) * inner, y + 0.75 * gap * depth**1.5))
    lung = canvas.polygon(pulled, soft=0.002)
    rim = np.clip(chest.lungs[side] - lung, 0, 1)
    line = canvas.blur(canvas.lines([([*pulled, pulled[0]], 0.009, 1.0)]), sigma=0.0012)
    chest.soft += 0.3 * line * np.clip(1.4 * chest.air, 0, 1) * np.clip(3 * canvas.blur(rim, sigma=0.012), 0, 1)
    chest.air *= 1 + 0.35 * rim - (0.22 if large else 0.12) * lung
    chest.vessels *= 1 - rim


def _opacity(chest: Chest, *, finding: DrawnFinding, side: Laterality, rng: np.random.Generator) -> None:
    """Draw a patchy, ill-defined shadow: a handful of overlapping soft patches."""
    canvas = chest.canvas
    x, y = chest.frame.zone_centre(side, finding.zone or "middle")
    haze = 0.5 * canvas.blob((x, y), radius=0.055)
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False) + float(rng.uniform(0, 1)):
        reach = float(rng.uniform(0.25, 1.0))
        spot = (x + 0.16 * reach * float(np.cos(angle)), y + 0.065 * reach * float(np.sin(angle)))
        haze = haze + float(rng.uniform(0.4, 0.85)) * canvas.blob(spot, radius=float(rng.uniform(0.014, 0.024)))
    mottled = haze * np.clip(1 + 0.25 * canvas.cloud(rng, grain=0.03), 0.3, 1.6)
    _fill(chest, mask=np.asarray(np.clip(0.72 * mottled, 0, 0.85), np.float32) * chest.lungs[side], density=0.05)


def _consolidation(chest: Chest, *, finding: DrawnFinding, side: Laterality, rng: np.random.Generator) -> None:
    """Draw airless lung, dense and even, with a sharp fissure on one edge and the bronchi as dark branches in it."""
    canvas, frame = chest.canvas, chest.frame
    x, y = frame.zone_centre(side, finding.zone or "middle")
    wide, high = 0.24 + float(rng.uniform(-0.015, 0.02)), 0.105 + float(rng.uniform(-0.008, 0.008))
    angles = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    reach = rng.uniform(0.85, 1.12, 10)
    ring = [
        (x + wide * r * float(np.cos(a)), y + high * r * float(np.sin(a))) for a, r in zip(angles, reach, strict=True)
    ]
    region = canvas.polygon(smooth(ring, closed=True), soft=0.014)
    grid_x, grid_y = canvas.grid()
    fissure = y + 0.62 * high * (1 if finding.zone == "upper" else -1) + float(rng.uniform(-0.06, 0.06)) * (grid_x - x)
    beyond = (fissure - grid_y) if finding.zone == "upper" else (grid_y - fissure)
    region = region * np.clip(beyond / 0.006 + 0.5, 0, 1) * chest.lungs[side]
    _fill(chest, mask=np.asarray(0.96 * region, np.float32), density=0.10)
    chest.soft -= 0.16 * canvas.blur(canvas.lines(_bronchi((x, y), side=side, rng=rng)), sigma=0.002) * region


def _bronchi(centre: Point, *, side: Laterality, rng: np.random.Generator) -> list[tuple[list[Point], float, float]]:
    """Return a stem from the hilar side that forks twice, as strokes for `Canvas.lines`."""
    x, y = centre
    out = sign(side)
    stem, fork = (
        (x - out * 0.16, y + float(rng.uniform(-0.01, 0.01))),
        (x - out * 0.05, y + float(rng.uniform(-0.015, 0.015))),
    )
    strokes: list[tuple[list[Point], float, float]] = [([stem, fork], 0.011, 1.0)]
    for turn in (-1, 1):
        middle = (fork[0] + out * 0.07, fork[1] + turn * float(rng.uniform(0.015, 0.028)))
        strokes.append(([fork, middle], 0.009, 1.0))
        for again in (-0.016, 0.016):
            tip = (middle[0] + out * 0.06, middle[1] + again + float(rng.uniform(-0.006, 0.006)))
            strokes.append(([middle, tip], 0.007, 0.9))
    return strokes


def _round_lesion(chest: Chest, *, finding: DrawnFinding, side: Laterality, rng: np.random.Generator) -> None:
    """Draw a round shadow of `size_mm`: a nodule with a smooth edge, a mass with a lobed one."""
    canvas = chest.canvas
    x, y = chest.frame.zone_centre(side, finding.zone or "middle")
    centre = (x + float(rng.uniform(-0.05, 0.05)), y + float(rng.uniform(-0.03, 0.03)))
    radius = (finding.size_mm or 24) / 2 / MM_PER_SIDE
    shape = canvas.ellipse(centre, radii=(radius, radius * float(rng.uniform(0.9, 1))), soft=0.003)
    if finding.concept == "mass":
        for angle in rng.uniform(0, 2 * np.pi, 6):
            lobe = (centre[0] + 1.3 * radius * float(np.cos(angle)), centre[1] + 0.65 * radius * float(np.sin(angle)))
            shape = np.maximum(shape, canvas.ellipse(lobe, radii=(0.42 * radius, 0.42 * radius), soft=0.003))
    ball = shape * (0.58 + 0.4 * canvas.blur(shape, sigma=0.5 * radius))
    _fill(chest, mask=np.asarray(ball, np.float32) * chest.lungs[side], density=0.09)


def _atelectasis(chest: Chest, *, side: Laterality, rng: np.random.Generator) -> None:
    """Draw plate-like bands above a raised diaphragm; the frame has already pulled heart and diaphragm over."""
    canvas, frame = chest.canvas, chest.frame
    plates = canvas.zeros()
    for height in (0.05, 0.10):
        y = frame.dome(side) - height + float(rng.uniform(-0.008, 0.008))
        tilt = float(rng.uniform(-0.025, 0.025))
        inner, outer = 0.24 + float(rng.uniform(0, 0.1)), float(rng.uniform(0.82, 0.96)) * frame.wall(y)
        middle, thick = 0.5 * (inner + outer), 0.0115
        lens = [
            (inner, y + tilt),
            (middle, y - thick),
            (outer, y - tilt - 0.3 * thick),
            (outer, y - tilt + 0.3 * thick),
        ]
        lens.append((middle, y + thick))
        plates = np.maximum(plates, canvas.polygon(smooth(mirror(lens, side=side), closed=True), soft=0.003))
    chest.air *= 1 - 0.15 * chest.lungs[side] * np.clip((canvas.grid()[1] - frame.dome(side) + 0.25) / 0.2, 0, 1)
    _fill(chest, mask=np.asarray(0.85 * plates, np.float32) * chest.lungs[side], density=0.09)


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
    _fill(chest, mask=np.asarray(haze * both, np.float32), density=0.05)
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
    _fill(chest, mask=np.asarray(0.92 * band, np.float32), density=0.15)
    for _ in range(4):
        y = float(rng.uniform(heights[2], heights[-3]))
        spot = mirror([(frame.wall(y) - float(rng.uniform(0.03, 0.06)), y)], side=side)[0]
        chest.soft += 0.16 * canvas.ellipse(spot, radii=(0.007, 0.014), soft=0.002)


def _fracture(chest: Chest, *, side: Laterality, rib: int, rng: np.random.Generator) -> None:
    """Break the back part of a rib: its outer half steps down, both ends are thick."""
    canvas = chest.canvas
    path = chest.rib_paths[side, rib]
    at = round(len(path) * float(rng.uniform(0.5, 0.62)))
    inner, outer = path[: at - 1], [(x + sign(side) * 0.012, y + 0.04) for x, y in path[at + 2 :]]
    chest.rib_paths[side, rib] = inner
    chest.rib_paths[side, rib + NUM_RIBS] = outer
    ends = [canvas.ellipse(end, radii=(0.03, 0.021), soft=0.003) for end in (inner[-1], outer[0])]
    broken = canvas.lines([(inner, 0.024, 1.0), (outer, 0.024, 1.0)])
    chest.bone += 0.28 * np.maximum(ends[0], ends[1]) + 0.15 * canvas.blur(broken, sigma=0.002)
