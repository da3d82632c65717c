"""Small films written to disk: what a hospital's folder holds, invented."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

SIDE = 72


class FilmWriter:
    """Writes films below `root`; each `texture` number gives another picture."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def png(self, name: str, *, texture: int) -> Path:
        path = self._path(name)
        Image.fromarray(self._pixels(texture).astype(np.uint8)).save(path)
        return path

    def dicom(
        self,
        name: str,
        *,
        study: str,
        texture: int,
        patient: str = "P-1",
        view: str = "PA",
        person: str = "试^甲",
        **tags: object,
    ) -> Path:
        path = self._path(name)
        dataset = Dataset()
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.SOPClassUID = ComputedRadiographyImageStorage
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[study, str(texture)])
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.1"
        dataset.PatientID, dataset.PatientName, dataset.StudyDate = patient, person, "20240229"
        dataset.PatientAge, dataset.PatientSex = "061Y", "F"
        dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "CR", "CHEST", view
        dataset.Rows, dataset.Columns = SIDE, SIDE
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
        dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
        dataset.PixelData = (self._pixels(texture) * 16).astype(np.uint16).tobytes()
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(path, enforce_file_format=True)
        return path

    def _path(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _pixels(self, texture: int) -> np.ndarray:
        return np.random.default_rng(texture).integers(0, 256, (SIDE, SIDE))


@pytest.fixture
def films(tmp_path: Path) -> FilmWriter:
    """A folder for films."""
    root = tmp_path / "films"
    root.mkdir()
    return FilmWriter(root)
