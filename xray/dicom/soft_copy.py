"""A film for a screen that can change its window: all its values, and how it asks to be shown (PS3.3 C.11).

`xray.dicom.render` makes the one picture that a model sees. Here nothing is decided: the screen applies the window and
then the polarity, in this order, to values of up to 16 bits.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray.dicom.colour import grey_of
from xray.dicom.curve import Curve, Histogram, automatic_curve, exported_curve, viewer_curve
from xray.dicom.decode import decode
from xray.dicom.geometry import pixel_aspect
from xray.dicom.layout import pixel_layout
from xray.dicom.looks import Look, looks_of
from xray.dicom.lookup import Cells, cells_of, count, look_up
from xray.dicom.shutter import Mask, shutter_of
from xray.dicom.site_profile import SiteProfile, is_inverted
from xray.dicom.spacing import Spacing, spacing_of
from xray.dicom.values import grey_values, some

Values = NDArray[np.uint16]
_HIGHEST = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftCopy:
    """A film's values and its looks.

    `values`: uint16 [H, W]; 0 is padding or behind the shutter and stays black whatever the window; any other value v
    stands for v * slope + intercept in modality units. `curve`: uint16 [highest value + 1], the film's VOI LUT by
    value, 0 = black to 65535 = white; None where its looks need none. `inverted`: white and black change places after
    the window (MONOCHROME1). `aspect`: height of a pixel over its width. `bits`: BitsStored. `flags` as of `Rendered`.
    """

    values: Values
    slope: float
    intercept: float
    inverted: bool
    looks: tuple[Look, ...]
    curve: Values | None
    bits: int
    aspect: float = 1.0
    spacing: Spacing | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Which value stands for each entry of a histogram, and which modality value for a value."""

    values: Values
    slope: float
    intercept: float


def soft_copy(dataset: Dataset, *, site: SiteProfile | None = None) -> SoftCopy:
    """Make the soft copy of a single-frame grey image of any modality. Raises Rejected as `render_dataset` does."""
    layout = pixel_layout(dataset)
    inverted, flags = is_inverted(dataset, photometric=layout.photometric, site=site)
    aspect = pixel_aspect(dataset)
    shutter = shutter_of(dataset, rows=layout.rows, columns=layout.columns, aspect=aspect)
    stored = decode(dataset)
    if stored.ndim == 3:
        grey, _ = grey_of(stored)
        return _exported(grey, bits=8, visible=shutter.visible, aspect=aspect)
    found = grey_values(dataset, stored=stored, layout=layout, visible=shutter.visible)
    curve = viewer_curve(dataset, histogram=found.histogram, inverted=False)
    scale = _scale(found.histogram, padding=found.padding, is_table="ModalityLUTSequence" in dataset)
    table = np.zeros(1 << (8 * stored.dtype.itemsize), dtype=np.uint16)
    table[found.cells] = scale.values
    return SoftCopy(
        values=_shown(cells_of(stored), table=table, visible=shutter.visible),
        slope=scale.slope,
        intercept=scale.intercept,
        inverted=inverted,
        looks=looks_of(curve, histogram=found.histogram, inverted=inverted, dataset=dataset),
        curve=_curve_table(curve, scale=scale) if curve.window is None else None,
        bits=layout.bits_stored,
        aspect=aspect,
        spacing=spacing_of(dataset),
        flags=(*flags, *found.flags, *curve.flags, *shutter.flags),
    )


def soft_copy_of_picture(values: Cells, *, bits: int) -> SoftCopy:
    """Make the soft copy of a picture without a header, uint8 or uint16 [H, W], 0 = black.

    8 bits are shown from 0 to 255 as whoever exported them chose, 16 bits between percentiles, as `render_picture`
    does. Raises Rejected("blank_after_voi").
    """
    return _exported(values, bits=bits, visible=None, aspect=1.0)


def reduced(values: Values, *, size: int) -> Values:
    """Reduce values, uint16 [H, W], to a long side of at most `size` px by area averaging; 0 mixes with no neighbour.

    Returns the same array where it is no larger.
    """
    longest = max(values.shape)
    if longest <= size:
        return values
    shape = (max(1, round(values.shape[1] * size / longest)), max(1, round(values.shape[0] * size / longest)))
    small = np.asarray(cv2.resize(values, shape, interpolation=cv2.INTER_AREA), dtype=np.uint16)
    hidden = values == 0
    if not hidden.any():
        return small
    visible = np.where(hidden, np.uint16(0), np.uint16(_HIGHEST))
    share = cv2.resize(visible, shape, interpolation=cv2.INTER_AREA) / _HIGHEST
    means = np.clip(np.rint(small / np.maximum(share, 0.5)), 1, _HIGHEST)
    return np.where(share < 0.499, 0, means).astype(np.uint16)


def _exported(cells: Cells, *, bits: int, visible: Mask | None, aspect: float) -> SoftCopy:
    counts = count(cells, visible=visible)
    histogram = Histogram(values=np.arange(len(counts), dtype=np.float64), counts=some(counts))
    curve = automatic_curve(histogram, inverted=False) if cells.dtype.itemsize == 2 else _as_exported(histogram)
    scale = _scale(histogram, padding=np.zeros(len(counts), dtype=np.bool_), is_table=False)
    return SoftCopy(
        values=_shown(cells, table=scale.values, visible=visible),
        slope=scale.slope,
        intercept=scale.intercept,
        inverted=False,
        looks=looks_of(curve, histogram=histogram, inverted=False, dataset=None),
        curve=None,
        bits=bits,
        aspect=aspect,
        flags=curve.flags,
    )


def _as_exported(histogram: Histogram) -> Curve:
    curve = exported_curve(histogram)
    return Curve(levels=curve.levels, flags=curve.flags, window=(127.5, 255.0))


def _scale(histogram: Histogram, *, padding: NDArray[np.bool_], is_table: bool) -> _Scale:
    """Count values from 1 at the lowest that is seen, so that 0 is free for what is hidden.

    With 65536 values in use the two highest become one.
    """
    modality = histogram.values
    ranks = modality.astype(np.int64) if is_table else np.arange(len(modality))
    step = 1.0 if is_table else float(modality[-1] - modality[0]) / (len(modality) - 1)
    lowest = int(ranks[histogram.counts > 0].min())
    values = np.where(padding, 0, np.clip(ranks - lowest + 1, 1, _HIGHEST)).astype(np.uint16)
    origin = float(lowest) if is_table else float(modality[lowest])
    return _Scale(values=values, slope=step, intercept=origin - step)


def _shown(cells: Cells, *, table: Values, visible: Mask | None) -> Values:
    values = look_up(cells, table)
    if visible is not None:
        values[visible == 0] = 0
    return values


def _curve_table(curve: Curve, *, scale: _Scale) -> Values:
    table = np.zeros(int(scale.values.max()) + 1, dtype=np.uint16)
    table[scale.values] = np.floor(np.clip(curve.levels, 0, 1) * _HIGHEST + 0.5).astype(np.uint16)
    table[0] = 0
    return table
