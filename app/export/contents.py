"""What a format makes of reviews: files to write, and what stayed out."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.export.records import Exclusion, ReviewedReport


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


def select_documents(
    records: Sequence[ReviewedReport], *, signed_only: bool
) -> tuple[list[ReviewedReport], tuple[Exclusion, ...]]:
    """Part the reviews whose text may become a clinical document from the others.

    Left out are `sentinel`, `void`, `no_text`, `not_signed` (or without `signed_only`, nothing: a draft is a
    preliminary document), `superseded_by_approval`, and `not_adjudicated`: several readers signed different documents
    for one case, and none is approved.
    """
    chosen: list[ReviewedReport] = []
    excluded: list[Exclusion] = []
    signed = [record for record in records if record.signed and not record.sentinel]
    for record in records:
        rivals = [other for other in signed if (other.run_id, other.case_id) == (record.run_id, record.case_id)]
        reason = _reason(record, rivals=rivals, signed_only=signed_only)
        if reason is None:
            chosen.append(record)
        else:
            excluded.append(Exclusion(review_id=record.id, reason=reason))
    return chosen, tuple(excluded)


def _reason(record: ReviewedReport, *, rivals: Sequence[ReviewedReport], signed_only: bool) -> str | None:
    if record.sentinel:
        return "sentinel"
    if record.status == "void":
        return "void"
    if not record.final_text:
        return "no_text"
    if record.status != "approved" and any(rival.status == "approved" for rival in rivals):
        return "superseded_by_approval"
    if record.signed is None:
        return "not_signed" if signed_only else None
    if record.status != "approved" and len(rivals) > 1:
        return "not_adjudicated"
    return None


def without_controls(text: str) -> str:
    """Compose what can be (NFC) and drop control characters but line breaks: neither a font nor XML has them."""
    kept = (c for c in unicodedata.normalize("NFC", text) if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join(kept)
