"""The stored values of real files that come with pydicom, compared with pydicom's own decoders."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from xray.dicom.decode import decode_stored
from xray.dicom.read import read_dataset
from xray.errors import Rejected

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"


def as_pydicom_reads(path):
    """The array, or None where pydicom or its plugins cannot decode the file."""
    try:
        return pydicom.dcmread(path).pixel_array
    except Exception:
        return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not FOLDER.is_dir(), reason="this build of pydicom comes without its test files")
def test_every_file_of_pydicom_has_the_values_and_the_type_that_pydicom_reads():
    compared = 0
    for path in sorted(FOLDER.glob("*.dcm")):
        expected = as_pydicom_reads(path)
        if expected is None:
            continue
        stored = decode_stored(read_dataset(path, frames="any"))
        assert (stored.shape, stored.dtype) == (expected.shape, expected.dtype), path.name
        assert np.array_equal(stored, expected), path.name
        compared += 1
    assert compared > 40


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not FOLDER.is_dir(), reason="this build of pydicom comes without its test files")
def test_what_is_no_image_is_refused_by_name():
    for name in (
        "rtplan.dcm",
        "no_meta.dcm",
        "badVR.dcm",
        "MR_truncated.dcm",
        "JPEG2000-embedded-sequence-delimiter.dcm",
    ):
        with pytest.raises(Rejected):
            read_and_decode(FOLDER / f"{name}.dcm")


def read_and_decode(path):
    return decode_stored(read_dataset(path, frames="any"))
