"""Films packed in zip and tar files, unpacked without trusting a byte of them.

An archive from a stranger may name files outside its folder, hold links and devices, unpack to more than any disk
holds, or be broken. Members are written under names of our own, numbers, so that no name of theirs ever is a path.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from xray.data.archive_members import CHUNK_BYTES, CORRUPT, MOST_MEMBERS, ArchiveMember, tar_members, zip_members
from xray.data.file_kind import read_head
from xray.data.file_names import decoded
from xray.dicom import tags
from xray.dicom.read import MAX_FILE_BYTES
from xray.errors import DataError, Rejected

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
PACKED_SUFFIXES = frozenset({".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip"})

_MOST_BYTES = 64 << 30
_FREELY_LARGE = 64 << 20  # below this nobody asks how well an archive is packed
_MOST_RATIO = 100  # films pack 2 to 4 times; Deflate ends at 1,032
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedFile:
    """A member on disk: `path` is its file, a number, and `name` what the archive calls it."""

    path: Path = field(repr=False)
    name: PurePosixPath = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMember:
    """A member that was not unpacked, and why; `name` is None where that is the whole archive."""

    name: PurePosixPath | None = field(repr=False)
    refusal: Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What came out of an archive, in its own order."""

    files: tuple[UnpackedFile, ...]
    refused: tuple[RefusedMember, ...]


def is_archive(name: str) -> bool:
    """Tell by its name whether a file is an archive that `unpack` opens: zip, tar and tar packed with gzip."""
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def unpack(archive: Path, *, into: Path) -> Unpacked:
    """Unpack a zip or tar file into the new folder `into`. Folders and hidden files (`.x`, `__MACOSX`) are left out.

    Refused members: `archive_path` (an absolute path, `..`, a drive letter, a backslash), `archive_link` (links,
    devices, pipes), `archive_encrypted`, `archive_bomb` (an archive in the archive), `too_large` (more than a film
    may have), `packed_file` (a method other than Deflate), `archive_corrupt` (a check sum that is wrong). The whole
    archive, of which nothing is then kept: `archive_corrupt`, `archive_bomb` (too many members, packed more than
    100-fold, more than 64 GiB), `archive_too_large` (more than half the room that is left), `unreadable`.
    Raises DataError where `into` cannot be written.
    """
    try:
        read_head(archive)
        work = _Unpacking(into=into, budget=_Budget.of(archive, into=into))
        members = zip_members(archive) if archive.name.lower().endswith(".zip") else tar_members(archive)
        while (member := _next(members)) is not None:
            work.take(member)
    except Rejected as rejected:
        shutil.rmtree(into, ignore_errors=True)
        return Unpacked(files=(), refused=(RefusedMember(name=None, refusal=rejected),))
    return Unpacked(files=tuple(work.files), refused=tuple(work.refused))


def _next(members: Iterator[ArchiveMember]) -> ArchiveMember | None:
    with tags.guarded("archive_corrupt", CORRUPT):
        return next(members, None)


@dataclass(slots=True, kw_only=True)
class _Budget:
    """What an archive may still unpack to."""

    packed: int
    room: int
    members: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, archive: Path, *, into: Path) -> "_Budget":
        try:
            into.mkdir(parents=True)
            return cls(packed=archive.stat().st_size, room=shutil.disk_usage(into).free // 2)
        except OSError as error:
            raise DataError(
                f"There is no place to unpack archives ({error.strerror}). Check the temporary folder."
            ) from None

    def spend(self, size: int) -> None:
        self.members += 1
        self.bytes += size
        if self.members > MOST_MEMBERS:
            raise Rejected("archive_bomb", f"The archive has more than {MOST_MEMBERS} files. Unpack it yourself.")
        if self.bytes > _MOST_BYTES or (self.bytes > _FREELY_LARGE and self.bytes > _MOST_RATIO * self.packed):
            why = f"The archive unpacks to more than {_MOST_RATIO} times its size or {_MOST_BYTES >> 30} GiB."
            raise Rejected("archive_bomb", f"{why} Unpack it yourself if you trust it.")
        if self.bytes > self.room:
            raise Rejected(
                "archive_too_large", "The archive needs more than half the free disk space. Unpack it yourself."
            )


@dataclass(slots=True, kw_only=True)
class _Unpacking:
    """One archive on its way to the disk."""

    into: Path
    budget: _Budget
    files: list[UnpackedFile] = field(default_factory=list)
    refused: list[RefusedMember] = field(default_factory=list)

    def take(self, member: ArchiveMember) -> None:
        self.budget.spend(member.size)
        name = decoded(member.name)
        shown = PurePosixPath(name.lstrip("/"))
        try:
            _check_path(name)
            if member.is_folder or any(part.startswith(".") or part == "__MACOSX" for part in shown.parts):
                return
            _check_member(member, name=name)
            path = self.into / f"{self.budget.members:06d}"
            _write(member, path)
            self.files.append(UnpackedFile(path=path, name=shown))
        except Rejected as rejected:
            self.refused.append(RefusedMember(name=shown, refusal=rejected))


def _check_path(name: str) -> None:
    if name.startswith("/") or "\\" in name or "\0" in name or _DRIVE.match(name) or ".." in name.split("/"):
        raise Rejected("archive_path", "The name leads out of the archive's folder, or is no path. Pack it again.")


def _check_member(member: ArchiveMember, *, name: str) -> None:
    if member.fault is not None:
        raise member.fault
    if PurePosixPath(name).suffix.lower() in PACKED_SUFFIXES:
        raise Rejected("archive_bomb", "An archive inside an archive is not opened, for it may never end. Unpack it.")
    if member.size > MAX_FILE_BYTES:
        raise Rejected("too_large", f"The file is larger than {MAX_FILE_BYTES >> 20} MiB.")


def _write(member: ArchiveMember, path: Path) -> None:
    """Write a member's bytes, all or none."""
    try:
        with path.open("xb") as target:
            for chunk in _chunks(member):
                target.write(chunk)
    except OSError as error:
        raise DataError(
            f"There is no room to unpack archives ({error.strerror}). Clear the temporary folder."
        ) from None
    except Rejected:
        path.unlink()
        raise


def _chunks(member: ArchiveMember) -> Iterator[bytes]:
    left = member.size
    with tags.guarded("archive_corrupt", CORRUPT):
        source = member.open()
    with source:
        while left > 0:
            with tags.guarded("archive_corrupt", CORRUPT):
                chunk = source.read(min(CHUNK_BYTES, left))
            if not chunk:
                raise Rejected("archive_corrupt", CORRUPT)
            left -= len(chunk)
            yield chunk
