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
        """Sum the maps and let the film saturate: [H, W], 0 = air, about 0.9 = thick bone, 1 = metal."""
        tissue = self.soft - 0.5 * self.air + self.vessels * np.clip(self.air, 0.2, 1) + self.bone
        return saturate(tissue) * (1 - self.metal) + self.metal


def saturate(density: FloatArray) -> FloatArray:
    """Flatten dense parts as a film does, so that ribs stand out over lung and hardly over heart and liver."""
    return np.asarray(1.12 * (1 - np.exp(-1.6 * np.maximum(density, 0))), np.float32)


def build_chest(
    canvas: Canvas, *, frame: ChestFrame, sex: str, patient: np.random.Generator, rng: np.random.Generator
) -> Chest:
    """Draw a healthy chest. `patient` draws what the patient's studies share, `rng` what changes."""
    lungs = {side: canvas.polygon(frame.lung_outline(side)) for side in SIDES}
    both = np.maximum(lungs["right"], lungs["left"])
    core = _mediastinum(canvas, frame=frame)
    depth = 0.42 + 0.55 * canvas.blur(both, sigma=0.055)
    rib_paths = {(side, rib): _posterior_rib(frame, side=side, rib=rib) for side in SIDES for rib in _ribs()}
    chest = Chest(
        canvas=canvas,
        frame=frame,
        soft=_body(canvas, frame=frame, sex=sex) + 0.14 * core,
        bone=canvas.zeros(),
        air=both
        * depth
        * (1 - 0.93 * core)
        * (1 + 0.05 * canvas.cloud(rng, grain=0.12) + 0.02 * canvas.cloud(rng, grain=0.012)),
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
    """Draw neck, shoulders, arms and trunk, thinner towards the skin; a woman's breasts veil the lower lungs."""
    outer = min(0.97, frame.half_width + 0.10 + 0.08 * frame.fat)
    half = [(0.15, -0.03), (0.16, 0.03), (0.24, 0.075), (0.5, 0.10), (0.78, 0.115), (0.97, 0.17), (1.08, 0.30)]
    half += [(outer + 0.03, 0.42), (outer, 0.55), (outer - 0.01, 0.75), (outer + 0.03, 1.06)]
    outline = smooth(half)
    inside = canvas.polygon(outline + [(-x, y) for x, y in reversed(outline)], soft=0.004)
    arms = canvas.lines([(mirror([(0.97, 0.25), (1.06, 0.45), (1.14, 0.75)], side=side), 0.17, 1.0) for side in SIDES])
    whole = np.maximum(inside, canvas.blur(arms, sigma=0.004))
    x, y = canvas.grid()
    thickness = np.sqrt(np.clip(1 - (x / 1.28) ** 2, 0.1, 1)) * (0.55 + 0.05 * frame.fat + 0.13 * y)
    body = whole * thickness * (0.25 + 0.75 * canvas.blur(inside, sigma=0.035) ** 2)
    if sex == "F":
        for side in SIDES:
            breast = canvas.ellipse((sign(side) * 0.52, 0.60), radii=(0.175, 0.155), angle=-8 * sign(side), soft=0.006)
            body = body + 0.06 * breast * np.clip(y * 3.2 - 1.3, 0, 1)
    return np.asarray(body, np.float32)


def _mediastinum(canvas: Canvas, *, frame: ChestFrame) -> FloatArray:
    """Draw the mediastinal shadow: great vessels, aortic knob and the heart with its apex to the patient's left."""
    width = 2 * frame.half_width * frame.heart_ratio
    right, left, dome = 0.32 * width, 0.68 * width, frame.dome_left
    points = [(-0.07, -0.03), (-0.075, 0.1), (-0.095, 0.22), (-0.10, 0.36), (-0.5 * right - 0.06, dome - 0.29)]
    points += [(-0.97 * right, dome - 0.17), (-0.98 * right, dome - 0.09), (-0.72 * right, dome + 0.01)]
    points += [
        (0.3 * left, dome + 0.045),
        (0.88 * left, dome + 0.015),
        (left, dome - 0.035),
        (0.93 * left, dome - 0.10),
    ]
    points += [(0.72 * left, dome - 0.20), (0.40 * left + 0.035, dome - 0.29), (0.155, 0.395), (0.125, 0.345)]
    points += [(0.09, 0.24), (0.085, 0.12), (0.08, -0.03)]
    moved = [(x + frame.shift * min(1.0, max(0.25, y * 1.6)), y) for x, y in smooth(points, closed=True)]
    shadow = canvas.polygon(moved, soft=0.007)
    knob = canvas.ellipse((0.085 + 0.5 * frame.shift, 0.275), radii=(frame.knob_radius, 1.25 * frame.knob_radius))
    return np.maximum(shadow, canvas.blur(knob, sigma=0.007))


def _airway(chest: Chest) -> None:
    """Draw the air column of the trachea and the main bronchi, the right one steeper."""
    canvas, shift = chest.canvas, chest.frame.shift
    carina = (-0.015 + 0.55 * shift, 0.335)
    trachea = [(0.2 * shift, -0.02), (-0.01 + 0.3 * shift, 0.16), carina]
    right, left = (-0.11 + 0.6 * shift, 0.40), (0.13 + 0.6 * shift, 0.405)
    tubes = canvas.lines([(smooth(trachea), 0.036, 1), ([carina, right], 0.028, 0.9), ([carina, left], 0.026, 0.8)])
    chest.soft -= 0.13 * canvas.blur(tubes, sigma=0.005)


def _abdomen(chest: Chest, *, rng: np.random.Generator) -> None:
    """Thicken what lies under the domes; gas of stomach under the left one, level below, and a little bowel gas."""
    frame, canvas = chest.frame, chest.canvas
    y = canvas.grid()[1]
    below = np.clip((y - frame.dome_right + 0.02) / 0.16, 0, 1)
    chest.soft += 0.10 * below * (chest.soft > 0.2)
    x, radius = float(rng.uniform(0.36, 0.50)), float(rng.uniform(0.06, 0.09))
    top = frame.dome_left + 0.045
    bubble = canvas.ellipse((x, top + radius * 0.62), radii=(radius, radius * 0.62), angle=6, soft=0.004)
    gas = bubble * np.clip((top + radius * 0.95 - y) / 0.006, 0, 1) * (1 - chest.lungs["left"])
    chest.soft -= float(rng.uniform(0.2, 0.32)) * gas
    for _ in range(4):
        spot = (float(rng.uniform(-0.2, 0.75)), float(rng.uniform(0.93, 1.0)))
        chest.soft -= 0.12 * canvas.blob(spot, radius=float(rng.uniform(0.012, 0.03)))


def _spine(canvas: Canvas, *, frame: ChestFrame) -> FloatArray:
    """Draw the vertebral bodies with darker discs between them, their pedicles and spinous processes."""
    strokes: list[tuple[list[Point], float, float]] = []
    for level in range(15):
        y = -0.02 + level * 0.072
        x = frame.sway * np.sin(3 * y)
        wide = 0.05 + 0.018 * y
        strokes.append(([(x - wide, y), (x + wide, y)], 0.05, 0.55))
        strokes += [([(x - wide, y + d), (x + wide, y + d)], 0.005, 0.85) for d in (-0.024, 0.024)]
        strokes.append(([(x, y + 0.006), (x, y + 0.03)], 0.013, 0.9))
        strokes += [([(x + s * wide, y - 0.012), (x + s * wide, y + 0.008)], 0.01, 0.85) for s in (-1, 1)]
    fade = np.clip(1.15 - 0.5 * canvas.grid()[1], 0.6, 1)
    return np.asarray(0.17 * fade * canvas.blur(canvas.lines(strokes), sigma=0.004), np.float32)


def _girdle(canvas: Canvas, *, frame: ChestFrame) -> FloatArray:
    """Draw clavicles, shoulder blades and upper arms."""
    density = canvas.zeros()
    rise = frame.apex - 0.11
    edge = frame.half_width
    for side in SIDES:
        collar = smooth([(0.07, 0.20), (0.2, 0.183), (0.42, 0.145), (0.62, 0.118), (0.82, 0.117), (0.9, 0.128)])
        collar = mirror([(x, y + rise) for x, y in collar], side=side)
        density += 0.16 * canvas.lines([(collar, 0.028, 1.0), (collar, 0.019, 0.62)])
        blade = mirror([(edge * 1.02, 0.15), (edge * 0.93, 0.30), (edge * 0.99, 0.42), (edge * 1.2, 0.24)], side=side)
        blade = smooth(blade, closed=True)
        density += 0.05 * canvas.polygon(blade, soft=0) + 0.05 * canvas.lines([(blade, 0.006, 1.0)])
        shaft = smooth(mirror([(0.97, 0.175), (1.03, 0.3), (1.1, 0.55), (1.18, 0.8)], side=side))
        head = canvas.ellipse((sign(side) * 0.955, 0.17), radii=(0.05, 0.055))
        arm = np.maximum(head * 0.9, canvas.lines([(shaft, 0.06, 1.0), (shaft, 0.04, 0.65)]))
        density += 0.17 * arm
    return canvas.blur(density, sigma=0.003)


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
    """Draw the ribs where `rib_paths` has them: the back parts with bright borders, the front parts fainter.

    Where the ribs bend round the side they are seen end-on: the bright line along the chest wall.
    """
    canvas, frame = chest.canvas, chest.frame
    back = canvas.lines(_bordered(list(chest.rib_paths.values()), width=0.023))
    front_paths = [_anterior_rib(frame, side=side, rib=rib) for side in SIDES for rib in range(2, 8)]
    front = canvas.lines(_bordered(front_paths, width=0.026))
    heights = np.linspace(frame.apex + 0.08, frame.dome_left + 0.1, 12)
    walls = [mirror(smooth([(frame.wall(float(y)) + 0.012, float(y)) for y in heights]), side=side) for side in SIDES]
    wall = canvas.blur(canvas.lines([(path, 0.014, 1.0) for path in walls]), sigma=0.004)
    chest.bone += 0.13 * canvas.blur(back, sigma=0.002) + 0.055 * canvas.blur(front, sigma=0.003) + 0.06 * wall


def _bordered(paths: list[list[Point]], *, width: float) -> list[tuple[list[Point], float, float]]:
    return [stroke for path in paths for stroke in ((path, width, 1.0), (path, 0.78 * width, 0.55))]


def _vessels(canvas: Canvas, *, frame: ChestFrame, rng: np.random.Generator) -> FloatArray:
    """Grow the pulmonary vessels from both hila, thinner with every branching."""
    strokes: list[tuple[list[Point], float, float]] = []
    hila = canvas.zeros()
    for side in SIDES:
        root = (sign(side) * 0.15 + 0.6 * frame.shift, 0.415 if side == "right" else 0.395)
        for dx, dy, radius in ((0.0, 0.0, 0.024), (0.035, 0.045, 0.018), (0.01, -0.035, 0.014)):
            hila = hila + canvas.blob((root[0] + sign(side) * dx, root[1] + dy), radius=radius)
        for angle in (-72, -48, -20, 8, 30, 48, 64, 80):
            aim = float(np.deg2rad(angle + rng.uniform(-10, 10)))
            width = 0.011 if angle < 20 else 0.014
            _branch(strokes, start=root, aim=aim, side=side, width=width, length=float(rng.uniform(0.06, 0.1)), rng=rng)
    tree = canvas.blur(canvas.lines(strokes), sigma=0.0022)
    return np.asarray(0.145 * tree + 0.12 * np.minimum(hila, 1.2), np.float32)


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
    path = [start]
    for _ in range(3):
        aim += float(rng.uniform(-0.22, 0.22))
        x, y = path[-1]
        path.append((x + sign(side) * 2 / 3 * length * float(np.cos(aim)), y + length / 3 * float(np.sin(aim))))
    strokes.append((path, width, 0.2 + 55 * width))
    if width < 0.0033:
        return
    for turn in (-1, 1):
        angle = aim + turn * float(rng.uniform(0.1, 0.65))
        shorter = length * float(rng.uniform(0.6, 0.95))
        thinner = width * float(rng.uniform(0.55, 0.72))
        _branch(strokes, start=path[-1], aim=angle, side=side, width=thinner, length=shorter, rng=rng)
