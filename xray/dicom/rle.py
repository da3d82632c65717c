"""RLE Lossless (PS3.5 Annex G): PackBits segments, one for each byte of a pixel cell, the high byte first."""

import struct
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from xray.dicom.layout import PixelLayout
from xray.errors import Rejected

_HEADER_BYTES = 64
_SLACK = 256  # a segment's pad bytes can unpack to one run more


def decode_rle(frame: bytes, *, layout: PixelLayout) -> NDArray[np.unsignedinteger[Any]]:
    """Return whole pixel cells, uint8, uint16 or uint32 [H, W] or [H, W, 3].

    Raises Rejected("corrupt_pixels") where segments are missing, damaged or shorter than the image.
    """
    cell_bytes = layout.bits_allocated // 8
    segments = _segments(frame, expected=layout.samples * cell_bytes)
    planes = [_unpack(segment, size=layout.rows * layout.columns) for segment in segments]
    stacked = np.stack(planes, axis=-1).reshape(layout.rows, layout.columns, layout.samples, cell_bytes)
    cells = stacked.view(f">u{cell_bytes}")[..., 0].astype(f"u{cell_bytes}")
    return cells[..., 0] if layout.samples == 1 else cells


def _segments(frame: bytes, *, expected: int) -> list[bytes]:
    if len(frame) < _HEADER_BYTES:
        raise _corrupt("has no header")
    count, *offsets = struct.unpack_from("<16I", frame)
    if count != expected:
        raise _corrupt(f"has {count} segments instead of {expected}")
    starts = offsets[:count]
    ends = [*starts[1:], len(frame)]
    if any(not _HEADER_BYTES <= start <= end <= len(frame) for start, end in zip(starts, ends, strict=True)):
        raise _corrupt("has segments outside its data")
    return [frame[start:end] for start, end in zip(starts, ends, strict=True)]


def _unpack(segment: bytes, *, size: int) -> NDArray[np.uint8]:
    """Unpack into a buffer of known size. A zero byte that pads a segment to even length is no run: it is dropped."""
    for packed in (segment, segment[:-1]):
        try:
            unpacked = imagecodecs.packbits_decode(packed, out=size + _SLACK)
        except RuntimeError:  # the base of imagecodecs' own errors
            continue
        if len(unpacked) >= size:
            return np.frombuffer(unpacked, dtype=np.uint8, count=size)
    raise _corrupt("has a segment that does not unpack to the size of the image")


def _corrupt(what: str) -> Rejected:
    return Rejected("corrupt_pixels", f"The RLE frame {what}. Export the film again.")
