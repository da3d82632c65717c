"""Films that were exported as PNG or JPEG.

An 8-bit picture is taken as it is: whoever exported it chose the window. A 16-bit PNG carries no window, so its 0.5 to
99.5 percentiles become black and white (flag `auto_window`). A picture whose EXIF tag asks for a rotation or a mirror
image is refused, because viewers disagree on obeying it and a mirrored chest names the wrong side.
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
from xray.dicom.render import Grey, refuse_blank
from xray.dicom.voi import automatic_window
from xray.errors import Rejected

_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
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
    """A decoded picture: `pixels` uint8 [H, W], 0 = black; `bits_stored` of the file; `flags` as for rendered films."""

    pixels: Grey
    bits_stored: int
    flags: tuple[str, ...]


def has_picture_magic(head: bytes) -> bool:
    """Tell whether a file's first bytes are those of PNG or JPEG."""
    return head.startswith(_MAGIC)


def read_size(path: Path) -> PictureSize:
    """Read the header of a PNG or JPEG. Raises Rejected with the codes of `read_picture`."""
    with _opened(path) as image:
        return PictureSize(rows=image.height, columns=image.width, bits_stored=_bits(image))


def read_picture(path: Path) -> Picture:
    """Decode a PNG or JPEG to grey.

    Raises Rejected: `corrupt_pixels` (damaged or truncated), `too_large` (more than 256 MiB decoded), `multi_frame`
    (animated), `unsupported_bits` (1-bit, CMYK and other modes), `exif_orientation`, `transparent`, `not_grey`,
    `blank_after_voi` (nothing to be seen).
    """
    with _opened(path) as image:
        image.load()
        _refuse_turned(image)  # PNG may name its orientation after the pixels
        if _bits(image) == 16:
            picture = _render_deep(np.asarray(image).astype(np.uint16))
        elif image.mode == "P":
            picture = _render_shallow(np.asarray(image.convert("RGBA" if "transparency" in image.info else "RGB")))
        else:
            picture = _render_shallow(np.asarray(image))
    refuse_blank(picture.pixels)
    return picture


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


def _render_deep(values: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> Picture:
    possible = np.arange(65536, dtype=np.float64)
    window = automatic_window(possible, counts=np.bincount(values.ravel(), minlength=65536))
    levels = window(possible) if window else np.zeros(65536)
    table = np.floor(levels * 255 + 0.5).astype(np.uint8)
    return Picture(pixels=np.take(table, values), bits_stored=16, flags=("auto_window",))


def _render_shallow(values: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Picture:
    if values.ndim == 3 and values.shape[2] in (2, 4):
        if (values[..., -1] != 255).any():
            raise Rejected("transparent", "The picture has transparent parts. Export it without an alpha channel.")
        values = values[..., 0] if values.shape[2] == 2 else values[..., :3]
    if values.ndim == 2:
        return Picture(pixels=values, bits_stored=8, flags=())
    pixels, flags = grey_of(values)
    return Picture(pixels=pixels, bits_stored=8, flags=flags)
