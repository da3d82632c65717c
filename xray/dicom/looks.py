"""Ways to look at a chest film: windows for the whole chest, the lungs, the mediastinum and the bones.

A radiograph has no Hounsfield units, so no window fits two devices. These follow the film: the whole chest as its
header asks for, the others between percentiles of what that shows neither black nor white.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset

from xray.dicom import voi
from xray.dicom.curve import Curve, Histogram

LookName = Literal["whole", "lungs", "mediastinum", "bones", "raw"]
_SHARES: dict[LookName, tuple[float, float]] = {
    "lungs": (0.01, 0.70),
    "mediastinum": (0.36, 0.998),
    "bones": (0.14, 0.98),
}
_LEAST_INSIDE = 0.05  # a window that shows less of the film says nothing of its tissues


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A window of PS3.3 C.11.2 by its name, in modality units.

    With `by_curve` it is one on the levels, 0 to 1, that the film's VOI LUT gives.
    """

    name: LookName
    center: float
    width: float
    function: voi.Function
    by_curve: bool = False


def looks_of(curve: Curve, *, histogram: Histogram, inverted: bool, dataset: Dataset | None) -> tuple[Look, ...]:
    """Return the looks of a film, `whole` first and `raw`, the lowest to the highest value, last.

    `curve` is the film's own before its polarity; `dataset` its header, None for a picture. `inverted`: the lowest
    value is white, so the lungs are among the highest. A look that would have no width is left out.
    """
    whole = _whole(curve, dataset=dataset)
    seen = histogram.values[histogram.counts > 0]
    tissues = _tissue_looks(curve, histogram=histogram, inverted=inverted)
    raw = _between("raw", float(seen.min()), float(seen.max()))
    return tuple(look for look in (whole, *tissues, raw) if look is not None)


def _whole(curve: Curve, *, dataset: Dataset | None) -> Look:
    if curve.window is None:
        return Look(name="whole", center=0.5, width=1.0, function="LINEAR_EXACT", by_curve=True)
    center, width = curve.window
    function: voi.Function = "LINEAR_EXACT"
    if dataset is not None and "auto_window" not in curve.flags:
        function = next(window.function for window in voi.windows(dataset) if window.is_valid)
    return Look(name="whole", center=center, width=width, function=function)


def _tissue_looks(curve: Curve, *, histogram: Histogram, inverted: bool) -> Iterator[Look | None]:
    inside = np.where((curve.levels > 0) & (curve.levels < 1), histogram.counts, 0)
    counts = inside if inside.sum() > _LEAST_INSIDE * histogram.counts.sum() else histogram.counts
    densities = -histogram.values if inverted else histogram.values
    order = np.argsort(densities, kind="stable")
    ends = np.cumsum(counts[order])
    for name, shares in _SHARES.items():
        low, high = (histogram.values[order[np.searchsorted(ends, share * ends[-1])]] for share in shares)
        yield _between(name, float(min(low, high)), float(max(low, high)))


def _between(name: LookName, low: float, high: float) -> Look | None:
    if low >= high:
        return None
    return Look(name=name, center=(low + high) / 2, width=high - low, function="LINEAR_EXACT")
