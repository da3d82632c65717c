"""All reviews as a table that Excel opens with Chinese text in place and that starts no formula."""

import csv
import io
from collections.abc import Sequence

from app.export.flat import FlatReview, flatten
from app.export.records import ReviewedReport

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def to_csv(records: Sequence[ReviewedReport]) -> bytes:
    """Return UTF-8 with a byte order mark, CRLF lines, one row a review in the columns of `FlatReview`.

    A text that a spreadsheet would take for a formula is preceded by an apostrophe, as OWASP's page on CSV injection
    advises: a report may begin with `-` or hold whatever a reader pasted.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    columns = tuple(FlatReview.model_fields)
    writer.writerow(columns)
    for record in records:
        row = flatten(record)
        writer.writerow([_safe(getattr(row, column)) for column in columns])
    return stream.getvalue().encode("utf-8-sig")


def _safe(value: str | int) -> str | int:
    if isinstance(value, str) and value.lstrip(" \n").startswith(_STARTS_FORMULA):
        return f"'{value}"
    return value
