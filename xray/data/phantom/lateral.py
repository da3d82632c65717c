"""The chest from the side: spine behind, breastbone in front, one heart, two domes; the patient faces left."""

import numpy as np

from xray.data.phantom.canvas import Canvas, FloatArray, Point, smooth
from xray.data.phantom.chest_findings import MM_PER_SIDE
from xray.data.phantom.frame import ChestFrame, measure
from xray.data.phantom.frontal import saturate
from xray.data.phantom.study import DrawnFinding, PhantomStudy
from xray.types import Laterality, Severity

_TRUNK: list[Point] = [(-0.16, -0.03), (-0.22, 0.06), (-0.56, 0.2), (-0.72, 0.42), (-0.74, 0.62), (-0.7, 0.82)]
_TRUNK += [(-0.74, 1.05), (0.66, 1.05), (0.7, 0.8), (0.74, 0.5), (0.66, 0.22), (0.42, 0.07), (0.3, -0.03)]
_STERNUM: list[Point] = [(-0.40, 0.22), (-0.55, 0.34), (-0.63, 0.5), (-0.65, 0.62)]


def lateral_density(
    study: PhantomStudy, *, canvas: Canvas, rng: np.random.Generator, disease: np.random.Generator
) -> FloatArray:
    """Draw a left lateral film as a density map: float32 [H, W], 0 = air, 1 = metal.

    `rng` draws the healthy chest, `disease` the findings. Only what a side view can show is drawn: heart size,
    effusion, edema, focal lung disease and a pacemaker.
    """
    frame = measure(study)
    y = canvas.grid()[1]
    trunk = canvas.polygon(smooth(_TRUNK), soft=0.006)
    lung = 0.5 * canvas.polygon(_lung(frame.dome_right), soft=0.004)
    lung += 0.5 * canvas.polygon(_lung(frame.dome_left + 0.01), soft=0.004)
    heart = canvas.polygon(_heart(frame), soft=0.014)
    air = np.asarray(lung * (1 - 0.62 * heart) * (0.62 + 0.55 * y) * (0.9 + 0.1 * canvas.blur(lung, sigma=0.03)))
    soft = trunk * (0.35 + 0.5 * canvas.blur(trunk, sigma=0.05) ** 2) + _arms(canvas) + _vessels(canvas, rng=rng) * lung
    metal = canvas.zeros()
    for finding in study.findings:
        air, soft, metal = _add_finding(
            finding, frame=frame, canvas=canvas, lung=lung, maps=(air, soft, metal), rng=disease
        )
    tissue = soft - 0.62 * air + _bones(canvas) * np.clip(trunk + 0.2, 0, 1)
    return np.asarray(saturate(np.asarray(tissue, np.float32)) * (1 - metal) + metal, np.float32)


def _lung(dome: float) -> list[Point]:
    front: list[Point] = [(0.02, 0.115), (-0.2, 0.16), (-0.44, 0.30), (-0.565, 0.48), (-0.585, dome - 0.06)]
    below: list[Point] = [(-0.42, dome - 0.03), (-0.12, dome - 0.005), (0.2, dome + 0.045), (0.44, dome + 0.13)]
    back: list[Point] = [(0.56, dome + 0.10), (0.62, dome - 0.1), (0.61, 0.42), (0.50, 0.24), (0.28, 0.13)]
    return smooth([*front, *below, *back], closed=True)


def _heart(frame: ChestFrame) -> list[Point]:
    """Lie on the front of the diaphragm; a large heart fills the space behind it and the one behind the sternum."""
    grow = max(0.0, frame.heart_ratio - 0.45)
    dome = frame.dome_left
    points: list[Point] = [(-0.58, dome + 0.01), (-0.56, dome - 0.13 - 0.3 * grow), (-0.42, dome - 0.24 - 0.4 * grow)]
    points += [(-0.2, 0.42), (-0.02, 0.40), (0.05 + 0.4 * grow, 0.5), (0.1 + 0.75 * grow, dome - 0.12)]
    return smooth([*points, (0.06 + 0.6 * grow, dome + 0.03), (-0.25, dome + 0.03)], closed=True)


def _arms(canvas: Canvas) -> FloatArray:
    """Raise the arms: they veil the top of the film in front."""
    arm = canvas.polygon(smooth([(-0.95, -0.03), (-0.62, 0.1), (-0.2, 0.19), (0.18, 0.17), (0.3, -0.03)]), soft=0.035)
    return np.asarray(0.22 * arm, np.float32)


def _vessels(canvas: Canvas, *, rng: np.random.Generator) -> FloatArray:
    root = (0.02, 0.42)
    strokes: list[tuple[list[Point], float, float]] = []
    for angle in np.linspace(0, 2 * np.pi, 18):
        aim, reach = angle + rng.uniform(-0.3, 0.3), float(rng.uniform(0.05, 0.24))
        bent = (root[0] + reach * float(np.cos(aim)), root[1] + 0.5 * reach * float(np.sin(aim)))
        tip = (root[0] + 2.2 * reach * float(np.cos(aim + 0.2)), root[1] + 1.1 * reach * float(np.sin(aim + 0.2)))
        strokes += [(smooth([root, bent, tip]), 0.005, 0.5), ([root, bent], 0.009, 0.6)]
    tree = canvas.blur(canvas.lines(strokes), sigma=0.003)
    return np.asarray(0.07 * tree + 0.10 * canvas.blob(root, radius=0.034), np.float32)


def _bones(canvas: Canvas) -> FloatArray:
    """Draw vertebrae with their end plates, the breastbone, and the ribs of both sides, steep and scalloped behind."""
    spine: list[tuple[list[Point], float, float]] = []
    for level in range(14):
        y = 0.02 + level * 0.073
        x = 0.33 + 0.12 * float(np.sin(np.pi * min(y / 0.95, 1.0)))
        spine.append(([(x - 0.05, y), (x + 0.05, y + 0.006)], 0.05, 0.5))
        spine += [([(x - 0.075, y + d), (x + 0.075, y + d + 0.006)], 0.005, 0.9) for d in (-0.024, 0.024)]
        spine.append(([(x + 0.1, y), (x + 0.2, y + 0.03)], 0.018, 0.5))
    ribs: list[tuple[list[Point], float, float]] = []
    for rib in range(9):
        for offset in (0.0, 0.02):
            y = 0.15 + rib * 0.07 + offset
            path = smooth([(0.45, y - 0.01), (0.585, y + 0.02), (0.4, y + 0.07), (0.0, y + 0.15), (-0.34, y + 0.19)])
            ribs += [(path, 0.018, 0.9), (path, 0.013, 0.45)]
    sternum = smooth(_STERNUM)
    front = canvas.lines([(sternum, 0.03, 0.9), (sternum, 0.02, 0.5)])
    density = 0.15 * canvas.lines(spine) + 0.05 * canvas.lines(ribs) + 0.12 * front
    return canvas.blur(np.asarray(density, np.float32), sigma=0.003)


_Maps = tuple[FloatArray, FloatArray, FloatArray]


def _add_finding(
    finding: DrawnFinding,
    *,
    frame: ChestFrame,
    canvas: Canvas,
    lung: FloatArray,
    maps: _Maps,
    rng: np.random.Generator,
) -> _Maps:
    """Return air, soft tissue and metal with one finding in them."""
    air, soft, metal = maps
    if finding.concept == "pacemaker":
        leads = smooth([(-0.5, 0.2), (-0.2, 0.22), (-0.06, 0.36), (-0.1, 0.52), (-0.42, frame.dome_left - 0.06)])
        can = canvas.ellipse((-0.56, 0.22), radii=(0.02, 0.05), angle=20, soft=0.002)
        return air, soft, np.maximum(metal, np.maximum(can, 0.9 * canvas.lines([(leads, 0.008, 1.0)])))
    shadow = _shadow(finding, canvas=canvas, frame=frame, rng=rng) * np.clip(1.5 * lung, 0, 1)
    return np.asarray(air * (1 - shadow), np.float32), np.asarray(soft + 0.06 * shadow, np.float32), metal


def _shadow(finding: DrawnFinding, *, canvas: Canvas, frame: ChestFrame, rng: np.random.Generator) -> FloatArray:
    """Return how much of the lung's air a finding takes: float32 [H, W] in [0, 1], zero for what a side view hides."""
    side: Laterality = "left" if finding.laterality == "left" else "right"
    focus = (float(rng.uniform(-0.25, 0.3)), frame.zone_centre(side, finding.zone or "middle")[1])
    match finding.concept:
        case "pleural_effusion":
            return _fluid(canvas, frame=frame, severity=finding.severity or "mild")
        case "opacity":
            return 0.6 * canvas.blob(focus, radius=0.07)
        case "consolidation":
            return 0.9 * canvas.blob(focus, radius=0.075)
        case "nodule" | "mass":
            radius = (finding.size_mm or 24) / 2 / MM_PER_SIDE
            return 0.85 * canvas.ellipse(focus, radii=(radius, radius), soft=0.003)
        case "edema":
            return 0.6 * canvas.blob((0.03, 0.43), radius=0.13)
        case _:
            return canvas.zeros()


def _fluid(canvas: Canvas, *, frame: ChestFrame, severity: Severity) -> FloatArray:
    """Rise behind: fluid collects first in the posterior angle."""
    x, y = canvas.grid()
    height = {"mild": 0.07, "moderate": 0.22, "severe": 0.38}[severity]
    level = frame.dome_right + 0.10 - height - 0.08 * np.clip((x + 0.1) / 0.7, 0, 1) ** 3
    return np.asarray(np.clip((y - level) / 0.02, 0, 1), np.float32)
