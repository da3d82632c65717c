"""One file for each report, for a hospital's systems."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from app.export.contents import Contents, ExportFile, NothingLeftError, select_documents
from app.export.dicom_identity import identities
from app.export.dicom_sr import to_dicom_sr
from app.export.fhir import to_fhir
from app.export.fonts import find_font, subset_font
from app.export.pdf import characters_of, to_pdf
from app.export.records import Exclusion, ExportContext, ReviewedReport
from xray.errors import DataError


def to_documents(
    records: Sequence[ReviewedReport], *, kind: Literal["dicom_sr", "fhir", "pdf"], context: ExportContext
) -> Contents:
    """Return a document for each report that `select_documents` lets through; structured reports need a signature.

    Where the context asks for original films, a structured report without one stays out as `no_original_film`, and one
    whose films are damaged or of several patients or studies as `unfit_original_film`.

    Raises NothingLeftError if no report is left, and DataError as the formats do.
    """
    chosen, excluded = select_documents(records, signed_only=kind == "dicom_sr", others=context.others)
    if kind == "dicom_sr" and context.original_films_only:
        nameless = [record for record in chosen if not any(film.dicom for film in record.films)]
        excluded += tuple(Exclusion(review_id=record.id, reason="no_original_film") for record in nameless)
        chosen = [record for record in chosen if record not in nameless]
    if kind == "dicom_sr":
        unfit = [record for record in chosen if not _tells_one_patient(record)]
        excluded += tuple(Exclusion(review_id=record.id, reason="unfit_original_film") for record in unfit)
        chosen = [record for record in chosen if record not in unfit]
    if not chosen:
        raise NothingLeftError(_nothing_left(excluded), excluded=excluded)
    files: Iterator[ExportFile]
    if kind == "dicom_sr":
        files = (ExportFile(name=f"{r.id}.dcm", data=to_dicom_sr(r, context=context)) for r in chosen)
    else:
        files = _printed(chosen, kind=kind, context=context)
    return Contents(files=files, num_written=len(chosen), excluded=excluded)


def _tells_one_patient(record: ReviewedReport) -> bool:
    try:
        identities(record)
    except DataError:
        return False
    return True


def _nothing_left(excluded: Sequence[Exclusion]) -> str:
    reasons = sorted({exclusion.reason for exclusion in excluded}) or ["there is no review"]
    remedy = "Submit and sign reports first."
    if "no_original_film" in reasons:
        remedy = "A structured report takes the patient from the DICOM film: give the films, or ask for pseudonyms."
    return f"No report can become a document: {', '.join(reasons)}. {remedy}"


def _printed(
    chosen: Sequence[ReviewedReport], *, kind: Literal["fhir", "pdf"], context: ExportContext
) -> Iterator[ExportFile]:
    characters = set[str]().union(*(characters_of(record, context=context) for record in chosen))
    with TemporaryDirectory() as folder:
        font = subset_font(find_font(), characters=characters, into=Path(folder) / "report.otf")
        for record in chosen:
            document = to_pdf(record, font=font, context=context)
            if kind == "pdf":
                yield ExportFile(name=f"{record.id}.pdf", data=document)
            else:
                yield ExportFile(name=f"{record.id}.json", data=to_fhir(record, pdf=document, context=context))
