"""One study's files to its rendered films: the step that every engine runs, and that depends on nothing else.

A film is untrusted bytes for a dozen C libraries, so engines run this step in a guarded process (`xray.guard`).
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from xray import __version__
from xray.data.films import Film, check_upright, load_film, unchanged
from xray.data.known_files import FileDigest, digest_file
from xray.data.perceptual import perceptual_hash
from xray.data.records import FilmFacts
from xray.data.shards import FilmRow
from xray.dicom.render import RenderSettings
from xray.dicom.view_check import weights_digest
from xray.errors import Rejected

CONVERT_VERSION = 2
"""Changes whenever a film may be rendered, hashed or refused otherwise, although the render settings are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyTask:
    """The films of one study, in reading order."""

    films: tuple[Path, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedFilm:
    """What became of one film: a new `row`, a refusal, or neither where `key` was known before.

    `key` is None for a file of which not even the bytes could be told. `digest` is of a file that was hashed now.
    """

    path: Path = field(repr=False)
    key: str | None
    row: FilmRow | None = None
    rejected: Rejected | None = None
    digest: FileDigest | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyConverter:
    """Renders the films of one study after another; a pure function of the task, for a process of its own.

    `known` are the keys of films that need not be decoded again.
    """

    settings: RenderSettings
    known: frozenset[str] = frozenset()

    def __call__(self, task: StudyTask) -> tuple[ConvertedFilm, ...]:
        """Return what became of each film, in the order of the task. Raises nothing for bad input."""
        return tuple(self._film(path) for path in task.films)

    def _film(self, path: Path) -> ConvertedFilm:
        key: str | None = None
        digest: FileDigest | None = None
        try:
            with unchanged(path):
                digest = digest_file(path)
                key = film_key(digest.sha256, settings=self.settings)
                if key in self.known:
                    return ConvertedFilm(path=path, key=key, digest=digest)
                film = load_film(path, settings=self.settings, sha256=digest.sha256)
            check_upright(film)
        except Rejected as rejected:
            return ConvertedFilm(path=path, key=key, rejected=rejected, digest=digest)
        return ConvertedFilm(path=path, key=key, row=_row(film, key=key, settings=self.settings), digest=digest)


def film_by_film(task: StudyTask, rejected: Rejected) -> tuple[StudyTask | ConvertedFilm, ...]:
    """Return what to do after the films of a study ended their process: try each alone, or refuse the only one."""
    if len(task.films) == 1:
        return (ConvertedFilm(path=task.films[0], key=None, rejected=rejected),)
    return tuple(StudyTask(films=(film,)) for film in task.films)


def film_key(sha256: str, *, settings: RenderSettings) -> str:
    """Name of a rendered film, 24 hex digits: from the source's bytes, the settings and the version of the code."""
    content = f"{sha256}\0{settings.digest()}\0{__version__}\0{CONVERT_VERSION}\0{weights_digest()}"
    return hashlib.sha256(content.encode()).hexdigest()[:24]


def pixels_sha256(pixels: NDArray[np.uint8]) -> str:
    """Identity of a rendered film: sha256 over its shape and its uint8 [H, W] values."""
    header = f"{pixels.shape[0]}x{pixels.shape[1]}\0".encode()
    return hashlib.sha256(header + np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()).hexdigest()


def _row(film: Film, *, key: str, settings: RenderSettings) -> FilmRow:
    return FilmRow(
        key=key,
        facts=_facts(film, settings=settings),
        image=_png(film.pixels),
        deep=None if film.deep is None else _png(film.deep),
    )


def _png(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """Compress quickly: twice the level would save a tenth of the bytes for three times the work."""
    _, encoded = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def _facts(film: Film, *, settings: RenderSettings) -> FilmFacts:
    ref = film.ref
    return FilmFacts(
        sha256=ref.sha256,
        pixels_sha256=pixels_sha256(film.pixels),
        perceptual_hash=perceptual_hash(film.pixels),
        render_digest=settings.digest(),
        view=ref.view,
        view_position=ref.view_position,
        rows=ref.rows,
        columns=ref.columns,
        bits_stored=ref.bits_stored,
        photometric_interpretation=ref.photometric_interpretation,
        pixel_spacing_mm=ref.pixel_spacing_mm,
        flags=film.flags,
    )
