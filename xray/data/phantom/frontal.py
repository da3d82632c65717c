"""The healthy chest from the front: body, lungs, mediastinum, bones and vessels as one density map."""

from dataclasses import dataclass

import numpy as np

from xray.data.phantom.canvas import Canvas, FloatArray, Point, smooth
from xray.data.phantom.frame import NUM_RIBS, ChestFrame, mirror, sign
from xray.types import Laterality

SIDES: tuple[Laterality, Laterality] = ("right", "left")


@dataclass(slots=True, kw_only=True)
class Chest:
    """A film in the making. Findings change these maps before `compose` sums them.

    `soft` is soft tissue and `bone` bone density, `air` the lungs' darkening, `vessels` their markings, `metal`
    what hides everything else; `lungs` are the masks of the two lungs as the ribs enclose them. All float32 [H, W].
    `rib_paths` are the back parts of the ribs, from the spine outwards.
    """

    canvas: Canvas
    frame: ChestFrame
    soft: FloatArray
    bone: FloatArray
    air: FloatArray
    vessels: FloatArray
    metal: FloatArray
    lungs: dict[Laterality, FloatArray]
    rib_paths: dict[tuple[Laterality, int], list[Point]]

    def compose(self) -> FloatArray:
        """Sum the maps to a density map, about 0 (air) to 1 (thick bone)."""
        tissue = self.soft - 0.5 * self.air + self.vessels * np.clip(self.air, 0.25, 1) + self.bone
        return tissue * (1 - self.metal) + 1.05 * self.metal


def build_chest(
    canvas: Canvas, *, frame: ChestFrame, sex: str, patient: np.random.Generator, rng: np.random.Generator
) -> Chest:
    """Draw a healthy chest. `patient` draws what the patient's studies share, `rng` what changes."""
    lungs = {side: canvas.polygon(frame.lung_outline(side)) for side in SIDES}
    both = np.maximum(lungs["right"], lungs["left"])
    core = _mediastinum(canvas, frame=frame)
    depth = 0.62 + 0.55 * canvas.blur(both, sigma=0.05)
    rib_paths = {(side, rib): _posterior_rib(frame, side=side, rib=rib) for side in SIDES for rib in _ribs()}
    chest = Chest(
        canvas=canvas,
        frame=frame,
        soft=_body(canvas, frame=frame, sex=sex) + 0.15 * core,
        bone=canvas.zeros(),
        air=both * depth * (1 - 0.93 * core) * (1 + 0.05 * canvas.cloud(rng, grain=0.12)),
        vessels=_vessels(canvas, frame=frame, rng=patient) * both,
        metal=canvas.zeros(),
        lungs=lungs,
        rib_paths=rib_paths,
    )
    _airway(chest)
    _abdomen(chest, rng=rng)
    chest.bone += _spine(canvas, frame=frame) + _girdle(canvas, frame=frame)
    return chest


def _ribs() -> range:
    return range(1, NUM_RIBS + 1)


def _body(canvas: Canvas, *, frame: ChestFrame, sex: str) -> FloatArray:
    """Draw neck, shoulders and trunk, thicker in the middle; a woman's breasts veil the lower lungs."""
    outer = min(0.98, frame.half_width + 0.11 + 0.08 * frame.fat)
    half = [(0.17, -0.02), (0.18, 0.03), (0.32, 0.07), (0.7, 0.1), (1.1, 0.17), (1.1, 0.36), (outer, 0.44)]
    half += [(outer - 0.01, 0.7), (outer + 0.02, 1.05)]
    outline = smooth(half) + [(-x, y) for x, y in reversed(smooth(half))]
    inside = canvas.polygon(outline, soft=0.006)
    x, y = canvas.grid()
    thickness = np.sqrt(np.clip(1 - (x / 1.35) ** 2, 0.05, 1)) * (0.56 + 0.05 * frame.fat + 0.08 * y)
    body = inside * thickness
    if sex == "F":
        for side in SIDES:
            breast = canvas.ellipse((sign(side) * 0.5, 0.60), radii=(0.18, 0.165), soft=0.012)
            body = body + 0.055 * breast * np.clip(y * 3.2 - 1.3, 0, 1)
    return np.asarray(body, np.float32)


def _mediastinum(canvas: Canvas, *, frame: ChestFrame) -> FloatArray:
    """Draw the mediastinal shadow: great vessels, aortic knob and the heart with its apex to the patient's left."""
    width = 2 * frame.half_width * frame.heart_ratio
    right, left, dome = 0.33 * width, 0.67 * width, frame.dome_left
    bulge = 0.30 + 0.24 * max(0.0, frame.heart_ratio - 0.45) / 0.25
    points = [(-0.085, -0.02), (-0.085, 0.12), (-0.10, 0.26), (-0.105, 0.37), (-0.06 - 0.6 * right, 0.44)]
    points += [(-right, 0.56), (-0.97 * right, 0.64), (-0.55 * right, dome + 0.03)]
    points += [(0.5 * left, dome + 0.05), (0.93 * left, dome + 0.005), (left, dome - 0.07)]
    points += [(left * (0.62 + bulge * 0.55), 0.54), (0.10 + 0.33 * left, 0.44), (0.13, 0.37), (0.105, 0.3)]
    points += [(0.10, 0.2), (0.085, 0.1), (0.085, -0.02)]
    moved = [(x + frame.shift * min(1.0, max(0.25, y * 1.6)), y) for x, y in smooth(points, closed=True)]
    shadow = canvas.polygon(moved, soft=0.008)
    knob = canvas.ellipse((0.105 + 0.5 * frame.shift, 0.285), radii=(frame.knob_radius,) * 2, soft=0.004)
    return np.maximum(shadow, knob)


def _airway(chest: Chest) -> None:
    """Draw the air column of the trachea and the main bronchi, the right one steeper."""
    canvas, shift = chest.canvas, chest.frame.shift
    carina = (-0.015 + 0.55 * shift, 0.335)
    trachea = [(0.2 * shift, -0.02), (-0.01 + 0.3 * shift, 0.16), carina]
    right, left = (-0.11 + 0.6 * shift, 0.40), (0.13 + 0.6 * shift, 0.405)
    tubes = canvas.lines([(smooth(trachea), 0.036, 1), ([carina, right], 0.028, 0.9), ([carina, left], 0.026, 0.8)])
    chest.soft -= 0.13 * canvas.blur(tubes, sigma=0.005)


def _abdomen(chest: Chest, *, rng: np.random.Generator) -> None:
    """Darken the gas bubble of the stomach under the left dome, and a little bowel gas at the bottom."""
    frame, canvas = chest.frame, chest.canvas
    centre = (float(rng.uniform(0.34, 0.48)), frame.dome_left + 0.085)
    bubble = canvas.ellipse(centre, radii=(float(rng.uniform(0.05, 0.085)), 0.036), angle=-8, soft=0.006)
    chest.soft -= 0.22 * bubble * (1 - chest.lungs["left"])
    for _ in range(3):
        spot = (float(rng.uniform(-0.1, 0.7)), float(rng.uniform(0.93, 1.0)))
        chest.soft -= 0.08 * canvas.blob(spot, radius=float(rng.uniform(0.012, 0.03)))


def _spine(canvas: Canvas, *, frame: ChestFrame) -> FloatArray:
    """Draw the vertebral bodies with darker discs between them, and the spinous processes."""
    strokes: list[tuple[list[Point], float, float]] = []
    for level in range(15):
        y = -0.02 + level * 0.072
        x = frame.sway * np.sin(3 * y)
        wide = 0.052 + 0.018 * y
        strokes += [
            ([(x - wide, y), (x + wide, y)], 0.056, 0.62),
            ([(x - wide, y - 0.024), (x + wide, y - 0.024)], 0.006, 1),
        ]
        strokes += [([(x, y + 0.01), (x, y + 0.03)], 0.016, 0.95)]
        strokes += [([(x + s * wide * 1.1, y - 0.01), (x + s * wide * 1.1, y + 0.012)], 0.012, 0.9) for s in (-1, 1)]
    return 0.16 * canvas.blur(canvas.lines(strokes), sigma=0.004)


def _girdle(canvas: Canvas, *, frame: ChestFrame) -> FloatArray:
    """Draw clavicles, shoulder blades and the heads of the upper arms."""
    density = canvas.zeros()
    for side in SIDES:
        rise = frame.apex - 0.11
        collar = smooth(mirror([(0.075, 0.195), (0.25, 0.168), (0.45, 0.135), (0.66, 0.115), (0.84, 0.11)], side=side))
        collar = [(x, y + rise) for x, y in collar]
        layer = canvas.lines([(collar, 0.034, 1.0), (collar, 0.022, 0.68)])
        density += 0.17 * canvas.blur(layer, sigma=0.003)
        edge = frame.half_width
        blade = mirror([(edge * 0.98, 0.14), (edge * 0.93, 0.3), (edge * 1.0, 0.42), (edge * 1.16, 0.25)], side=side)
        density += 0.05 * canvas.polygon(smooth(blade, closed=True), soft=0.004)
        density += 0.14 * canvas.ellipse((sign(side) * 0.99, 0.165), radii=(0.065, 0.07), soft=0.006)
    return density


def _posterior_rib(frame: ChestFrame, *, side: Laterality, rib: int) -> list[Point]:
    start = frame.apex + 0.005 + (rib - 1) * 0.0665
    fall = frame.rib_slope * (0.05 + 0.0085 * rib)
    outer = frame.wall(start + fall) * 1.03
    points = [(0.075, start), (0.36 * outer, start - 0.016), (0.72 * outer, start + 0.25 * fall), (outer, start + fall)]
    return mirror(smooth(points), side=side)


def _anterior_rib(frame: ChestFrame, *, side: Laterality, rib: int) -> list[Point]:
    outer_x, outer_y = _posterior_rib(frame, side="left", rib=rib)[-1]
    fall = frame.rib_slope * (0.10 + 0.012 * rib)
    inner = 0.24 + 0.025 * rib
    points = [(outer_x, outer_y), (0.97 * outer_x, outer_y + 0.35 * fall), (inner + 0.16, outer_y + 0.9 * fall)]
    return mirror(smooth([*points, (inner, outer_y + fall)]), side=side)


def add_ribs(chest: Chest) -> None:
    """Draw the ribs where `rib_paths` has them: the back parts with bright borders, the front parts fainter."""
    canvas = chest.canvas
    back = canvas.lines(_bordered(list(chest.rib_paths.values()), width=0.024))
    front_paths = [_anterior_rib(chest.frame, side=side, rib=rib) for side in SIDES for rib in range(2, 8)]
    front = canvas.lines(_bordered(front_paths, width=0.027))
    chest.bone += 0.125 * canvas.blur(back, sigma=0.0022) + 0.06 * canvas.blur(front, sigma=0.003)


def _bordered(paths: list[list[Point]], *, width: float) -> list[tuple[list[Point], float, float]]:
    return [stroke for path in paths for stroke in ((path, width, 1.0), (path, 0.72 * width, 0.6))]


def _vessels(canvas: Canvas, *, frame: ChestFrame, rng: np.random.Generator) -> FloatArray:
    """Grow the pulmonary vessels from both hila, thinner with every branching."""
    strokes: list[tuple[list[Point], float, float]] = []
    hila: list[FloatArray] = []
    for side in SIDES:
        root = (sign(side) * 0.15 + 0.6 * frame.shift, 0.41 if side == "right" else 0.395)
        hila.append(canvas.blob(root, radius=0.035))
        for angle in np.linspace(-75, 80, 8):
            aim = np.deg2rad(angle + rng.uniform(-9, 9))
            _branch(strokes, start=root, aim=float(aim), side=side, width=0.014, length=0.095, rng=rng)
    tree = canvas.blur(canvas.lines(strokes), sigma=0.0025)
    return np.asarray(0.17 * tree + 0.10 * np.maximum(hila[0], hila[1]), np.float32)


def _branch(
    strokes: list[tuple[list[Point], float, float]],
    *,
    start: Point,
    aim: float,
    side: Laterality,
    width: float,
    length: float,
    rng: np.random.Generator,
) -> None:
    """Add one vessel and its branches; `aim` is the angle below the horizontal, outwards, in radians."""
    bend = aim + rng.uniform(-0.15, 0.15)
    end = (start[0] + sign(side) * 2 * length * float(np.cos(bend)), start[1] + length * float(np.sin(bend)))
    strokes.append(([start, end], width, 0.35 + 45 * width))
    if width < 0.0035:
        return
    for turn in (-1, 1):
        angle = aim + turn * rng.uniform(0.15, 0.5)
        shorter = length * rng.uniform(0.62, 0.85)
        _branch(strokes, start=end, aim=float(angle), side=side, width=width * 0.66, length=float(shorter), rng=rng)
