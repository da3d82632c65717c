"""The measures of one invented chest: drawn once for a patient, shifted a little from study to study."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xray.data.phantom.canvas import Point, smooth
from xray.data.phantom.study import PhantomStudy
from xray.types import Laterality

NUM_RIBS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ChestFrame:
    """Where things are on the frontal film, in film coordinates.

    `half_width` is half the inner width of the thorax at its base, `apex` and the domes the upper and lower end of
    the lungs, `shift` the displacement of the mediastinum, `heart_ratio` the cardiothoracic ratio.
    """

    half_width: float
    apex: float
    dome_right: float
    dome_left: float
    heart_ratio: float
    knob_radius: float
    rib_slope: float
    sway: float
    shift: float
    fat: float

    def dome(self, side: Laterality) -> float:
        """Return the height of this side's diaphragm."""
        return self.dome_left if side == "left" else self.dome_right

    def angle(self, side: Laterality) -> float:
        """Return the height of this side's costophrenic angle."""
        return self.dome(side) + 0.115

    def wall(self, y: float) -> float:
        """Return the distance of the inner chest wall from the midline at height y."""
        heights = (self.apex - 0.01, self.apex + 0.06, self.apex + 0.16, self.apex + 0.32, 0.62, 0.85)
        widths = (0.34, 0.56, 0.74, 0.90, 1.0, 1.02)
        return float(np.interp(y, heights, widths)) * self.half_width

    def zone_centre(self, side: Laterality, zone: str) -> Point:
        """Return the middle of a lung zone. The zones are thirds of the lung's height."""
        share = {"upper": 0.23, "middle": 0.52, "lower": 0.80}[zone]
        y = self.apex + share * (self.dome(side) - self.apex)
        wall = self.wall(y)
        if zone == "lower" and side == "left":  # beside the heart, not behind it
            return 0.5 * (0.68 * 2 * self.half_width * self.heart_ratio + wall), y
        return sign(side) * (0.58 if zone == "upper" else 0.62) * wall, y

    def lung_outline(self, side: Laterality) -> list[Point]:
        """Return the lung's closed outline, from the apex down the chest wall and up the mediastinum."""
        top, dome, angle = self.apex, self.dome(side), self.angle(side)
        heights = (top + 0.05, top + 0.12, top + 0.22, top + 0.36, dome - 0.06, dome + 0.05)
        wall = [(self.wall(y), y) for y in heights]
        base = self.half_width
        bottom = [(base, angle), (0.90 * base, dome + 0.055), (0.66 * base, dome + 0.008), (0.44 * base, dome)]
        medial = [(0.13, dome + 0.025), (0.10, 0.55), (0.09, 0.4), (0.10, top + 0.1), (0.17, top + 0.015)]
        outline = smooth([(0.30 * base + 0.08, top), *wall, *bottom, *medial], closed=True)
        return mirror(outline, side=side)


def sign(side: Laterality | None) -> int:
    """Return +1 for the patient's left, which is on the picture's right, and -1 for the right."""
    return 1 if side == "left" else -1


def mirror(points: Sequence[Point], *, side: Laterality) -> list[Point]:
    """Place points given as distances from the midline on one side of the patient."""
    return [(sign(side) * x, y) for x, y in points]


def measure(study: PhantomStudy) -> ChestFrame:
    """Sample a patient's anatomy and this study's breath, then let the findings move what they move."""
    patient = np.random.default_rng([study.patient_seed, 1])
    breath = float(np.random.default_rng([study.seed, 1]).normal(0, 0.008))
    right = float(patient.uniform(0.695, 0.745)) + breath
    left = right + float(patient.uniform(0.018, 0.034))
    ratio = float(patient.uniform(0.42, 0.465))
    heart = study.get("cardiomegaly")
    if heart is not None:
        ratio = float(patient.uniform(0.57, 0.60) if heart.severity == "mild" else patient.uniform(0.69, 0.74))
    shift = 0.0
    collapse, flood = study.get("atelectasis"), study.get("pleural_effusion")
    if collapse is not None:
        shift = 0.085 * sign(collapse.laterality)
        right -= 0.085 * (collapse.laterality == "right")
        left -= 0.085 * (collapse.laterality == "left")
    elif flood is not None and flood.severity == "severe":
        shift = -0.06 * sign(flood.laterality)
    return ChestFrame(
        half_width=float(patient.uniform(0.70, 0.79)),
        apex=float(patient.uniform(0.095, 0.13)),
        dome_right=right,
        dome_left=left,
        heart_ratio=ratio,
        knob_radius=float(patient.uniform(0.036, 0.048)),
        rib_slope=float(patient.uniform(0.85, 1.2)),
        sway=float(patient.normal(0, 0.012)),
        shift=shift,
        fat=float(patient.uniform(0, 1)),
    )
