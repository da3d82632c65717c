"""A review as one row of a table: nested parts as JSON text, so that CSV and Parquet have the same columns."""

import json
from collections.abc import Sequence

from app.export.records import ReviewedReport
from xray.records import Record


class FlatReview(Record):
    """The columns, in order. `final_text` is what the reader stands for; times are ISO 8601 with their offset."""

    review_id: str
    ai_label: str
    run_id: str
    case_id: str
    study_uid: str
    patient_key: str
    split: str
    language: str
    reader_id: str
    reader_name: str
    status: str
    revision: int
    sentinel: bool
    verdict: str
    comment: str
    question: str
    generated: str
    corrected: str
    final_text: str
    reference: str
    num_edits: int
    num_significant_edits: int
    edits: str
    answers: str
    active_ms: int
    signed_by: str
    signed_at: str
    signature_meaning: str
    saved_at: str
    amend_reason: str
    model_name: str
    protocol_name: str
    protocol_sha256: str
    system: str
    study: str
    task: str
    arm: str
    preference: str
    preference_reason: str
    repeat: bool
    asks_for_report: bool


def flatten(record: ReviewedReport) -> FlatReview:
    """Return the review's row. What is missing is an empty text."""
    signed = record.signed
    changes = [edit for edit in record.edits if edit.decision != "accept"]
    return FlatReview(
        review_id=record.id,
        ai_label=record.ai_label,
        run_id=record.run_id,
        case_id=record.case_id,
        study_uid=record.study_uid,
        patient_key=record.patient_key,
        split=record.split or "",
        language=record.language,
        reader_id=record.reader.id,
        reader_name=record.reader.name,
        status=record.status,
        revision=record.revision,
        sentinel=record.sentinel,
        verdict=record.verdict or "",
        comment=record.comment,
        question=record.turns[-1].text,
        generated=record.generated,
        corrected=record.corrected,
        final_text=record.final_text,
        reference=record.reference or "",
        num_edits=len(changes),
        num_significant_edits=sum(edit.significant for edit in changes),
        edits=_as_json(record.edits),
        answers=_as_json(record.answers),
        active_ms=record.active_ms,
        signed_by=signed.by.name if signed else "",
        signed_at=signed.at.isoformat() if signed else "",
        signature_meaning=signed.meaning if signed else "",
        saved_at=record.saved_at.isoformat(),
        amend_reason=record.amend_reason,
        model_name=record.model_name,
        protocol_name=record.protocol.name,
        protocol_sha256=record.protocol.sha256,
        system=record.system,
        study=record.study,
        task=record.task,
        arm=record.arm,
        preference=record.preference,
        preference_reason=record.preference_reason,
        repeat=record.repeat,
        asks_for_report=record.asks_for_report,
    )


def _as_json(parts: Sequence[Record]) -> str:
    return json.dumps([part.model_dump(mode="json") for part in parts], ensure_ascii=False)
