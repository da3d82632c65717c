"""Films of any kind, read from their file for a screen: the values behind the picture that a model saw."""

from dataclasses import dataclass
from pathlib import Path

from xray.data import pictures
from xray.data.film_header import dicom_header, is_dicom
from xray.data.films import file_sha256, unchanged
from xray.dicom.read import read_dataset
from xray.dicom.soft_copy import SoftCopy, soft_copy, soft_copy_of_picture
from xray.errors import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenFilm:
    """A soft copy, and where its rows run to the right and its columns run down, ("L", "F") for an upright frontal.

    `orientation` is None where the header does not say (PatientOrientation, PS3.3 C.7.6.1.1.1).
    """

    soft_copy: SoftCopy
    orientation: tuple[str, str] | None = None


def load_screen_film(path: Path, *, sha256: str) -> ScreenFilm:
    """Read a DICOM, PNG or JPEG film whose bytes have that sha256 (hex).

    Raises Rejected: `file_changed` where they have another, and the codes of `load_film` that are not of rendering.
    Decodes untrusted bytes: call it in `xray.guard.Guarded`.
    """
    with unchanged(path):
        if file_sha256(path) != sha256:
            raise Rejected("file_changed", "The file is not the one that was found. Start the review again.")
        if is_dicom(path):
            dataset = read_dataset(path)
            header = dicom_header(path, dataset)
            return ScreenFilm(soft_copy=soft_copy(dataset), orientation=header.patient_orientation)
        return load_screen_picture(path)


def load_screen_picture(path: Path) -> ScreenFilm:
    """Read a PNG or JPEG picture. Raises Rejected: the codes of `pictures.read_picture`, `blank_after_voi`."""
    picture = pictures.read_picture(path)
    return ScreenFilm(soft_copy=soft_copy_of_picture(picture.values, bits=picture.bits_stored))
