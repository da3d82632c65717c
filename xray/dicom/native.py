"""Uncompressed pixels (PS3.5 8.1.1 and Annex D): whole pixel cells to stored values, without a copy where possible."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xray.dicom.layout import PixelLayout
from xray.errors import Rejected

Cells = NDArray[np.unsignedinteger[Any]]
Pixels = NDArray[np.integer[Any]]


def frame_length(layout: PixelLayout) -> int:
    """Return the bytes that one native frame takes; YBR_FULL_422 shares its chroma between two pixels."""
    return layout.frame_bytes * 2 // 3 if layout.photometric == "YBR_FULL_422" else layout.frame_bytes


def swap_pairs(buffer: bytes) -> bytes:
    """Return 8-bit pixels that were written as big-endian words (VR OW) in their order on the screen."""
    whole = np.frombuffer(buffer, dtype=np.uint16, count=len(buffer) // 2)
    return whole.byteswap().tobytes()


def native_cells(buffer: bytes, *, index: int, layout: PixelLayout, big_endian: bool) -> Cells:
    """Return the pixel cells of a frame, uint8, uint16 or uint32 [H, W] or [H, W, 3], in the byte order of the machine.

    Little-endian cells are a read-only view of `buffer`.

    Raises Rejected("truncated") where the buffer ends too soon.
    """
    length = frame_length(layout)
    if len(buffer) < (index + 1) * length:
        why = f"{len(buffer)} of {(index + 1) * length} bytes of pixel data are there. Copy the file again."
        raise Rejected("truncated", why)
    item = layout.bits_allocated // 8
    stored = np.dtype(f"{'>' if big_endian else '<'}u{item}")
    found: Cells = np.frombuffer(buffer, dtype=stored, count=length // item, offset=index * length)
    cells = found.astype(stored.newbyteorder("="), copy=False)
    if layout.photometric == "YBR_FULL_422":
        cells = _unshared(cells)
    if layout.samples == 1:
        return cells.reshape(layout.rows, layout.columns)
    if layout.planar == 1 and layout.photometric != "YBR_FULL_422":
        return np.moveaxis(cells.reshape(layout.samples, layout.rows, layout.columns), 0, -1)
    return cells.reshape(layout.rows, layout.columns, layout.samples)


def stored_values(cells: Cells, *, layout: PixelLayout) -> Pixels:
    """Cut the stored bits out of the cells: HighBit is honoured, unused bits are cleared, the sign is extended.

    Most films use no other bits, and are not copied: to look is ten times as fast as to write a film.
    """
    mask = (1 << layout.bits_stored) - 1
    if layout.shift or (cells.size and int(cells.max()) > mask):
        shifted = cells >> layout.shift if layout.shift else cells
        cells = np.bitwise_and(shifted, cells.dtype.type(mask))
    return with_sign(cells, bits=layout.bits_stored) if layout.signed else cells


def with_sign(values: Cells, *, bits: int) -> Pixels:
    """Read the lowest `bits` of each value as a two's complement number."""
    unused = 8 * values.dtype.itemsize - bits
    signed: Pixels = values.view(f"i{values.dtype.itemsize}")
    return (signed << unused) >> unused if unused else signed


def _unshared(cells: Cells) -> Cells:
    """Give each of two pixels Y1 Y2 Cb Cr its own chroma (PS3.3 C.7.6.3.1.2)."""
    pairs = cells.reshape(-1, 4)
    return np.stack([pairs[:, [0, 2, 3]], pairs[:, [1, 2, 3]]], axis=1)
