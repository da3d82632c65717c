"""albumentations transforms by class name, as a configuration writes them."""

import difflib
import importlib
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from xray.errors import ConfigError


class Transform(Protocol):
    """What is used of a transform, a group or a pipeline of albumentations."""

    def set_random_state(self, random_generator: np.random.Generator, py_random: Random) -> None:
        """Draw from these two generators from now on, with all parts."""

    def __call__(self, *, force_apply: bool = False, image: NDArray[np.uint8]) -> dict[str, Any]:
        """Return the changed film under `image`; a pipeline also says what acted, under `applied_transforms`."""


_GROUPS = frozenset({"OneOf", "SomeOf", "Sequential", "RandomOrder"})
_MIRRORS = "it mirrors or turns the film, and the report's sides become wrong"
_INVERTS = "it changes or reverses the order of grey values, and air and bone change places"
_DISTORTS = "it bends the film and changes the size and shape that the report describes"
_ERASES = "it paints over parts of the film, and with them what the report describes"
_MOVES = "it moves parts of the film, and the report's places become wrong"
_MIXES = "it mixes in other pictures, which the report does not describe"
_FORBIDDEN: dict[str, str] = {
    **dict.fromkeys(
        ("HorizontalFlip", "VerticalFlip", "D4", "SquareSymmetry", "CubicSymmetry", "TimeReverse"), _MIRRORS
    ),
    **dict.fromkeys(("Transpose", "RandomRotate90"), _MIRRORS),
    **dict.fromkeys(("InvertImg", "Solarize", "Posterize", "RandomToneCurve"), _INVERTS),
    **dict.fromkeys(("ElasticTransform", "GridDistortion", "GridElasticDeform", "OpticalDistortion"), _DISTORTS),
    **dict.fromkeys(("PiecewiseAffine", "ThinPlateSpline", "Perspective"), _DISTORTS),
    **dict.fromkeys(("RandomSunFlare", "RandomRain", "RandomSnow", "RandomFog", "RandomGravel", "Spatter"), _ERASES),
    **dict.fromkeys(("RandomShadow", "PlasmaShadow", "GridDropout", "XYMasking", "MaskDropout", "TextImage"), _ERASES),
    **dict.fromkeys(("ConstrainedCoarseDropout", "FrequencyMasking", "TimeMasking"), _ERASES),
    "RandomGridShuffle": _MOVES,
    **dict.fromkeys(("Mosaic", "OverlayElements", "FDA", "HistogramMatching"), _MIXES),
    "PixelDistributionAdaptation": _MIXES,
    "Lambda": "its function cannot be written into a configuration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSpec:
    """One albumentations transform: the name of its class and the arguments of its constructor.

    `transforms` are the parts of a group: `OneOf`, `SomeOf`, `Sequential` or `RandomOrder`.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    transforms: tuple["TransformSpec", ...] = ()


def created(spec: TransformSpec) -> Transform:
    """Create the transform, or the group with all its parts.

    Raises ConfigError for a forbidden or unknown name at any depth, and for arguments that the class does not take.
    """
    check_name(spec.name)
    if bool(spec.transforms) != (spec.name in _GROUPS):
        raise ConfigError(
            f"augment.transforms: {spec.name} "
            + ("needs `transforms`, its parts." if spec.name in _GROUPS else "has no parts; only groups have them.")
        )
    positional = ([created(part) for part in spec.transforms],) if spec.transforms else ()
    arguments = {name: _as_tuple(value) for name, value in spec.arguments.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # albumentations only warns of an argument that it does not know
        try:
            return cast(Transform, getattr(_albumentations(), spec.name)(*positional, **arguments))
        except (TypeError, ValueError, UserWarning) as error:
            raise ConfigError(
                f"augment.transforms: {spec.name} does not take these arguments: {_reason(error)}"
            ) from None


def check_name(name: str) -> None:
    """Raise ConfigError for a transform that is forbidden, with the reason, or unknown, with the nearest name."""
    if name in _FORBIDDEN:
        raise ConfigError(f"augment.transforms: {name} is not allowed: {_FORBIDDEN[name]}.")
    known = _known_names()
    if name not in known:
        near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(f"augment.transforms: albumentations has no transform {name!r}.{hint}")


def composed(transforms: Sequence[Transform]) -> Transform:
    """Chain transforms into one pipeline that is called as `pipeline(image=uint8 [H, W])["image"]`."""
    return cast(Transform, _albumentations().Compose(list(transforms), save_applied_params=True))


def leaves(transform: Transform) -> Iterator[Transform]:
    """Yield the single transforms of a group, at any depth, or the transform itself."""
    if not isinstance(transform, _albumentations().BaseCompose):
        yield transform
        return
    for part in transform.transforms:
        yield from leaves(part)


def _known_names() -> frozenset[str]:
    library = _albumentations()
    classes = ((name, value) for name, value in vars(library).items() if isinstance(value, type))
    single = {name for name, value in classes if issubclass(value, library.BasicTransform)}
    bases = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform3D"}
    return frozenset((single - bases - set(_FORBIDDEN)) | _GROUPS)


def _reason(error: Exception) -> str:
    """Take the first problem out of a message that may be a list of problems."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    if len(lines) >= 3 and "validation error" in lines[0]:
        return f"{lines[1]}: {lines[2].partition(' [')[0]}"
    return lines[0]


def _as_tuple(value: object) -> object:
    """Turn lists, which configuration files write for ranges, into the tuples that albumentations wants."""
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value


def _albumentations() -> ModuleType:
    """Import on first use, which takes a second, and without its look on the network for a newer version."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    return importlib.import_module("albumentations")
