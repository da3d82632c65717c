"""All reviews as a Parquet table, with types and with the label in the file's metadata."""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from app.export.aigc import AigcBlock
from app.export.flat import FlatReview, flatten
from app.export.records import AI_LABEL, ReviewedReport

_ARROW: dict[object, pa.DataType] = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}


def to_parquet(records: Sequence[ReviewedReport], *, label: AigcBlock) -> bytes:
    """Return the columns of `FlatReview`, one row a review; the schema's metadata holds `AIGC` and `ai_label`."""
    fields = [pa.field(name, _ARROW[field.annotation]) for name, field in FlatReview.model_fields.items()]
    schema = pa.schema(fields, metadata={"AIGC": label.model_dump_json(), "ai_label": AI_LABEL})
    table = pa.Table.from_pylist([flatten(record).model_dump() for record in records], schema=schema)
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()
