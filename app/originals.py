"""The original films of a hospital, in whatever folders they lie: found by the sha256 of their bytes.

A thread hashes the folder while the pages are in use, and later starts only read what is new. What is remembered are
digests, because the names of files and folders may be those of patients.
"""

import os
import threading
import time
from pathlib import Path

from xray.data.films import is_film_file
from xray.data.known_files import KnownFiles, digest_file
from xray.data.pseudonym import Pseudonyms
from xray.errors import Rejected

_REST_SECONDS = 600.0  # between two looks at a folder in which a film was not found


class Originals:
    """The films below `folder`, links to other folders left out; `cache` is the folder that remembers digests."""

    def __init__(self, folder: Path, *, cache: Path) -> None:
        self._folder, self._cache = folder, cache
        self._found: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = 0.0
        self._stop = threading.Event()

    def find(self, sha256: str) -> Path | None:
        """Return the film with that sha256 (hex), None where it is not found, or not yet (see `is_searching`)."""
        path = self._found.get(sha256)
        if path is None and sha256:
            self._search()
        return path

    @property
    def is_searching(self) -> bool:
        """Whether the folder is being read."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    def start(self) -> None:
        """Begin to read the folder."""
        self._search()

    def wait(self) -> None:
        """Return when the folder has been read."""
        self._search()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """End the search at the next file."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _search(self) -> None:
        with self._lock:
            rests = self._thread is not None and time.monotonic() - self._ended < _REST_SECONDS
            if self.is_searching or rests or self._stop.is_set():
                return
            self._thread = threading.Thread(target=self._read_folder, daemon=True, name="original films")
            self._thread.start()

    def _read_folder(self) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        known = KnownFiles.open(self._cache, names=Pseudonyms.of_site())
        for folder, _, names in os.walk(self._folder):
            for name in names:
                if self._stop.is_set():
                    known.flush()
                    return
                self._note(Path(folder) / name, known=known)
        known.clear()
        self._ended = time.monotonic()

    def _note(self, path: Path, *, known: KnownFiles) -> None:
        sha256 = known.sha256(path)
        if sha256 is None:
            if not is_film_file(path):
                return
            try:
                digest = digest_file(path)
            except Rejected:  # unreadable, or still being written: the next look may find it
                return
            known.note(path, digest)
            sha256 = digest.sha256
        self._found[sha256] = path
