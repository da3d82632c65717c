"""Films that were exported as PNG or JPEG, decoded.

A picture whose EXIF tag asks for a rotation or a mirror image is refused, because viewers disagree on obeying it and a
mirrored chest names the wrong side.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from xray.dicom import tags
from xray.dicom.colour import grey_of
from xray.dicom.layout import MAX_DECODED_BYTES
from xray.dicom.lookup import Cells
from xray.errors import Rejected

_CORRUPT = "The picture is damaged or truncated. Copy or export it again."
_ORIENTATION = 0x0112
_BYTES_PER_PIXEL = {"L": 1, "LA": 2, "P": 1, "RGB": 3, "RGBA": 4, "I;16": 2, "I;16B": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSize:
    """What a picture's header announces."""

    rows: int
    columns: int
    bits_stored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture: `values` uint8 or uint16 [H, W], 0 = black, of `bits_stored`; `flags` as of rendered films."""

    values: Cells
    bits_stored: int
    flags: tuple[str, ...]


def read_size(path: Path) -> PictureSize:
    """Read the header of a PNG or JPEG. Raises Rejected with the codes of `read_picture`."""
    with _opened(path) as image:
        return PictureSize(rows=image.height, columns=image.width, bits_stored=_bits(image))


def read_picture(path: Path) -> Picture:
    """Decode a PNG or JPEG to grey.

    Raises Rejected: `corrupt_pixels` (damaged or truncated), `too_large` (more than 256 MiB decoded), `multi_frame`
    (animated), `unsupported_bits` (1-bit, CMYK and other modes), `exif_orientation`, `transparent`, `not_grey`.
    """
    with _opened(path) as image:
        image.load()
        _refuse_turned(image)  # PNG may name its orientation after the pixels
        values, flags = _grey_values(image)
        return Picture(values=values, bits_stored=_bits(image), flags=flags)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with tags.guarded("corrupt_pixels", _CORRUPT):
        try:
            image = Image.open(path, formats=("PNG", "JPEG"))
        except Image.DecompressionBombError:
            raise _too_large() from None
        with image:
            _check(image)
            yield image


def _check(image: Image.Image) -> None:
    size = _BYTES_PER_PIXEL.get(image.mode)
    if size is None:
        raise Rejected("unsupported_bits", "The picture is neither 8- or 16-bit grey nor RGB.")
    if image.width * image.height * size > MAX_DECODED_BYTES:
        raise _too_large()
    if getattr(image, "n_frames", 1) != 1:
        raise Rejected("multi_frame", "The picture is animated. Export single frames.")
    _refuse_turned(image)


def _too_large() -> Rejected:
    return Rejected("too_large", f"The picture decodes to more than {MAX_DECODED_BYTES >> 20} MiB.")


def _refuse_turned(image: Image.Image) -> None:
    if image.getexif().get(_ORIENTATION, 1) != 1:
        raise Rejected("exif_orientation", "An EXIF tag turns or mirrors the picture. Save it upright without the tag.")


def _bits(image: Image.Image) -> int:
    return 16 if image.mode.startswith("I") else 8


def _grey_values(image: Image.Image) -> tuple[Cells, tuple[str, ...]]:
    if _bits(image) == 16:
        return np.asarray(image).astype(np.uint16), ()
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    values = np.asarray(image)
    if values.ndim == 3 and values.shape[2] in (2, 4):
        if (values[..., -1] != 255).any():
            raise Rejected("transparent", "The picture has transparent parts. Export it without an alpha channel.")
        values = np.ascontiguousarray(values[..., 0] if values.shape[2] == 2 else values[..., :3])
    return (values, ()) if values.ndim == 2 else grey_of(values)
