"""What a compressed frame says of itself, read from its marker segments without decoding.

A few hundred bytes of JPEG 2000 can announce gigabytes, so decoders only see frames that agree with the tags and that
have an end. JPEG: ITU-T T.81 B.2.2. JPEG-LS: ITU-T T.87 C.2.2. JPEG 2000 and HTJ2K: ITU-T T.800 A.4 and A.5.1.
"""

import struct
from dataclasses import dataclass

from xray.errors import Rejected

_NOT_SOF = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC share the range of the frame headers
_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # TEM, RST0-7, SOI have no length
_SOI, _EOI, _SOS = b"\xff\xd8", b"\xff\xd9", 0xDA  # JPEG 2000 ends with the same two bytes (EOC)
_SOT = b"\xff\x90"
_SOC_SIZ = b"\xff\x4f\xff\x51"
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_MAX_JP2_HEADER = 64 * 1024
_MAX_TILES = 65535  # ITU-T T.800 A.4.2
_RGB_IDS = (b"RGB", b"rgb")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSize:
    """What a codestream announces: size in pixels, samples per pixel, bits per sample.

    `signed` is of JPEG 2000, the others cannot say it. `is_rgb` and `is_ybr` tell the colours of a JPEG whose
    components are named R, G, B or that has a JFIF header. `tiles` is 0 but for JPEG 2000, whose codestream is
    `frame[start:]`.
    """

    rows: int
    columns: int
    samples: int
    precision: int
    signed: bool = False
    is_rgb: bool = False
    is_ybr: bool = False
    start: int = 0
    tiles: int = 0


def frame_size(frame: bytes) -> FrameSize:
    """Return the announced size of a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame.

    Raises Rejected: `corrupt_pixels` for a header that is damaged or contradicts itself.
    """
    try:
        if frame[:2] == _SOI:
            return _jpeg_size(frame)
        if frame[:12] == _JP2_SIGNATURE:
            return _jpeg2000_size(frame, start=frame.index(_SOC_SIZ, 0, _MAX_JP2_HEADER))
        if frame[:4] == _SOC_SIZ:
            return _jpeg2000_size(frame, start=0)
    except (IndexError, ValueError, struct.error):
        pass
    raise Rejected("corrupt_pixels", "The compressed frame has no readable header. Export the film again.")


def check_end(frame: bytes, *, size: FrameSize) -> None:
    """Check that a frame has all its parts and an end, and that no other frame follows it.

    Raises Rejected: `truncated`, `multi_frame`, `corrupt_pixels`.
    """
    try:
        end = _jpeg2000_end(frame, size=size) if size.tiles else _jpeg_end(frame)
    except struct.error:
        end = -1
    if end < 0:
        raise Rejected("truncated", "The compressed frame has no end. Copy the file again.")
    if frame[end + 2 :].lstrip(b"\0").startswith((_SOI, _SOC_SIZ)):
        raise Rejected("multi_frame", "The pixel data holds several frames although NumberOfFrames says one.")


def _jpeg_end(frame: bytes) -> int:
    """Find the end after the first scan begins: entropy-coded data never holds the two bytes of the end marker."""
    return frame.find(_EOI, max(frame.find(b"\xff\xda"), 0))


def _jpeg2000_end(frame: bytes, *, size: FrameSize) -> int:
    """Walk from tile-part to tile-part. OpenJPEG leaves a tile that is missing black, without a word."""
    at, seen = size.start + 2, set()
    while frame[at : at + 2] != _SOT:  # the main header
        (length,) = struct.unpack_from(">H", frame, at + 2)
        at += 2 + max(length, 2)
    while frame[at : at + 2] == _SOT:
        tile, length = struct.unpack_from(">HI", frame, at + 4)
        seen.add(tile)
        at = at + length if length else frame.find(_EOI, at)  # length 0: until the end of the codestream
        if length in range(1, 12) or at < 0:
            raise Rejected("corrupt_pixels", "A tile of the compressed frame has an impossible length.")
    if len(seen) < size.tiles:
        raise Rejected("truncated", "Tiles of the compressed frame are missing. Copy the file again.")
    return at if frame[at : at + 2] == _EOI else -1


def _jpeg_size(frame: bytes) -> FrameSize:
    at, is_ybr = 2, False
    while True:
        while frame[at] == 0xFF and frame[at + 1] == 0xFF:  # fill bytes before a marker
            at += 1
        lead, marker = frame[at], frame[at + 1]
        if lead != 0xFF or marker == _SOS:  # start of scan before any frame header
            raise ValueError("no frame header")
        at += 2
        if marker in _STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", frame, at)
        is_ybr = is_ybr or frame[at + 2 : at + 6] == b"JFIF"
        if (0xC0 <= marker <= 0xCF and marker not in _NOT_SOF) or marker == 0xF7:
            precision, rows, columns, samples = struct.unpack_from(">BHHB", frame, at + 2)
            names = frame[at + 8 : at + 8 + 3 * samples : 3]
            return FrameSize(
                rows=rows,
                columns=columns,
                samples=samples,
                precision=precision,
                is_rgb=names in _RGB_IDS,
                is_ybr=is_ybr and names not in _RGB_IDS,
            )
        at += max(length, 2)


def _jpeg2000_size(frame: bytes, *, start: int) -> FrameSize:
    right, bottom, left, top, *tile = struct.unpack_from(">8I", frame, start + 8)
    samples, depth = struct.unpack_from(">HB", frame, start + 40)
    components = frame[start + 42 : start + 42 + 3 * samples]
    if components != bytes([depth, 1, 1]) * samples:
        raise ValueError("components differ or are subsampled")
    tile_columns, tile_rows, tile_left, tile_top = tile
    tiles = -(-(right - tile_left) // tile_columns) * -(-(bottom - tile_top) // tile_rows) if all(tile[:2]) else 0
    if not 1 <= tiles <= _MAX_TILES or not samples:
        raise ValueError("impossible tiles")
    return FrameSize(
        rows=bottom - top,
        columns=right - left,
        samples=samples,
        precision=(depth & 0x7F) + 1,
        signed=bool(depth & 0x80),
        start=start,
        tiles=tiles,
    )
