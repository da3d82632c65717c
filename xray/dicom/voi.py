"""From stored values to display values: modality transformation, then values of interest (PS3.3 C.11.1 and C.11.2).

Every function here works on a table of values, one per possible stored value, never on an image.
"""

import math
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray.dicom import tags
from xray.dicom.native import swap_pairs
from xray.errors import Rejected

Values = NDArray[np.float64]
_PERCENTILES = (0.005, 0.995)
_LARGEST = 1e9  # modality values are counts, densities or Hounsfield units; beyond this they are damage
Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupTable:
    """A DICOM lookup table: `entries[0]` belongs to the input `first`; `bits` are the declared bits per entry."""

    first: int
    bits: int
    entries: Values

    def __call__(self, inputs: Values) -> Values:
        """Look up rounded inputs; below the first and above the last mapped value the end entries hold."""
        index = np.clip(np.rint(inputs) - self.first, 0, len(self.entries) - 1)
        return cast(Values, self.entries[index.astype(np.intp)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A VOI window in modality units (PS3.3 C.11.2.1.2)."""

    center: float
    width: float
    function: Function = "LINEAR"

    @property
    def is_valid(self) -> bool:
        """Of a possible size, and at least 1 wide for LINEAR, wider than 0 for the other two functions."""
        if not (abs(self.center) <= _LARGEST and 1 / _LARGEST <= self.width <= _LARGEST):  # false for NaN too
            return False
        return self.function != "LINEAR" or self.width >= 1

    def __call__(self, inputs: Values) -> Values:
        """Map modality values to display values in [0, 1]."""
        return np.clip(self.ramp(inputs), 0, 1)

    def ramp(self, inputs: Values) -> Values:
        """Map modality values to display levels that go on, where the window is linear, below 0 and above 1.

        A SIGMOID and a LINEAR window of width 1, which is a threshold, stay in [0, 1].
        """
        if self.function == "SIGMOID":
            exponent = np.clip(-4 * (inputs - self.center) / self.width, -700, 700)
            return np.asarray(1 / (1 + np.exp(exponent)), dtype=np.float64)
        offset = 0.5 if self.function == "LINEAR" else 0.0
        center, width = self.center - offset, self.width - 2 * offset
        if width == 0:
            return (inputs > center).astype(np.float64)
        return np.asarray((inputs - center) / width + 0.5, dtype=np.float64)


def modality_values(dataset: Dataset, *, stored: Values, signed: bool) -> tuple[Values, tuple[str, ...]]:
    """Apply the Modality LUT or the rescale to stored values; returns modality values and flags.

    A slope of 0 or one that is no number counts as 1, flagged `slope_fixed`. A negative slope keeps its meaning.
    Raises Rejected: `bad_lut` for a Modality LUT that cannot be read, because without it the values mean nothing;
    `bad_tag` for a slope or an intercept of impossible size.
    """
    for item in tags.items(dataset, "ModalityLUTSequence"):
        table = lookup_table(item, signed=signed)
        if table is None:
            raise Rejected("bad_lut", "The Modality LUT is damaged. Export the film again.")
        return table(stored), ()
    slope, intercept = tags.number(dataset, "RescaleSlope"), tags.number(dataset, "RescaleIntercept")
    if (slope and not 1 / _LARGEST <= abs(slope) <= _LARGEST) or abs(intercept or 0.0) > _LARGEST:
        raise Rejected("bad_tag", "RescaleSlope or RescaleIntercept has an impossible size. Export the film again.")
    flags = ("slope_fixed",) if tags.values(dataset, "RescaleSlope") and not slope else ()
    return stored * (slope or 1.0) + (intercept or 0.0), flags


def voi_lookup_table(dataset: Dataset, *, signed: bool) -> LookupTable | None:
    """Return the first readable VOI LUT, or None. `signed`: the modality values reach below 0."""
    tables = (lookup_table(item, signed=signed) for item in tags.items(dataset, "VOILUTSequence"))
    return next((table for table in tables if table is not None), None)


def voi_bits(table: LookupTable) -> tuple[int, tuple[str, ...]]:
    """Return how many bits the entries of a VOI LUT really use, and a flag when the descriptor was wrong.

    Some systems declare 16 bits and fill 12, so that the film would show almost black. The data decide when they need
    more bits than declared, or when they leave three quarters of the declared range unused.
    """
    used = max(int(table.entries.max()).bit_length(), 1)
    if used > table.bits or used <= table.bits - 2:
        return used, ("voi_bits_fixed",)
    return table.bits, ()


def windows(dataset: Dataset) -> tuple[Window, ...]:
    """Return all windows of the header, valid or not, in their order."""
    function = tags.code(dataset, "VOILUTFunction")
    kind: Function = function if function in ("LINEAR_EXACT", "SIGMOID") else "LINEAR"  # type: ignore[assignment]
    pairs = zip(tags.numbers(dataset, "WindowCenter"), tags.numbers(dataset, "WindowWidth"), strict=False)
    return tuple(Window(center=center, width=width, function=kind) for center, width in pairs)


def automatic_window(values: Values, *, counts: NDArray[np.int64]) -> Window | None:
    """Return the window from the 0.5 to the 99.5 percentile of a histogram, None when there is only one value.

    `counts[i]` pixels have the value `values[i]`. Where the two percentiles coincide the extremes are taken.
    """
    order = np.argsort(values, kind="stable")
    present = order[counts[order] > 0]
    ends = np.cumsum(counts[present])
    low, high = (_percentile(values[present], ends=ends, share=share) for share in _PERCENTILES)
    if low == high:
        low, high = float(values[present[0]]), float(values[present[-1]])
    if low == high:
        return None
    return Window(center=(low + high) / 2, width=high - low, function="LINEAR_EXACT")


def _percentile(values: Values, *, ends: NDArray[np.int64], share: float) -> float:
    """Interpolate linearly between the two nearest of the sorted pixels; `ends` are cumulative counts of `values`."""
    rank = share * (int(ends[-1]) - 1)
    below, above = (float(values[np.searchsorted(ends, place, side="right")]) for place in (int(rank), math.ceil(rank)))
    return below + (above - below) * (rank - int(rank))


def lookup_table(item: Dataset, *, signed: bool) -> LookupTable | None:
    """Read LUTDescriptor and LUTData of a sequence item; None when they contradict each other."""
    descriptor = [int(part) for part in tags.numbers(item, "LUTDescriptor") if math.isfinite(part)]
    if len(descriptor) != 3:
        return None
    count, first, bits = (descriptor[0] & 0xFFFF) or 65536, descriptor[1], descriptor[2]
    entries = _entries(_little_endian(item), count=count)
    if entries is None or not 1 <= bits <= 16:
        return None
    if signed and first > 32767:  # written as US although the values it maps are signed
        first -= 65536
    if not signed and first < 0:
        first += 65536
    return LookupTable(first=first, bits=bits, entries=entries)


def _little_endian(item: Dataset) -> object:
    """Return LUTData; its words (VR OW) in a big-endian file come as they are written, and are swapped here."""
    data = tags.value(item, "LUTData")
    is_big_endian = item.original_encoding[1] is False
    return swap_pairs(data) if is_big_endian and isinstance(data, bytes) else data


def _entries(data: object, *, count: int) -> Values | None:
    """LUTData as OW bytes or as US values; 8-bit entries may be packed two to a word, the first in the low byte."""
    if isinstance(data, bytes | bytearray):
        packed = bytes(data)
    else:
        words = [data] if isinstance(data, int) else list(tags.members(data))
        known = [word & 0xFFFF for word in words if isinstance(word, int) and -32768 <= word <= 65535]
        if len(known) != len(words):
            return None
        packed = np.array(known, dtype="<u2").tobytes()
    if len(packed) == 2 * count:
        return np.frombuffer(packed, dtype="<u2").astype(np.float64)
    if len(packed) in (count, count + 1):
        return np.frombuffer(packed, dtype=np.uint8)[:count].astype(np.float64)
    return None
