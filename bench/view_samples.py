"""Pictures to train the view check on: varied films, drawn lateral films that look less drawn, and what is no film.

Real lateral films that may be used are rare, so drawn ones are varied far beyond what a chest looks like: bent, with
the texture of real films, arms in any place, dense shoulders and bellies, wide black margins.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
SIDE = 256


def reduced(film: Grey) -> Grey:
    """Reduce a film to 256 px on its long side."""
    scale = SIDE / max(film.shape)
    size = (max(1, round(film.shape[1] * scale)), max(1, round(film.shape[0] * scale)))
    return np.asarray(cv2.resize(film, size, interpolation=cv2.INTER_AREA), np.uint8)


def varied(film: Grey, *, rng: np.random.Generator) -> Grey:
    """Crop, stretch, tilt, window, blur, grain and pad a film as hospitals and scanners do; half of them mirrored."""
    rows, columns = film.shape
    if rng.random() < 0.7:
        top, bottom, left, right = rng.uniform(0, 0.1, 4)
        film = film[int(top * rows) : rows - int(bottom * rows), int(left * columns) : columns - int(right * columns)]
    film = cv2.resize(film, (film.shape[1], max(1, int(film.shape[0] * rng.uniform(0.88, 1.14)))))
    film = turned(film, degrees=float(rng.normal(0, 8)), scale=float(rng.uniform(0.9, 1.1)))
    low, high = rng.uniform(-0.15, 0.2), rng.uniform(0.8, 1.2)
    grey = np.clip((film.astype(np.float32) / 255 - low) / (high - low), 0, 1) ** rng.uniform(0.6, 1.7)
    if rng.random() < 0.4:
        grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.5, 2)))
    grey = grey + rng.normal(0, rng.uniform(0, 0.04), grey.shape)
    if rng.random() < 0.3:
        grey = np.clip(grey, 0, 1) * rng.uniform(0.5, 1)
    film = _bytes(grey)[:, :: rng.choice([-1, 1])]
    return padded(film) if rng.random() < 0.5 else film


def padded(film: Grey) -> Grey:
    """Pad with black to a square."""
    side = max(film.shape)
    top, left = (side - film.shape[0]) // 2, (side - film.shape[1]) // 2
    return np.pad(film, ((top, side - film.shape[0] - top), (left, side - film.shape[1] - left)))


def turned(film: Grey, *, degrees: float, scale: float = 1.0) -> Grey:
    """Turn about the centre, black outside."""
    rows, columns = film.shape
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, scale)
    return np.asarray(cv2.warpAffine(film, matrix, (columns, rows)), np.uint8)


def rough_lateral(drawn: Grey, *, textures: Sequence[Grey], rng: np.random.Generator) -> Grey:
    """Make a drawn lateral film less alike: bent, textured by a piece of a real film, with arms, veils and margins."""
    body = _bent(drawn, rng=rng).astype(np.float32) / 255
    rows, columns = body.shape
    if textures and rng.random() < 0.8:
        grain = _piece(textures[int(rng.integers(len(textures)))], shape=body.shape, rng=rng).astype(np.float32) / 255
        grain -= cv2.GaussianBlur(grain, (0, 0), float(rng.uniform(6, 20)))
        body += grain * (body > 0.12) * rng.uniform(0.3, 1.2)
    for _ in range(int(rng.integers(0, 3))):
        body = np.maximum(body, _arm(body.shape, rng=rng))
    y, x = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    body *= 1 + rng.uniform(-0.2, 0.7) * np.clip(1 - y / rng.uniform(0.2, 0.4), 0, 1)  # shoulders
    body *= 1 + rng.uniform(-0.2, 0.9) * np.clip((y - rng.uniform(0.55, 0.75)) / 0.3, 0, 1)  # belly
    body *= 1 + rng.uniform(-0.5, 0.5) * (x - 0.5)
    film = cv2.resize(_bytes(body), (int(columns * rng.uniform(0.75, 1.15)), rows))
    if rng.random() < 0.6:
        left, right = (rng.uniform(0, 0.25, 2) * columns).astype(int)
        film = _bytes(
            (np.pad(film, ((0, 0), (left, right))) + rng.normal(0, 2, (rows, film.shape[1] + left + right))) / 255
        )
    return turned(film, degrees=float(rng.normal(0, 7)), scale=float(rng.uniform(0.95, 1.25)))


def no_film(film: Grey, *, rng: np.random.Generator) -> Grey:
    """Make a picture that the model must not name: inverted, a detail, shuffled, askew, clouds, or plain shapes."""
    match int(rng.integers(6)):
        case 0:
            return np.asarray(255 - film, np.uint8)
        case 1:
            return _detail(film, rng=rng)
        case 2:
            return _shuffled(film, rng=rng)
        case 3:
            cloud = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)), (0, 0), float(rng.uniform(0.6, 30)))
            return _bytes((cloud - cloud.min()) / np.ptp(cloud))
        case 4:
            return _shapes(rng=rng)
        case _:
            return turned(film, degrees=float(rng.choice([35, 45, 60, -35, -45, -60])), scale=0.8)


def _bytes(grey: NDArray[np.floating]) -> Grey:
    return np.asarray(np.clip(grey, 0, 1) * 255, np.uint8)


def _bent(film: Grey, *, rng: np.random.Generator) -> Grey:
    """Displace by smooth random fields of up to 7 % of the side."""
    rows, columns = film.shape
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    fields = []
    for _ in range(2):
        coarse = cv2.GaussianBlur(rng.normal(0, 1, (9, 9)).astype(np.float32), (0, 0), 1.2)
        field = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
        fields.append((field / np.abs(field).max() * rng.uniform(0, 0.07) * max(rows, columns)).astype(np.float32))
    return np.asarray(cv2.remap(film, x + fields[0], y + fields[1], cv2.INTER_LINEAR), np.uint8)


def _piece(film: Grey, *, shape: tuple[int, ...], rng: np.random.Generator) -> Grey:
    share = rng.uniform(0.35, 0.9)
    rows, columns = (max(8, int(side * share)) for side in film.shape)
    top, left = (int(rng.integers(whole - part + 1)) for whole, part in zip(film.shape, (rows, columns), strict=True))
    return np.asarray(cv2.resize(film[top : top + rows, left : left + columns], shape[::-1]), np.uint8)


def _arm(shape: tuple[int, ...], *, rng: np.random.Generator) -> NDArray[np.float32]:
    rows, columns = shape
    arm = np.zeros(shape, np.float32)
    start = int(rng.uniform(0.2, 0.7) * columns), int(rng.uniform(0.02, 0.2) * rows)
    end = int(rng.choice([-0.1, 0.1, 0.9, 1.1]) * columns), int(rng.uniform(-0.1, 0.25) * rows)
    cv2.line(arm, start, end, 1, int(rng.uniform(0.08, 0.2) * rows))
    return np.asarray(cv2.GaussianBlur(arm, (0, 0), 4) * rng.uniform(0.3, 0.9), np.float32)


def _detail(film: Grey, *, rng: np.random.Generator) -> Grey:
    share = rng.uniform(0.15, 0.4)
    top, left = (int(at * side) for at, side in zip(rng.uniform(0, 1 - share, 2), film.shape, strict=True))
    return film[top : top + int(share * film.shape[0]), left : left + int(share * film.shape[1])]


def _shuffled(film: Grey, *, rng: np.random.Generator) -> Grey:
    count = int(rng.integers(2, 5))
    side = SIDE // count
    square = cv2.resize(film, (SIDE, SIDE))
    tiles = [
        square[i : i + side, j : j + side] for i in range(0, side * count, side) for j in range(0, side * count, side)
    ]
    order = rng.permutation(len(tiles))
    return np.vstack([np.hstack([tiles[k] for k in order[row : row + count]]) for row in range(0, len(tiles), count)])


def _shapes(*, rng: np.random.Generator) -> Grey:
    canvas = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(int(rng.integers(1, 12))):
        centre, axes = (int(v) for v in rng.integers(0, SIDE, 2)), (int(v) for v in rng.integers(4, 120, 2))
        thickness = -1 if rng.random() < 0.8 else 3
        cv2.ellipse(
            canvas, tuple(centre), tuple(axes), float(rng.uniform(0, 180)), 0, 360, float(rng.random()), thickness
        )
    return _bytes(cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.5, 8))))
