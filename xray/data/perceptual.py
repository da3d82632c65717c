"""Films that are one film under two files: another window, another size, compressed, cropped, or with a burnt-in mark.

Two steps, because chest films resemble each other so much that no short hash can tell them apart by itself:

1. `perceptual_hash`, 255 signs of a cosine transform of the film without its uniform border (pHash: C. Zauner,
   "Implementation and benchmarking of perceptual image hash functions", 2010, with a finer grid), faded out towards the
   edges, where marks stand and what is cropped differs. Films within `MOST_BITS` of each other are candidates; all
   pairs are compared, so none is missed.
2. A candidate is a pair if the fine pattern of both films (ribs, vessels, grain: a difference of Gaussians on 128 x 128
   pixels) correlates by `LEAST_CORRELATION` at the best of a few shifts and scales. Different patients stay far below.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
MOST_BITS = 48
"""Bits of 255 in which two files of one film may differ: 19 %."""
LEAST_CORRELATION = 0.85
"""Correlation of the fine pattern from which on two films are one, in [-1, 1]."""

_WORKING = 256  # side in pixels at which borders are found
_COARSE, _SIGNS = 64, 16
_FINE, _SIGMAS = 128, (0.6, 2.0)
_SCALES = (0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06)
_SHIFT = 6  # pixels of the fine pattern: 5 %
_UNIFORM = 16  # grey levels between the 10th and 90th percentile of a line that is still border
_NEAREST = 20  # candidates of one film that are verified
_ROWS, _CACHED = 64, 16384


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedFilm:
    """A film by its key (any unique name) and its `perceptual_hash`. Films of one owner are not compared."""

    key: str
    hash: str
    owner: str


def perceptual_hash(pixels: Pixels) -> str:
    """Return the hash of a rendered film, uint8 [H, W] of any size: 64 hex digits, of which the first bit is 0."""
    content = cv2.resize(_without_border(pixels), (_COARSE, _COARSE), interpolation=cv2.INTER_AREA).astype(np.float32)
    faded = (content - content.mean()) * _fade()
    signs = cv2.dct(faded)[:_SIGNS, :_SIGNS] > 0
    signs[0, 0] = False  # the mean says nothing, and 255 bits fit a byte when they are counted
    return np.packbits(signs.ravel()).tobytes().hex()


def near_duplicates(films: Sequence[HashedFilm], *, pixels: Callable[[str], Pixels]) -> list[tuple[str, str]]:
    """Return the pairs of keys, sorted, of films of different owners that show one film.

    `pixels` gives the rendered film of a key; it is called for films with a candidate only. Time grows with the square
    of the number of films (for 50,000 ten seconds of one core, and 10 to 40 ms for each candidate, of which real films
    have some 6,000), memory with the number. Of a film with more than 20
    candidates, which drawings have and patients do not, the nearest 20 are verified.
    """
    ordered = sorted(films, key=lambda film: film.key)
    pattern = lru_cache(maxsize=_CACHED)(lambda key: _fine_pattern(pixels(key)))
    found = []
    for first, others in _candidates(ordered):
        spectra = _scaled_spectra(pattern(ordered[first].key))
        found += [
            (ordered[first].key, ordered[other].key)
            for other in others
            if _correlation(spectra, _spectrum(pattern(ordered[other].key))) >= LEAST_CORRELATION
        ]
    return found


@cache
def _fade() -> NDArray[np.float32]:
    """Return weights that fall from 1 to nearly 0 over the outer quarters: a cosine (Tukey's window), [64, 64]."""
    quarter = _COARSE // 4
    rising = 0.5 - 0.5 * np.cos(np.pi * (np.arange(quarter) + 0.5) / quarter)
    line = np.concatenate([rising, np.ones(_COARSE - 2 * quarter), rising[::-1]]).astype(np.float32)
    return np.asarray(np.outer(line, line), dtype=np.float32)


def _candidates(films: Sequence[HashedFilm]) -> Iterator[tuple[int, list[int]]]:
    """Yield each film's index with the later films that may be the same, nearest first."""
    if not films:
        return
    words = np.frombuffer(bytes.fromhex("".join(film.hash for film in films)), dtype=np.uint64).reshape(len(films), -1)
    _, owners = np.unique([film.owner for film in films], return_inverse=True)
    for start in range(0, len(films), _ROWS):
        block = slice(start, min(start + _ROWS, len(films)))
        bits = np.zeros((block.stop - start, len(films) - start), dtype=np.uint8)
        for word in words.T:
            bits += np.bitwise_count(word[block, None] ^ word[None, start:])
        for row in np.flatnonzero((bits <= MOST_BITS).sum(axis=1) > 1):  # more than the film itself
            near = np.flatnonzero(bits[row] <= MOST_BITS)
            near = near[(near > row) & (owners[near + start] != owners[start + row])]
            if near.size:
                nearest = near[np.argsort(bits[row, near], kind="stable")][:_NEAREST]
                yield start + int(row), (nearest + start).tolist()


def _without_border(pixels: Pixels) -> Pixels:
    """Cut lines of one grey level, black or not, off the edges: padding and collimation differ between exports."""
    film: Pixels = np.asarray(cv2.resize(pixels, (_WORKING, _WORKING), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    low, high = _WORKING // 10, _WORKING - _WORKING // 10
    spans = []
    for axis in (1, 0):
        lines = np.sort(film, axis=axis)
        spread = np.ptp(np.take(lines, (low, high), axis=axis).astype(np.int16), axis=axis)
        inside = np.flatnonzero(spread > _UNIFORM)
        if inside.size < _WORKING // 4:
            return film
        spans.append(slice(inside[0], inside[-1] + 1))
    return film[spans[0], spans[1]]


def _fine_pattern(pixels: Pixels) -> NDArray[np.float16]:
    """Return the band between two Gaussians of the film without border, [128, 128]."""
    content = cv2.resize(_without_border(pixels), (_FINE, _FINE), interpolation=cv2.INTER_AREA).astype(np.float32)
    narrow, wide = (cv2.GaussianBlur(content, (0, 0), sigma) for sigma in _SIGMAS)
    return np.asarray(narrow - wide, dtype=np.float16)


def _spectrum(pattern: NDArray[np.floating]) -> NDArray[np.complexfloating]:
    """Return the Fourier transform of the pattern, faded out at the edges and of norm 1; bright marks are clipped."""
    fade = np.hanning(_FINE).astype(np.float32)
    faded = pattern.astype(np.float32) * fade * fade[:, None]
    faded -= faded.mean()
    limit = 3 * faded.std()
    faded = np.clip(faded, -limit, limit)
    return np.fft.rfft2(faded / max(float(np.linalg.norm(faded)), 1e-6))


def _scaled_spectra(pattern: NDArray[np.floating]) -> NDArray[np.complexfloating]:
    middle = (_FINE - 1) / 2
    scaled = []
    for scale in _SCALES:
        about_middle = np.array([[scale, 0, (1 - scale) * middle], [0, scale, (1 - scale) * middle]], dtype=np.float32)
        warped = cv2.warpAffine(pattern.astype(np.float32), about_middle, (_FINE, _FINE), borderMode=cv2.BORDER_REFLECT)
        scaled.append(_spectrum(warped))
    return np.stack(scaled)


def _correlation(spectra: NDArray[np.complexfloating], other: NDArray[np.complexfloating]) -> float:
    """Return the best correlation over the scales and over shifts of up to 5 % in each direction."""
    planes = np.fft.irfft2(spectra * np.conj(other), s=(_FINE, _FINE))
    near = np.r_[0 : _SHIFT + 1, -_SHIFT:0]
    return float(planes[:, near[:, None], near].max())
