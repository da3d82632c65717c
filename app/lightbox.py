"""Where the pixels of the pages come from: the original film where it is at hand, and the picture the model saw."""

import hashlib
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from app.film_cache import FilmCache
from app.originals import Originals
from app.pixels import LAYOUT, EncodedFilm, FilmFile, encode_film
from xray.errors import Rejected
from xray.guard import Guarded, Limits

Source = Literal["original", "model"]
Size = Literal["preview", "full"]
_LIMITS = Limits(cpu_seconds=30.0, memory_mib=1400)  # 8192 x 8192 px, decoded, predicted and packed
_DECODERS = 2  # a film that is slow to decode does not keep all other readers waiting


class Lightbox:
    """Films as the browser gets them, each encoded once. Decoders run in processes with limits of their own."""

    def __init__(self, cache: FilmCache, *, originals: Originals | None = None) -> None:
        self._cache, self.originals = cache, originals
        self._all = [Guarded(encode_film, limits=_LIMITS) for _ in range(_DECODERS)]
        self._free: queue.SimpleQueue[Guarded[FilmFile, EncodedFilm]] = queue.SimpleQueue()
        for decoder in self._all:
            self._free.put(decoder)

    def original(self, sha256: str, *, size: Size) -> bytes | None:
        """Return an original film (gzip, see `app.pixels`) by the sha256 of its file, None where it is not at hand.

        Raises Rejected where it cannot be shown.
        """
        path = self.originals.find(sha256) if self.originals else None
        return None if path is None else self._encoded(FilmFile(path=path, sha256=sha256), size=size)

    def seen(self, path: Path, *, size: Size) -> bytes:
        """Return a picture of a run (gzip, see `app.pixels`). Raises Rejected where it cannot be shown."""
        try:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            raise Rejected("unreadable", "The picture cannot be read. Check who may read the run's folder.") from None
        return self._encoded(FilmFile(path=path, sha256=sha256), size=size)

    def close(self) -> None:
        """End the decoders and the search for originals."""
        if self.originals is not None:
            self.originals.close()
        for decoder in self._all:
            decoder.close()

    def _encoded(self, file: FilmFile, *, size: Size) -> bytes:
        if (known := self._known(file, size=size)) is not None:
            return known
        with self._decoder() as decode:
            if (known := self._known(file, size=size)) is not None:  # made while this request waited
                return known
            film = decode(file)
        for name, data in (("preview", film.preview), ("full", film.full)):
            self._cache.put(_name(file, size=name), data)
        return film.preview if size == "preview" else film.full

    def _known(self, file: FilmFile, *, size: Size) -> bytes | None:
        return self._cache.get(_name(file, size=size))

    @contextmanager
    def _decoder(self) -> Iterator[Guarded[FilmFile, EncodedFilm]]:
        decoder = self._free.get()
        try:
            yield decoder
        finally:
            self._free.put(decoder)


def _name(file: FilmFile, *, size: str) -> str:
    return f"{file.sha256}-{LAYOUT}-{size}"
