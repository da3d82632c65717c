"""The identity of a prepared data set: the same films, texts and split give the same value, on any machine."""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from xray.types import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintLine:
    """What identifies one study: its example id, the sha256 of its films in reading order, its target and split."""

    example_id: str
    images: tuple[str, ...]
    target: str
    split: Split


def fingerprint(lines: Iterable[FingerprintLine]) -> str:
    """Return the sha256 (hex) over the sorted lines `example_id, films, sha256(NFC(target)), split`.

    The order of the studies and how they are stored do not matter.
    """
    digest = hashlib.sha256()
    for line in sorted(_line(entry) for entry in lines):
        digest.update(line.encode())
    return digest.hexdigest()


def _line(entry: FingerprintLine) -> str:
    target = hashlib.sha256(unicodedata.normalize("NFC", entry.target).encode()).hexdigest()
    return "\t".join((entry.example_id, " ".join(entry.images), target, entry.split)) + "\n"
