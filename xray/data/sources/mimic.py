"""MIMIC-CXR and MIMIC-CXR-JPG as PhysioNet publishes them: `files/p10/p10000032/s50414267/<dicom_id>.dcm` or `.jpg`.

The report of that study is `files/p10/p10000032/s50414267.txt`, in the same tree or in one of its own; the tables
`mimic-cxr-2.0.0-split.csv` and `-metadata.csv` (`.gz` as they come) tell splits, views and shifted dates.
doi:10.13026/4jqj-jw95, doi:10.13026/jsn5-t979.
"""

import csv
import gzip
import io
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.film_header import FilmHeader
from xray.data.sources.film_scan import Scan, scan_films
from xray.data.sources.film_study import film_study
from xray.data.sources.films_folder import FilmsFolder
from xray.data.sources.mimic_report import split_mimic_report
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles
from xray.data.sources.values import check_report_text, parse_day, parse_split, parse_view
from xray.errors import ConfigError, DataError, Rejected
from xray.types import Report, Split, View

_STUDY_FOLDER = re.compile(r"(?:.*/)?(?P<folder>p\d\d/p(?P<patient>\d{8})/(?P<study>s\d{8}))")
_REPORT = re.compile(r"(?P<folder>p\d\d/p\d{8}/s\d{8})\.txt")
_VIEW_CODES: dict[str, View] = {"postero-anterior": "frontal", "antero-posterior": "frontal", "lateral": "lateral"}
_VIEW_CODES |= {"left lateral": "lateral", "right lateral": "lateral", "xtable lateral": "lateral"}
_MOST_REPORT_BYTES = 2**20


def read_mimic(films: Path, reports: Path, *, language: str | None = None, scan: Scan = scan_films) -> SourceData:
    """Pair the studies of a MIMIC-CXR tree below `films` with the reports of the tree below `reports`.

    Both may be the same folder, and each the one that holds `files` or `files` itself. Tables are looked for in both.
    Films whose header names another patient than their folder are refused (`other_patient`), as are studies that the
    table puts into two splits (`several_splits`). Wet reads and addenda are noted. Films are found by
    `scan`. Raises DataError if a folder is missing or a table broken, and ConfigError for another language than `en`.
    """
    if language not in (None, "en"):
        raise ConfigError(f"MIMIC-CXR reports are English, not {language!r}: set the language to en.")
    if not reports.is_dir():
        raise DataError(f"{reports} is no folder. Give the one that holds the reports (files/p10/...).")
    facts = _read_tables(films, reports)
    folder = scan(_files(films))
    reader = _Reader(folder=folder, reports=_files(reports), facts=facts, refusals=list(folder.refusals))
    studies = reader.studies()
    return SourceData(
        name="mimic",
        root=folder.root,
        studies=tuple(studies),
        refusals=tuple(reader.refusals),
        lost_films=tuple(file.refusal for file in folder.refused if reader.has_report(file.path.parent.as_posix())),
        unpacked=folder.unpacked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What the tables say: splits and day by study (`s50414267`), views by `dicom_id`."""

    splits: dict[str, set[Split]] = field(default_factory=lambda: defaultdict(set))
    days: dict[str, int] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    folder: FilmsFolder
    reports: Path
    facts: _Facts
    refusals: list[Refusal]

    def studies(self) -> list[StudyFiles]:
        """Return the studies that have films and a report; everything else goes to `refusals`."""
        films: dict[str, list[FilmHeader]] = defaultdict(list)
        patients: dict[str, str] = {}
        for header in self.folder.headers:
            match = _STUDY_FOLDER.fullmatch(Path(self.folder.relative(header)).parent.as_posix())
            if match is None:
                self._no_report(
                    header, why="the film lies in no folder of a patient and study (p10/p10000032/s50414267)"
                )
                continue
            films[match["folder"]].append(header)
            patients[match["folder"]] = match["patient"]
        studies = [self._study(place, films[place], patient=patients[place]) for place in sorted(films)]
        self._list_reports_without_film(films)
        return [study for study in studies if study is not None]

    def has_report(self, place: str) -> bool:
        """Whether a folder of films, relative to the films, has a report."""
        match = _STUDY_FOLDER.fullmatch(place)
        return match is not None and self._report_path(match["folder"]).is_file()

    def _study(self, place: str, headers: list[FilmHeader], *, patient: str) -> StudyFiles | None:
        name = place.rsplit("/", 1)[-1]
        if not self._report_path(place).is_file():
            for header in headers:
                self._no_report(header, why="no report belongs to this study")
            return None
        try:
            if any(header.patient_id not in (None, patient, f"p{patient}") for header in headers):
                raise Rejected("other_patient", "a film carries another patient id than its folder")
            splits = self.facts.splits.get(name, set())
            if len(splits) > 1:
                raise Rejected("several_splits", "the table puts films of this study into different splits")
            return film_study(
                headers,
                study_uid=name,
                report=self._report(place, name=name),
                views=[self._view(header) for header in headers],
                patient_id=patient,
                study_day=self.facts.days.get(name),
                declared_split=next(iter(splits), None),
            )
        except Rejected as rejected:
            self.refusals.append(Refusal(where=place, code=rejected.code, why=rejected.why))
            return None

    def _view(self, header: FilmHeader) -> View:
        """Return the view that the table gives to a film's `dicom_id`, its file name, or else that of its header."""
        return self.facts.views.get(Path(self.folder.relative(header)).stem, header.view)

    def _report(self, place: str, *, name: str) -> Report:
        sections = split_mimic_report(_read_text(self._report_path(place)))
        findings, impression = sections.findings, sections.impression
        if not findings:
            findings, impression = impression, None
        if not findings:
            raise Rejected("empty_report", "the report has neither findings nor an impression")
        report = Report(
            study_uid=name,
            language="en",
            findings=findings,
            impression=impression,
            indication=sections.indication,
            comparison=sections.comparison,
        )
        check_report_text(report.text)
        if sections.is_draft:
            self._note(place, code="preliminary_report", why="only a wet read of the study is here")
        if sections.has_addendum:
            self._note(place, code="addendum_left_out", why="an addendum to the report was left out")
        return report

    def _list_reports_without_film(self, films: Mapping[str, object]) -> None:
        for path in sorted(self.reports.glob("p[0-9][0-9]/p*/s*.txt")):
            match = _REPORT.fullmatch(path.relative_to(self.reports).as_posix())
            if match is not None and match["folder"] not in films:
                why = "no usable film belongs to this report"
                self.refusals.append(Refusal(where=match["folder"], code="no_film", why=why, kind="unpaired"))

    def _report_path(self, place: str) -> Path:
        return self.reports / f"{place}.txt"

    def _no_report(self, header: FilmHeader, *, why: str) -> None:
        where = self.folder.relative(header)
        self.refusals.append(Refusal(where=where, code="no_report", why=why, kind="unpaired"))

    def _note(self, place: str, *, code: str, why: str) -> None:
        self.refusals.append(Refusal(where=place, code=code, why=why, kind="note"))


def _files(root: Path) -> Path:
    return root / "files" if (root / "files").is_dir() else root


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_REPORT_BYTES).decode()
    except OSError as error:
        raise Rejected("unreadable", f"the report cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Rejected("undecodable_report", "the report is not UTF-8 text") from None


def _read_tables(*roots: Path) -> _Facts:
    facts = _Facts()
    for row in _rows(roots, table="split", columns=("study_id", "split")):
        if (split := _split(row["split"])) is not None:
            facts.splits[f"s{row['study_id']}"].add(split)
    for row in _rows(roots, table="metadata", columns=("dicom_id", "study_id", "ViewPosition")):
        code = (row.get("ViewCodeSequence_CodeMeaning") or "").strip().casefold()
        if (view := parse_view(row["ViewPosition"]) or _VIEW_CODES.get(code)) is not None:
            facts.views[row["dicom_id"]] = view
        if (day := parse_day(row.get("StudyDate") or "")) is not None:
            facts.days[f"s{row['study_id']}"] = day
    return facts


def _split(word: str) -> Split | None:
    try:
        return parse_split(word)
    except Rejected as rejected:
        raise DataError(f"The MIMIC-CXR split table: {rejected.why}.") from None


def _rows(roots: tuple[Path, ...], *, table: str, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield the rows of the first table of that name; none where there is no such table."""
    places = [place for root in roots for place in (root, root.parent)]
    found = next((path for place in places for path in sorted(place.glob(f"mimic-cxr-*-{table}.csv*"))), None)
    if found is None:
        return
    opened = gzip.open if found.suffix == ".gz" else Path.open
    try:
        with opened(found, "rb") as binary, io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True, restval="")
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{found.name} has no column {missing[0]!r}. Download it again from PhysioNet.")
            yield from reader
    except (OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError):
        raise DataError(f"{found.name} is broken or cannot be read. Download it again from PhysioNet.") from None
