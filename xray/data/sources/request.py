"""One door to every kind of data set: which kind it is, and what a user can say about it."""

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xray.data.sources.columns import TableColumns
from xray.data.sources.conversations import read_conversations
from xray.data.sources.film_scan import Scan, scan_films
from xray.data.sources.mimic import read_mimic
from xray.data.sources.openi import read_openi
from xray.data.sources.study_files import SourceData
from xray.data.sources.table import read_table
from xray.data.sources.xrayglm import read_xrayglm
from xray.errors import ConfigError, DataError
from xray.types import SourceKind

_NO_COLUMNS = TableColumns()
_PATIENT_FOLDERS = ("p[0-9][0-9]", "files/p[0-9][0-9]")
_TALK = re.compile(r'"(?:conversations|messages)"\s*:')
_PACKED = (".tgz", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz")
_PEEK_BYTES = 2**20


_APPLIES_TO: dict[str, frozenset[SourceKind]] = {
    "columns": frozenset({SourceKind.table}),
    "sheet": frozenset({SourceKind.table}),
    "index": frozenset({SourceKind.xrayglm, SourceKind.openi}),
    "captions": frozenset({SourceKind.openi}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """What to read: the folder of films, the texts, and what a user says about them.

    `kind` is told from `reports` where it is None. `columns` and `sheet` are a table's, `index` maps film names to
    image ids (XrayGLM) or views (OpenI), `captions` are OpenI's translations. `language` is that of the texts; without
    one it is what the kind usually has (`zh`; `en` for OpenI without captions and for MIMIC). `scan` finds the
    films: `scan_films`, with a folder to unpack archives in and a bar, where the caller has them.
    """

    films: Path
    reports: Path
    kind: SourceKind | None = None
    columns: TableColumns = _NO_COLUMNS
    sheet: str | None = None
    index: Path | None = None
    captions: Path | None = None
    language: str | None = None
    scan: Scan = scan_films


def read_source(request: SourceRequest) -> SourceData:
    """Read what a data set says of its studies, before any pixel is decoded.

    Raises DataError if a file is missing or of no known kind, and ConfigError for an option of another kind.
    """
    kind = request.kind or kind_of(request.reports)
    stated = {
        "columns": request.columns != _NO_COLUMNS,
        "sheet": request.sheet is not None,
        "index": request.index is not None,
        "captions": request.captions is not None,
    }
    for option in (option for option, is_stated in stated.items() if is_stated):
        if kind not in _APPLIES_TO[option]:
            kinds = " and ".join(sorted(_APPLIES_TO[option]))
            raise ConfigError(f"`{option}` belongs to data of the kind {kinds}, and these are {kind}. Leave it out.")
    return _READERS[kind](request)


def kind_of(reports: Path) -> SourceKind:
    """Tell the kind of a data set from where its texts are: a folder's or archive's members, or how a file begins.

    Raises DataError for a folder that holds neither OpenI's XML files nor MIMIC-CXR's tree.
    """
    if reports.is_dir():
        return _kind_of_folder(reports)
    if reports.name.lower().endswith(_PACKED):
        return SourceKind.openi
    if reports.suffix.lower() not in {".json", ".jsonl", ".ndjson"}:
        return SourceKind.table
    text = _beginning(reports)
    if reports.suffix.lower() == ".json" and text.startswith("{"):
        first_line = text.split("\n", 1)[0]
        return SourceKind.conversations if _is_talk(first_line) else SourceKind.xrayglm
    if text.startswith("["):
        return SourceKind.conversations
    return SourceKind.conversations if _is_talk(text.split("\n", 1)[0]) else SourceKind.table


def _kind_of_folder(folder: Path) -> SourceKind:
    if any(next(folder.glob(pattern), None) is not None for pattern in _PATIENT_FOLDERS):
        return SourceKind.mimic
    if any(next(folder.glob(pattern), None) is not None for pattern in ("*.xml", "*/*.xml")):
        return SourceKind.openi
    raise DataError(
        f"{folder} holds no reports that are known: a table is a file (.csv, .xlsx, .jsonl); a folder is read if it "
        "holds OpenI's XML files or MIMIC-CXR's tree (files/p10/...)."
    )


def _beginning(path: Path) -> str:
    """Return how a file begins, well enough for its brackets and keys, which are ASCII in every encoding."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_PEEK_BYTES)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or 'cannot be read'}. Check the path of the reports.") from None
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        data = data.removeprefix(mark)
    return data.replace(b"\0", b"").decode(errors="replace").lstrip()  # in UTF-16, ASCII has every second byte zero


def _is_talk(line: str) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return _TALK.search(line) is not None  # a line longer than what was read
    return isinstance(record, dict) and not record.keys().isdisjoint(("conversations", "messages"))


def _table(request: SourceRequest) -> SourceData:
    return read_table(
        request.films,
        request.reports,
        columns=request.columns,
        sheet=request.sheet,
        language=request.language or "zh",
        scan=request.scan,
    )


def _xrayglm(request: SourceRequest) -> SourceData:
    return read_xrayglm(
        request.reports,
        request.films,
        index=request.index,
        language=request.language or "zh",
        scan=request.scan,
    )


def _openi(request: SourceRequest) -> SourceData:
    return read_openi(
        request.films,
        request.reports,
        captions=request.captions,
        index=request.index,
        language=request.language,
        scan=request.scan,
    )


def _mimic(request: SourceRequest) -> SourceData:
    return read_mimic(request.films, request.reports, language=request.language, scan=request.scan)


def _conversations(request: SourceRequest) -> SourceData:
    language = request.language or "zh"
    return read_conversations(request.films, request.reports, language=language, scan=request.scan)


_READERS: dict[SourceKind, Callable[[SourceRequest], SourceData]] = {
    SourceKind.table: _table,
    SourceKind.xrayglm: _xrayglm,
    SourceKind.openi: _openi,
    SourceKind.mimic: _mimic,
    SourceKind.conversations: _conversations,
}
