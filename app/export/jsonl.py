"""All reviews in full, one JSON object a line."""

from collections.abc import Sequence

from app.export.records import ReviewedReport
from xray.records import Record


class ReviewLine(Record):
    """A line of the file: the review under its id, with its label and the text that the reader stands for."""

    review_id: str
    ai_label: str
    final_text: str
    review: ReviewedReport


def to_jsonl(records: Sequence[ReviewedReport]) -> bytes:
    """Return UTF-8 JSON Lines of `ReviewLine`, in the order given."""
    return "".join(_line(record).model_dump_json() + "\n" for record in records).encode()


def _line(record: ReviewedReport) -> ReviewLine:
    return ReviewLine(review_id=record.id, ai_label=record.ai_label, final_text=record.final_text, review=record)
