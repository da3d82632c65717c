"""A DICOM file (PS3.10) to a data set, with every limit checked before memory is spent."""

import zlib
from io import BufferedReader, BytesIO, FileIO
from pathlib import Path
from typing import BinaryIO, Literal

from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info

from xray.dicom import tags
from xray.dicom.layout import MAX_DECODED_BYTES, pixel_layout, stored_layout
from xray.dicom.syntax import transfer_syntax
from xray.errors import Rejected

MAX_FILE_BYTES = 512 * 1024 * 1024
_MAX_INFLATED_BYTES = MAX_DECODED_BYTES + 64 * 1024 * 1024
_PIECE = 64 * 1024
_EXECUTABLE = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
)  # three of macOS
_CORRUPT = "The file is not readable as DICOM. Copy or export it again."


def read_dataset(path: Path, *, frames: Literal["one", "any"] = "one") -> Dataset:
    """Read an image file whole, pixel data included but not decoded.

    The header is read and checked first, so a file that would be refused costs no more than its header. `frames` "any"
    takes every image that `decode_stored` takes. A deflated file comes back inflated, as Explicit VR Little Endian.

    Raises Rejected: `unreadable`, `too_large`, `not_dicom`, `executable_preamble`, `nested_too_deep`, `corrupt_header`,
    `truncated`, and the codes of `pixel_layout` or `stored_layout`, and `transfer_syntax`.
    """
    with _opened(path) as stream:
        header = _parse(stream, pixels=False)
        transfer_syntax(header)
        if frames == "one":
            pixel_layout(header)
        else:
            stored_layout(header)
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
    """Open a file whose size and first bytes have been checked, inflated where it is deflated."""
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise Rejected("unreadable", "There is no such file.")
        size = path.stat().st_size
        stream = _ClippedReader(path.open("rb", buffering=0), size=size)
    except (OSError, ValueError):
        raise Rejected("unreadable", "The file cannot be opened.") from None
    try:
        _check_file(stream, size=size)
        inflated = _inflated(stream)
    except Rejected:
        stream.close()
        raise
    if inflated is None:
        return stream
    stream.close()
    return inflated


class _ClippedReader(BufferedReader):
    """A file that reserves no memory beyond its end, where a damaged length may ask for gigabytes."""

    def __init__(self, raw: FileIO, *, size: int) -> None:
        super().__init__(raw)
        self._size = size

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, all that are left without it."""
        if size is not None and size > _PIECE:
            size = max(0, min(size, self._size - self.tell()))
        return super().read(size)


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


def _parse(stream: BinaryIO, *, pixels: bool) -> Dataset:
    with tags.guarded("corrupt_header", _CORRUPT):
        stream.seek(0)
        dataset = dcmread(stream, stop_before_pixels=not pixels)
        if pixels and "Rows" not in dataset:  # where compressed pixels break off, pydicom returns nothing at all
            stream.seek(0)
            if "Rows" in dcmread(stream, stop_before_pixels=True):
                raise Rejected("truncated", "The file ends within its compressed pixels. Copy the file again.")
        return dataset


def _inflated(stream: BinaryIO) -> BinaryIO | None:
    """Inflate a deflated data set (PS3.5 A.5) within a bound, which pydicom would not keep; None for any other file."""
    deflated, explicit = uid.DeflatedExplicitVRLittleEndian.encode(), uid.ExplicitVRLittleEndian.encode()
    with tags.guarded("corrupt_header", _CORRUPT):
        meta = read_file_meta_info(Path(stream.name))
        if tags.text(meta, "TransferSyntaxUID") != deflated.decode():
            return None
        stream.seek(0)
        head = stream.read(132 + 12 + int(meta.FileMetaInformationGroupLength))
        parts = [head.replace(deflated, explicit.ljust(len(deflated), b"\0"))]
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        total, waiting = 0, stream.read(_PIECE)
        while waiting and not inflater.eof:
            parts.append(inflater.decompress(waiting, 1 << 24))
            total += len(parts[-1])
            if total > _MAX_INFLATED_BYTES:
                raise Rejected("too_large", f"The file inflates to more than {_MAX_INFLATED_BYTES >> 20} MiB.")
            waiting = inflater.unconsumed_tail or stream.read(_PIECE)
        if not inflater.eof:
            raise Rejected("truncated", "The file ends within its deflated data. Copy the file again.")
        return BytesIO(b"".join(parts))
