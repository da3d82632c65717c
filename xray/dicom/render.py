"""An image as a viewer shows it: modality, values of interest, polarity, then size (PS3.3 C.11, PS3.4 N.2).

Windowing comes before resizing: the other order is wrong by up to 34 of 255 grey levels with a narrow window.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray.dicom import tags, voi
from xray.dicom.colour import grey_of
from xray.dicom.decode import Pixels, decode
from xray.dicom.layout import PixelLayout, pixel_layout
from xray.errors import ConfigError, Rejected

RENDER_VERSION = 2
Grey = NDArray[np.uint8]

_BLANK = 2.0  # standard deviation in grey levels below which nothing can be seen


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """How films become model input; the digest travels with prepared data and with the adapter.

    `size` is the long side in px (None: native). Larger films are reduced by area averaging, smaller ones are never
    enlarged. `square` pads with black, centred, to the long side; the aspect is kept.
    """

    size: int | None = 1024
    square: bool = True

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise ConfigError(
                f"The size of rendered films is {self.size}; it must be at least 1 px, or null for native."
            )

    def digest(self) -> str:
        """Return the sha256 hex digest of the settings and of `RENDER_VERSION`."""
        content = {**asdict(self), "render_version": RENDER_VERSION}
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A rendered image.

    `pixels`: uint8 [H, W], 0 = black. `flags`: what had to be repaired or guessed (`auto_window`, `voi_bits_fixed`,
    `voi_lut_ignored`, `window_ignored`, `voi_function_ignored`, `slope_fixed`, `high_bit_fixed`, `bits_stored_fixed`,
    `from_colour`). `window`: (center, width) in modality units; None when a VOI LUT or no window was applied.
    """

    pixels: Grey
    flags: tuple[str, ...]
    window: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """A display curve: values in [0, 1] for each possible stored value, 1 = the high end of the values of interest."""

    levels: voi.Values
    flags: tuple[str, ...]
    window: tuple[float, float] | None


def render_dataset(dataset: Dataset, *, settings: RenderSettings) -> Rendered:
    """Render a single-frame grey image of any modality.

    Order: Modality LUT or rescale; VOI LUT, else the first valid window, else the 0.5 to 99.5 percentiles outside the
    padding; inversion of MONOCHROME1; padding black; resize. Rounds half up.

    Raises Rejected: the codes of `decode`, `polarity_conflict`, `bad_lut`, `not_grey`, `all_padding`,
    `blank_after_voi`.
    """
    layout = pixel_layout(dataset)
    inverted = _is_inverted(dataset, layout=layout)
    stored = decode(dataset)
    if stored.ndim == 3:
        grey, flags = grey_of(stored)
        refuse_blank(grey)
        return Rendered(pixels=fit(grey, settings=settings), flags=flags, window=None)
    native = _render_grey(dataset, stored=stored, layout=layout, inverted=inverted)
    return Rendered(pixels=fit(native.pixels, settings=settings), flags=native.flags, window=native.window)


def fit(pixels: Grey, *, settings: RenderSettings) -> Grey:
    """Resize and pad uint8 [H, W] as the settings say. Returns a new or the same array, never enlarged content.

    A film smaller than `size` is padded to its own long side and no further: in a wider black frame it would be even
    smaller when a model or a screen scales the picture.
    """
    rows, columns = pixels.shape
    if settings.size is not None and max(rows, columns) > settings.size:
        scale = settings.size / max(rows, columns)
        target = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        pixels = cast(Grey, cv2.resize(pixels, target, interpolation=cv2.INTER_AREA))
    if not settings.square:
        return pixels
    side = max(pixels.shape)
    canvas = np.zeros((side, side), dtype=np.uint8)
    top, left = (side - pixels.shape[0]) // 2, (side - pixels.shape[1]) // 2
    canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return canvas


def refuse_blank(pixels: Grey) -> None:
    """Raise Rejected("blank_after_voi") for uint8 pixels on which nothing can be seen."""
    if pixels.std() < _BLANK:
        raise Rejected("blank_after_voi", "The image shows nothing: all pixels have about the same grey level.")


def _is_inverted(dataset: Dataset, *, layout: PixelLayout) -> bool:
    """MONOCHROME1 shows its lowest value white. PresentationLUTShape may only say the same (PS3.3 C.8.11.3.1.2)."""
    shape = tags.code(dataset, "PresentationLUTShape")
    allowed = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}.get(layout.photometric, shape)
    if shape in ("INVERSE", "IDENTITY") and shape != allowed:
        raise Rejected(
            "polarity_conflict",
            f"{layout.photometric} with PresentationLUTShape {shape}: black and white cannot be told apart.",
        )
    return layout.photometric == "MONOCHROME1"


def _render_grey(dataset: Dataset, *, stored: Pixels, layout: PixelLayout, inverted: bool) -> Rendered:
    first, last, flags = _stored_range(stored, layout=layout)
    possible = np.arange(first, last + 1, dtype=np.float64)
    modality, slope_flags = voi.modality_values(dataset, stored=possible, signed=layout.signed)
    padding = _padding(dataset, possible=possible, layout=layout)
    index = stored.astype(np.int32) - first
    visible = index if not padding.any() else index[~padding[index]]
    if not visible.size:
        raise Rejected("all_padding", "Every pixel is padding.")
    counts = np.bincount(visible.ravel(), minlength=len(possible))
    curve = _seen_curve(dataset, modality=modality, counts=counts)
    levels = 1 - curve.levels if inverted else curve.levels
    table = np.floor(np.where(padding, 0, levels) * 255 + 0.5).astype(np.uint8)
    return Rendered(pixels=np.take(table, index), flags=(*flags, *slope_flags, *curve.flags), window=curve.window)


def _stored_range(stored: Pixels, *, layout: PixelLayout) -> tuple[int, int, tuple[str, ...]]:
    """Return the range that BitsStored declares, widened where a lossy codec or a wrong header left it."""
    first = -(1 << (layout.bits_stored - 1)) if layout.signed else 0
    last = first + (1 << layout.bits_stored) - 1
    low, high = int(stored.min()), int(stored.max())
    flags = ("high_bit_fixed",) if layout.shift else ()
    if low < first or high > last:
        return min(first, low), max(last, high), (*flags, "bits_stored_fixed")
    return first, last, flags


def _padding(dataset: Dataset, *, possible: voi.Values, layout: PixelLayout) -> NDArray[np.bool_]:
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


def _seen_curve(dataset: Dataset, *, modality: voi.Values, counts: NDArray[np.intp]) -> _Curve:
    """Choose the header's curve, or the automatic one where the header's would show nothing."""
    declared = _declared_curve(dataset, modality=modality)
    if declared.levels.size and _spread(declared.levels, counts=counts) >= _BLANK:
        return declared
    ignored: tuple[str, ...] = ()
    if declared.levels.size:
        ignored = ("window_ignored",) if declared.window else ("voi_lut_ignored",)
    automatic = _automatic_curve(modality, counts=counts)
    if _spread(automatic.levels, counts=counts) < _BLANK:
        raise Rejected("blank_after_voi", "The image shows nothing: all pixels have about the same grey level.")
    return _Curve(levels=automatic.levels, flags=(*declared.flags, *ignored, *automatic.flags), window=automatic.window)


def _declared_curve(dataset: Dataset, *, modality: voi.Values) -> _Curve:
    """Apply the VOI LUT, else the first valid window. No levels where there is neither; flags name what was ignored."""
    flags: tuple[str, ...] = ()
    table = voi.voi_lookup_table(dataset, signed=bool(modality.min() < 0))
    if table is not None:
        bits, flags = voi.voi_bits(table)
        return _Curve(levels=np.minimum(table(modality) / ((1 << bits) - 1), 1), flags=flags, window=None)
    if "VOILUTSequence" in dataset:
        flags += ("voi_lut_ignored",)
    if tags.code(dataset, "VOILUTFunction") not in ("", "LINEAR", "LINEAR_EXACT", "SIGMOID"):
        flags += ("voi_function_ignored",)
    candidates = voi.windows(dataset)
    window = next((window for window in candidates if window.is_valid), None)
    if candidates and candidates[0] != window:
        flags += ("window_ignored",)
    if window is None:
        return _Curve(levels=np.empty(0), flags=flags, window=None)
    return _Curve(levels=window(modality), flags=flags, window=(window.center, window.width))


def _automatic_curve(modality: voi.Values, *, counts: NDArray[np.intp]) -> _Curve:
    window = voi.automatic_window(modality, counts=counts)
    if window is None:
        return _Curve(levels=np.zeros_like(modality), flags=("auto_window",), window=None)
    return _Curve(levels=window(modality), flags=("auto_window",), window=(window.center, window.width))


def _spread(levels: voi.Values, *, counts: NDArray[np.intp]) -> float:
    """Return the standard deviation of the rendered pixels in grey levels, from the histogram."""
    total = counts.sum()
    mean = (levels * counts).sum() / total
    return float(255 * np.sqrt(((levels - mean) ** 2 * counts).sum() / total))
