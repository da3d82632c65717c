"""Where the pixels of the pages come from: the original film where it is at hand, and the picture the model saw.

Originals are bytes that nobody trusts, so their decoders run in processes with limits of their own. The pictures of a
run were written by this kit and are read here.
"""

import hashlib
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from app.film_cache import FilmCache
from app.originals import Originals
from app.pixels import LAYOUT, EncodedFilm, FilmFile, encode_film, encode_picture
from xray.errors import Rejected
from xray.guard import Guarded, Limits

Source = Literal["original", "model"]
Size = Literal["preview", "full"]
_LIMITS = Limits(cpu_seconds=30.0, memory_mib=1400, wall_seconds=120.0)  # 8192 x 8192 px, decoded, predicted and packed
_DECODERS = 2  # a film that is slow to decode does not keep all other readers waiting


class Lightbox:
    """Films as the browser gets them, each encoded once."""

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
        if path is None:
            return None
        if (known := self._known(sha256, size=size)) is not None:
            return known
        with self._decoder() as decode:
            if (known := self._known(sha256, size=size)) is not None:  # made while this request waited
                return known
            return self._kept(decode(FilmFile(path=path, sha256=sha256)), sha256=sha256, size=size)

    def seen(self, path: Path, *, size: Size) -> bytes:
        """Return a picture of a run (gzip, see `app.pixels`). Raises Rejected where it cannot be shown."""
        try:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            raise Rejected("unreadable", "The picture cannot be read. Check who may read the run's folder.") from None
        return self._known(sha256, size=size) or self._kept(encode_picture(path), sha256=sha256, size=size)

    def warm_up(self) -> None:
        """Where there are originals, look for them and start their decoders, which takes seconds."""
        if self.originals is None:
            return
        self.originals.start()
        for _ in range(_DECODERS):
            threading.Thread(target=self._start_decoder, daemon=True).start()

    def close(self) -> None:
        """End the decoders and the search for originals."""
        if self.originals is not None:
            self.originals.close()
        for decoder in self._all:
            decoder.close()

    def _kept(self, film: EncodedFilm, *, sha256: str, size: Size) -> bytes:
        self._cache.put(_name(sha256, size="preview"), film.preview)
        self._cache.put(_name(sha256, size="full"), film.full)
        return film.preview if size == "preview" else film.full

    def _known(self, sha256: str, *, size: Size) -> bytes | None:
        return self._cache.get(_name(sha256, size=size))

    @contextmanager
    def _decoder(self) -> Iterator[Guarded[FilmFile, EncodedFilm]]:
        decoder = self._free.get()
        try:
            yield decoder
        finally:
            self._free.put(decoder)

    def _start_decoder(self) -> None:
        with suppress(Rejected), self._decoder() as decode:
            decode(FilmFile(path=Path(os.devnull), sha256=""))  # is refused: it is no regular file


def _name(sha256: str, *, size: Size) -> str:
    return f"{sha256}-{LAYOUT}-{size}"
