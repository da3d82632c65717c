"""Rows of a table that a hospital exported: CSV in any usual encoding, a workbook, or JSON Lines.

What a file is, is told by its content: systems call a workbook `.csv` and a CSV `.xlsx`.
"""

import codecs
import csv
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.file_names import printable
from xray.data.sources.study_files import Refusal
from xray.errors import DataError

Fits = Callable[[Sequence[str]], bool]
"""Whether the cells of a line are the header that a reader of the table looks for."""

_ZIP_MAGIC, _OLE_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MOST_TITLE_LINES = 20
_HEAD_CHARACTERS = 2**16
_PAGE = re.compile(r"\s*(?:<(?:(?:!doctype|html|table|\?xml|meta|head|style)\b|!--)|MIME-Version:)", re.IGNORECASE)
_NO_GB18030 = re.compile("[\ue000-\ue765]")  # characters of one's own: what Big5 looks like when it is read as GB18030
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record.

    `line` is the line of the file on which it starts, from 1. `complete` is False where the number of fields is not
    the header's. `no_id` are the columns whose value a spreadsheet made unusable as an id, each with the code of that:
    `lost_digits` or `mangled_id`.
    """

    line: int
    values: Mapping[str, str] = field(repr=False)
    complete: bool = True
    no_id: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table in file order: `columns` are the names of its fields, `encoding` what its bytes turned out to be.

    `notes` tell what the file shows otherwise than it was read: hidden lines, further sheets.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...] = field(repr=False)
    encoding: str
    notes: tuple[Refusal, ...] = ()

    def place(self, row: Row) -> str:
        """Where a row is, in words that hold no patient data: `reports.csv, line 12`."""
        return f"{self.name}, line {row.line}"


def decode_text(data: bytes, *, where: str) -> tuple[str, str]:
    """Text and encoding of exported bytes: a byte order mark decides, else UTF-8, else GB18030 with Chinese in it.

    GB18030 accepts almost any bytes, so it is believed only if Chinese characters come out, and hardly any that the
    standard leaves to its users. A byte order mark that stands there twice is dropped twice. Raises DataError.
    """
    text, encoding = _decoded(data, where=where)
    return text.lstrip("\ufeff"), encoding


def _decoded(data: bytes, *, where: str) -> tuple[str, str]:
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _strictly(data, name, where=where), name
    for name in ("utf-16-le", "utf-16-be"):
        if _looks_like_utf16(data, name):
            return _strictly(data, name, where=where), name
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text = _strictly(data, "gb18030", where=where)
    chinese = sum("\u4e00" <= character <= "\u9fff" for character in text)
    if 50 * len(_NO_GB18030.findall(text)) >= chinese:
        raise DataError(f"{where} is neither UTF-8 nor Chinese GB18030 text. Save it again as UTF-8.")
    return text, "gb18030"


def read_rows(path: Path, *, fits: Fits = any, sheet: str | None = None) -> Table:
    """Read CSV (comma, semicolon or tab), a workbook (`.xlsx`) or `.jsonl` (one object a line).

    Quoted fields may hold line breaks. The header is the first of the upper lines that `fits`, so that titles above it
    are passed over, or else the first line. `sheet` names a sheet of a workbook; without it, see `read_workbook`.
    Raises DataError for a file that is missing, empty, no table, cut off inside a quoted field, or whose header names
    a column twice.
    """
    name = printable(path.name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or 'cannot be read'}. Check the path of the reports.") from None
    if data.startswith((_ZIP_MAGIC, _OLE_MAGIC)):
        from xray.data.sources.workbook import read_workbook  # openpyxl is slow to load

        return read_workbook(data, name=name, fits=fits, sheet=sheet)
    if sheet is not None:
        raise DataError(f"{name} is no workbook and has no sheets. Leave the name of the sheet out.")
    text, encoding = decode_text(data, where=name)
    if not text.strip():
        raise DataError(f"{name} is empty.")
    if _PAGE.match(text):
        raise DataError(f"{name} is a web page or XML, whatever its name says. Save it as .xlsx or CSV UTF-8.")
    is_json = path.suffix.lower() in {".jsonl", ".ndjson"}
    columns, rows = _json_rows(text, name=name) if is_json else _csv_rows(text, name=name, fits=fits)
    return Table(name=name, columns=columns, rows=tuple(rows), encoding=encoding)


def find_header(records: Iterable[tuple[int, Sequence[str]]], *, fits: Fits) -> tuple[int, tuple[str, ...]] | None:
    """Return the line and the names of the header: the first of the upper lines that `fits`, else the first with text.

    None for a table without any text.
    """
    first: tuple[int, tuple[str, ...]] | None = None
    filled = ((line, tuple(cell.strip() for cell in cells)) for line, cells in records)
    upper = ((line, cells) for line, cells in filled if any(cells))
    for line, cells in itertools.islice(upper, _MOST_TITLE_LINES):
        if fits(cells):
            return line, cells
        first = first or (line, cells)
    return first


def check_header(columns: Sequence[str], *, place: str) -> None:
    """Raise DataError if two columns have one name."""
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise DataError(f"{place}: column {twice[0]!r} appears more than once. Rename or remove one.")


def _strictly(data: bytes, encoding: str, *, where: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: byte {error.start} is not {encoding.upper()} text. Save the file again as UTF-8."
        ) from None


def _looks_like_utf16(data: bytes, encoding: str) -> bool:
    """Recognise UTF-16 without a byte order mark: the Latin letters of a header have one zero byte each."""
    head = data[:400]
    zeros = head[1::2] if encoding.endswith("le") else head[0::2]
    others = head[0::2] if encoding.endswith("le") else head[1::2]
    return len(zeros) > 4 and zeros.count(0) > 0.3 * len(zeros) and others.count(0) == 0


def _csv_rows(text: str, *, name: str, fits: Fits) -> tuple[tuple[str, ...], list[Row]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, fits=fits), strict=True)
    records = list(_numbered(reader, name=name))
    found = find_header(records, fits=fits)
    if found is None:
        raise DataError(f"{name} has no header. Name the columns in its first line.")
    header_line, header = found
    columns = tuple(column for column in header if column)
    check_header(columns, place=f"{name}, line {header_line}")
    rows = [
        _csv_row(line, fields, header=header)
        for line, fields in records
        if line > header_line and any(field.strip() for field in fields)
    ]
    return columns, rows


def _csv_row(line: int, fields: Sequence[str], *, header: Sequence[str]) -> Row:
    """Pair fields with columns. Empty fields beyond the last column are what spreadsheets write of an empty one."""
    width = max((place for place, column in enumerate(header, start=1) if column), default=0)
    values = {column: field for column, field in zip(header, fields, strict=False) if column}
    complete = len(fields) >= width and not any(field.strip() for field in fields[len(header) :])
    return Row(line=line, values=values, complete=complete)


def _numbered(reader: Iterator[list[str]], *, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield records with the line on which each starts; a field may hold line breaks."""
    line = 1
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{name}: the record that starts on line {line} is broken ({error}).") from None
        yield line, fields
        line = reader.line_num + 1  # type: ignore[attr-defined]  # csv.reader has it, Iterator does not


def _delimiter(text: str, *, fits: Fits) -> str:
    """Return what separates the cells of the header, or, where no line fits, of the first line that has several."""
    head = text[:_HEAD_CHARACTERS]
    first = next((line for line in head.splitlines()[:_MOST_TITLE_LINES] if any(mark in line for mark in ",;\t")), "")
    likely = sorted(",;\t", key=lambda mark: (-first.count(mark), mark != ","))
    return next((mark for mark in likely if _has_header(head, mark, fits=fits)), likely[0])


def _has_header(head: str, mark: str, *, fits: Fits) -> bool:
    records = csv.reader(io.StringIO(head, newline=""), delimiter=mark)
    try:
        found = find_header(enumerate(records), fits=fits)
    except csv.Error:
        return False
    return found is not None and fits(found[1])


def _json_rows(text: str, *, name: str) -> tuple[tuple[str, ...], list[Row]]:
    rows: list[Row] = []
    columns: dict[str, None] = {}
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            record = json.loads(content)
        except (ValueError, RecursionError) as error:
            why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep, or a number too long"
            raise DataError(f"{name}, line {line}: not JSON ({why}). One object a line is expected.") from None
        if not isinstance(record, dict):
            raise DataError(f"{name}, line {line}: not a JSON object. One object a line is expected.")
        values = {str(key): _as_text(value) for key, value in record.items()}
        columns.update(dict.fromkeys(values))
        rows.append(Row(line=line, values=values))
    return tuple(columns), rows


def _as_text(value: object) -> str:
    """Write a JSON value as a CSV file would hold it; a list of film names is joined by semicolons."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ";".join(_as_text(item) for item in value)
    return str(value)
