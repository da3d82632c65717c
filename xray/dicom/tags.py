"""Tolerant access to the elements of a DICOM data set.

A header is untrusted text: an integer may be `1A`, a window width may be empty, a sequence may be a string. These
readers return None for what cannot be read, print nothing, and never put a value into an error message.
"""

import logging
import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import SupportsFloat

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.valuerep import CUSTOMIZABLE_CHARSET_VR

from xray.dicom import charset
from xray.errors import Rejected

logging.getLogger("pydicom").propagate = False  # its messages quote header values, names among them

_TEXT_VRS = {*CUSTOMIZABLE_CHARSET_VR, "CS"}  # CS holds ASCII by the standard, and Chinese words in Chinese exports
_LONG_TEXT_VRS = {"LT", "ST", "UT"}  # one value, in which a backslash is a character
_MOST_BYTES = 2**20  # values are converted one by one when they are asked for: this many bytes take seconds
_MOST_SEQUENCE_BYTES, _MOST_ITEMS = 2**23, 50_000  # the index of a full disc is a sequence of some megabytes
_ITEM = b"\xfe\xff\x00\xe0"


@contextmanager
def guarded(code: str, why: str) -> Iterator[None]:
    """Run library code on untrusted bytes: silent, and whatever it raises becomes `Rejected(code, why)`.

    The original message is dropped, because it may quote a header's text.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except Rejected:
            raise
        except RecursionError:
            raise Rejected("nested_too_deep", "Sequences are nested too deeply to be read safely.") from None
        except MemoryError:
            raise Rejected("decode_memory", "There is not enough memory to open the file.") from None
        except Exception:  # parsers and codecs do not document what they raise on damaged input
            raise Rejected(code, why) from None


def value(dataset: Dataset, keyword: str) -> object:
    """Return an element's value as pydicom converts it, or None when it is absent, empty, unreadable or vast."""
    try:
        with guarded("bad_tag", keyword):
            found = None if _is_vast(dataset, keyword) else dataset.get(keyword)
    except Rejected:
        return None
    return None if found is None or found == "" else found


def values(dataset: Dataset, keyword: str) -> tuple[object, ...]:
    """Return an element's values (value multiplicity 0 to n) as a tuple; none of a sequence, see `items`."""
    found = value(dataset, keyword)
    if found is None or isinstance(found, Sequence):  # to write one as text would read whatever stands in it
        return ()
    return tuple(found) if isinstance(found, MultiValue | list | tuple) else (found,)


def text(dataset: Dataset, keyword: str) -> str | None:
    """Return the first value as stripped text, or None; see `texts`."""
    found = texts(dataset, keyword)
    return found[0] or None if found else None


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return all values as stripped text, also the empty ones.

    The text is read from the bytes of the file by `charset.decode`, so that a wrong character set is repaired.
    """
    decoded = _decoded(dataset, keyword)
    if decoded is None:
        found = ["" if isinstance(item, bytes | Dataset) else str(item) for item in values(dataset, keyword)]
    else:
        found = [decoded.text] if _vr(dataset, keyword) in _LONG_TEXT_VRS else decoded.text.split("\\")
    return tuple(part.strip(" \0\t\r\n") for part in found)


def charset_repaired(dataset: Dataset, *keywords: str) -> bool:
    """Tell whether `text` had to read one of these elements in another character set than the declared one."""
    return any(decoded.repaired for keyword in keywords if (decoded := _decoded(dataset, keyword)) is not None)


def code(dataset: Dataset, keyword: str) -> str:
    """Return a code string (VR CS) in upper case, or an empty string."""
    return (text(dataset, keyword) or "").upper()


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Return all values as floats; one that is not a number becomes NaN so that positions keep their meaning."""
    return tuple(_number(item) for item in values(dataset, keyword))


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return the first value as a finite float, or None."""
    found = numbers(dataset, keyword)
    return found[0] if found and math.isfinite(found[0]) else None


def whole(dataset: Dataset, keyword: str) -> int | None:
    """Return the first value as an integer, None when the element is absent or empty.

    Raises Rejected("bad_tag") when something is there that is no integer.
    """
    found = number(dataset, keyword)
    if found is None or found != int(found):
        if keyword in dataset and not _is_empty(dataset, keyword):
            raise Rejected("bad_tag", f"{keyword} is not a whole number. Repair the header or export the film again.")
        return None
    return int(found)


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence; empty when it is absent or no sequence."""
    return tuple(item for item in members(value(dataset, keyword)) if isinstance(item, Dataset))


def members(found: object) -> tuple[object, ...]:
    """Return the members of what should be a sequence, or nothing."""
    return tuple(found) if isinstance(found, Iterable) and not isinstance(found, str | bytes) else ()


def _decoded(dataset: Dataset, keyword: str) -> charset.Decoded | None:
    """Decode a text element that is still as it was read; None where it is not, is absent or holds no text."""
    found: object = dataset.get_item(tag_for_keyword(keyword) or 0)
    if not isinstance(found, RawDataElement) or not found.value or _vr(dataset, keyword) not in _TEXT_VRS:
        return None
    declared = dataset.original_character_set
    return charset.decode(found.value, encodings=[declared] if isinstance(declared, str) else declared)


def _vr(dataset: Dataset, keyword: str) -> str:
    """Return the value representation that the file states, else the one of the data dictionary."""
    tag = tag_for_keyword(keyword) or 0
    stated = getattr(dataset.get_item(tag), "VR", None)
    return str(stated) if stated not in (None, "UN") else dictionary_VR(tag)


def _is_vast(dataset: Dataset, keyword: str) -> bool:
    """Whether an element that is still as it was read would take long to convert: no film needs such a one."""
    raw: object = dataset.get_item(tag_for_keyword(keyword) or 0)
    if not isinstance(raw, RawDataElement) or keyword == "PixelData" or not raw.value:
        return False
    if _vr(dataset, keyword) != "SQ":
        return len(raw.value) > _MOST_BYTES
    return len(raw.value) > _MOST_SEQUENCE_BYTES or raw.value.count(_ITEM) > _MOST_ITEMS


def _number(item: object) -> float:
    try:
        return float(item) if isinstance(item, str | SupportsFloat) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _is_empty(dataset: Dataset, keyword: str) -> bool:
    try:
        with guarded("bad_tag", keyword):
            return bool(dataset[keyword].is_empty)
    except Rejected:
        return False
