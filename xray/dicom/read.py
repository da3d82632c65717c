"""A DICOM file (PS3.10) to a data set, with every limit checked before memory is spent."""

import zlib
from io import BufferedReader, BytesIO, FileIO
from pathlib import Path
from typing import BinaryIO, Literal

from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset as parse
from pydicom.tag import BaseTag

from xray.dicom import tags
from xray.dicom.layout import MAX_DECODED_BYTES, pixel_layout, stored_layout
from xray.dicom.syntax import transfer_syntax
from xray.errors import Rejected

MAX_FILE_BYTES = 512 * 1024 * 1024
_MAX_INFLATED_BYTES = MAX_DECODED_BYTES + 64 * 1024 * 1024
_PIECE = 64 * 1024
_MAX_HEADER_READS = 400_000  # two for each element; a film has a few hundred elements, and this many take a second
_MAX_HEADER_BYTES = 32 * 1024 * 1024
_PREAMBLE_BYTES = 132
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
    `header_too_large`, `truncated`, and the codes of `pixel_layout` or `stored_layout`, and `transfer_syntax`.
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

    Raises Rejected: `unreadable`, `too_large`, `not_dicom`, `executable_preamble`, `nested_too_deep`, `corrupt_header`,
    `header_too_large`.
    """
    with _opened(path) as stream:
        return _parse(stream, pixels=False)


def has_dicom_magic(head: bytes) -> bool:
    """Tell whether the first 132 bytes of a file are a preamble and the DICM prefix (PS3.10 7.1)."""
    return head[128:132] == b"DICM"


def _opened(path: Path) -> "_BoundedReader":
    """Open a file whose size and first bytes have been checked, inflated where it is deflated."""
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            raise Rejected("unreadable", "There is no such file.")
        size = path.stat().st_size
        stream = _BoundedReader(path.open("rb", buffering=0), size=size)
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


class _BoundedReader(BufferedReader):
    """A file that reserves no memory beyond its end, where a damaged length may ask for gigabytes.

    While `in_header`, it ends a header of millions of elements, or of half the file, before time and memory are spent.
    """

    name = ""  # pydicom keeps it in the data set

    def __init__(self, raw: FileIO | BytesIO, *, size: int) -> None:
        super().__init__(raw)
        self._size = size
        self._reads = self._bytes = 0
        self.in_header = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, all that are left without it. Raises Rejected("header_too_large")."""
        if size is not None and size > _PIECE:
            size = max(0, min(size, self._size - self.tell()))
        found = super().read(size)
        if self.in_header:
            self._count(found)
        return found

    def start(self, *, in_header: bool) -> None:
        """Go back to the beginning and count anew."""
        self.seek(0)
        self.in_header, self._reads, self._bytes = in_header, 0, 0

    def _count(self, found: bytes) -> None:
        self._reads += 1
        self._bytes += len(found)
        if self._reads > _MAX_HEADER_READS or self._bytes > _MAX_HEADER_BYTES:
            raise Rejected("header_too_large", "The header holds far more than that of a film. Export the film again.")


def _check_file(stream: BinaryIO, *, size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise Rejected("too_large", f"The file is larger than {MAX_FILE_BYTES >> 20} MiB.")
    try:
        head = stream.read(_PREAMBLE_BYTES)
    except OSError:
        raise Rejected("unreadable", "The file cannot be read.") from None
    if not has_dicom_magic(head):
        raise Rejected("not_dicom", "The file does not start with a DICOM preamble.")
    if head.startswith(_EXECUTABLE):
        raise Rejected("executable_preamble", "The preamble holds an executable program. Do not run this file.")


def _parse(stream: _BoundedReader, *, pixels: bool) -> Dataset:
    with tags.guarded("corrupt_header", _CORRUPT):
        stream.start(in_header=not pixels)
        dataset = dcmread(stream, stop_before_pixels=not pixels)
        if pixels and "Rows" not in dataset:  # where compressed pixels break off, pydicom returns nothing at all
            stream.start(in_header=True)
            if "Rows" in dcmread(stream, stop_before_pixels=True):
                raise Rejected("truncated", "The file ends within its compressed pixels. Copy the file again.")
        return dataset


def _inflated(stream: "_BoundedReader") -> "_BoundedReader | None":
    """Inflate a deflated data set (PS3.5 A.5) within a bound, which pydicom would not keep; None for any other file."""
    deflated, explicit = uid.DeflatedExplicitVRLittleEndian.encode(), uid.ExplicitVRLittleEndian.encode()
    with tags.guarded("corrupt_header", _CORRUPT):
        stream.start(in_header=True)
        stream.seek(_PREAMBLE_BYTES)
        meta = parse(stream, is_implicit_VR=False, is_little_endian=True, stop_when=_is_after_meta)
        if tags.text(meta, "TransferSyntaxUID") != deflated.decode():
            return None
        meta_end = stream.tell()
        stream.start(in_header=False)
        head = stream.read(meta_end)
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
        return _BoundedReader(BytesIO(b"".join(parts)), size=total + len(parts[0]))


def _is_after_meta(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag.group != 2
