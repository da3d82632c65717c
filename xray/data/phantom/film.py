"""From density to film: position, exposure, scatter, grain, side marker and collimator."""

from dataclasses import dataclass

import cv2
import numpy as np

from xray.data.phantom.canvas import Canvas, FloatArray
from xray.data.phantom.chest_findings import add_disease
from xray.data.phantom.devices import add_device
from xray.data.phantom.frame import measure
from xray.data.phantom.frontal import add_ribs, build_chest
from xray.data.phantom.lateral import lateral_density
from xray.data.phantom.study import PhantomStudy, Style
from xray.errors import ConfigError
from xray.types import View

SMALLEST_FILM = 32


def draw(study: PhantomStudy, *, view: View, style: Style, size: int = 512) -> FloatArray:
    """Draw one film: float32 [H, W] in [0, 1], 1 = bright (dense), as a MONOCHROME2 picture shows it.

    The longer side is `size` px, the aspect H / W between 0.9 and 1.18. The same study gives the same film. Raises
    ConfigError for a view other than frontal and lateral, or a size under 32 px.
    """
    if view == "unknown" or size < SMALLEST_FILM:
        raise ConfigError(f"phantom film: view {view!r}, size {size}. Ask for frontal or lateral, 32 px or more.")
    # Findings draw from a stream of their own: the film around them is the healthy one of the same study.
    rng, disease = np.random.default_rng([study.seed, 2 if view == "frontal" else 3]).spawn(2)
    aspect = float(rng.uniform(0.9, 1.18))
    canvas = Canvas(height=round(size * min(1.0, aspect)), width=round(size * min(1.0, 1 / aspect)))
    if view == "frontal":
        density = _frontal_density(study, canvas=canvas, rng=rng, disease=disease)
    else:
        density = lateral_density(study, canvas=canvas, rng=rng, disease=disease)
    density = _position(density, canvas=canvas, rng=rng)
    return _expose(density, canvas=canvas, marked=view == "frontal", exposure=_EXPOSURES[style], rng=rng)


def _frontal_density(
    study: PhantomStudy, *, canvas: Canvas, rng: np.random.Generator, disease: np.random.Generator
) -> FloatArray:
    patient = np.random.default_rng([study.patient_seed, 2])
    chest = build_chest(canvas, frame=measure(study), sex=study.sex, patient=patient, rng=rng)
    for finding in study.findings:
        add_disease(chest, finding=finding, rng=disease)
    add_ribs(chest)
    for finding in study.findings:
        add_device(chest, finding=finding, rng=disease)
    return chest.compose()


def _position(density: FloatArray, *, canvas: Canvas, rng: np.random.Generator) -> FloatArray:
    """Turn, shift and scale the patient a little before the detector. Never mirrored."""
    turn, scale = float(rng.normal(0, 1.2)), float(rng.uniform(1.01, 1.08))
    matrix = cv2.getRotationMatrix2D((canvas.width / 2, canvas.height / 2), turn, scale)
    matrix[:, 2] += rng.uniform(-0.02, 0.02, 2) * canvas.side
    moved = cv2.warpAffine(density, matrix, (canvas.width, canvas.height), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exposure:
    """How a hospital's films come out: ranges of gamma, black and white level, and grain (standard deviation)."""

    gamma: tuple[float, float]
    black: tuple[float, float]
    white: tuple[float, float]
    grain: tuple[float, float]
    collimated: float


_EXPOSURES = {
    Style.DEMO: _Exposure(
        gamma=(0.8, 1.15), black=(0.02, 0.14), white=(0.98, 1.08), grain=(0.004, 0.011), collimated=0.3
    ),
    Style.BASE: _Exposure(
        gamma=(1.0, 1.45), black=(0.0, 0.10), white=(0.94, 1.04), grain=(0.007, 0.016), collimated=0.15
    ),
}


def _expose(
    density: FloatArray, *, canvas: Canvas, marked: bool, exposure: _Exposure, rng: np.random.Generator
) -> FloatArray:
    scatter = canvas.blur(density, sigma=0.09)
    black, white = rng.uniform(*exposure.black), rng.uniform(*exposure.white)
    tilt = float(rng.uniform(-0.03, 0.03)) * canvas.grid()[0]
    film = np.clip((0.9 * density + 0.1 * scatter + tilt - black) / (white - black), 0, 1)
    film = film ** rng.uniform(*exposure.gamma)
    grain = rng.standard_normal(film.shape, dtype=np.float32) * float(rng.uniform(*exposure.grain))
    film = film + canvas.blur(grain, sigma=0.0012) * (1.3 - 0.6 * film)
    if marked:
        film = _mark_side(film, canvas=canvas, rng=rng)
    if rng.random() < exposure.collimated:
        film = _collimate(film, canvas=canvas, rng=rng)
    return np.asarray(np.clip(film, 0, 1), np.float32)


def _mark_side(film: FloatArray, *, canvas: Canvas, rng: np.random.Generator) -> FloatArray:
    """Stamp a lead letter beside the neck: R on the picture's left (the patient's right), or L on its right."""
    letter = "R" if rng.random() < 0.75 else "L"
    inset = float(rng.uniform(0.06, 0.12))
    x = inset if letter == "R" else 1 - inset - 0.06
    place = (round(x * canvas.width), round(float(rng.uniform(0.075, 0.10)) * canvas.height))
    layer = np.zeros(film.shape, np.uint8)
    scale, thickness = canvas.side / 512 * 1.1, max(1, round(canvas.side / 512 * 3))
    cv2.putText(layer, letter, place, cv2.FONT_HERSHEY_DUPLEX, scale, 255, thickness, cv2.LINE_AA)
    return np.maximum(film, 0.95 * layer.astype(np.float32) / 255)


def _collimate(film: FloatArray, *, canvas: Canvas, rng: np.random.Generator) -> FloatArray:
    """Blacken a border as the shutter of a workstation does, up to 3 % on a side."""
    top, bottom = (round(float(share) * canvas.height) for share in rng.uniform(0.005, 0.03, 2))
    left, right = (round(float(share) * canvas.width) for share in rng.uniform(0.005, 0.03, 2))
    shuttered = np.zeros_like(film)
    inner = slice(top, canvas.height - bottom), slice(left, canvas.width - right)
    shuttered[inner] = film[inner]
    return shuttered
