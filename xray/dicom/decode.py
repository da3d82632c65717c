"""Pixel bytes to stored values, by one named decoder per transfer syntax.

pydicom tries whatever plugin is installed; the outcome then depends on the machine. Here the decoder is fixed: pydicom
for native data, pylibjpeg-openjpeg (MIT) for JPEG 2000 and HTJ2K, pyjpegls (MIT) for JPEG-LS, imagecodecs (BSD) for
RLE and for the JPEG family with its 12-bit and lossless processes. No GPL plugin is used even where one is installed,
and not pylibjpeg-rle, which panics on damaged data with an exception that is no `Exception`.
"""

from dataclasses import dataclass
from typing import Any, cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, convert_color_space

from xray.dicom import tags
from xray.dicom.codestream import FrameSize, frame_size
from xray.dicom.layout import PixelLayout, pixel_layout
from xray.dicom.rle import decode_rle
from xray.errors import Rejected

Pixels = NDArray[np.uint8] | NDArray[np.int8] | NDArray[np.uint16] | NDArray[np.int16]

NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
JPEG = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1)
PLUGINS = {
    uid.JPEGLSLossless: "pyjpegls",
    uid.JPEGLSNearLossless: "pyjpegls",
    uid.JPEG2000Lossless: "pylibjpeg",
    uid.JPEG2000: "pylibjpeg",
    uid.HTJ2KLossless: "pylibjpeg",
    uid.HTJ2KLosslessRPCL: "pylibjpeg",
    uid.HTJ2K: "pylibjpeg",
}
JPEG_LS = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
_JPEG_XL = {  # newer than pydicom's dictionary
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
}
_CORRUPT = "The pixel data cannot be decoded. Export the film again."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Encoded pixels and all it takes to decode them. `vr`, OB or OW, tells the byte order of 8-bit data."""

    buffer: bytes
    vr: str
    syntax: uid.UID
    layout: PixelLayout


def transfer_syntax(dataset: Dataset) -> uid.UID:
    """Return the transfer syntax of a data set read from a file.

    Raises Rejected: `missing_tag` when there is none, `unsupported_transfer_syntax` with its name when no decoder fits.
    """
    found = tags.text(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID")
    if found is None:
        raise Rejected("missing_tag", "TransferSyntaxUID is missing, so the encoding of the pixels is unknown.")
    with tags.guarded("unsupported_transfer_syntax", "TransferSyntaxUID is no UID."):
        syntax = uid.UID(found)
    if syntax not in (*NATIVE, uid.RLELossless, *JPEG, *PLUGINS):
        name = _JPEG_XL.get(syntax, syntax.name) if syntax.is_valid else "no valid UID"
        raise Rejected(
            "unsupported_transfer_syntax", f"Transfer syntax {name} is not supported. Export it uncompressed."
        )
    return syntax


def decode(dataset: Dataset) -> Pixels:
    """Return the stored values of a single-frame image, in native byte order.

    The values are what pydicom's `pixel_array` means: uint8, int8, uint16 or int16 [H, W] before any modality or VOI
    transformation; [H, W, 3] for colour, YBR converted to RGB and palettes applied. HighBit other than BitsStored - 1
    is honoured and unused bits are cleared (PS3.5 8.1.1).

    Raises Rejected: the codes of `pixel_layout` and `transfer_syntax`, `no_pixels`, `truncated`, `size_mismatch`
    (codestream and tags disagree), `corrupt_pixels`.
    """
    layout = pixel_layout(dataset)
    syntax = transfer_syntax(dataset)
    source = _Source(buffer=_pixel_bytes(dataset), vr=dataset["PixelData"].VR, syntax=syntax, layout=layout)
    stored = _decode_cells(source) if syntax in (*NATIVE, uid.RLELossless) else _decode_codestream(source)
    if layout.photometric == "PALETTE COLOR":
        with tags.guarded("not_grey", "The colour palette cannot be applied."):
            stored = apply_color_lut(stored, dataset)
    if stored.shape[:2] != (layout.rows, layout.columns):
        raise Rejected("size_mismatch", "The decoded image is not Rows x Columns large.")
    return cast(Pixels, np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("=")))


def _pixel_bytes(dataset: Dataset) -> bytes:
    found = tags.value(dataset, "PixelData")
    if not isinstance(found, bytes | bytearray | memoryview) or not len(found):
        raise Rejected("no_pixels", "The file holds no pixel data.")
    return bytes(found)


def _decode_cells(source: _Source) -> Pixels:
    """Decode native or RLE data: whole pixel cells come out, from which the stored bits are cut here."""
    layout = source.layout
    if source.syntax in NATIVE:
        _check_length(len(source.buffer), layout=layout)
        cells = _decode_with_pydicom(source, bits=layout.bits_allocated, signed=False)
        cells = cast(Pixels, cells.astype(cells.dtype.newbyteorder("="), copy=False))
    else:
        cells = decode_rle(_frame(source), layout=layout)
    mask = cells.dtype.type((1 << layout.bits_stored) - 1)
    if layout.bits_stored < layout.bits_allocated:
        cells = (cells >> layout.shift) & mask
    if source.syntax == uid.RLELossless and layout.photometric.startswith("YBR"):
        return _rgb_of(cells, layout=layout)
    return _signed(cells, layout=layout) if layout.signed else cells


def _rgb_of(cells: Pixels, *, layout: PixelLayout) -> Pixels:
    """Convert YBR_FULL (PS3.3 C.7.6.3.1.2), the only YBR whose three channels RLE can hold in full size (PS3.5 G.2)."""
    if layout.photometric != "YBR_FULL" or cells.dtype != np.uint8 or layout.bits_stored != 8:
        raise Rejected("not_grey", "RLE holds no such kind of YBR colour. Export the film in grey.")
    return cast(Pixels, convert_color_space(cells, "YBR_FULL", "RGB"))


def _check_length(length: int, *, layout: PixelLayout) -> None:
    expected = layout.decoded_bytes
    if layout.photometric == "YBR_FULL_422":
        expected = expected * 2 // 3
    if length < expected:
        raise Rejected("truncated", f"{length} of {expected} bytes of pixel data are there. Copy the file again.")
    if length >= 2 * max(expected, 2):
        raise Rejected("multi_frame", "The pixel data holds several frames although NumberOfFrames is missing.")


def _signed(cells: Pixels, *, layout: PixelLayout) -> Pixels:
    """Extend the sign of `bits_stored`-bit two's complement values."""
    kind = np.int8 if cells.dtype.itemsize == 1 else np.int16
    unused = 8 * cells.dtype.itemsize - layout.bits_stored
    shifted: NDArray[Any] = (cells << unused).astype(cells.dtype).view(kind)
    return cast(Pixels, shifted >> unused)


def _decode_with_pydicom(source: _Source, *, bits: int, signed: bool) -> Pixels:
    layout = source.layout
    options: dict[str, Any] = {
        "transfer_syntax_uid": source.syntax,
        "rows": layout.rows,
        "columns": layout.columns,
        "samples_per_pixel": layout.samples,
        "bits_allocated": layout.bits_allocated,
        "bits_stored": bits,
        "pixel_representation": int(signed),
        "photometric_interpretation": layout.photometric,
        "planar_configuration": layout.planar,
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
        "pixel_vr": source.vr,
    }
    plugin = PLUGINS.get(source.syntax, "")
    with tags.guarded("corrupt_pixels", _CORRUPT):
        array, _ = get_decoder(source.syntax).as_array(source.buffer, index=0, decoding_plugin=plugin, **options)
    return cast(Pixels, array)


def _frame(source: _Source) -> bytes:
    """Join the fragments of the only frame (PS3.5 A.4)."""
    with tags.guarded("corrupt_pixels", _CORRUPT):
        return get_frame(source.buffer, 0, number_of_frames=1)


def _decode_codestream(source: _Source) -> Pixels:
    layout = source.layout
    frame = _frame(source)
    size = frame_size(frame)
    if (size.rows, size.columns, size.samples) != (layout.rows, layout.columns, layout.samples):
        raise Rejected("size_mismatch", "The compressed frame has another size than Rows, Columns and SamplesPerPixel.")
    if size.precision > layout.bits_allocated:
        raise Rejected("size_mismatch", "The compressed frame has more bits per sample than BitsAllocated.")
    if source.syntax in JPEG:
        stored = _decode_jpeg(frame, layout=layout)
    elif source.syntax in JPEG_LS:
        stored = _decode_with_pydicom(source, bits=layout.bits_stored, signed=False)
        stored = _signed(stored, layout=layout) if layout.signed else stored
    else:
        stored = _decode_with_pydicom(source, bits=layout.bits_stored, signed=layout.signed)
    return _move_high_bit(stored, layout=layout, size=size)


def _decode_jpeg(frame: bytes, *, layout: PixelLayout) -> Pixels:
    if frame.rfind(b"\xff\xd9") < frame.rfind(b"\xff\xda"):  # no end of image after the last scan
        raise Rejected("truncated", "The compressed frame has no end. Copy the file again.")
    with tags.guarded("corrupt_pixels", _CORRUPT):
        if layout.samples == 3:
            colours = "RGB" if layout.photometric == "RGB" else "YCBCR"
            return cast(Pixels, imagecodecs.jpeg_decode(frame, colorspace=colours, outcolorspace="RGB"))
        values = imagecodecs.jpeg_decode(frame)
        values = values.astype(np.uint8 if layout.bits_allocated == 8 else np.uint16)
    return _signed(values, layout=layout) if layout.signed else cast(Pixels, values)


def _move_high_bit(stored: Pixels, *, layout: PixelLayout, size: FrameSize) -> Pixels:
    """Shift right-aligned only where the codestream really carries the unused low bits that HighBit announces."""
    if layout.shift and size.precision == layout.high_bit + 1:
        return cast(Pixels, stored >> layout.shift)
    return stored
