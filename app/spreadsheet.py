"""Text in cells that a spreadsheet opens."""

from typing import TypeVar

Cell = TypeVar("Cell")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def safe_cell(cell: Cell) -> Cell | str:
    """Return what to write for a cell: a text that a spreadsheet would take for a formula gets an apostrophe first.

    OWASP's page on CSV injection advises it: a report may begin with `-` or hold whatever a reader pasted.
    """
    if isinstance(cell, str) and cell.lstrip(" \n").startswith(_STARTS_FORMULA):
        return f"'{cell}"
    return cell
