"""What the look of a sheet says of its cells: one that is merged over several lines, and lines that are hidden."""

import re
from dataclasses import dataclass
from typing import IO

_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7}):\$?[A-Z]{1,3}\$?(\d{1,7})")


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedCell:
    """One cell in place of several: its `column`, and its lines `first` to `last`. All count from 1."""

    column: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The cells that are merged over several lines, and the numbers of the hidden lines."""

    merged: tuple[MergedCell, ...]
    hidden: frozenset[int]


def read_layout(sheet: IO[bytes]) -> Layout:
    """Read the layout from the XML of a sheet (ECMA-376 part 1, 18.3.1.55 and 18.3.1.73). Raises what a parser does."""
    from defusedxml.ElementTree import iterparse
    from openpyxl.utils import column_index_from_string

    merged: list[MergedCell] = []
    hidden: set[int] = set()
    number = 0
    for _, element in iterparse(sheet, forbid_dtd=True):
        kind = element.tag.rpartition("}")[2]
        if kind == "row":
            number = int(element.get("r", number + 1))
            hidden.update({number} if element.get("hidden") in ("1", "true") else ())
            element.clear()
        elif kind == "mergeCell" and (found := _RANGE.fullmatch(element.get("ref", ""))) is not None:
            column, first, last = column_index_from_string(found[1]), int(found[2]), int(found[3])
            merged += [MergedCell(column=column, first=first, last=last)] if last > first else []
    return Layout(merged=tuple(merged), hidden=frozenset(hidden))
