"""All reviews as a table that Excel opens with Chinese text in place and that starts no formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from app.export.flat import FlatReview, flatten
from app.export.records import ReviewedReport

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def to_csv(records: Sequence[ReviewedReport]) -> bytes:
    """Return one row a review in the columns of `FlatReview`, as `table` writes it."""
    columns = tuple(FlatReview.model_fields)
    rows = (flatten(record) for record in records)
    return table(columns, ([getattr(row, column) for column in columns] for row in rows))


def table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """Return UTF-8 with a byte order mark and CRLF lines.

    A text that a spreadsheet would take for a formula is preceded by an apostrophe, as OWASP's page on CSV injection
    advises: a report may begin with `-` or hold whatever a reader pasted.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_safe(value) for value in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def _safe(value: str | int) -> str | int:
    if isinstance(value, str) and value.lstrip(" \n").startswith(_STARTS_FORMULA):
        return f"'{value}"
    return value
