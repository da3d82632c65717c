"""Small random changes of a film that keep its report true.

31 % of Chinese chest reports name a side, so no transform here mirrors, transposes or turns a film by a right angle; a
mirrored film with its old report teaches the wrong side. Randomness is derived from (seed, epoch, example, image) and
from nothing else, so the number of loader processes, their order and a resumed run change nothing.

albumentations seeds badly on its own: loader processes repeat each other's draws, and a seed given to a pipeline goes
to each part, so that all parts draw the same numbers and act together or not at all. `Augmenter` hands one fresh
generator to all parts before each film. So what was done to a film can be told after the fact: `Augmenter.parameters`.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from random import Random

import numpy as np

from xray.augment_record import AugmentRecord, applied_transforms
from xray.augment_safety import check_film_stays, check_side_is_kept
from xray.augment_transforms import Transform, TransformSpec, composed, created, leaves
from xray.augment_window import Deep, Grey, WindowChange, drawn_window, rewindowed
from xray.errors import ConfigError


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
    window_center: float = 0.0
    """Largest shift of the window's center as a share of its width, 0 to 0.05."""
    window_width: float = 0.0
    """Largest change of the window's width as a share, 0 to 0.1."""
    crop: float = 0.0
    """Largest share cut off at each edge before the film is brought back to its size, 0 to 0.05."""
    clahe_clip: float = 0.0
    """Largest clip limit of a local equalisation, 1 to 4; 0 turns it off. A fifth of the films get it at most."""
    least_resolution: float = 1.0
    """Smallest share of its resolution that a film is reduced to and brought back from, 0.5 to 1; 1 turns it off."""
    least_jpeg_quality: int = 100
    """Lowest quality of a JPEG compression, 70 to 100; 100 turns it off. A tenth of the films get it at most."""
    dropout_area: float = 0.0
    """Largest share of the area that is blacked out, 0 to 0.02. It may hide the finding that the report names."""
    transforms: tuple[TransformSpec, ...] = ()
    """Further albumentations transforms, applied last and in this order."""


_LEAST_BLUR_PX = 0.1
_MOST_CLAHE, _MOST_JPEG = 0.2, 0.1
_HOLES = 2
_AREA, _LINEAR = 3, 1  # OpenCV's numbers for the ways to resize
_LIMITS = {
    "probability": (0.0, 1.0),
    "rotate_degrees": (0.0, 15.0),
    "shift": (0.0, 0.1),
    "scale": (0.0, 0.2),
    "brightness": (0.0, 0.5),
    "contrast": (0.0, 0.5),
    "noise_std": (0.0, 0.1),
    "blur_sigma_px": (0.0, 3.0),
    "window_center": (0.0, 0.05),
    "window_width": (0.0, 0.1),
    "crop": (0.0, 0.05),
    "clahe_clip": (0.0, 4.0),
    "least_resolution": (0.5, 1.0),
    "least_jpeg_quality": (70.0, 100.0),
    "dropout_area": (0.0, 0.02),
}


class Augmenter:
    """Changes films at random, and the same film in the same way for the same (seed, epoch, example, image).

    Not safe to share between threads; each loader process has its own.
    """

    def __init__(self, settings: AugmentSettings) -> None:
        self._settings = settings
        self._pipeline = composed(_all_transforms(settings))

    @property
    def draws_windows(self) -> bool:
        """Whether the 16-bit masters are of use: another window is drawn from them."""
        return bool(self._settings.window_center or self._settings.window_width)

    def apply(
        self,
        pixels: Grey,
        *,
        seed: int,
        epoch: int,
        example_id: str,
        image_index: int,
        deep: Deep | None = None,
    ) -> Grey:
        """Return a changed copy of `pixels`, uint8 [H, W] to uint8 [H, W], 0 = black.

        `image_index` is the film's place in its study: the films of a study are changed independently. `deep` is the
        film's 16-bit master, uint16 [H, W] as in `xray.dicom.render`, for the window; without it a moved window is
        imitated on the 8-bit pixels. Raises TypeError for other arrays: augmentation comes after rendering.
        """
        _check_arrays(pixels, deep)
        entropy = stable_entropy(seed, epoch, example_id, image_index)
        window = self._window(entropy, deep=deep is not None)
        shown = pixels.copy() if window is None else rewindowed(pixels, deep=deep, change=window)
        changed: Grey = self._seeded(entropy)(image=shown)["image"]
        return changed

    def parameters(
        self, shape: tuple[int, int], *, seed: int, epoch: int, example_id: str, image_index: int, deep: bool = False
    ) -> AugmentRecord:
        """Tell what `apply` does to a film of `shape` [H, W], with or without a 16-bit master, from the seed alone.

        Exact for all settings but further transforms whose draws depend on what the film shows.
        """
        entropy = stable_entropy(seed, epoch, example_id, image_index)
        done = self._seeded(entropy)(image=np.zeros(shape, dtype=np.uint8))
        return AugmentRecord(
            seed=seed,
            epoch=epoch,
            example_id=example_id,
            image_index=image_index,
            settings=settings_digest(self._settings),
            window=self._window(entropy, deep=deep),
            applied=applied_transforms(done["applied_transforms"]),
        )

    def _seeded(self, entropy: int) -> Transform:
        # albumentations draws from both kinds of generator; neither is shared with anything outside a call.
        self._pipeline.set_random_state(np.random.default_rng(entropy), Random(entropy))
        return self._pipeline

    def _window(self, entropy: int, *, deep: bool) -> WindowChange | None:
        """Draw the window from a generator of its own, so that it changes no other draw."""
        return drawn_window(
            np.random.default_rng([entropy, 1]),
            center=self._settings.window_center,
            width=self._settings.window_width,
            probability=self._settings.probability,
            source="deep" if deep else "pixels",
        )


def settings_digest(settings: AugmentSettings) -> str:
    """Return what tells these settings from others: 16 hex digits."""
    return hashlib.sha256(json.dumps(asdict(settings), sort_keys=True, default=list).encode()).hexdigest()[:16]


def _check_arrays(pixels: Grey, deep: Deep | None) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise TypeError(f"expected uint8 [H, W], got {pixels.dtype} with {pixels.ndim} axes")
    if deep is not None and (deep.dtype != np.uint16 or deep.shape != pixels.shape):
        raise TypeError(f"expected the master as uint16 {list(pixels.shape)}, got {deep.dtype} {list(deep.shape)}")


def stable_entropy(seed: int, epoch: int, example_id: str, image_index: int) -> int:
    """Derive the 128-bit seed of one film in one epoch; the same on every machine and in every process."""
    text = f"augment\0{seed}\0{epoch}\0{example_id}\0{image_index}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def build(settings: AugmentSettings) -> Augmenter:
    """Build the pipeline of `settings`. Raises ConfigError as `check_laterality_safe` does."""
    check_laterality_safe(settings)
    return Augmenter(settings)


def check_laterality_safe(settings: AugmentSettings) -> None:
    """Refuse settings that could make a report untrue.

    Raises ConfigError, naming the setting or transform and the reason: a value out of its range; a transform that
    mirrors, turns, inverts, erases or distorts, at any depth; one that albumentations does not have; and one that,
    tried on a test picture, moves things to another side, changes the size or cannot take an 8-bit grey film; and
    changes that add up to a film that is turned or has hardly anything to see.
    """
    _check_ranges(settings)
    for transform in settings.transforms:
        for leaf in leaves(created(transform)):
            check_side_is_kept(leaf)
    if settings.probability or settings.transforms:
        surely = replace(settings, probability=float(settings.probability > 0))
        check_film_stays(composed(_all_transforms(surely)))


def _check_ranges(settings: AugmentSettings) -> None:
    for name, (least, most) in _LIMITS.items():
        value = getattr(settings, name)
        if not (math.isfinite(value) and least <= value <= most):
            raise ConfigError(f"augment.{name} is {value}, but must be between {least:g} and {most:g}.")
    if 0 < settings.clahe_clip < 1:
        raise ConfigError(f"augment.clahe_clip is {settings.clahe_clip}, but must be 0 or between 1 and 4.")
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
    return [created(spec) for spec in (*specs, *_blur(settings), *_optional(settings), *settings.transforms)]


def _blur(settings: AugmentSettings) -> tuple[TransformSpec, ...]:
    """Leave the blur out when it is off: albumentations divides by a sigma of zero and returns a black film."""
    widest = settings.blur_sigma_px
    if widest < _LEAST_BLUR_PX:
        return ()
    arguments = {"sigma_limit": (_LEAST_BLUR_PX, widest), "p": settings.probability}
    return (TransformSpec(name="GaussianBlur", arguments=arguments),)


def _optional(settings: AugmentSettings) -> Iterator[TransformSpec]:
    """Yield the changes that are off by default; one that is off draws no random number."""
    chance = settings.probability
    if settings.crop:
        yield TransformSpec(name="CropAndPad", arguments={"percent": (-settings.crop, 0.0), "p": chance})
    if settings.clahe_clip:
        arguments = {"clip_limit": (1.0, settings.clahe_clip), "p": min(chance, _MOST_CLAHE)}
        yield TransformSpec(name="CLAHE", arguments=arguments)
    if settings.least_resolution < 1:
        ways = {"downscale": _AREA, "upscale": _LINEAR}
        arguments = {
            "scale_range": (settings.least_resolution, max(settings.least_resolution, 0.99)),
            "interpolation_pair": ways,
            "p": chance,
        }
        yield TransformSpec(name="Downscale", arguments=arguments)
    if settings.least_jpeg_quality < 100:
        arguments = {"quality_range": (settings.least_jpeg_quality, 99), "p": min(chance, _MOST_JPEG)}
        yield TransformSpec(name="ImageCompression", arguments=arguments)
    if settings.dropout_area:
        side = math.sqrt(settings.dropout_area / _HOLES)
        sides = {"hole_height_range": (side / 2, side), "hole_width_range": (side / 2, side)}
        arguments = {"num_holes_range": (1, _HOLES), **sides, "fill": 0, "p": chance}
        yield TransformSpec(name="CoarseDropout", arguments=arguments)
