"""Tables in Excel workbooks (.xlsx, ECMA-376): the right sheet, the right line, and ids as they were before Excel.

Excel keeps 15 digits of a number, shows a long one as 1.2E+10, drops leading zeros and takes 3-1 for a date. What can
be restored is (zeros that the cell's format shows); what is lost is marked, and refused where it is an id.
"""

import re
import warnings
import zipfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time
from io import BytesIO
from typing import Any

from xray.data.sources.rows import Fits, Row, Table, check_header, find_header
from xray.data.sources.study_files import Refusal
from xray.data.sources.workbook_layout import Layout, read_layout
from xray.errors import DataError

_Page = Any  # openpyxl's ReadOnlyWorksheet, whose published types are those of another class
_MOST_BYTES = 512 * 2**20  # 100,000 reports unpack to about 100 MiB
_MOST_PARTS = 10_000
_MOST_COLUMNS = 512
_HEAD_LINES = 200  # the header and the widest line are looked for in these
_MOST_ROWS = 2**20  # of a sheet of Excel
_EXACT_BELOW = 10**15
_ZEROS = re.compile(r"0+")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """The text of a cell as its reader sees it; `no_id` is the code where it cannot be an id."""

    text: str
    no_id: str | None = None


_NOTHING = _Cell(text="")
_Sheet = list[tuple[int, list[_Cell]]]  # the lines that hold text, each with its number


def read_workbook(data: bytes, *, name: str, fits: Fits, sheet: str | None = None) -> Table:
    """Read one sheet of a workbook: the one called `sheet`, or else the only visible one whose header `fits`.

    Where none fits, the first sheet with text is read. Formulas give the values that Excel saved. A cell that is merged
    over several lines counts in each of them. Noted are hidden lines, which are read (`hidden_row`), and sheets with
    text that are not (`other_sheet`). `name` is the file's, for messages.

    Raises DataError: for a file that is not `.xlsx` (`.xls`, `.xlsb`, `.ods`, protected by a password, broken), too
    large when unpacked, without such a sheet, or with several that fit.
    """
    _check_container(data, name=name)
    with _foreign_parser(name):
        from openpyxl import load_workbook

        book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
        heads = {page: _lines(page, width=_MOST_COLUMNS, last=_HEAD_LINES) for page in book.worksheets}
    titles = [page.title for page in book.worksheets]
    wanted = [(page, head) for page, head in heads.items() if head and _is_wanted(page, sheet)]
    if not wanted:
        what = "has no sheet with text" if sheet is None else f"has no text in a sheet {sheet!r}"
        raise DataError(f"{name} {what}. It has the sheets: {', '.join(titles)}.")
    page, head = _the_one(wanted, fits=fits, name=name)
    with _foreign_parser(name):
        layout = _layout(page)
        lines = _lines(page, width=max(len(cells) for _, cells in head) + 1, last=_MOST_ROWS)
    place = name if len(titles) == 1 else f"{name}, sheet {titles.index(page.title) + 1}"
    table = _table(_filled(lines, layout=layout), name=place, fits=fits)
    others = [other for other, text in heads.items() if text and other is not page and sheet is None]
    places = [f"{name}, sheet {titles.index(other.title) + 1}" for other in others]
    return replace(table, notes=(*_hidden_rows(table, layout=layout), *map(_other_sheet, places)))


def _hidden_rows(table: Table, *, layout: Layout) -> Iterator[Refusal]:
    why = "the line is hidden in the workbook, and was read all the same; delete it if it is not meant"
    for place in (table.place(row) for row in table.rows if row.line in layout.hidden):
        yield Refusal(where=place, code="hidden_row", why=why, kind="note", row=place)


def _other_sheet(place: str) -> Refusal:
    why = "the sheet holds text and was not read; name it, or save it as a file of its own, if it holds reports"
    return Refusal(where=place, code="other_sheet", why=why, kind="note", row=place)


def _is_wanted(page: _Page, sheet: str | None) -> bool:
    return bool(page.sheet_state == "visible" if sheet is None else page.title.strip() == sheet.strip())


def _the_one(heads: list[tuple[_Page, _Sheet]], *, fits: Fits, name: str) -> tuple[_Page, _Sheet]:
    """Return the sheet whose header fits, or else the first. Raises DataError if several fit."""
    fitting = [(page, head) for page, head in heads if (found := _header(head, fits=fits)) and fits(found[1])]
    if len(fitting) > 1:
        listed = ", ".join(repr(page.title) for page, _ in fitting)
        raise DataError(f"{name}: several sheets may be meant ({listed}). Name one, or save it as a file of its own.")
    return (fitting or heads)[0]


@contextmanager
def _foreign_parser(name: str) -> Iterator[None]:
    """Turn whatever openpyxl says of a broken workbook into one DataError without the cells that it quotes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote values of cells
            yield
    except Exception:  # openpyxl raises nearly every kind: KeyError, TypeError, AttributeError, BadZipFile, ...
        raise DataError(f"{name} is a broken workbook. Open it in Excel and save it again.") from None


def _check_container(data: bytes, *, name: str) -> None:
    if not data.startswith(b"PK"):
        if _ENCRYPTED in data:
            raise DataError(f"{name} is protected by a password. Save it without one.")
        raise DataError(f"{name} is an old workbook (.xls). Save it as .xlsx or CSV UTF-8.")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, UnicodeDecodeError):
        raise DataError(f"{name} is a broken workbook. Open it in Excel and save it again.") from None
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_BYTES:
        raise DataError(f"{name} unpacks to more than {_MOST_BYTES >> 20} MiB. Save the one sheet as CSV UTF-8.")
    names = {part.filename for part in parts}
    if "xl/workbook.bin" in names or "mimetype" in names:
        raise DataError(f"{name} is not of the kind .xlsx (.xlsb or .ods). Save it as .xlsx or CSV UTF-8.")
    if "[Content_Types].xml" not in names:
        raise DataError(f"{name} is a packed file, no workbook. Unpack it.")


def _lines(page: _Page, *, width: int, last: int) -> _Sheet:
    """Read the lines of a sheet that hold text, down to line `last` and `width` cells of each.

    The size that the file states is not believed: many programs write a wrong one.
    """
    page.reset_dimensions()
    lines: _Sheet = []
    for number, cells in enumerate(page.iter_rows(max_row=last, max_col=width), start=1):
        texts = [
            _NOTHING if cell.value is None else _cell(cell.value, number_format=cell.number_format) for cell in cells
        ]
        while texts and not texts[-1].text.strip():
            texts.pop()
        if texts:
            lines.append((number, texts))
    return lines


def _layout(page: _Page) -> Layout:
    with page.parent._archive.open(page._worksheet_path) as sheet:  # openpyxl does not tell it of a sheet of this size
        return read_layout(sheet)


def _filled(lines: _Sheet, *, layout: Layout) -> _Sheet:
    """Repeat a cell that is merged over several lines in each of them that holds other text."""
    numbers = [number for number, _ in lines]
    cells_of = dict(lines)
    for merged in layout.merged:
        cells = cells_of.get(merged.first, [])
        if len(cells) < merged.column:
            continue
        for number in numbers[bisect_right(numbers, merged.first) : bisect_right(numbers, merged.last)]:
            below = cells_of[number]
            below.extend([_NOTHING] * (merged.column - len(below)))
            below[merged.column - 1] = cells[merged.column - 1]
    return lines


def _cell(value: object, *, number_format: str) -> _Cell:
    if isinstance(value, str):
        return _Cell(text=_ESCAPED.sub(lambda match: chr(int(match[1], 16)), value))
    if isinstance(value, bool):
        return _Cell(text=str(value).upper())
    if isinstance(value, int | float):
        return _number(value, number_format=number_format)
    if isinstance(value, datetime):
        return _Cell(text=str(value.date() if value.time() == time() else value), no_id="mangled_id")
    return _Cell(text=str(value), no_id="mangled_id")


def _number(value: float, *, number_format: str) -> _Cell:
    """Write a number without exponent, and with the leading zeros that its format shows."""
    if value != value or abs(value) == float("inf"):
        return _Cell(text="", no_id="mangled_id")
    if value != int(value):
        return _Cell(text=repr(value))
    digits = str(int(value))
    if abs(value) >= _EXACT_BELOW:
        return _Cell(text=digits, no_id="lost_digits")
    return _Cell(text=digits.zfill(len(number_format)) if _ZEROS.fullmatch(number_format) else digits)


def _header(lines: _Sheet, *, fits: Fits) -> tuple[int, tuple[str, ...]] | None:
    return find_header(((number, [cell.text for cell in cells]) for number, cells in lines), fits=fits)


def _table(lines: _Sheet, *, name: str, fits: Fits) -> Table:
    found = _header(lines, fits=fits)
    if found is None:
        raise DataError(f"{name} has no header. Name the columns in its first line.")
    header_line, header = found
    columns = tuple(column for column in header if column)
    check_header(columns, place=f"{name}, line {header_line}")
    rows = tuple(_row(number, cells, header=header) for number, cells in lines if number > header_line)
    return Table(name=name, columns=columns, rows=rows, encoding="xlsx")


def _row(number: int, cells: Sequence[_Cell], *, header: Sequence[str]) -> Row:
    """Pair cells with columns; empty cells at the end are not stored, and text beyond the header is too much."""
    padded = [*cells, *[_NOTHING] * (len(header) - len(cells))]
    named = [(column, cell) for column, cell in zip(header, padded, strict=False) if column]
    strangers = any(cell.text for cell in padded[len(header) :])
    return Row(
        line=number,
        values={column: cell.text for column, cell in named},
        complete=not strangers,
        no_id={column: cell.no_id for column, cell in named if cell.no_id is not None},
    )
