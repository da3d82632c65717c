"""Small random changes of a film that keep its report true.

31 % of Chinese chest reports name a side, so no transform here mirrors, transposes or turns a film by a right angle; a
mirrored film with its old report teaches the wrong side. Randomness is derived from (seed, epoch, example, image) and
from nothing else, so the number of loader processes, their order and a resumed run change nothing.

albumentations seeds badly on its own: loader processes repeat each other's draws, and a seed given to a pipeline goes
to each part, so that all parts draw the same numbers and act together or not at all. `Augmenter` hands one fresh
generator to all parts before each film.
"""

import hashlib
import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from xray.augment_safety import check_side_is_kept
from xray.augment_transforms import Transform, TransformSpec, composed, created, leaves
from xray.errors import ConfigError

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentSettings:
    """How strongly films are changed in training. Zero turns a change off; each one happens with `probability`.

    The limits are small on purpose: a costophrenic angle or an apex that leaves the picture makes its report untrue.
    """

    probability: float = 0.5
    rotate_degrees: float = 5.0
    """Largest rotation to either side, 0 to 15."""
    shift: float = 0.03
    """Largest shift as a share of the side, 0 to 0.1. What comes in is black."""
    scale: float = 0.05
    """Largest change of size as a share, 0 to 0.2."""
    brightness: float = 0.1
    """Largest change as a share of the grey range, 0 to 0.5."""
    contrast: float = 0.1
    """Largest change as a share, 0 to 0.5."""
    gamma: tuple[int, int] = (90, 110)
    """Range of the exponent in percent, within 50 to 200; (100, 100) turns it off."""
    noise_std: float = 0.02
    """Largest standard deviation of added noise as a share of the grey range, 0 to 0.1."""
    blur_sigma_px: float = 0.7
    """Largest standard deviation of the blur in pixels, 0 to 3; below 0.1 there is none."""
    transforms: tuple[TransformSpec, ...] = ()
    """Further albumentations transforms, applied last and in this order."""


_LEAST_BLUR_PX = 0.1
_LIMITS = {
    "probability": 1.0,
    "rotate_degrees": 15.0,
    "shift": 0.1,
    "scale": 0.2,
    "brightness": 0.5,
    "contrast": 0.5,
    "noise_std": 0.1,
    "blur_sigma_px": 3.0,
}


class Augmenter:
    """Changes films at random, and the same film in the same way for the same (seed, epoch, example, image).

    Not safe to share between threads; each loader process has its own.
    """

    def __init__(self, pipeline: Transform) -> None:
        self._pipeline = pipeline

    def apply(self, pixels: Grey, *, seed: int, epoch: int, example_id: str, image_index: int) -> Grey:
        """Return a changed copy of `pixels`, uint8 [H, W] to uint8 [H, W], 0 = black.

        `image_index` is the film's place in its study: the films of a study are changed independently.
        Raises TypeError for other arrays: augmentation comes after rendering to 8-bit grey.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 2:
            raise TypeError(f"expected uint8 [H, W], got {pixels.dtype} with {pixels.ndim} axes")
        entropy = stable_entropy(seed, epoch, example_id, image_index)
        # albumentations draws from both kinds of generator; neither is shared with anything outside this call.
        self._pipeline.set_random_state(np.random.default_rng(entropy), Random(entropy))
        changed: Grey = self._pipeline(image=pixels.copy())["image"]
        return changed


def stable_entropy(seed: int, epoch: int, example_id: str, image_index: int) -> int:
    """Derive the 128-bit seed of one film in one epoch; the same on every machine and in every process."""
    text = f"augment\0{seed}\0{epoch}\0{example_id}\0{image_index}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def build(settings: AugmentSettings) -> Augmenter:
    """Build the pipeline of `settings`. Raises ConfigError as `check_laterality_safe` does."""
    check_laterality_safe(settings)
    return Augmenter(composed(_all_transforms(settings)))


def check_laterality_safe(settings: AugmentSettings) -> None:
    """Refuse settings that could make a report untrue.

    Raises ConfigError, naming the setting or transform and the reason: a value out of its range; a transform that
    mirrors, turns, inverts, erases or distorts, at any depth; one that albumentations does not have; and one that,
    tried on a test picture, moves things to another side, changes the size or cannot take an 8-bit grey film.
    """
    _check_ranges(settings)
    for transform in settings.transforms:
        for leaf in leaves(created(transform)):
            check_side_is_kept(leaf)


def _check_ranges(settings: AugmentSettings) -> None:
    for name, limit in _LIMITS.items():
        value = getattr(settings, name)
        if not (math.isfinite(value) and 0 <= value <= limit):
            raise ConfigError(f"augment.{name} is {value}, but must be between 0 and {limit:g}.")
    low, high = settings.gamma
    if not 50 <= low <= high <= 200:
        raise ConfigError(f"augment.gamma is {low} to {high}, but must rise and stay between 50 and 200.")


def _all_transforms(settings: AugmentSettings) -> list[Transform]:
    chance = settings.probability
    specs = (
        TransformSpec(
            name="Affine",
            arguments={
                "rotate": (-settings.rotate_degrees, settings.rotate_degrees),
                "translate_percent": (-settings.shift, settings.shift),
                "scale": (1 - settings.scale, 1 + settings.scale),
                "p": chance,
            },
        ),
        TransformSpec(
            name="RandomBrightnessContrast",
            arguments={
                "brightness_limit": (-settings.brightness, settings.brightness),
                "contrast_limit": (-settings.contrast, settings.contrast),
                "p": chance,
            },
        ),
        TransformSpec(name="RandomGamma", arguments={"gamma_limit": settings.gamma, "p": chance}),
        TransformSpec(name="GaussNoise", arguments={"std_range": (0.0, settings.noise_std), "p": chance}),
    )
    return [created(spec) for spec in (*specs, *_blur(settings), *settings.transforms)]


def _blur(settings: AugmentSettings) -> tuple[TransformSpec, ...]:
    """Leave the blur out when it is off: albumentations divides by a sigma of zero and returns a black film."""
    widest = settings.blur_sigma_px
    if widest < _LEAST_BLUR_PX:
        return ()
    arguments = {"sigma_limit": (_LEAST_BLUR_PX, widest), "p": settings.probability}
    return (TransformSpec(name="GaussianBlur", arguments=arguments),)
