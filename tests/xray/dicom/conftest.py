"""Small DICOM images built in code."""

from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid


def build_film(
    pixels, *, bits=None, high_bit=None, photometric="MONOCHROME2", syntax=ExplicitVRLittleEndian, **elements
):
    """A CR image of a 2-D (or RGB 3-D) integer array. `elements` are DICOM keywords; a value of None removes one."""
    array = np.asarray(pixels)
    allocated = 8 * array.dtype.itemsize
    stored = bits or allocated
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = syntax
    film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["film"])
    film.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    film.Modality, film.BodyPartExamined = "CR", "CHEST"
    film.PatientName, film.PatientID = "CANARY^王小明", "ID-CANARY-7"
    film.SpecificCharacterSet = "ISO_IR 192"
    film.Rows, film.Columns = array.shape[:2]
    film.SamplesPerPixel = 3 if array.ndim == 3 else 1
    film.BitsAllocated, film.BitsStored = allocated, stored
    film.HighBit = stored - 1 if high_bit is None else high_bit
    film.PixelRepresentation = int(array.dtype.kind == "i")
    film.PhotometricInterpretation = photometric
    if array.ndim == 3:
        film.PlanarConfiguration = 0
    film.add_new("PixelData", "OB" if allocated == 8 else "OW", array.astype(array.dtype.newbyteorder("<")).tobytes())
    for keyword, value in elements.items():
        if value is None:
            del film[keyword]
        else:
            setattr(film, keyword, value)
    return film


def file_bytes(film):
    """The film as a DICOM file."""
    stream = BytesIO()
    film.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture(scope="session")
def make_film():
    return build_film


@pytest.fixture(scope="session")
def to_bytes():
    return file_bytes


@pytest.fixture(scope="session")
def through_file():
    """Write a film and read it back, so that value representations are those that a file gives."""
    return lambda film: dcmread(BytesIO(file_bytes(film)))
