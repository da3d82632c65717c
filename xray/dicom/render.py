"""An image as a viewer shows it: modality, values of interest, polarity, then size (PS3.3 C.11, PS3.4 N.2).

Windowing comes before resizing: the other order is wrong by up to 34 of 255 grey levels with a narrow window. Overlays
(groups 60xx, and planes in unused bits of the pixel cells) are never burnt in: they carry names.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from xray.dicom import voi
from xray.dicom.colour import grey_of
from xray.dicom.curve import (
    Curve,
    Histogram,
    automatic_curve,
    equalised_curve,
    exported_curve,
    grey_table,
    viewer_curve,
)
from xray.dicom.decode import decode
from xray.dicom.geometry import fit_film, pixel_aspect
from xray.dicom.layout import pixel_layout
from xray.dicom.lookup import Cells, cells_of, count, look_up
from xray.dicom.shutter import Mask, shutter_of
from xray.dicom.site_profile import SiteProfile, is_inverted
from xray.dicom.values import grey_values, some
from xray.errors import ConfigError

RENDER_VERSION = 4
Grey = NDArray[np.uint8]
Deep = NDArray[np.uint16]
Film = TypeVar("Film", NDArray[np.uint8], NDArray[np.uint16])

_HEADROOM = 0.5  # how far the 16-bit master goes beyond black and white, in widths of the window
_HIDDEN = -_HEADROOM  # the level of padding: 0 in the master, black on the film


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """How films become model input; the digest travels with prepared data and with the adapter.

    `size` is the long side in px (None: native). Larger films are reduced by area averaging, smaller ones are never
    enlarged. `square` pads with black, centred, to the long side; the aspect is kept. `profile`: `viewer` shows the
    header's values of interest; `mimic_jpg` stretches and equalises as MIMIC-CXR-JPG did, for encoders that were
    pre-trained on such films. `deep` asks for the 16-bit master as well. `site` decides contradicting polarities.
    """

    size: int | None = 1024
    square: bool = True
    profile: Literal["viewer", "mimic_jpg"] = "viewer"
    deep: bool = False
    site: SiteProfile | None = None

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise ConfigError(
                f"The size of rendered films is {self.size}; it must be at least 1 px, or null for native."
            )
        if self.profile not in ("viewer", "mimic_jpg"):
            raise ConfigError(f"The rendering profile is {self.profile!r}; it must be viewer or mimic_jpg.")

    def digest(self) -> str:
        """Return the sha256 hex digest of the settings and of `RENDER_VERSION`."""
        content = {
            "size": self.size,
            "square": self.square,
            "profile": self.profile,
            "deep": self.deep,
            "site": self.site.model_dump(mode="json") if self.site else None,
            "render_version": RENDER_VERSION,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A rendered image.

    `pixels`: uint8 [H, W], 0 = black. `flags`: what had to be repaired, guessed or undone (`auto_window`,
    `voi_bits_fixed`, `voi_lut_ignored`, `window_ignored`, `voi_function_ignored`, `slope_fixed`, `high_bit_fixed`,
    `from_colour`, `polarity_by_site`, `shutter_ignored`, `aspect_resampled`). `window`:
    (center, width) in modality units; None when a VOI LUT, no window or the profile `mimic_jpg` was applied.

    `deep`: uint16 [H, W] when the settings ask for it, else None. It has the geometry and polarity of `pixels` and
    holds the display level, 0 = black and 1 = white of the window, with half a window to spare on each side:
    round((clip(level, -0.5, 1.5) + 0.5) / 2 * 65535). Another window is thus an affine change of the level. Padding
    and what a shutter hides are 0. A VOI LUT, a SIGMOID and `mimic_jpg` leave nothing beyond black and white. It is
    reduced before its ends are cut off, so at sharp edges it differs from `pixels`, which are windowed first.
    """

    pixels: Grey
    flags: tuple[str, ...]
    window: tuple[float, float] | None
    deep: Deep | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where the film lies in its pixels: the shutter, and the height of a pixel over its width."""

    visible: Mask | None = None
    aspect: float = 1.0


def render_dataset(dataset: Dataset, *, settings: RenderSettings) -> Rendered:
    """Render a single-frame grey image of any modality.

    Order: Modality LUT or rescale; VOI LUT, else the first valid window, else (or where that hides most of the film)
    the 0.5 to 99.5 percentiles of what is neither padding nor behind the shutter; inversion of MONOCHROME1; padding
    and shutter black; square pixels and size. Rounds half up.

    Raises Rejected: the codes of `decode`, `polarity_conflict`, `bad_lut`, `bad_tag` (impossible pixel spacing),
    `not_grey`, `all_padding`, `blank_after_voi`, `too_large`.
    """
    layout = pixel_layout(dataset)
    inverted, polarity_flags = is_inverted(dataset, photometric=layout.photometric, site=settings.site)
    aspect = pixel_aspect(dataset)
    shutter = shutter_of(dataset, rows=layout.rows, columns=layout.columns, aspect=aspect)
    frame = _Frame(visible=shutter.visible, aspect=aspect)
    bit_flags = ("high_bit_fixed",) if layout.shift else ()
    flags = (*bit_flags, *polarity_flags, *shutter.flags, *(("aspect_resampled",) if aspect != 1 else ()))
    stored = decode(dataset)
    if stored.ndim == 3:
        grey, colour_flags = grey_of(stored)
        rendered = _render_exported(grey, settings=settings, frame=frame)
        return replace(rendered, flags=(*colour_flags, *rendered.flags, *flags))
    values = grey_values(dataset, stored=stored, layout=layout, visible=frame.visible)
    if settings.profile == "mimic_jpg":
        curve = equalised_curve(values.histogram, inverted=inverted)
    else:
        curve = viewer_curve(dataset, histogram=values.histogram, inverted=inverted)
    levels = np.full(1 << (8 * stored.dtype.itemsize), _HIDDEN)
    levels[values.cells] = np.where(values.padding, _HIDDEN, curve.levels)  # those of -1 stand at the end
    whole = Curve(levels=levels, flags=(*values.flags, *curve.flags, *flags), window=curve.window)
    return _draw(cells_of(stored), curve=whole, settings=settings, frame=frame)


def render_picture(values: Cells, *, settings: RenderSettings) -> Rendered:
    """Render a picture that has no header, such as a PNG: uint8 or uint16 [H, W], 0 = black.

    8 bits are taken as they are: whoever exported them chose the window. 16 bits carry no window, so their 0.5 to 99.5
    percentiles become black and white (flag `auto_window`).

    Raises Rejected("blank_after_voi").
    """
    return _render_exported(values, settings=settings, frame=_Frame())


def fit(pixels: Film, *, settings: RenderSettings) -> Film:
    """Resize and pad uint8 or uint16 [H, W] as the settings say; see `fit_film`."""
    return fit_film(pixels, size=settings.size, square=settings.square)


def _render_exported(values: Cells, *, settings: RenderSettings, frame: _Frame) -> Rendered:
    counts = count(values, visible=frame.visible)
    histogram = Histogram(values=np.arange(len(counts), dtype=np.float64), counts=some(counts))
    if settings.profile == "mimic_jpg":
        curve = equalised_curve(histogram, inverted=False)
    elif values.dtype.itemsize == 2:
        curve = automatic_curve(histogram, inverted=False)
    else:
        curve = exported_curve(histogram)
    return _draw(values, curve=curve, settings=settings, frame=frame)


def _draw(cells: Cells, *, curve: Curve, settings: RenderSettings, frame: _Frame) -> Rendered:
    """Map every cell, black out what the shutter hides, and bring the film to its size."""
    pixels = look_up(cells, grey_table(curve.levels))
    deep = look_up(cells, _deep_table(curve.levels)) if settings.deep else None
    if frame.visible is not None:
        hidden = frame.visible == 0
        pixels[hidden] = 0
        if deep is not None:
            deep[hidden] = 0
    return Rendered(
        pixels=fit_film(pixels, size=settings.size, square=settings.square, aspect=frame.aspect),
        deep=None if deep is None else fit_film(deep, size=settings.size, square=settings.square, aspect=frame.aspect),
        flags=curve.flags,
        window=curve.window,
    )


def _deep_table(levels: voi.Values) -> Deep:
    share = (np.clip(levels, -_HEADROOM, 1 + _HEADROOM) + _HEADROOM) / (1 + 2 * _HEADROOM)
    return np.floor(share * 65535 + 0.5).astype(np.uint16)
