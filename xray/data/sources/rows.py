"""Rows of a table that a hospital exported: CSV in any usual encoding, or JSON Lines."""

import codecs
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.file_names import printable
from xray.errors import DataError

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record.

    `line` is the line of the file on which it starts, from 1. `complete` is False where the number of fields is not
    the header's.
    """

    line: int
    values: Mapping[str, str] = field(repr=False)
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table in file order: `columns` are the names of its fields, `encoding` what its bytes turned out to be."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...] = field(repr=False)
    encoding: str

    def place(self, row: Row) -> str:
        """Where a row is, in words that hold no patient data: `reports.csv, line 12`."""
        return f"{self.name}, line {row.line}"


def decode_text(data: bytes, *, where: str) -> tuple[str, str]:
    """Text and encoding of exported bytes: a byte order mark decides, else UTF-8, else GB18030 with Chinese in it.

    GB18030 accepts almost any bytes, so it is believed only if Chinese characters come out. Raises DataError.
    """
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
    if not any("\u4e00" <= character <= "\u9fff" for character in text):
        raise DataError(f"{where} is neither UTF-8 nor Chinese GB18030 text. Save it again as UTF-8.")
    return text, "gb18030"


def read_rows(path: Path) -> Table:
    """Read `.csv` (comma, semicolon or tab) or `.jsonl` (one object a line).

    Quoted fields may hold line breaks. Raises DataError for a file that is missing, empty, not text, cut off inside a
    quoted field, or whose header names a column twice.
    """
    name = printable(path.name)
    try:
        text, encoding = decode_text(path.read_bytes(), where=name)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or 'cannot be read'}. Check the path of the reports.") from None
    if not text.strip():
        raise DataError(f"{name} is empty.")
    if path.suffix.lower() in {".xlsx", ".xls"}:
        raise DataError(f"{name} is a workbook. Save the sheet as CSV UTF-8, with id columns formatted as text.")
    is_json = path.suffix.lower() in {".jsonl", ".ndjson"}
    columns, rows = _json_rows(text, name=name) if is_json else _csv_rows(text, name=name)
    return Table(name=name, columns=columns, rows=tuple(rows), encoding=encoding)


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


def _csv_rows(text: str, *, name: str) -> tuple[tuple[str, ...], list[Row]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    records = _numbered(reader, name=name)
    header_line, header = next(((line, fields) for line, fields in records if any(map(str.strip, fields))), (1, []))
    if not header:
        raise DataError(f"{name} has no header. Name the columns in its first line.")
    columns = tuple(column.strip() for column in header)
    _check_header(columns, place=f"{name}, line {header_line}")
    rows = [
        Row(line=line, values=dict(zip(columns, fields, strict=False)), complete=len(fields) == len(columns))
        for line, fields in records
        if any(field.strip() for field in fields)
    ]
    return columns, rows


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


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max(",;\t", key=lambda candidate: (header.count(candidate), candidate == ","))


def _check_header(columns: tuple[str, ...], *, place: str) -> None:
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise DataError(f"{place}: column {twice[0]!r} appears more than once. Rename or remove one.")


def _json_rows(text: str, *, name: str) -> tuple[tuple[str, ...], list[Row]]:
    rows: list[Row] = []
    columns: dict[str, None] = {}
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            record = json.loads(content)
        except json.JSONDecodeError as error:
            raise DataError(f"{name}, line {line}: not JSON ({error.msg}). One object a line is expected.") from None
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
