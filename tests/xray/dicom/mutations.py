"""Damage to DICOM files: what transfers, disks, exports and attackers do to them, from a seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"OL", b"SQ", b"UC", b"UN", b"UR", b"UT")
_VRS = (*_LONG_VRS, b"US", b"SS", b"UL", b"DS", b"IS", b"CS", b"LO", b"PN", b"UI", b"DA", b"AT", b"FD", b"ZZ")
_NUMBERS = (0, 1, 2, 3, 7, 8, 10, 12, 15, 16, 17, 32, 64, 255, 4096, 8192, 8193, 32768, 65535)
_TEXTS = (
    b"",
    b"0",
    b"-1",
    b"1A",
    b"NaN",
    b"1e999",
    b"-0.0",
    b"1\\2\\3",
    b"\\\\",
    b"\0\0",
    b"9" * 16,
    b"CANARY",
    b"\xff\xfe",
)
_LENGTHS = (0, 1, 3, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_MARKERS = (0x4F, 0x51, 0x52, 0x5C, 0x90, 0x93, 0xC0, 0xC1, 0xC3, 0xC4, 0xD8, 0xD9, 0xDA, 0xDC, 0xDD, 0xF7, 0xF8)
_PREFIX_END = 132
_META_GROUP = 2  # File Meta Information; damage to it is found at once


@dataclass(frozen=True, slots=True, kw_only=True)
class _Element:
    """Where an element of an explicit VR little endian file stands: tag, VR, length, value."""

    group: int
    at: int
    is_long: bool
    start: int
    end: int


def mutate(content: bytes, *, rng: np.random.Generator) -> bytes:
    """Return the file after one to three kinds of damage. Preamble and prefix stay, so that readers look further."""
    for kind in rng.choice(len(KINDS), size=int(rng.choice([1, 1, 1, 2, 3]))):
        content = KINDS[kind](content, rng)
    return content


def _somewhere(content: bytes, rng: np.random.Generator, *, low: int = _PREFIX_END) -> int:
    return int(rng.integers(min(low, len(content)), len(content) + 1))


def _bytes_flipped(content: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    low = int(rng.choice([_PREFIX_END, _pixels(content)]))
    for _ in range(int(rng.integers(1, 12))):
        at = _somewhere(content, rng, low=low)
        if at < len(damaged):
            damaged[at] = int(rng.integers(256))
    return bytes(damaged)


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: _somewhere(content, rng)]


def _piece_lost(content: bytes, rng: np.random.Generator) -> bytes:
    at = _somewhere(content, rng)
    return content[:at] + content[at + int(rng.integers(1, 600)) :]


def _piece_twice(content: bytes, rng: np.random.Generator) -> bytes:
    at, size = _somewhere(content, rng), int(rng.integers(1, 600))
    return content[: at + size] + content[at:]


def _rubbish_added(content: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.choice([_somewhere(content, rng), len(content)]))
    return content[:at] + rng.bytes(int(rng.integers(1, 300))) + content[at:]


def _length_changed(content: bytes, rng: np.random.Generator) -> bytes:
    element = _any_element(content, rng)
    if element is None:
        return _bytes_flipped(content, rng)
    width = 4 if element.is_long else 2
    old = int.from_bytes(content[element.start - width : element.start], "little")
    new = int(rng.choice([*_LENGTHS, old + 1, old + 2, max(old - 1, 0), 2 * old])) % (1 << 8 * width)
    return content[: element.start - width] + new.to_bytes(width, "little") + content[element.start :]


def _tag_changed(content: bytes, rng: np.random.Generator) -> bytes:
    elements = _elements(content)
    if len(elements) < 2:
        return _bytes_flipped(content, rng)
    at, other = (elements[int(index)].at for index in rng.integers(len(elements), size=2))
    tag = content[other : other + 4] if rng.random() < 0.7 else rng.bytes(4)
    return content[:at] + tag + content[at + 4 :]


def _vr_changed(content: bytes, rng: np.random.Generator) -> bytes:
    element = _any_element(content, rng)
    if element is None:
        return _bytes_flipped(content, rng)
    vr = _VRS[int(rng.integers(len(_VRS)))]
    return content[: element.at + 4] + vr + content[element.at + 6 :]


def _values_swapped(content: bytes, rng: np.random.Generator) -> bytes:
    elements = _elements(content)
    if len(elements) < 2:
        return _bytes_flipped(content, rng)
    first, second = sorted(rng.choice(len(elements), size=2, replace=False))
    one, two = content[elements[first].at : elements[first].end], content[elements[second].at : elements[second].end]
    head = len(one) - (elements[first].end - elements[first].start)
    tail = len(two) - (elements[second].end - elements[second].start)
    between = content[elements[first].end : elements[second].at]
    after = content[elements[second].end :]
    return content[: elements[first].at] + one[:head] + two[tail:] + between + two[:tail] + one[head:] + after


def _value_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Put a value that readers stumble over into an element, with its length right."""
    element = _any_element(content, rng)
    if element is None or element.is_long:
        return _bytes_flipped(content, rng)
    if content[element.at + 4 : element.at + 6] in (b"US", b"SS"):
        value = int(rng.choice(_NUMBERS)).to_bytes(2, "little")
    else:
        value = _TEXTS[int(rng.integers(len(_TEXTS)))]
    value += b" " * (len(value) % 2)
    return content[: element.start - 2] + len(value).to_bytes(2, "little") + value + content[element.end :]


def _marker_changed(content: bytes, rng: np.random.Generator) -> bytes:
    """Change a marker of the codestream, or the length or the first bytes of its segment."""
    start = _pixels(content)
    markers = [at for at in range(start, len(content) - 6) if content[at] == 0xFF and content[at + 1] in _MARKERS]
    if not markers:
        return _bytes_flipped(content, rng)
    at = markers[int(rng.integers(len(markers)))]
    damaged = bytearray(content)
    change = int(rng.integers(3))
    if change == 0:
        damaged[at + 1] = int(rng.choice(_MARKERS))
    elif change == 1:
        damaged[at + 2 : at + 4] = int(rng.choice([*_NUMBERS, 0])).to_bytes(2, "big")
    else:
        place = min(at + 4 + int(rng.integers(36)), len(damaged) - 1)
        damaged[place] = int(rng.choice([0, 1, 2, 16, 31, 127, 128, 255]))
    return bytes(damaged)


def _pixels(content: bytes) -> int:
    return max(content.rfind(b"\xe0\x7f\x10\x00"), _PREFIX_END)


def _any_element(content: bytes, rng: np.random.Generator) -> _Element | None:
    elements = [element for element in _elements(content) if element.group != _META_GROUP or rng.random() < 0.2]
    return elements[int(rng.integers(len(elements)))] if elements else None


def _elements(content: bytes) -> list[_Element]:
    """Walk the top level of an explicit VR little endian file as far as it can be walked."""
    found: list[_Element] = []
    at = _PREFIX_END
    while at + 8 <= len(content) and content[at + 4 : at + 6].isalpha():
        is_long = content[at + 4 : at + 6] in _LONG_VRS
        start = at + (12 if is_long else 8)
        length = int.from_bytes(content[at + (8 if is_long else 6) : start], "little")
        if start + length > len(content):
            break
        group = int.from_bytes(content[at : at + 2], "little")
        found.append(_Element(group=group, at=at, is_long=is_long, start=start, end=start + length))
        at = start + length
    return found


Kind = Callable[[bytes, np.random.Generator], bytes]
KINDS: tuple[Kind, ...] = (
    _bytes_flipped,
    _cut,
    _piece_lost,
    _piece_twice,
    _rubbish_added,
    _length_changed,
    _tag_changed,
    _vr_changed,
    _values_swapped,
    _value_changed,
    _value_changed,
    _marker_changed,
    _marker_changed,
)
