"""Synthetic films in every transfer syntax that is decoded, with the values they hold."""

from collections.abc import Callable
from functools import cache, partial
from io import BytesIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from tests.xray.dicom.conftest import build_film, file_bytes

Encoder = Callable[[NDArray[np.uint16]], bytes]


def textured(rows: int = 48, columns: int = 40) -> NDArray[np.uint16]:
    """12-bit values uint16 [rows, columns] with structure and noise, such that no corner is constant."""
    rng = np.random.default_rng(7)
    slope = np.add.outer(np.arange(rows) * 2800 // rows, np.arange(columns) * 900 // columns)
    return (slope + rng.integers(0, 200, (rows, columns))).astype(np.uint16)


def tiled_jpeg_2000(stored: NDArray[np.uint16]) -> bytes:
    """Return an 8-bit codestream of 16 x 16 tiles."""
    stream = BytesIO()
    image = Image.fromarray((stored >> 4).astype(np.uint8))
    image.save(stream, "JPEG2000", tile_size=(16, 16), no_jp2=True, irreversible=False)
    return stream.getvalue()


def rle(stored: NDArray[np.uint16]) -> bytes:
    """Return literal runs alone, the high bytes first (PS3.5 Annex G)."""
    segments = [
        _literal_runs((stored >> 8).astype(np.uint8).tobytes()),
        _literal_runs(stored.astype(np.uint8).tobytes()),
    ]
    offsets = [64, 64 + len(segments[0])]
    return np.array([2, *offsets, *[0] * 13], dtype="<u4").tobytes() + b"".join(segments)


def _literal_runs(values: bytes) -> bytes:
    runs = b"".join(bytes([len(run) - 1]) + run for run in (values[at : at + 128] for at in range(0, len(values), 128)))
    return runs + bytes(len(runs) % 2)


LOSSLESS: dict[uid.UID, Encoder] = {
    uid.RLELossless: rle,
    uid.JPEGLossless: partial(imagecodecs.ljpeg_encode, bitspersample=12),
    uid.JPEGLosslessSV1: partial(imagecodecs.ljpeg_encode, bitspersample=12),
    uid.JPEGLSLossless: imagecodecs.jpegls_encode,
    uid.JPEG2000Lossless: partial(imagecodecs.jpeg2k_encode, codecformat="j2k", level=0, bitspersample=12),
    uid.JPEG2000: partial(imagecodecs.jpeg2k_encode, codecformat="jp2", level=0, bitspersample=12),
    uid.HTJ2KLossless: partial(imagecodecs.htj2k_encode, reversible=True),
    uid.HTJ2KLosslessRPCL: partial(imagecodecs.htj2k_encode, reversible=True),
    uid.HTJ2K: partial(imagecodecs.htj2k_encode, reversible=True),
}
LOSSY: dict[uid.UID, Encoder] = {
    uid.JPEGBaseline8Bit: lambda stored: imagecodecs.jpeg_encode((stored >> 4).astype(np.uint8), level=95),
    uid.JPEGExtended12Bit: partial(imagecodecs.jpeg_encode, level=95, bitspersample=12),
    uid.JPEGLSNearLossless: partial(imagecodecs.jpegls_encode, level=2),
}
NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
EVERY = (*NATIVE, *LOSSLESS, *LOSSY)


def compressed_film(
    frame: bytes, *, stored: NDArray[np.generic], syntax: uid.UID, bits: int = 12, **elements: object
) -> Dataset:
    """Return a film whose pixel data is one compressed frame; `elements` as in `build_film`."""
    film = build_film(stored, bits=bits, syntax=syntax, **elements)
    film.PixelData = encapsulate([frame])
    film["PixelData"].is_undefined_length = True
    return film


@cache
def film_file(syntax: uid.UID) -> bytes:
    """Return a DICOM file with a window, a VOI LUT and a code sequence in this transfer syntax."""
    stored = textured()
    item, view = Dataset(), Dataset()
    item.add_new("LUTDescriptor", "US", [4, 0, 12])
    item.add_new("LUTData", "OW", bytes([0, 0, 1, 4, 2, 8, 3, 15]))
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "399348003", "SCT", "antero-posterior"
    elements: dict[str, object] = {
        "WindowCenter": "2000",
        "WindowWidth": "3500",
        "RescaleSlope": "1",
        "RescaleIntercept": "0",
        "PixelPaddingValue": 0,
        "VOILUTSequence": Sequence([item]),
        "ViewCodeSequence": Sequence([view]),
    }
    if syntax in NATIVE:
        film = build_film(stored, bits=12, syntax=syntax, **elements)
        if syntax == uid.ExplicitVRBigEndian:
            film.PixelData = stored.astype(">u2").tobytes()
        return file_bytes(film)
    if syntax == uid.JPEGBaseline8Bit:
        stored = (stored >> 4).astype(np.uint8)
        return file_bytes(compressed_film(LOSSY[syntax](textured()), stored=stored, syntax=syntax, bits=8, **elements))
    encode = LOSSLESS.get(syntax) or LOSSY[syntax]
    return file_bytes(compressed_film(encode(stored), stored=stored, syntax=syntax, **elements))
