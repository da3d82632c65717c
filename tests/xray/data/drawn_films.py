"""Pictures like films: anatomy that all share, and a pattern that is each patient's own."""

import cv2
import numpy as np

SIDE = 256


def drawn_film(patient: int) -> np.ndarray:
    """uint8 [256, 256]: two dark lungs, ribs, and texture from coarse to fine."""
    rng = np.random.default_rng(patient)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    film = 150.0 + 30 * np.sin(20 * y + 4 * (x - 0.5) ** 2)
    for middle in (0.3, 0.7):
        film -= 80 * np.exp(-(((x - middle) / 0.13) ** 2) - ((y - 0.5) / 0.3) ** 2)
    for size, strength in ((8, 22), (32, 12), (128, 8)):
        grain = rng.normal(0, strength, (size, size)).astype(np.float32)
        film += cv2.resize(grain, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.clip(film, 1, 255).astype(np.uint8)


def jpeg(film: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", film, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_GRAYSCALE)


def windowed(film: np.ndarray, *, gain: float) -> np.ndarray:
    return np.clip((film - 127.5) * gain + 127.5, 0, 255).round().astype(np.uint8)


def marked(film: np.ndarray) -> np.ndarray:
    return cv2.putText(film.copy(), "L", (12, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 3)


def boxed(film: np.ndarray) -> np.ndarray:
    box = film.copy()
    box[: SIDE // 8, -SIDE // 6 :] = 255
    return box


VARIANTS = {
    "compressed": jpeg,
    "half the size": lambda film: cv2.resize(film, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA),
    "a narrower window": lambda film: windowed(film, gain=1.1),
    "a wider window": lambda film: windowed(film, gain=1 / 1.1),
    "cropped by 1 % at each edge": lambda film: film[3:-3, 3:-3],
    "cropped by 3 % at each edge": lambda film: film[8:-8, 8:-8],
    "padded to another shape": lambda film: np.pad(film, ((0, 0), (40, 40))),
    "a burnt-in mark": marked,
    "a white box in a corner": boxed,
}
