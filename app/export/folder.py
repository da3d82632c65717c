"""An export is a new folder: the files of one format and a manifest, all of them or none."""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime

from app.export.aigc import AigcBlock
from app.export.contents import Contents, ExportFile
from app.export.csv import to_csv
from app.export.jsonl import to_jsonl
from app.export.pairs import to_pairs
from app.export.parquet import to_parquet
from app.export.records import AI_LABEL, Exclusion, ExportContext, ProtocolUsed, ReviewedReport, Seed
from xray import __version__
from xray.errors import ConfigError, DataError
from xray.records import Record, write_atomically, write_record

MANIFEST_FILE = "manifest.json"
_NO_CONTEXT = ExportContext()
Kind = Literal["jsonl", "csv", "parquet", "pairs", "dicom_sr", "fhir", "pdf"]


class ExportedFile(Record):
    """A file of the export, `name` below its folder."""

    name: str
    sha256: str
    num_bytes: int


class ExportManifest(Record):
    """`manifest.json`: what was exported, by whom and what for, from what, and what was left out."""

    kind: Kind
    made_by: str = ""
    reason: str = ""
    ai_label: str = AI_LABEL
    aigc: AigcBlock
    created: AwareDatetime
    program_version: str
    num_reviews: int
    num_written: int
    num_by_status: dict[str, int]
    num_excluded_by_reason: dict[str, int]
    excluded: tuple[Exclusion, ...]
    run_ids: tuple[str, ...]
    model_names: tuple[str, ...]
    protocols: tuple[ProtocolUsed, ...]
    seeds: tuple[Seed, ...]
    audit_head: str
    files: tuple[ExportedFile, ...]


def write(
    records: Sequence[ReviewedReport], *, kind: Kind, folder: Path, context: ExportContext = _NO_CONTEXT
) -> list[Path]:
    """Write the reviews as `kind` into a new `folder` and return its files, the manifest last.

    The folder appears with all of its files or not at all. Raises DataError if it holds something already, if two
    reviews have one id, or as the format does; ConfigError if the packages of the format are not installed.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} exists and is not empty. Give a new folder for the export.")
    if len({record.id for record in records}) != len(records):
        raise DataError("A review is given twice. Export the newest revision of each review.")
    contents = contents_of(records, kind=kind, context=context)
    unfinished = folder.absolute().with_name(f".{folder.absolute().name}.{os.getpid()}.part")
    try:
        unfinished.mkdir(parents=True)
        files = tuple(_write_file(file, folder=unfinished) for file in contents.files)
        write_record(unfinished / MANIFEST_FILE, _manifest(records, contents, kind=kind, context=context, files=files))
        unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return [folder / name for name in (*(file.name for file in files), MANIFEST_FILE)]


def contents_of(records: Sequence[ReviewedReport], *, kind: Kind, context: ExportContext = _NO_CONTEXT) -> Contents:
    """Return what `write` would write, and what it would leave out. Raises as `write` does, but for the folder."""
    match kind:
        case "jsonl":
            return _table("reviews.jsonl", to_jsonl(records), records)
        case "csv":
            return _table("reviews.csv", to_csv(records), records)
        case "parquet":
            return _table("reviews.parquet", to_parquet(records, label=_label(records, context)), records)
        case "pairs":
            return to_pairs(records, evaluation_patients=context.evaluation_patients, others=context.others)
        case "dicom_sr" | "fhir" | "pdf":
            return _documents(records, kind=kind, context=context)


def _documents(
    records: Sequence[ReviewedReport], *, kind: Literal["dicom_sr", "fhir", "pdf"], context: ExportContext
) -> Contents:
    try:  # the packages of these formats are an extra: reviews go on without them
        from app.export.documents import to_documents
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"Exports as {kind} need the package {error.name}. Install the kit with its extra `interop`."
        ).in_chinese(f"导出为 {kind} 需要软件包 {error.name}。请安装附加组件 `interop`。") from None
    return to_documents(records, kind=kind, context=context)


def _table(name: str, data: bytes, records: Sequence[ReviewedReport]) -> Contents:
    return Contents(files=(ExportFile(name=name, data=data),), num_written=len(records))


def _label(records: Sequence[ReviewedReport], context: ExportContext) -> AigcBlock:
    """Return the label of the whole export, numbered by the reviews that it holds."""
    ids = "".join(f"{record.id}/{record.revision}\n" for record in records)
    return AigcBlock(ContentProducer=context.producer, ProduceID=hashlib.sha256(ids.encode()).hexdigest()[:32])


def _write_file(file: ExportFile, *, folder: Path) -> ExportedFile:
    data = file.data.read_bytes() if isinstance(file.data, Path) else file.data
    write_atomically(folder / file.name, data)
    return ExportedFile(name=file.name, sha256=hashlib.sha256(data).hexdigest(), num_bytes=len(data))


def _manifest(
    records: Sequence[ReviewedReport],
    contents: Contents,
    *,
    kind: Kind,
    context: ExportContext,
    files: tuple[ExportedFile, ...],
) -> ExportManifest:
    protocols = {record.protocol.sha256: record.protocol for record in records}
    excluded = (*context.left_out, *contents.excluded)
    return ExportManifest(
        kind=kind,
        made_by=context.made_by,
        reason=context.reason,
        aigc=_label(records, context),
        created=datetime.now(UTC),
        program_version=__version__,
        num_reviews=len(records) + len(context.left_out),
        num_written=contents.num_written,
        num_by_status=dict(Counter(record.status for record in records)),
        num_excluded_by_reason=dict(Counter(exclusion.reason for exclusion in excluded)),
        excluded=excluded,
        run_ids=tuple(sorted({record.run_id for record in records})),
        model_names=tuple(sorted({record.model_name for record in records})),
        protocols=tuple(protocols[sha256] for sha256 in sorted(protocols)),
        seeds=context.seeds,
        audit_head=context.audit_head,
        files=files,
    )
