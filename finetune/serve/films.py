"""Films that a user hands over, rendered exactly as those that the model learned from."""

import tempfile
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xray.data.films import check_chest_film, check_upright, load_film, read_header
from xray.dicom.render import RenderSettings
from xray.guard import Guarded


def read_chest_film(path: Path, *, settings: RenderSettings) -> NDArray[np.uint8]:
    """Return a chest film as data preparation would store it: uint8 [H, W], 0 = black.

    Raises Rejected for whatever preparation refuses too: damaged files, other body parts, films that lie turned.
    """
    check_chest_film(read_header(path))
    film = load_film(path, settings=settings)
    check_upright(film)
    return film.pixels


class FilmReader:
    """Reads DICOM, PNG and JPEG in a guarded process: they come from whoever reaches the prompt or the port."""

    def __init__(self, settings: RenderSettings) -> None:
        self._read = Guarded(partial(read_chest_film, settings=settings))

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Return the rendered film. Raises Rejected as `read_chest_film` does, and where decoding takes too much."""
        return self._read(path)

    def read_bytes(self, content: bytes) -> NDArray[np.uint8]:
        """Return the rendered film of a file's content, which touches the disk for as long as it is read."""
        with tempfile.TemporaryDirectory(prefix="xray-film-") as folder:
            path = Path(folder, "film")
            path.write_bytes(content)
            return self.read(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._read.close()
