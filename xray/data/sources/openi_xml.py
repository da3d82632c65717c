"""The XML files of OpenI (`ecgen-radiology/<n>.xml`): report sections and the names of a study's films."""

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from xray.data.file_names import printable
from xray.data.sources.study_files import Refusal
from xray.errors import DataError, Rejected

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MOST_BYTES = 4 * 2**20
_MOST_BYTES_TOGETHER = 2**30  # the collection's 4,000 files have 40 MiB
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeniReport:
    """One XML file: the study `<n>`, its sections (None where empty), and its films in the order of the file."""

    study: str
    row: str
    films: tuple[str, ...]
    findings: str | None = field(repr=False)
    impression: str | None = field(repr=False)
    indication: str | None = field(repr=False)
    comparison: str | None = field(repr=False)


def read_openi_xml(path: Path, *, refusals: list[Refusal]) -> dict[str, OpeniReport]:
    """Read every `<n>.xml` in a folder, at any depth, or in a tar archive (`.tgz`), into reports by `<n>`.

    An archive is read without unpacking it. Files that cannot be used go to `refusals`: `broken_xml`, `not_openi`,
    `duplicate_study`. Raises DataError if the path is missing, no archive, or holds no XML.
    """
    reports: dict[str, OpeniReport] = {}
    found = 0
    for position, (name, data) in enumerate(_files(path), start=1):
        found += 1
        row = f"{printable(path.name)}, file {position}"
        study = PurePosixPath(name).stem
        try:
            report = parse_openi_xml(data, study=study, row=row)
            if study in reports:
                raise Rejected("duplicate_study", "another file has the same name; the first was kept")
        except Rejected as rejected:
            refusals.append(Refusal(where=study, code=rejected.code, why=rejected.why, row=row))
            continue
        reports[study] = report
    if not found:
        raise DataError(f"{path} holds no XML files. Give the folder or the .tgz of the reports.")
    return reports


def parse_openi_xml(data: bytes, *, study: str, row: str) -> OpeniReport:
    """Read one file. DTDs and entities are refused, so that no file can grow or read another.

    Raises Rejected: `broken_xml`, `not_openi` (another kind of XML, or of another study).
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        raise Rejected("broken_xml", "the file is no well-formed XML without DTD") from None
    own_name = root.find("uId")
    if root.tag != "eCitation" or own_name is None:
        raise Rejected("not_openi", "the XML is not of the OpenI kind (eCitation with uId)")
    if own_name.get("id", "").removeprefix("CXR") != study:
        raise Rejected("not_openi", "the file is called by another study than it names inside")
    texts = {section.get("Label", ""): _text(section) for section in root.iter("AbstractText")}
    return OpeniReport(
        study=study,
        row=row,
        films=tuple(name for image in root.iter("parentImage") if (name := image.get("id"))),
        findings=texts.get("FINDINGS"),
        impression=texts.get("IMPRESSION"),
        indication=texts.get("INDICATION"),
        comparison=texts.get("COMPARISON"),
    )


def _text(section: "Element") -> str | None:
    return "".join(section.itertext()).strip() or None


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(file for file in path.rglob("*.xml") if file.is_file()):
            yield file.name, _content(file)
        return
    try:
        with tarfile.open(path) as archive:
            yield from _members(archive)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Give the folder or the .tgz of the XML reports.") from None
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError):
        raise DataError(f"{path.name} is no complete tar archive. Download it again, or give the folder.") from None


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_MOST_BYTES)
    except OSError:
        return b""  # refused as broken XML


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the XML files; links and whatever else an archive may hold are not XML files.

    Too much of it is an error, because it is no OpenI.
    """
    together = 0
    for number, member in enumerate(archive):
        together += member.size
        if number >= _MOST_FILES or member.size > _MOST_BYTES or together > _MOST_BYTES_TOGETHER:
            raise DataError("The archive holds too many or too large files for XML reports. Give the folder of them.")
        stream = archive.extractfile(member) if member.isreg() and member.name.endswith(".xml") else None
        if stream is not None:
            yield member.name, stream.read()
