"""Films for the tests of the viewer, written as DICOM, and how a browser would read what the server sends of them."""

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from finetune.manifest import Case, read_records
from xray.records import write_lines

SECRET = "CANARY^王小明"


def write_dicom(path: Path, values: NDArray[np.uint16], **elements: object) -> str:
    """Write a 12-bit film and return the sha256 of its file. `elements` are DICOM keywords."""
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    film.PatientName, film.PatientID, film.SpecificCharacterSet = SECRET, SECRET, "ISO_IR 192"
    film.Modality, film.BodyPartExamined, film.PatientOrientation = "DX", "CHEST", ["L", "F"]
    film.Rows, film.Columns = values.shape
    film.SamplesPerPixel, film.PixelRepresentation = 1, 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    film.PhotometricInterpretation = "MONOCHROME2"
    film.add_new("PixelData", "OW", values.astype("<u2").tobytes())
    for keyword, value in elements.items():
        setattr(film, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    film.save_as(path, enforce_file_format=True)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def set_case(run: Path, number: int, **changes: object) -> Case:
    """Change a case of a run folder, and return it."""
    cases = read_records(run / "references.jsonl", Case)
    cases[number] = cases[number].model_copy(update=changes)
    write_lines(run / "references.jsonl", cases)
    return cases[number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a browser makes of the bytes: the header, the VOI LUT, and the values, uint16 [H, W]."""

    header: dict[str, object]
    curve: NDArray[np.uint16] | None
    values: NDArray[np.uint16]


def unpacked(page: bytes) -> Received:
    """Undo `app.pixels`, one value after the other as its description says."""
    (length,) = struct.unpack_from("<I", page)
    header = json.loads(page[4 : 4 + length])
    rest = page[4 + length :]
    curve = None
    if header["curve"]:
        curve = np.frombuffer(rest[: 2 * header["values"]], dtype="<u2")
        rest = rest[2 * header["values"] :]
    width, height = header["width"], header["height"]
    assert len(rest) == 2 * width * height
    low, high = np.frombuffer(rest, dtype=np.uint8).reshape(2, height, width).astype(int)
    values = np.zeros((height, width), dtype=int)
    for row in range(height):
        for column in range(width):
            left = values[row, column - 1] if column else 0
            above = values[row - 1, column] if row else 0
            predicted = left if row == 0 else above if column == 0 else (left + above) >> 1
            zigzag = low[row, column] | high[row, column] << 8
            values[row, column] = (predicted + ((zigzag >> 1) ^ -(zigzag & 1))) & 0xFFFF
    return Received(header=header, curve=curve, values=values.astype(np.uint16))
