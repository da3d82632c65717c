"""Another window than the one a film was rendered with: a little darker, lighter, harder or softer.

A radiologist moves the window of every film. On the 16-bit master this is what moving it does: what was clipped comes
back. On 8-bit pixels it can only be imitated, as a change of brightness and contrast.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xray.records import Record

Grey = NDArray[np.uint8]
Deep = NDArray[np.uint16]


class WindowChange(Record):
    """A moved window: the center by a share of the width, the width by a factor, and what it was applied to."""

    center: float
    width: float
    source: Literal["deep", "pixels"]


def drawn_window(
    rng: np.random.Generator, *, center: float, width: float, probability: float, source: Literal["deep", "pixels"]
) -> WindowChange | None:
    """Draw a window at most `center` (share of the width) away and up to `width` (share) wider or narrower, or None."""
    acts, moved, widened = rng.random(3)
    if acts >= probability or (center == 0 and width == 0):
        return None
    return WindowChange(center=(2 * moved - 1) * center, width=1 + (2 * widened - 1) * width, source=source)


def rewindowed(pixels: Grey, *, deep: Deep | None, change: WindowChange) -> Grey:
    """Show a film through another window, as uint8 [H, W].

    `deep` is the 16-bit master, uint16 [H, W], which holds the display level L (0 = black, 1 = white) as
    (L + 0.5) / 2 * 65535 with half a window of headroom on each side. The new level is
    (L - 0.5 - center) / width + 0.5.
    """
    if deep is None:
        return _table(np.arange(256) / 255, change)[pixels]
    return _table(np.arange(65536) / 65535 * 2 - 0.5, change)[deep]


def _table(levels: NDArray[np.float64], change: WindowChange) -> Grey:
    shown = (levels - 0.5 - change.center) / change.width + 0.5
    return np.floor(np.clip(shown, 0, 1) * 255 + 0.5).astype(np.uint8)
