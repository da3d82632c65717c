"""The display curve of a film: which grey level each value gets, from the header, from the histogram, or as MIMIC did.

A curve is a table with one level for each possible value; 0 is black and 1 white. Where a window is linear the levels
go on below 0 and above 1, so that what the window cuts off is still known.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray.dicom import tags, voi
from xray.errors import Rejected

_BLANK = 2.0  # standard deviation in grey levels below which nothing can be seen
_MOST_SATURATED = 0.6
_SECTIONS = ("CT", "MR", "PT", "NM")  # windows on sections are meant to hide most of the image


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Modality values and how many visible pixels have each: both [N], in the order of the stored values."""

    values: voi.Values
    counts: NDArray[np.int64]

    def spread(self, levels: voi.Values) -> float:
        """Return the standard deviation of the film in grey levels of 255, once the curve is applied."""
        shown, total = np.clip(levels, 0, 1), self.counts.sum()
        mean = (shown * self.counts).sum() / total
        return float(255 * np.sqrt(((shown - mean) ** 2 * self.counts).sum() / total))

    def saturated(self, levels: voi.Values) -> float:
        """Return the share of the pixels that become entirely black or entirely white.

        The lowest and the highest stored value are left out: they are the unexposed frame around the field and the
        air beside the patient, where the detector itself saturates, and no window can show anything in them.
        """
        present = np.flatnonzero(self.counts)
        inner = slice(present[0] + 1, present[-1])
        greys, counts = grey_table(levels[inner]), self.counts[inner]
        return float(counts[(greys == 0) | (greys == 255)].sum() / max(counts.sum(), 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Display levels [N] for the values of a histogram. `window`: (center, width) in modality units, if there is one.

    `flags`: `auto_window`, `voi_bits_fixed`, `voi_lut_ignored`, `window_ignored`, `voi_function_ignored`.
    """

    levels: voi.Values
    flags: tuple[str, ...] = ()
    window: tuple[float, float] | None = None


def grey_table(levels: voi.Values) -> NDArray[np.uint8]:
    """Return the grey levels 0 to 255 of display levels, rounded half up."""
    return cast(NDArray[np.uint8], np.floor(np.clip(levels, 0, 1) * 255 + 0.5).astype(np.uint8))


def viewer_curve(dataset: Dataset, *, histogram: Histogram, inverted: bool) -> Curve:
    """Return the header's curve, or the automatic one where there is none or the header's shows hardly anything.

    The header's is the first readable VOI LUT, else the first valid window. It is ignored when the film becomes blank
    (standard deviation below 2 grey levels), and when more than 60 % of the pixels become entirely black or white
    although the automatic curve shows them. The latter does not hold for sections (CT, MR), where it is usual.

    Raises Rejected("blank_after_voi") when the automatic curve shows nothing either.
    """
    declared = _declared_curve(dataset, histogram=histogram)
    is_section = tags.code(dataset, "Modality") in _SECTIONS
    if declared.levels.size and not _shows_too_little(declared.levels, histogram=histogram, is_section=is_section):
        return _with_polarity(declared, inverted=inverted)
    automatic = automatic_curve(histogram, inverted=inverted)
    ignored: tuple[str, ...] = ()
    if declared.levels.size:
        ignored = ("window_ignored",) if declared.window else ("voi_lut_ignored",)
    flags = tuple(dict.fromkeys((*declared.flags, *ignored, *automatic.flags)))
    return replace(automatic, flags=flags)


def automatic_curve(histogram: Histogram, *, inverted: bool) -> Curve:
    """Return the curve that shows the 0.5 percentile black and the 99.5 percentile white.

    Raises Rejected("blank_after_voi") when that shows nothing.
    """
    window = voi.automatic_window(histogram.values, counts=histogram.counts)
    if window is None:
        raise _blank()
    curve = Curve(levels=window.ramp(histogram.values), flags=("auto_window",), window=(window.center, window.width))
    return _with_polarity(_visible(curve, histogram=histogram), inverted=inverted)


def exported_curve(histogram: Histogram) -> Curve:
    """Return the curve of grey levels 0 to 255 that somebody has already chosen: they stay what they are.

    Raises Rejected("blank_after_voi") when they show nothing.
    """
    return _visible(Curve(levels=histogram.values / 255), histogram=histogram)


def equalised_curve(histogram: Histogram, *, inverted: bool) -> Curve:
    """Return the curve of MIMIC-CXR-JPG: lowest to highest value, truncated to 8 bits, polarity, equalised.

    The equalisation is that of OpenCV's `equalizeHist`, worked out from the counts. No window of the header is used.
    Source: Johnson et al., MIMIC-CXR-JPG, arXiv:1901.07042. Its films were then compressed as JPEG; here they are not.

    Raises Rejected("blank_after_voi") when that shows nothing.
    """
    seen = histogram.values[histogram.counts > 0]
    low, high = float(seen.min()), float(seen.max())
    if low == high:
        raise _blank()
    greys = np.floor(np.clip((histogram.values - low) / (high - low), 0, 1) * 255).astype(np.intp)
    if inverted:
        greys = 255 - greys
    counts = np.bincount(greys, weights=histogram.counts, minlength=256)
    first = int(np.flatnonzero(counts)[0])
    above = np.cumsum(counts) - counts[: first + 1].sum()
    scale = np.float32(255) / np.float32(above[-1])
    levels = np.rint(np.maximum(above, 0).astype(np.float32) * scale)[greys].astype(np.float64) / 255
    return _visible(Curve(levels=levels), histogram=histogram)


def _visible(curve: Curve, *, histogram: Histogram) -> Curve:
    if histogram.spread(curve.levels) < _BLANK:
        raise _blank()
    return curve


def _blank() -> Rejected:
    return Rejected("blank_after_voi", "The image shows nothing: all pixels have about the same grey level.")


def _with_polarity(curve: Curve, *, inverted: bool) -> Curve:
    return replace(curve, levels=1 - curve.levels) if inverted else curve


def _shows_too_little(levels: voi.Values, *, histogram: Histogram, is_section: bool) -> bool:
    if histogram.spread(levels) < _BLANK:
        return True
    if is_section or histogram.saturated(levels) <= _MOST_SATURATED:
        return False
    window = voi.automatic_window(histogram.values, counts=histogram.counts)
    return window is not None and histogram.saturated(window(histogram.values)) <= _MOST_SATURATED


def _declared_curve(dataset: Dataset, *, histogram: Histogram) -> Curve:
    """Apply the VOI LUT, else the first valid window. No levels where there is neither; flags name what was ignored."""
    flags: tuple[str, ...] = ()
    table = voi.voi_lookup_table(dataset, signed=bool(histogram.values.min() < 0))
    if table is not None:
        bits, flags = voi.voi_bits(table)
        return Curve(levels=np.minimum(table(histogram.values) / ((1 << bits) - 1), 1), flags=flags)
    flags = tuple(_ignored(dataset))
    window = next((window for window in voi.windows(dataset) if window.is_valid), None)
    if window is None:
        return Curve(levels=np.empty(0), flags=flags)
    return Curve(levels=window.ramp(histogram.values), flags=flags, window=(window.center, window.width))


def _ignored(dataset: Dataset) -> Iterator[str]:
    """Name what the header says of values of interest and what cannot be used."""
    if "VOILUTSequence" in dataset:
        yield "voi_lut_ignored"
    if tags.code(dataset, "VOILUTFunction") not in ("", "LINEAR", "LINEAR_EXACT", "SIGMOID"):
        yield "voi_function_ignored"
    candidates = voi.windows(dataset)
    if candidates and not candidates[0].is_valid:
        yield "window_ignored"
