"""Files that were hashed before and have not changed since, so that a preparation need not read their bytes again.

A list of this machine's files and no part of the data set: without it everything is hashed again, with the same result.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from xray.data.films import file_sha256, unchanged
from xray.data.pseudonym import Pseudonyms
from xray.data.records import KNOWN_FILES_FILE, KnownFile
from xray.errors import Rejected
from xray.records import naming, write_lines

_SETTLED_NS = 2 * 10**9  # the coarsest clock of a file system (FAT): a later change might not be seen in the times
_FLUSH_LINES = 100

Stamp = tuple[int, int, int, int]
"""Inode, size in bytes, times of the last change of content and of inode in nanoseconds since 1970.

The second time is the system's own: a program can set the first one back after it wrote to a file.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """The `sha256` (hex) of a file's bytes, its stamp, and when reading began (nanoseconds since 1970)."""

    sha256: str
    stamp: Stamp
    taken_ns: int

    @property
    def is_settled(self) -> bool:
        """Tell whether any later change gives another stamp: the file was old enough when it was read."""
        return max(self.stamp[2:]) + _SETTLED_NS < self.taken_ns


def digest_file(path: Path) -> FileDigest:
    """Hash a file. Raises Rejected: `unreadable`, or `file_changed` where it was written to meanwhile."""
    taken_ns = time.time_ns()
    with unchanged(path):
        stamp = _stamp(path)
        sha256 = file_sha256(path)
    if stamp is None:
        raise Rejected("file_changed", "The file was away for a moment. Wait until it is copied.")
    return FileDigest(sha256=sha256, stamp=stamp, taken_ns=taken_ns)


@dataclass(slots=True, kw_only=True)
class KnownFiles:
    """What the store's list knows of files, and what is to be written to it."""

    path: Path
    names: Pseudonyms = field(repr=False)
    _known: dict[str, str] = field(default_factory=dict, repr=False)
    _used: dict[str, str] = field(default_factory=dict, repr=False)
    _waiting: list[str] = field(default_factory=list, repr=False)

    @classmethod
    def open(cls, store: Path, *, names: Pseudonyms) -> "KnownFiles":
        """Read the list of a store. A list, or a line of it, that is damaged counts for nothing."""
        files = cls(path=store / KNOWN_FILES_FILE, names=names)
        with suppress(OSError):
            for line in files.path.read_bytes().splitlines():
                with suppress(ValidationError):
                    known = KnownFile.model_validate_json(line)
                    files._known[known.file] = known.sha256
        return files

    def sha256(self, path: Path) -> str | None:
        """Return the sha256 (hex) of a file that is as it was when it was hashed; None for every other."""
        stamp = _stamp(path)
        if stamp is None:
            return None
        name = self._name(path, stamp)
        if name in self._known:
            self._used[name] = self._known[name]
        return self._known.get(name)

    def note(self, path: Path, digest: FileDigest) -> None:
        """Remember the digest of a file, unless a later change might go unseen."""
        name = self._name(path, digest.stamp)
        if not digest.is_settled or name in self._used:
            return
        self._used[name] = digest.sha256
        self._waiting.append(KnownFile(file=name, sha256=digest.sha256).model_dump_json() + "\n")
        if len(self._waiting) >= _FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what waits: it outlives a kill."""
        if self._waiting:
            with naming(self.path), self.path.open("a", encoding="utf-8") as stream:
                stream.write("".join(self._waiting))
            self._waiting = []

    def clear(self) -> None:
        """Keep the files that were asked for or noted, and no others."""
        self._waiting = []
        write_lines(self.path, [KnownFile(file=name, sha256=self._used[name]) for name in sorted(self._used)])

    def _name(self, path: Path, stamp: Stamp) -> str:
        """One pseudonym of path and stamp together: times alone would be dates of the hospital."""
        return self.names.place("\0".join([str(path.absolute()), *map(str, stamp)]))


def _stamp(path: Path) -> Stamp | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
