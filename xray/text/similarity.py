"""Reports that are one text: identical, or so alike that one was made from the other.

Two texts are alike when the sets of their character 3-grams have a Jaccard similarity of at least `LEAST_JACCARD`.
Candidates come from MinHash signatures in bands (A. Broder, "On the resemblance and containment of documents", 1997;
21 bands of 6 find a pair of similarity 0.8 with a probability of 0.998) and are then compared exactly.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

LEAST_JACCARD = 0.8
SHORTEST_TELLING = 40
"""Characters, without punctuation, from which on a text can tell one study from another."""

_BANDS, _ROWS = 21, 6
_PREVIOUS = 8  # members of a bucket that a further one is compared with
_SLACK = 0.12  # by which the signatures' estimate of the similarity may be too low: about three standard deviations
_NO_CONTENT = re.compile(r"[\W_]+")
_MIX = np.uint64(0x9E3779B97F4A7C15)
_CHARACTER_BITS = 21  # Unicode's code points


def content(text: str) -> str:
    """Return what makes two texts the same: letters, digits and Chinese characters in their NFKC form, lower case."""
    return _NO_CONTENT.sub("", unicodedata.normalize("NFKC", text)).casefold()


def near_texts(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of near-duplicates among the `content` of distinct texts; texts shorter than three are left out.

    The pairs connect each cluster of near-duplicates and do not list all of its pairs: a template with a thousand
    variants would have half a million. They depend on the set of texts alone, not on its order.
    """
    ordered = sorted({text for text in texts if len(text) >= 3}, key=_digest)
    if len(ordered) < 2:
        return []
    shingles = [_shingles(text) for text in ordered]
    signatures = _signatures(shingles)
    pairs: set[tuple[int, int]] = set()
    for candidates in _candidates(signatures):
        fresh = [pair for pair in map(tuple, candidates.tolist()) if pair not in pairs]
        if not fresh:
            continue
        first, second = np.array(fresh).T
        alike = (signatures[first] == signatures[second]).mean(axis=1) >= LEAST_JACCARD - _SLACK
        pairs.update(
            (one, other)
            for (one, other), likely in zip(fresh, alike, strict=True)
            if likely and _jaccard(shingles[one], shingles[other]) >= LEAST_JACCARD
        )
    return sorted((ordered[one], ordered[other]) for one, other in pairs)


def _digest(text: str) -> bytes:
    """Order that has nothing to do with what a text says, so that neighbours in a bucket are drawn at random."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _shingles(text: str) -> NDArray[np.uint64]:
    """Return the distinct 3-grams of a text as sorted numbers."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    grams = (codes[:-2] << np.uint64(2 * _CHARACTER_BITS)) | (codes[1:-1] << np.uint64(_CHARACTER_BITS)) | codes[2:]
    return np.unique(grams)


def _signatures(shingles: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint32]:
    """Return the MinHash signatures, [number of texts, bands x rows]: the least of each hash over the 3-grams."""
    keys = np.random.default_rng(3).integers(1, 2**63, size=(2, _BANDS * _ROWS), dtype=np.uint64)
    odd, offset = keys[0] | np.uint64(1), keys[1]
    signatures = np.empty((len(shingles), _BANDS * _ROWS), dtype=np.uint32)
    for number, grams in enumerate(shingles):
        mixed = (grams ^ (grams >> np.uint64(31))) * _MIX
        mixed ^= mixed >> np.uint64(29)
        hashes = mixed[:, None] * odd + offset
        signatures[number] = (hashes >> np.uint64(32)).min(axis=0)
    return signatures


def _candidates(signatures: NDArray[np.uint32]) -> Iterator[NDArray[np.intp]]:
    """Yield for each band the pairs of rows that share it, [pairs, 2], a row with at most `_PREVIOUS` before it."""
    for band in range(_BANDS):
        part = np.ascontiguousarray(signatures[:, band * _ROWS : (band + 1) * _ROWS])
        _, bucket = np.unique(part.view(np.dtype((np.void, part.itemsize * _ROWS))).ravel(), return_inverse=True)
        order = np.argsort(bucket, kind="stable")
        sorted_buckets = bucket[order]
        found = []
        for step in range(1, _PREVIOUS + 1):
            same = np.flatnonzero(sorted_buckets[step:] == sorted_buckets[:-step])
            found.append(np.stack([order[same], order[same + step]], axis=1))
        yield np.unique(np.concatenate(found), axis=0)


def _jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    shared = np.intersect1d(one, other, assume_unique=True).size
    return shared / (one.size + other.size - shared)
