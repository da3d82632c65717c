"""What a format makes of reviews: files to write, and what stayed out."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.export.records import Exclusion, ReviewedReport
from xray.errors import DataError
from xray.text.sections import locate_sections


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """One file below the export's folder: its content, or the file that it is a copy of."""

    name: str
    data: bytes | Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The files of an export, made one by one, how many reviews they hold, and the reviews that they do not."""

    files: Iterable[ExportFile]
    num_written: int
    excluded: tuple[Exclusion, ...] = ()


class NothingLeftError(DataError):
    """No review of those that were chosen can be written so; `excluded` says why, one by one."""

    def __init__(self, message: str, *, excluded: Sequence[Exclusion]) -> None:
        super().__init__(message)
        self.excluded = tuple(excluded)


def select_documents(
    records: Sequence[ReviewedReport], *, signed_only: bool, others: Sequence[ReviewedReport] = ()
) -> tuple[list[ReviewedReport], tuple[Exclusion, ...]]:
    """Part the reviews whose text may become a clinical document from the others.

    Left out are `sentinel`, `repeat`, `compared` (one of several texts), `reference_judged` (no model wrote it),
    `not_a_report` (the data set asked something else), `void`, `no_text`, `not_signed` (or without `signed_only`,
    nothing: a draft is a preliminary document), `superseded_by_approval`, and `not_adjudicated`: several readers signed
    different documents for one case, and none is approved. `others` are not chosen, and have a say in the last two.
    """
    everyone = (*records, *others)
    signed = Counter(_case(record) for record in everyone if record.signed and not _aside(record))
    approved = {_case(record) for record in everyone if record.status == "approved" and record.signed}
    reasons = [_reason(record, signed=signed, approved=approved, signed_only=signed_only) for record in records]
    chosen = [record for record, reason in zip(records, reasons, strict=True) if reason is None]
    excluded = [Exclusion(review_id=r.id, reason=reason) for r, reason in zip(records, reasons, strict=True) if reason]
    return chosen, tuple(excluded)


def findings_and_impression(text: str) -> tuple[str, str] | None:
    """Return the two parts of a report that has these and no other; None for any other text, which is to stay whole."""
    sections = locate_sections(text)
    if [section.name for section in sections] != ["findings", "impression"]:
        return None
    findings, impression = (text[section.start : section.end].strip() for section in sections)
    return findings, impression


def _case(record: ReviewedReport) -> tuple[str, str]:
    return record.run_id, record.case_id


def _reason(
    record: ReviewedReport, *, signed: Counter[tuple[str, str]], approved: set[tuple[str, str]], signed_only: bool
) -> str | None:
    overruled = record.status != "approved" and _case(record) in approved
    if aside := _aside(record):
        return aside
    checks = (
        ("void", record.status == "void"),
        ("no_text", not record.final_text),
        ("superseded_by_approval", overruled),
        ("not_signed", signed_only and record.signed is None),
        ("not_adjudicated", record.signed and record.status != "approved" and signed[_case(record)] > 1),
    )
    return next((reason for reason, holds in checks if holds), None)


def _aside(record: ReviewedReport) -> str | None:
    """Return why a review, whatever it says, never stands for the report of a patient."""
    checks = (
        ("sentinel", record.sentinel),
        ("repeat", record.repeat),
        ("compared", record.arm),
        ("reference_judged", not record.is_of_generated_text),
        ("not_a_report", not record.asks_for_report),
    )
    return next((reason for reason, holds in checks if holds), None)


def without_controls(text: str) -> str:
    """Compose what can be (NFC) and drop control characters but line breaks: neither a font nor XML has them."""
    kept = (c for c in unicodedata.normalize("NFC", text) if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join(kept)
