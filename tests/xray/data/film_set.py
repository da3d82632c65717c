"""The index of a film set, as a disc has it."""

from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage


def write_dicomdir(
    folder: Path, *images: Sequence[str], kinds: Sequence[str] = ("IMAGE",), in_use: int = 0xFFFF
) -> Path:
    """Write a DICOMDIR that lists `images`, each a ReferencedFileID, as records of `kinds`."""
    index = Dataset()
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    index.FileSetID = "WARD"
    patient = Dataset()
    patient.DirectoryRecordType, patient.PatientName = "PATIENT", "CANARY^A"
    index.DirectoryRecordSequence = [patient, *(_record(parts, kind, in_use) for parts in images for kind in kinds)]
    index.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def _record(parts: Sequence[str], kind: str, in_use: int) -> Dataset:
    record = Dataset()
    record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.RecordInUseFlag, record.DirectoryRecordType = in_use, kind
    record.ReferencedFileID = list(parts)
    return record
