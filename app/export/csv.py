"""All reviews as a table that Excel opens with Chinese text in place and that starts no formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from app.export.flat import FlatReview, flatten
from app.export.records import ReviewedReport
from app.spreadsheet import safe_cell


def to_csv(records: Sequence[ReviewedReport]) -> bytes:
    """Return one row a review in the columns of `FlatReview`, as `table` writes it."""
    columns = tuple(FlatReview.model_fields)
    rows = (flatten(record) for record in records)
    return table(columns, ([getattr(row, column) for column in columns] for row in rows))


def table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """Return UTF-8 with a byte order mark and CRLF lines; no cell starts a formula."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")
