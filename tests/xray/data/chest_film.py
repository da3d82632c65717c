"""One small chest film as a DICOM file, with every element that a test wants to be different."""

import hashlib
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

GREY = np.add.outer(np.arange(80), np.arange(70)).astype(np.uint8)
CANARIES = ("CANARY", "王小明", "19500101", "1.2.826.0.1.99")
CHEST = {
    "Modality": "DX",
    "BodyPartExamined": "CHEST",
    "PresentationIntentType": "FOR PRESENTATION",
    "ViewPosition": "PA",
    "StudyInstanceUID": "1.2.826.0.1.99.1",
    "SeriesInstanceUID": "1.2.826.0.1.99.2",
    "SOPInstanceUID": "1.2.826.0.1.99.3",
    "SOPClassUID": DigitalXRayImageStorageForPresentation,
    "PatientID": "CANARY-7",
    "PatientName": "CANARY^王小明",
    "PatientBirthDate": "19500101",
    "PatientAge": "018M",
    "PatientSex": "F",
    "ImagerPixelSpacing": [0.2, 0.2],
}


def film(pixels: np.ndarray = GREY, **elements: object) -> Dataset:
    """A chest film of 8-bit pixels; `elements` are DICOM keywords, and None leaves one out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 3 if pixels.ndim == 3 else 1, 0
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    dataset.add_new("PixelData", "OB", pixels.astype(np.uint8).tobytes())
    for keyword, value in {**CHEST, **elements}.items():
        if value is not None:
            setattr(dataset, keyword, value)
        elif keyword in dataset:
            delattr(dataset, keyword)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", DigitalXRayImageStorageForPresentation)
    content = hashlib.sha256(dataset.PixelData).hexdigest()
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"2.25.{int(content[:30], 16)}")
    return dataset


def write_film(path: Path, pixels: np.ndarray = GREY, **elements: object) -> Path:
    """Write `film` as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    film(pixels, **elements).save_as(path, enforce_file_format=True)
    return path


def texture(number: int) -> np.ndarray:
    """Another picture for each number."""
    return np.random.default_rng(number).integers(0, 256, (80, 70), dtype=np.uint8)
