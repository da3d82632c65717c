"""How far apart two pixels are, and in which plane: a projection has no one scale (PS3.3 10.7.1.3)."""

from dataclasses import dataclass
from typing import Literal

from pydicom.dataset import Dataset

from xray.dicom import tags

Plane = Literal["geometry", "fiducial", "detector"]
_LARGEST_MM = 100.0
_CALIBRATIONS: dict[str, Plane] = {"GEOMETRY": "geometry", "FIDUCIAL": "fiducial"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """Distance between the centres of neighbouring pixels in mm, down a column (`row_mm`) and along a row.

    `plane`: `geometry` where the distance was corrected for an assumed or known magnification, `fiducial` where an
    object of known size in the picture set it, `detector` where it is that of the detector, which is larger than in
    the body by the magnification.
    """

    row_mm: float
    column_mm: float
    plane: Plane


def spacing_of(dataset: Dataset) -> Spacing | None:
    """Return PixelSpacing where PixelSpacingCalibrationType says what it means, else ImagerPixelSpacing, else None.

    PixelSpacing without a calibration type may be either of the two, so no length is made of it.
    """
    plane = _CALIBRATIONS.get(tags.code(dataset, "PixelSpacingCalibrationType"))
    calibrated = _spacing(dataset, "PixelSpacing", plane=plane) if plane else None
    return calibrated or _spacing(dataset, "ImagerPixelSpacing", plane="detector")


def _spacing(dataset: Dataset, keyword: str, *, plane: Plane) -> Spacing | None:
    parts = tags.numbers(dataset, keyword)
    if len(parts) != 2 or not all(0 < part < _LARGEST_MM for part in parts):
        return None
    return Spacing(row_mm=parts[0], column_mm=parts[1], plane=plane)
