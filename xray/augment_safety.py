"""A trial of transforms on a test picture: things must stay on their side, and bright must stay bright."""

import warnings
from random import Random

import numpy as np
from numpy.typing import NDArray

from xray.augment_transforms import Transform
from xray.errors import ConfigError

_SIDE = 97  # a prime: no size that a crop or a resize of a configuration has
_DRAWS, _DRAWS_TOGETHER = 32, 128
_LEAST_LIKENESS, _LEAST_TOGETHER = 0.5, 0.3


def check_side_is_kept(transform: Transform) -> None:
    """Apply a single transform to a lopsided picture, 32 times with certainty, and compare.

    Raises ConfigError if it fails on uint8 [H, W], returns another type or size, or if any result is more like a
    mirrored, turned or inverted copy of the picture than like the picture itself.
    """
    picture = _lopsided_picture()
    rivals = [np.rot90(side, turns) for side in (picture, picture[:, ::-1]) for turns in range(4)][1:]
    for draw in range(_DRAWS):
        result = _applied(transform, picture, draw=draw)
        likeness = _likeness(result, picture)
        if likeness < _LEAST_LIKENESS or any(_likeness(result, rival) > likeness for rival in rivals):
            raise ConfigError(
                f"augment.transforms: {_name(transform)} with these arguments is not allowed: tried on a test picture, "
                "it moved or hid things, or reversed bright and dark."
            )


def check_film_stays(pipeline: Transform) -> None:
    """Apply all changes of a configuration together, 128 times, to the same picture.

    Changes that are small one by one may add up: to a quarter of a turn, or to a film that is all white. Raises
    ConfigError if any result is hardly like the picture.
    """
    picture = _lopsided_picture()
    results = (_applied(pipeline, picture, draw=draw) for draw in range(_DRAWS_TOGETHER))
    if any(_likeness(result, picture) < _LEAST_TOGETHER for result in results):
        raise ConfigError(
            "augment: these changes together are not allowed: tried on a test picture, they turned it or left hardly "
            "anything of it to see. Lower some of them, rotations first, then brightness, contrast and gamma."
        )


def _applied(transform: Transform, picture: NDArray[np.uint8], *, draw: int) -> NDArray[np.uint8]:
    transform.set_random_state(np.random.default_rng(draw), Random(draw))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = np.asarray(transform(force_apply=True, image=picture.copy())["image"])
    except Exception as error:  # the library raises whatever OpenCV or numpy do
        raise ConfigError(
            f"augment.transforms: {_name(transform)} cannot be applied to an 8-bit grey film ({type(error).__name__})."
        ) from None
    if result.dtype != np.uint8 or result.shape != picture.shape:
        raise ConfigError(
            f"augment.transforms: {_name(transform)} changes the size or the type of the film; "
            "to zoom, use Affine with `scale`."
        )
    return result


def _lopsided_picture() -> NDArray[np.uint8]:
    """Three soft spots of different brightness: every mirrored or turned copy is clearly another picture."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE
    spots = ((0.3, 0.25, 0.8), (0.7, 0.3, 0.3), (0.72, 0.75, 0.55))
    light = sum(height * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 0.03) for row, column, height in spots)
    return np.asarray(20 + 200 * np.clip(light, 0, 1), dtype=np.uint8)


def _likeness(result: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    """Pearson correlation in [-1, 1]; 0 for a flat picture."""
    first, second = (np.asarray(image, dtype=np.float64) - image.mean() for image in (result, picture))
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / norm if norm > 0 else 0.0


def _name(transform: Transform) -> str:
    return type(transform).__name__
