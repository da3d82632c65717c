"""The entries of zip and tar files, as the archive describes them: nothing here is checked for what it would do."""

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from xray.errors import Rejected

CHUNK_BYTES = 1 << 20
MOST_MEMBERS = 200_000
CORRUPT = "The archive is damaged or cut off. Copy or pack it again."

_MOST_DIRECTORY_BYTES = 512 * MOST_MEMBERS
_LONGEST_TAIL = 64 << 20
_END_OF_ZIP, _END_OF_ZIP64 = b"PK\x05\x06", b"PK\x06\x07"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """One entry of an archive: `size` in bytes as declared; `fault` says why it cannot be unpacked whatever it holds.

    `name` keeps bytes that are no UTF-8 as lone surrogates (PEP 383). `open` is only good until the next member.
    """

    name: str
    size: int
    is_folder: bool
    fault: Rejected | None
    open: Callable[[], IO[bytes]]


def zip_members(archive: Path) -> Iterator[ArchiveMember]:
    """Yield the entries of a zip file (APPNOTE.TXT).

    Raises Rejected: `archive_corrupt`, `archive_bomb` (more entries than may be). Other exceptions are those of
    `zipfile` on damaged bytes: run it in `tags.guarded`.
    """
    with archive.open("rb") as stream:
        _check_directory(stream)
        with zipfile.ZipFile(stream) as packed:
            for info in packed.infolist():
                yield _zip_member(packed, info)


def _zip_member(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> ArchiveMember:
    return ArchiveMember(
        name=_zip_name(info),
        size=info.file_size,
        is_folder=info.is_dir(),
        fault=_zip_fault(info),
        open=lambda: packed.open(info),
    )


def _check_directory(stream: IO[bytes]) -> None:
    """Refuse a table of contents that would fill the memory; `zipfile` reads it whole (APPNOTE 4.3.14 to 4.3.16)."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - (1 << 16) - 22 - 20))
    tail = stream.read()
    end = tail.rfind(_END_OF_ZIP)
    if end < 0:
        raise Rejected("archive_corrupt", CORRUPT)
    (length,) = struct.unpack_from("<L", tail, end + 12)
    if length == 0xFFFFFFFF and tail[max(0, end - 20) : end].startswith(_END_OF_ZIP64):
        stream.seek(struct.unpack_from("<Q", tail, end - 12)[0])
        (length,) = struct.unpack_from("<Q", stream.read(56), 40)
    if length > _MOST_DIRECTORY_BYTES:
        raise Rejected("archive_bomb", f"The archive has more than {MOST_MEMBERS} files. Unpack it yourself.")


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return the name with its bytes kept (PEP 383): without flag bit 11 they may be GB18030 as well as cp437."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    return info.orig_filename.encode("cp437").decode("utf-8", "surrogateescape")


def _zip_fault(info: zipfile.ZipInfo) -> Rejected | None:
    kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return _link()
    if info.flag_bits & 0x41:
        return Rejected("archive_encrypted", "The file is encrypted. Unpack the archive with its password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Rejected("packed_file", "The file is packed by a method other than Deflate. Unpack the archive.")
    return None


def _link() -> Rejected:
    return Rejected("archive_link", "Links, devices and pipes in archives are not followed. Pack the films themselves.")


def tar_members(archive: Path) -> Iterator[ArchiveMember]:
    """Yield the entries of a tar file, plain or packed with gzip, in one pass.

    Raises Rejected: `archive_corrupt` (also where it breaks off between two entries, or the check sum of gzip is
    wrong), `archive_bomb` (a header of more than 1 MiB, an endless end). Other exceptions are those of `tarfile`.
    """
    with ExitStack() as stack:
        stream: IO[bytes] = stack.enter_context(archive.open("rb"))
        if archive.name.lower().endswith("gz"):
            stream = cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=stream)))
        bounded = _Bounded(stream)
        tar = stack.enter_context(tarfile.open(fileobj=bounded, mode="r:"))
        while (info := tar.next()) is not None:
            yield _tar_member(tar, info)
            tar.members = []  # type: ignore[attr-defined]  # where every header would stay in memory
        _check_end(bounded, offset=tar.offset)


def _tar_member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> ArchiveMember:
    if info.size < 0:  # tarfile would go backwards
        raise Rejected("archive_corrupt", CORRUPT)
    return ArchiveMember(
        name=info.name,
        size=info.size,
        is_folder=info.isdir(),
        fault=None if info.isfile() or info.isdir() else _link(),
        open=lambda: _content(tar, info),
    )


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    found = tar.extractfile(info)
    if found is None:
        raise Rejected("archive_corrupt", CORRUPT)
    return found


def _check_end(stream: "_Bounded", *, offset: int) -> None:
    """Refuse what does not end as a tar file does; `tarfile` takes a header that breaks off for the end."""
    stream.seek(offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise Rejected("archive_corrupt", CORRUPT)
    for _ in range(_LONGEST_TAIL // CHUNK_BYTES):
        if not stream.read(CHUNK_BYTES):  # gzip compares its check sum here
            return
    raise Rejected("archive_bomb", "The archive goes on after its end. Pack it again.")


class _Bounded(io.RawIOBase):
    """A stream that gives no more than 1 MiB at once: `tarfile` reads a header of any size into memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= CHUNK_BYTES:
            raise Rejected("archive_bomb", "A header in the archive is larger than 1 MiB. Pack it again.")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()
