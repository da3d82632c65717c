"""One drawn chest film, 3000 x 2500 px and 12 bits in 16, in the transfer syntaxes that films come in.

Grain is added until lossless codecs reach the ratio of real films, about 2.8: a smooth film would flatter them all.
"""

from pathlib import Path

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

from xray.data.phantom import Style, draw, sample_studies

ROWS, COLUMNS = 3000, 2500
_GRAIN = 9.0  # standard deviation in stored values

SYNTAXES = {
    "native": uid.ExplicitVRLittleEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
    "RLE": uid.RLELossless,
    "JPEG-LS": uid.JPEGLSLossless,
    "JPEG lossless SV1": uid.JPEGLosslessSV1,
    "JPEG 2000 lossless": uid.JPEG2000Lossless,
    "HTJ2K lossless": uid.HTJ2KLossless,
}


def write_films(folder: Path) -> dict[str, Path]:
    """Write the film once for each syntax and return where."""
    values = stored_values()
    paths = {}
    for name, syntax in SYNTAXES.items():
        paths[name] = folder / f"{syntax}.dcm"
        _film(values, syntax=syntax).save_as(paths[name], enforce_file_format=True)
    return paths


def stored_values() -> NDArray[np.uint16]:
    """Draw the film: uint16 [3000, 2500] from 0 to 4095, 0 = white (MONOCHROME1)."""
    study = sample_studies(1, seed=11, style=Style.BASE)[0]
    drawn = cv2.resize(draw(study, view="frontal", style=Style.BASE, size=1000), (COLUMNS, ROWS))
    bright = 300 + 3300 * drawn + np.random.default_rng(11).normal(0, _GRAIN, drawn.shape)
    return np.asarray(4095 - np.clip(np.rint(bright), 0, 4095), np.uint16)


def _film(values: NDArray[np.uint16], *, syntax: uid.UID) -> Dataset:
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = syntax
    film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = uid.DigitalXRayImageStorageForPresentation
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = uid.generate_uid(entropy_srcs=["film", syntax])
    film.StudyInstanceUID = uid.generate_uid(entropy_srcs=["study"])
    film.SeriesInstanceUID = uid.generate_uid(entropy_srcs=["series"])
    film.Modality, film.BodyPartExamined, film.ViewPosition = "DX", "CHEST", "PA"
    film.PresentationIntentType, film.PresentationLUTShape = "FOR PRESENTATION", "INVERSE"
    film.PatientOrientation = ["L", "F"]
    film.Rows, film.Columns, film.SamplesPerPixel = ROWS, COLUMNS, 1
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 16, 12, 11, 0
    film.PhotometricInterpretation = "MONOCHROME1"
    film.RescaleSlope, film.RescaleIntercept, film.RescaleType = "1", "0", "US"
    film.WindowCenter, film.WindowWidth = "2048", "3600"
    film.add_new("PixelData", "OW", values.astype("<u2").tobytes())
    if syntax == uid.RLELossless:
        film.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        film.compress(syntax, encoding_plugin="pydicom", generate_instance_uid=False)
    elif syntax.is_compressed and not syntax.is_deflated:
        film.add_new("PixelData", "OB", encapsulate([_encoded(values, syntax=syntax)]))
        film["PixelData"].is_undefined_length = True
    return film


def _encoded(values: NDArray[np.uint16], *, syntax: uid.UID) -> bytes:
    match syntax:
        case uid.JPEGLSLossless:
            return bytes(imagecodecs.jpegls_encode(values))
        case uid.JPEGLosslessSV1:
            return bytes(imagecodecs.ljpeg_encode(values, bitspersample=12))
        case uid.JPEG2000Lossless:
            return bytes(imagecodecs.jpeg2k_encode(values, codecformat="J2K", reversible=True, bitspersample=12))
        case _:
            return bytes(imagecodecs.htj2k_encode(values, reversible=True))
