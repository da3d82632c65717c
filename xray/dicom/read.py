"""A DICOM file (PS3.10) to a data set, with every limit checked before memory is spent."""

import zlib
from pathlib import Path
from typing import BinaryIO

from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info

from xray.dicom import tags
from xray.dicom.decode import transfer_syntax
from xray.dicom.layout import MAX_DECODED_BYTES, pixel_layout
from xray.errors import Rejected

MAX_FILE_BYTES = 512 * 1024 * 1024
_MAX_INFLATED_BYTES = MAX_DECODED_BYTES + 64 * 1024 * 1024
_EXECUTABLE = (b"MZ", b"\x7fELF", b"#!")
_CORRUPT = "The file is not readable as DICOM. Copy or export it again."


def read_dataset(path: Path) -> Dataset:
    """Read an image file whole, pixel data included but not decoded.

    The header is read and checked first, so a file that would be refused costs no more than its header.

    Raises Rejected: `unreadable`, `too_large`, `not_dicom`, `executable_preamble`, `nested_too_deep`, `corrupt_header`,
    and the codes of `pixel_layout` and `transfer_syntax`.
    """
    with _opened(path) as stream:
        header = _parse(stream, pixels=False)
        transfer_syntax(header)
        pixel_layout(header)
        return _parse(stream, pixels=True)


def read_tags(path: Path) -> Dataset:
    """Read the header alone, without pixel data, and whether or not the file holds an image.

    Raises Rejected: `unreadable`, `too_large`, `not_dicom`, `executable_preamble`, `nested_too_deep`, `corrupt_header`.
    """
    with _opened(path) as stream:
        return _parse(stream, pixels=False)


def has_dicom_magic(head: bytes) -> bool:
    """Tell whether the first 132 bytes of a file are a preamble and the DICM prefix (PS3.10 7.1)."""
    return head[128:132] == b"DICM"


def _opened(path: Path) -> BinaryIO:
    """Open a file whose size and first bytes have been checked."""
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise Rejected("unreadable", "There is no such file.")
        size = path.stat().st_size
        stream = path.open("rb")
    except (OSError, ValueError):
        raise Rejected("unreadable", "The file cannot be opened.") from None
    try:
        _check_file(stream, size=size)
    except Rejected:
        stream.close()
        raise
    return stream


def _check_file(stream: BinaryIO, *, size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise Rejected("too_large", f"The file is larger than {MAX_FILE_BYTES >> 20} MiB.")
    try:
        head = stream.read(132)
    except OSError:
        raise Rejected("unreadable", "The file cannot be read.") from None
    if not has_dicom_magic(head):
        raise Rejected("not_dicom", "The file does not start with a DICOM preamble.")
    if head.startswith(_EXECUTABLE):
        raise Rejected("executable_preamble", "The preamble holds an executable program. Do not run this file.")
    _check_deflated(stream)


def _parse(stream: BinaryIO, *, pixels: bool) -> Dataset:
    with tags.guarded("corrupt_header", _CORRUPT):
        stream.seek(0)
        dataset = dcmread(stream, stop_before_pixels=not pixels)
        if pixels and "Rows" not in dataset:  # where compressed pixels break off, pydicom returns nothing at all
            stream.seek(0)
            if "Rows" in dcmread(stream, stop_before_pixels=True):
                raise Rejected("truncated", "The file ends within its compressed pixels. Copy the file again.")
        return dataset


def _check_deflated(stream: BinaryIO) -> None:
    """Refuse a deflated data set that unpacks to more than an image may hold; pydicom would inflate it unbounded."""
    with tags.guarded("corrupt_header", _CORRUPT):
        meta = read_file_meta_info(Path(stream.name))
        if tags.text(meta, "TransferSyntaxUID") != uid.DeflatedExplicitVRLittleEndian:
            return
        stream.seek(132 + 12 + int(meta.FileMetaInformationGroupLength))
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        total, waiting = 0, stream.read(1 << 16)
        while waiting and not inflater.eof:
            total += len(inflater.decompress(waiting, 1 << 24))
            if total > _MAX_INFLATED_BYTES:
                raise Rejected("too_large", f"The file inflates to more than {_MAX_INFLATED_BYTES >> 20} MiB.")
            waiting = inflater.unconsumed_tail or stream.read(1 << 16)
