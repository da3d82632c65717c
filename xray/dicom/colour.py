"""Grey films that were stored in colour: screen captures and converted files with three equal channels."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from xray.errors import Rejected

_MAX_SPREAD = 16  # grey levels of 255 between the channels: chroma noise of lossy compression
_MAX_COLOURED = 0.001  # share of pixels that may be further apart


def grey_of(colours: NDArray[np.integer[Any]]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return uint8 [H, W] of an RGB image, uint8 or uint16 [H, W, 3], whose channels agree closely, and its flags.

    The flag is `from_colour` when the channels are not exactly equal.

    Raises Rejected("not_grey") when more than 0.1 % of the pixels are coloured.
    """
    if colours.ndim != 3 or colours.shape[2] != 3:
        raise Rejected("not_grey", "The image has neither one nor three channels.")
    wide = colours.astype(np.int32)
    if colours.dtype.itemsize > 1:
        wide = (wide * 255 + 32767) // 65535
    spread = wide.max(axis=2) - wide.min(axis=2)
    if (spread > _MAX_SPREAD).mean() > _MAX_COLOURED:
        raise Rejected("not_grey", "The image is coloured. A film is grey; photographs and screen shots are refused.")
    grey = ((2 * wide.sum(axis=2) + 3) // 6).astype(np.uint8)
    return cast(NDArray[np.uint8], grey), ("from_colour",) if spread.any() else ()
