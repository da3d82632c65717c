"""A folder of films with a table of reports: what a hospital can export."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from xray.data.film_header import FilmHeader
from xray.data.patient_ids import real_patient_id
from xray.data.sources.columns import TableColumns, has_needed_columns, report_cells, resolve_columns
from xray.data.sources.entries import Entry, join_entries
from xray.data.sources.film_scan import Scan, scan_films
from xray.data.sources.film_study import people_of_films
from xray.data.sources.films_folder import FilmsFolder, Found
from xray.data.sources.markup import plain_text
from xray.data.sources.rows import Row, Table, read_rows
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles, first_stated
from xray.data.sources.values import (
    LOST_DIGITS,
    parse_age,
    parse_day,
    parse_id,
    parse_moment,
    parse_sex,
    parse_split,
    parse_status,
    parse_view,
    says_nothing,
    sectioned_report,
)
from xray.errors import DataError, Rejected
from xray.types import Origin, Report, View

_USUAL_COLUMNS = TableColumns()
_UID = re.compile(r"[0-2](\.[0-9]+){2,}")
# What lies beside the films of a healthy export: a study that has a film loses nothing by them.
_BESIDE_FILMS = {"duplicate_film", "for_processing", "linked_folder", "no_pixels", "not_a_film", "not_chest_film"}
_BESIDE_FILMS |= {"empty_file", "packed_file", "secondary_capture", "unsupported_picture", "wrong_name"}


def read_table(
    films: Path,
    reports: Path,
    *,
    columns: TableColumns = _USUAL_COLUMNS,
    sheet: str | None = None,
    language: str = "zh",
    origin: Origin = "radiologist",
    scan: Scan = scan_films,
) -> SourceData:
    """Pair the films below `films` with the rows of `reports` (`.csv` in any usual encoding, `.xlsx` or `.jsonl`).

    A row names its study by StudyInstanceUID, or its film or films by path or name, or the folder that holds them, or
    the study by the hospital's number that stands in the films (AccessionNumber, StudyID).
    Several rows with one study id are one study, see `join_entries`. A word that may mean one film or another is
    refused, and so is a row with another StudyInstanceUID than its films. Films without report and rows without film
    are listed, as is every row and film that cannot be used. `sheet` is that of a workbook with several. Films are
    found by `scan`. Raises DataError for what is missing: folder, file, columns or rows.
    """

    def is_header(cells: Sequence[str]) -> bool:
        return has_needed_columns(columns, present=cells)

    table = read_rows(reports, fits=is_header, sheet=sheet)
    names = resolve_columns(columns, present=table.columns, table=table.name)
    if not table.rows:
        raise DataError(f"{reports} has a header and no rows. Export the reports again.")
    folder = scan(films)
    reader = _Reader(
        table=table, columns=names, folder=folder, language=language, origin=origin, refusals=list(table.notes)
    )
    entries = [entry for row in table.rows if (entry := reader.entry(row)) is not None]
    entries = _other_studies_refused(entries, refusals=reader.refusals)
    studies = _other_patients_refused(join_entries(entries, refusals=reader.refusals), refusals=reader.refusals)
    reader.refusals.extend(_films_without_report(reader.folder, studies=studies, named=reader.study_of))
    return SourceData(
        name="table",
        root=films,
        studies=tuple(studies),
        refusals=(*reader.folder.refusals, *reader.refusals),
        lost_films=tuple(reader.lost.values()),
        unpacked=reader.folder.unpacked,
    )


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Turns rows into studies and keeps what it refused; `lost` holds the refused films that rows name, by path."""

    table: Table
    columns: TableColumns
    folder: FilmsFolder
    language: str
    origin: Origin
    refusals: list[Refusal] = field(default_factory=list)
    study_of: dict[Path, str] = field(default_factory=dict)
    lost: dict[PurePath, Refusal] = field(default_factory=dict)

    def entry(self, row: Row) -> Entry | None:
        """Return what a row says; None for one that cannot be used, which is listed."""
        place = self.table.place(row)
        try:
            return self._read(row, place=place)
        except Rejected as rejected:
            unpaired = rejected.code == "no_film"
            self.refusals.append(
                Refusal(
                    where=place,
                    code=rejected.code,
                    why=rejected.why,
                    kind="unpaired" if unpaired else "refused",
                    row=place,
                )
            )
            return None

    def _read(self, row: Row, *, place: str) -> Entry:
        if not row.complete:
            raise Rejected("wrong_field_count", f"the row has not {len(self.table.columns)} fields like the header")
        study_id = self._id(row, self.columns.study)
        patient_id = real_patient_id(self._id(row, self.columns.patient))
        headers = self._films(row, study_id=study_id)
        uid = study_id or headers[0].study_uid or self.folder.relative(headers[0])
        if any(self.study_of.setdefault(header.path, uid) != uid for header in headers):
            raise Rejected("film_taken", "an earlier row gives a film of this row to another study")
        report = self._report(row, study_uid=uid)
        self._note_dates(row, place=place)
        return Entry(
            place=place,
            study=self._study(row, uid=uid, headers=headers, report=report, patient_id=patient_id, place=place),
            report=report,
            patient_id=patient_id,
            day=parse_day(self._value(row, self.columns.study_date)),
            film_patient_ids=frozenset(header.patient_id for header in headers if header.patient_id),
            film_study_uids=frozenset(header.study_uid for header in headers if header.study_uid),
            film_numbers=frozenset(number for header in headers for number in header.numbers),
            status=parse_status(self._value(row, self.columns.status)),
            written=parse_moment(self._value(row, self.columns.report_time)),
        )

    def _study(
        self, row: Row, *, uid: str, headers: list[FilmHeader], report: Report, patient_id: str | None, place: str
    ) -> StudyFiles:
        """Put a row and its films together; where both say the same thing, the row's word counts."""
        film_patient = first_stated(sorted({header.patient_id for header in headers if header.patient_id}))
        age, sex = parse_age(self._value(row, self.columns.age)), parse_sex(self._value(row, self.columns.sex))
        day = parse_day(self._value(row, self.columns.study_date))
        return StudyFiles(
            study_uid=uid,
            films=tuple(header.path for header in headers),
            views=self._views(row, headers),
            report=report,
            patient_id=patient_id or film_patient,
            film_patient_id=film_patient,
            age_years=first_stated([age, *(header.age_years for header in headers)]),
            sex=first_stated([sex, *(header.sex for header in headers)]),
            row=place,
            study_day=first_stated([day, *(header.study_day for header in headers)]),
            declared_split=parse_split(self._value(row, self.columns.split)),
            people=people_of_films(headers),
        )

    def _note_dates(self, row: Row, *, place: str) -> None:
        """Note dates that are not understood: they neither part two studies nor tell the later of two reports."""
        for column in (self.columns.study_date, self.columns.report_time):
            text = self._value(row, column)
            if not says_nothing(text) and parse_moment(text) is None:
                why = f"the column {column!r} holds no date that is known; write it as 2024-03-01 08:30"
                self.refusals.append(Refusal(where=place, code="unknown_date", why=why, kind="note", row=place))

    def _films(self, row: Row, *, study_id: str | None) -> list[FilmHeader]:
        """Return the usable films that a row names, by path. Raises Rejected if there are none."""
        names = self._film_names(row)
        if names:
            found = [self._found(self.folder.named(name), name=name) for name in names]
        elif study_id is not None:
            found = [self._found(self._of_study(study_id), name=study_id)]
        else:
            raise Rejected("no_study_id", "the row names neither a study nor a film")
        by_path = {header.path: header for files in found for header in files.headers}
        for file in (file for files in found for file in files.refused):
            if not by_path or file.code not in _BESIDE_FILMS:
                self.lost[file.path] = file.refusal
        if not by_path:
            raise Rejected("film_refused", "every film of this row was refused; see there")
        headers = [by_path[path] for path in sorted(by_path)]
        if names:
            _check_own_study(headers, study_id=study_id)
        return headers

    def _of_study(self, study_id: str) -> Found:
        folder = self.folder
        by_place = folder.of_study(study_id) or folder.in_folder(study_id) or folder.named(study_id)
        return by_place or folder.numbered(study_id)

    def _film_names(self, row: Row) -> list[str]:
        self._check_no_loss(row, self.columns.film)
        parts = re.split("[;；]", self._value(row, self.columns.film))
        return [name for part in parts if (name := parse_id(part)) is not None]

    def _found(self, found: Found, *, name: str) -> Found:
        if found.is_ambiguous:
            raise Rejected(
                "ambiguous_film", "several films or folders have the name that the row gives; give the path below films"
            )
        if found:
            return found
        if self.folder.named_without_zeros(name):
            raise Rejected("lost_zeros", "leading zeros of the id were lost by a spreadsheet; export it as text")
        raise Rejected("no_film", "no film belongs to this row")

    def _report(self, row: Row, *, study_uid: str) -> Report:
        text, impression = report_cells(row, self.columns)
        report = sectioned_report(text, study_uid=study_uid, language=self.language, origin=self.origin)
        impression = plain_text(impression)
        if says_nothing(impression):
            return report
        signed = sectioned_report(impression, study_uid=study_uid, language=self.language, origin=self.origin)
        return replace(report, impression=signed.impression or signed.findings)

    def _views(self, row: Row, headers: list[FilmHeader]) -> tuple[View, ...]:
        """Return what each film says of its view; the row has a word where it is of one film that says nothing."""
        views = tuple(header.view for header in headers)
        word = parse_view(self._value(row, self.columns.view))
        return (word,) if views == ("unknown",) and word is not None else views

    def _id(self, row: Row, column: str | None) -> str | None:
        self._check_no_loss(row, column)
        return parse_id(self._value(row, column))

    def _check_no_loss(self, row: Row, column: str | None) -> None:
        """Refuse an id that is no longer what was typed, because a spreadsheet took it for a number or a date."""
        code = row.no_id.get(column) if column is not None else None
        if code == "lost_digits":
            raise Rejected(code, LOST_DIGITS)
        if code is not None:
            raise Rejected(code, "a spreadsheet took an id for a date or a number; export the column as text")

    def _value(self, row: Row, column: str | None) -> str:
        return row.values.get(column, "") if column is not None else ""


def _check_own_study(headers: Iterable[FilmHeader], *, study_id: str | None) -> None:
    """Refuse a row whose StudyInstanceUID is not that of the films it names; other study ids cannot be compared."""
    if study_id is None or not _UID.fullmatch(study_id):
        return
    if any(header.study_uid not in (None, study_id) for header in headers):
        why = "a film of this row has another StudyInstanceUID than the row; correct one, or leave the column out"
        raise Rejected("other_study", why)


def _other_studies_refused(entries: list[Entry], *, refusals: list[Refusal]) -> list[Entry]:
    """Leave out rows whose films carry another number of the study than the row (AccessionNumber, StudyID).

    A table may count its studies otherwise; a difference counts only where the table mostly uses the films' numbers.
    """
    known = [entry for entry in entries if entry.film_numbers and entry.study.study_uid not in entry.film_study_uids]
    wrong = {entry.place for entry in known if entry.study.study_uid not in entry.film_numbers}
    if not wrong or len(wrong) > len(known) / 2:
        return entries
    why = "the films carry another number of the study (AccessionNumber, StudyID) than the row"
    refusals.extend(Refusal(where=place, code="other_study", why=why, row=place) for place in sorted(wrong))
    return [entry for entry in entries if entry.place not in wrong]


def _other_patients_refused(studies: list[StudyFiles], *, refusals: list[Refusal]) -> list[StudyFiles]:
    """Leave out reports of another patient than the films'.

    The two ids may follow different numberings; a difference counts only where the table mostly uses the films' ids.
    """
    known = [study for study in studies if study.patient_id and study.film_patient_id]
    wrong = [study for study in known if study.patient_id != study.film_patient_id]
    if not wrong or len(wrong) > len(known) / 2:
        return studies
    why = "the films carry another patient id than the report"
    refusals.extend(Refusal(where=study.study_uid, code="other_patient", why=why, row=study.row) for study in wrong)
    left_out = {study.study_uid for study in wrong}
    return [study for study in studies if study.study_uid not in left_out]


def _films_without_report(folder: FilmsFolder, *, studies: list[StudyFiles], named: Collection[Path]) -> list[Refusal]:
    used = Counter(film for study in studies for film in study.films)
    return [
        Refusal(
            where=folder.relative(header),
            code="no_report",
            why="no usable report belongs to this film",
            kind="unpaired",
        )
        for header in folder.headers
        if header.path not in used and header.path not in named
    ]
