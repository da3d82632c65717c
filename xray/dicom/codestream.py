"""The size that a compressed frame says of itself, read from its marker segments without decoding.

A few hundred bytes of JPEG 2000 can announce gigabytes, so decoders only see frames whose size agrees with the tags.
JPEG: ITU-T T.81 B.2.2. JPEG-LS: ITU-T T.87 C.2.2. JPEG 2000 and HTJ2K: ITU-T T.800 A.5.1.
"""

import struct
from dataclasses import dataclass

from xray.errors import Rejected

_NOT_SOF = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC share the range of the frame headers
_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # TEM, RST0-7, SOI have no length
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_MAX_JP2_HEADER = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSize:
    """What a codestream announces: size in pixels, samples per pixel, bits per sample."""

    rows: int
    columns: int
    samples: int
    precision: int


def frame_size(frame: bytes) -> FrameSize:
    """Return the announced size of a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame. Raises Rejected("corrupt_pixels")."""
    try:
        if frame[:2] == b"\xff\xd8":
            return _jpeg_size(frame)
        if frame[:12] == _JP2_SIGNATURE:
            return _jpeg2000_size(frame, start=frame.index(b"\xff\x4f\xff\x51", 0, _MAX_JP2_HEADER))
        if frame[:4] == b"\xff\x4f\xff\x51":
            return _jpeg2000_size(frame, start=0)
    except (IndexError, ValueError, struct.error):
        pass
    raise Rejected("corrupt_pixels", "The compressed frame has no readable header. Export the film again.")


def _jpeg_size(frame: bytes) -> FrameSize:
    at = 2
    while True:
        while frame[at] == 0xFF and frame[at + 1] == 0xFF:  # fill bytes before a marker
            at += 1
        lead, marker = frame[at], frame[at + 1]
        if lead != 0xFF or marker == 0xDA:  # start of scan before any frame header
            raise ValueError("no frame header")
        at += 2
        if marker in _STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", frame, at)
        if (0xC0 <= marker <= 0xCF and marker not in _NOT_SOF) or marker == 0xF7:
            precision, rows, columns, samples = struct.unpack_from(">BHHB", frame, at + 2)
            return FrameSize(rows=rows, columns=columns, samples=samples, precision=precision)
        at += max(length, 2)


def _jpeg2000_size(frame: bytes, *, start: int) -> FrameSize:
    right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
    samples, depth = struct.unpack_from(">HB", frame, start + 40)
    return FrameSize(rows=bottom - top, columns=right - left, samples=samples, precision=(depth & 0x7F) + 1)
