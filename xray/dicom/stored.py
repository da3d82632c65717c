"""A file's stored values in one call, so that a guarded process can be given the path instead of the bytes."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from xray.dicom.decode import decode_stored
from xray.dicom.read import read_dataset


def read_stored(path: Path) -> NDArray[Any]:
    """Return the stored values of all frames of a DICOM file, as pydicom's `pixel_array` means them.

    Raises Rejected: the codes of `read_dataset` and `decode_stored`. Decodes untrusted bytes: call it in
    `xray.guard.Guarded`.
    """
    return decode_stored(read_dataset(path, frames="any"))
