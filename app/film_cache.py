"""Encoded films on disk, by the content they were made of, within a bound: what was shown longest ago goes first."""

import os
from contextlib import suppress
from pathlib import Path

from xray.records import write_atomically

MOST_BYTES = 4 << 30
_SUFFIX = ".film"


class FilmCache:
    """A folder of byte strings by name. Any of them may be gone at any time: it can be made again."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most = folder, most_bytes

    def get(self, name: str) -> bytes | None:
        """Return what is kept under that name, and count it as used; None where nothing is."""
        path = self._path(name)
        try:
            found = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return found

    def put(self, name: str, data: bytes) -> None:
        """Keep `data`. A disk that is full or read-only costs time later, and no page now."""
        with suppress(OSError):
            write_atomically(self._path(name), data)
            self._trim()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _trim(self) -> None:
        known = [(found.stat().st_mtime_ns, found.stat().st_size, found.path) for found in os.scandir(self._folder)]
        excess = sum(size for _, size, _ in known) - self._most
        for _, size, path in sorted(known):
            if excess <= 0:
                return
            Path(path).unlink(missing_ok=True)
            excess -= size
