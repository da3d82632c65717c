"""What was done to a film in training: the transforms that acted and their values, for the log of a run.

The values are for reading. A picture is made again from `seed`, `epoch`, `example_id`, `image_index` and settings with
the same `settings` digest; albumentations' own replay does not survive a file and holds the noise of every pixel.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pydantic import JsonValue

from xray.augment_window import WindowChange
from xray.records import Record

_NOT_VALUES = frozenset({"shape", "output_shape", "result_shape", "interpolation", "fill", "fill_mask", "bbox_matrix"})
_MOST_NUMBERS = 16


class AppliedTransform(Record):
    """A transform that acted, by its class name, and its values in its own units; fields of noise are left out."""

    name: str
    values: dict[str, JsonValue]


class AugmentRecord(Record):
    """The changes of one film in one epoch, in the order in which they happened: the window first."""

    seed: int
    epoch: int
    example_id: str
    image_index: int
    settings: str
    window: WindowChange | None
    applied: tuple[AppliedTransform, ...]


def applied_transforms(applied: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[AppliedTransform, ...]:
    """Read the list that an albumentations pipeline leaves under `applied_transforms`."""
    return tuple(AppliedTransform(name=name, values=_values(parameters)) for name, parameters in applied)


def _values(parameters: Mapping[str, Any]) -> dict[str, JsonValue]:
    plain = {name: _plain(value) for name, value in parameters.items() if name not in _NOT_VALUES}
    return {name: value for name, value in plain.items() if value is not None}


def _plain(value: object) -> JsonValue:
    """Return numbers, words and short lists of them as JSON has them; None for the rest."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist() if value.size <= _MOST_NUMBERS else None
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value[:_MOST_NUMBERS]]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return None
