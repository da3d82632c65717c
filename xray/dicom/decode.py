"""Pixel bytes to stored values, by one named decoder per transfer syntax.

pydicom tries whatever plugin is installed; the outcome then depends on the machine. Here the decoder is fixed: numpy
for native data and imagecodecs for compressed data. No GPL plugin is used even where one is installed.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragments, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, convert_color_space

from xray.dicom import tags
from xray.dicom.codecs import decode_frame
from xray.dicom.layout import MAX_DECODED_BYTES, PixelLayout, pixel_layout, stored_layout
from xray.dicom.native import Pixels, frame_length, native_cells, stored_values, swap_pairs
from xray.dicom.syntax import NATIVE, RLE, transfer_syntax
from xray.errors import Rejected

__all__ = ["Pixels", "decode", "decode_stored"]

_CORRUPT = "The pixel data cannot be decoded. Export the film again."
_LOSSY = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.JPEG2000, uid.HTJ2K)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Encoded pixels and all it takes to decode them. `offsets` is the extended offset table (PS3.3 C.7.6.3.1.8)."""

    buffer: bytes
    syntax: uid.UID
    layout: PixelLayout
    offsets: tuple[bytes, bytes] | None


def decode(dataset: Dataset) -> Pixels:
    """Return the stored values of a single-frame film, in the byte order of the machine; the array may be read-only.

    uint8, int8, uint16 or int16 [H, W] before any modality or VOI transformation; [H, W, 3] for colour, YBR converted
    to RGB and palettes applied. HighBit other than BitsStored - 1 is honoured and unused bits are cleared (PS3.5
    8.1.1), so that no value needs more than BitsStored bits.

    Raises Rejected: the codes of `pixel_layout` and `transfer_syntax`, `no_pixels`, `truncated`, `size_mismatch`
    (codestream and tags disagree), `corrupt_pixels`.
    """
    layout = pixel_layout(dataset)
    source = _source(dataset, layout=layout)
    if source.syntax in NATIVE and len(source.buffer) >= 2 * max(frame_length(layout), 2):
        raise Rejected("multi_frame", "The pixel data holds several frames although NumberOfFrames is missing.")
    stored = _frame(source, index=0)
    if layout.photometric == "PALETTE COLOR":
        with tags.guarded("not_grey", "The colour palette cannot be applied."):
            stored = apply_color_lut(stored, dataset)
    elif source.syntax not in (*NATIVE, *RLE) and stored.ndim == 2:
        stored = _within_stored_bits(stored, layout=layout, is_lossy=source.syntax in _LOSSY)
    return np.ascontiguousarray(stored)


def decode_stored(dataset: Dataset) -> NDArray[Any]:
    """Return what pydicom's `pixel_array` means: the stored values of all frames, with the byte order of the file.

    [H, W], colour [H, W, 3] with YBR converted to RGB, and with a first axis for several frames. Palettes are not
    applied. 8 and 16 bits are decoded as by `decode`; native data of 1, 32 or 64 bits and floats by pydicom. Unlike
    pydicom, a HighBit other than BitsStored - 1 is honoured.

    Raises Rejected: as `decode` does, with the limits of `stored_layout`.
    """
    layout = stored_layout(dataset)
    syntax = transfer_syntax(dataset)
    if syntax in NATIVE and ("PixelData" not in dataset or layout.bits_allocated not in (8, 16)):
        return _odd_native(dataset, syntax=syntax, layout=layout)
    source = _source(dataset, layout=layout)
    frames = layout.frames
    if syntax in NATIVE:  # like pydicom, do not lose frames that nobody counted
        frames = max(frames, len(source.buffer) // max(frame_length(layout), 1))
        if frames * layout.frame_bytes > MAX_DECODED_BYTES:
            raise Rejected("too_large", f"The frames decode to more than {MAX_DECODED_BYTES >> 20} MiB.")
    decoded = [_frame(source, index=index) for index in range(frames)]
    stored = np.stack(decoded) if frames > 1 else np.ascontiguousarray(decoded[0])
    return stored if syntax.is_little_endian else stored.astype(stored.dtype.newbyteorder(">"))


def _source(dataset: Dataset, *, layout: PixelLayout) -> _Source:
    syntax = transfer_syntax(dataset)
    buffer = _pixel_bytes(dataset)
    if syntax in NATIVE and dataset["PixelData"].is_undefined_length:  # fragments, which would be shown as noise
        why = "The pixels are compressed, but the transfer syntax says that they are not. Export the film again."
        raise Rejected("corrupt_pixels", why)
    if not syntax.is_little_endian and layout.bits_allocated == 8 and dataset["PixelData"].VR == "OW":
        buffer = swap_pairs(buffer)
    table = tags.value(dataset, "ExtendedOffsetTable"), tags.value(dataset, "ExtendedOffsetTableLengths")
    offsets = table if isinstance(table[0], bytes) and isinstance(table[1], bytes) else None
    return _Source(buffer=buffer, syntax=syntax, layout=layout, offsets=cast(tuple[bytes, bytes] | None, offsets))


def _pixel_bytes(dataset: Dataset) -> bytes:
    found = tags.value(dataset, "PixelData")
    if not isinstance(found, bytes | bytearray | memoryview) or not len(found):
        raise Rejected("no_pixels", "The file holds no pixel data.")
    return bytes(found)


def _frame(source: _Source, *, index: int) -> Pixels:
    layout = source.layout
    if source.syntax not in NATIVE:
        with tags.guarded("corrupt_pixels", _CORRUPT):
            frame = _compressed_frame(source, index=index)
        return decode_frame(frame, syntax=source.syntax, layout=layout)
    is_big_endian = not source.syntax.is_little_endian
    cells = native_cells(source.buffer, index=index, layout=layout, big_endian=is_big_endian)
    values = stored_values(cells, layout=layout)
    if layout.photometric in ("YBR_FULL", "YBR_FULL_422") and values.dtype == np.uint8:
        return cast(Pixels, convert_color_space(values, "YBR_FULL", "RGB"))
    return values


def _compressed_frame(source: _Source, *, index: int) -> bytes:
    """Join the fragments of a frame (PS3.5 A.4). Those of a single one are all that there are, whatever tables say.

    Devices count fragments instead of frames in the Basic Offset Table, or begin it elsewhere than at 0.
    """
    if source.layout.frames == 1:
        _table, *fragments = generate_fragments(source.buffer)
        return b"".join(fragments)
    return get_frame(source.buffer, index, number_of_frames=source.layout.frames, extended_offsets=source.offsets)


def _within_stored_bits(stored: Pixels, *, layout: PixelLayout, is_lossy: bool) -> Pixels:
    """Clip what a lossy codec overshoots; cut what a lossless one carries above BitsStored (overlays, by PS3.5 8.1.2).

    The renderer's table has an entry for each value of BitsStored bits.
    """
    low, high = (-1 << layout.bits_stored - 1, (1 << layout.bits_stored - 1) - 1) if layout.signed else (0, 0)
    high = high or (1 << layout.bits_stored) - 1
    if layout.bits_stored == layout.bits_allocated or low <= stored.min() <= stored.max() <= high:
        return stored
    if is_lossy:
        return np.clip(stored, low, high)
    cells = stored.view(f"u{stored.dtype.itemsize}")
    return stored_values(cells, layout=layout)


def _odd_native(dataset: Dataset, *, syntax: uid.UID, layout: PixelLayout) -> NDArray[Any]:
    """Decode native data that no film has, by pydicom; its size has been checked."""
    if not any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise Rejected("no_pixels", "The file holds no pixel data.")
    with tags.guarded("corrupt_pixels", _CORRUPT):
        array, _ = get_decoder(syntax).as_array(dataset, decoding_plugin="")
    return array
