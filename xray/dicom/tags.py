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

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from xray.errors import Rejected

logging.getLogger("pydicom").propagate = False  # its messages quote header values, names among them


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
            raise Rejected("too_large", "There is not enough memory to open the file.") from None
        except Exception:  # parsers and codecs do not document what they raise on damaged input
            raise Rejected(code, why) from None


def value(dataset: Dataset, keyword: str) -> object:
    """Return an element's value as pydicom converts it, or None when it is absent, empty or unreadable."""
    try:
        with guarded("bad_tag", keyword):
            found = dataset.get(keyword)
    except Rejected:
        return None
    return None if found is None or found == "" else found


def values(dataset: Dataset, keyword: str) -> tuple[object, ...]:
    """Return an element's values (value multiplicity 0 to n) as a tuple."""
    found = value(dataset, keyword)
    if found is None:
        return ()
    return tuple(found) if isinstance(found, MultiValue | list | tuple) else (found,)


def text(dataset: Dataset, keyword: str) -> str | None:
    """Return the first value as stripped text, or None."""
    found = values(dataset, keyword)
    stripped = str(found[0]).strip(" \0\t\r\n") if found and not isinstance(found[0], bytes) else ""
    return stripped or None


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
