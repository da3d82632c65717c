"""The values of a grey image: which its cells can hold, what they mean, how often each is seen, which are padding.

All of it is one table with an entry for each possible stored value, whatever the size of the image.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray.dicom import tags, voi
from xray.dicom.curve import Histogram
from xray.dicom.layout import PixelLayout
from xray.dicom.lookup import cells_of, count
from xray.dicom.native import Pixels
from xray.dicom.shutter import Mask
from xray.errors import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyValues:
    """Tables [N] over the values that BitsStored bits can hold, in their order.

    `histogram`: modality values, and how many visible pixels that are no padding have each. `padding` marks the values
    that are padding. `cells`: the unsigned value of the pixel cell that holds each. `flags`: `slope_fixed`.
    """

    histogram: Histogram
    padding: NDArray[np.bool_]
    cells: NDArray[np.intp]
    flags: tuple[str, ...]


def grey_values(dataset: Dataset, *, stored: Pixels, layout: PixelLayout, visible: Mask | None) -> GreyValues:
    """Count the `stored` values [H, W] of an image and say what they mean; `visible` is what the shutter leaves free.

    Raises Rejected: `all_padding`, and the codes of `voi.modality_values`.
    """
    possible = _stored_values(layout)
    cells = possible & ((1 << layout.bits_allocated) - 1)
    counts = count(cells_of(stored), visible=visible)[cells]
    modality, flags = voi.modality_values(dataset, stored=possible.astype(np.float64), signed=layout.signed)
    padding = _padding(dataset, possible=possible, layout=layout)
    histogram = Histogram(values=modality, counts=some(np.where(padding, 0, counts)))
    return GreyValues(histogram=histogram, padding=padding, cells=cells, flags=flags)


def some(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the counts. Raises Rejected("all_padding") where there is nothing to see."""
    if not counts.any():
        raise Rejected("all_padding", "Every pixel is padding or hidden by a shutter.")
    return counts


def _stored_values(layout: PixelLayout) -> NDArray[np.intp]:
    """Return every value that BitsStored bits can hold, in order; `decode` gives no other."""
    first = -(1 << (layout.bits_stored - 1)) if layout.signed else 0
    return np.arange(first, first + (1 << layout.bits_stored))


def _padding(dataset: Dataset, *, possible: NDArray[np.intp], layout: PixelLayout) -> NDArray[np.bool_]:
    """Mark the stored values from PixelPaddingValue to PixelPaddingRangeLimit, in either order (PS3.3 C.7.5.1.1.2)."""
    ends = [tags.number(dataset, keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    known = [_as_stored(end, layout=layout) for end in ends if end is not None]
    if ends[0] is None:
        return np.zeros(len(possible), dtype=np.bool_)
    return (possible >= min(known)) & (possible <= max(known))


def _as_stored(value: float, *, layout: PixelLayout) -> float:
    """Read a padding value that was written with the other signedness as PixelRepresentation means it."""
    cells = 1 << layout.bits_allocated
    if layout.signed and value >= cells // 2:
        return value - cells
    return value + cells if not layout.signed and value < 0 else value
