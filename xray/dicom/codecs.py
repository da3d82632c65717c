"""Compressed frames to stored values, by one decoder for each family, all from imagecodecs (BSD).

JPEG with its 12-bit and lossless processes by libjpeg-turbo, JPEG-LS by CharLS, JPEG 2000 and HTJ2K by OpenJPEG in its
strict mode (OpenJPH is twice as fast on HTJ2K, but shows a truncated frame in part), RLE by our own reader.
"""

from typing import Any, cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.pixels.processing import convert_color_space

from xray.dicom import tags
from xray.dicom.codestream import FrameSize, check_end, frame_size
from xray.dicom.layout import PixelLayout
from xray.dicom.native import Pixels, stored_values, with_sign
from xray.dicom.rle import decode_rle
from xray.dicom.syntax import JPEG, JPEG_LS, RLE
from xray.errors import Rejected

_CORRUPT = "The pixel data cannot be decoded. Export the film again."
_SMALL_BYTES = 16 * 1024 * 1024
_MAX_RATIO = 2000  # beyond it a large image is empty; the lossiest films are compressed about 100 times
_FILLER = bytes.fromhex("5aa51b3c7ed28149") * 8


def decode_frame(frame: bytes, *, syntax: uid.UID, layout: PixelLayout) -> Pixels:
    """Return the values of one compressed frame, [H, W] or RGB [H, W, 3], as wide as BitsAllocated.

    Raises Rejected: `size_mismatch` (codestream and tags disagree), `too_large` (a decompression bomb), `truncated`,
    `multi_frame`, `corrupt_pixels`, `not_grey` (a colour space that the syntax cannot hold).
    """
    if layout.bits_allocated not in (8, 16) and not (syntax in RLE and layout.bits_allocated == 32):
        raise Rejected("unsupported_bits", "Compressed pixels of this BitsAllocated are not supported.")
    if syntax in RLE:
        return _in_rgb(stored_values(decode_rle(frame, layout=layout), layout=layout), photometric=layout.photometric)
    size = frame_size(frame)
    _check(size, frame=frame, layout=layout)
    if syntax in JPEG:
        values = _jpeg(frame, size=size, layout=layout)
    elif syntax in JPEG_LS:
        values = _jpeg_ls(frame, size=size, layout=layout)
    else:
        values = _jpeg_2000(frame, size=size, layout=layout)
    if values.shape[:2] != (layout.rows, layout.columns):
        raise Rejected("size_mismatch", "The decoded image is not Rows x Columns large.")
    if layout.shift and size.precision == layout.high_bit + 1:  # the unused low bits are really in the codestream
        return values >> layout.shift
    return values


def _check(size: FrameSize, *, frame: bytes, layout: PixelLayout) -> None:
    if (size.rows, size.columns, size.samples) != (layout.rows, layout.columns, layout.samples):
        raise Rejected("size_mismatch", "The compressed frame has another size than Rows, Columns and SamplesPerPixel.")
    if size.precision > layout.bits_allocated:
        raise Rejected("size_mismatch", "The compressed frame has more bits per sample than BitsAllocated.")
    if layout.frame_bytes > max(_SMALL_BYTES, _MAX_RATIO * len(frame)):
        raise Rejected("too_large", f"The {len(frame)} bytes of pixel data would decode to {layout.frame_bytes}.")
    check_end(frame, size=size)


def _jpeg(frame: bytes, *, size: FrameSize, layout: PixelLayout) -> Pixels:
    source, shown = None, None
    if layout.samples == 3:
        is_rgb = size.is_rgb or (layout.photometric == "RGB" and not size.is_ybr)
        source, shown = "RGB" if is_rgb else "YCBCR", "RGB"
    with tags.guarded("corrupt_pixels", _CORRUPT):
        values = imagecodecs.jpeg_decode(frame, colorspace=source, outcolorspace=shown)
        tail = values[-1, -8:]
        if (tail == tail[0]).all():  # as an image ends whose last pixels are missing, and many a black border
            longer = imagecodecs.jpeg_decode(_prolonged(frame), colorspace=source, outcolorspace=shown)
            if not np.array_equal(values, longer):
                raise Rejected("truncated", "A part of the compressed frame is missing. Copy the file again.")
    values = _wide(values, layout=layout)
    return with_sign(values, bits=layout.bits_stored) if layout.signed else values


def _prolonged(frame: bytes) -> bytes:
    """Add bits before the end of a JPEG: they change its image only if bits are missing, which libjpeg hides."""
    end = frame.find(b"\xff\xd9", frame.find(b"\xff\xda"))
    scans = frame[:end].rstrip(b"\xff")  # fill bytes, which with the next byte would be a marker
    return scans + _FILLER + frame[end:]


def _jpeg_ls(frame: bytes, *, size: FrameSize, layout: PixelLayout) -> Pixels:
    with tags.guarded("corrupt_pixels", _CORRUPT):
        values = _wide(imagecodecs.jpegls_decode(frame), layout=layout)
    if layout.signed:
        return with_sign(values, bits=size.precision)
    return _in_rgb(values, photometric=layout.photometric)


def _jpeg_2000(frame: bytes, *, size: FrameSize, layout: PixelLayout) -> Pixels:
    """Decode the codestream alone: a JP2 wrapper, which DICOM forbids, could announce palettes and other sizes."""
    with tags.guarded("corrupt_pixels", _CORRUPT):
        values = imagecodecs.jpeg2k_decode(frame[size.start :])
    if size.signed != layout.signed and layout.samples == 1:  # the tags decide (PS3.5 8.2.4), as in pydicom
        values = _wide(values, layout=layout)
        if layout.signed:
            return with_sign(values, bits=size.precision)
        return cast(Pixels, values & values.dtype.type((1 << size.precision) - 1))
    if layout.signed:
        return cast(Pixels, values.astype(f"i{layout.bits_allocated // 8}", copy=False))
    return _in_rgb(_wide(values, layout=layout), photometric=layout.photometric)


def _wide(values: NDArray[Any], *, layout: PixelLayout) -> NDArray[Any]:
    """Return values as unsigned cells of BitsAllocated."""
    return values.astype(f"u{layout.bits_allocated // 8}", copy=False)


def _in_rgb(values: Pixels, *, photometric: str) -> Pixels:
    """Convert YBR_FULL (PS3.3 C.7.6.3.1.2). The other YBR kinds belong to codecs that convert them themselves."""
    if values.ndim != 3 or photometric in ("RGB", "YBR_ICT", "YBR_RCT"):
        return values
    if photometric != "YBR_FULL" or values.dtype != np.uint8:
        raise Rejected("not_grey", "Compressed pixels cannot hold this kind of YBR colour. Export the film in grey.")
    return cast(Pixels, convert_color_space(values, "YBR_FULL", "RGB"))
