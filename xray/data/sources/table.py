"""A folder of films with a table of reports: what a hospital can export."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from xray.data.films import FilmHeader
from xray.data.patient_ids import real_patient_id
from xray.data.sources.columns import TableColumns, resolve_columns
from xray.data.sources.film_scan import scan_films
from xray.data.sources.films_folder import FilmsFolder, Found
from xray.data.sources.rows import Row, Table, read_rows
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles, first_stated
from xray.data.sources.values import check_report_text, parse_age, parse_id, parse_sex, parse_view, sectioned_report
from xray.errors import DataError, Rejected
from xray.types import Origin, Report, View

_USUAL_COLUMNS = TableColumns()
_UID = re.compile(r"[0-2](\.[0-9]+){2,}")
# What lies beside the films of a healthy export: a study that has a film loses nothing by them.
_BESIDE_FILMS = {"duplicate_film", "for_processing", "linked_folder", "no_pixels", "not_a_film", "not_chest_film"}
_BESIDE_FILMS |= {"packed_file", "unsupported_picture"}


def read_table(
    films: Path,
    reports: Path,
    *,
    columns: TableColumns = _USUAL_COLUMNS,
    language: str = "zh",
    origin: Origin = "radiologist",
) -> SourceData:
    """Pair the films below `films` with the rows of `reports` (`.csv` or `.jsonl`, in any usual encoding).

    A row names its study by StudyInstanceUID, or its film or films by path or name, or the folder that holds them.
    Several rows with one study id are one study: their films are joined, and the first report counts; if rows or films
    name different patients, all of them are refused. A word that may mean one film or another is refused, and so is a
    row with another StudyInstanceUID than its films. Films without report and rows without film are listed, as is every
    row and film that cannot be used. Raises DataError for what is missing: folder, file, columns or rows.
    """
    table = read_rows(reports)
    names = resolve_columns(columns, present=table.columns, table=table.name)
    if not table.rows:
        raise DataError(f"{reports} has a header and no rows. Export the reports again.")
    reader = _Reader(table=table, columns=names, folder=scan_films(films), language=language, origin=origin)
    entries = [entry for row in table.rows if (entry := reader.entry(row)) is not None]
    studies = _other_patients_refused(reader.joined(entries), refusals=reader.refusals)
    reader.refusals.extend(_films_without_report(reader.folder, studies=studies, named=reader.study_of))
    return SourceData(
        name="table",
        root=films,
        studies=tuple(studies),
        refusals=(*reader.folder.refusals, *reader.refusals),
        lost_films=tuple(reader.lost.values()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A row that names films and holds a usable report; `patient_id` is the row's own word, the others the films'."""

    place: str
    study: StudyFiles
    patient_id: str | None = field(repr=False)
    film_patient_ids: frozenset[str] = field(repr=False)


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

    def entry(self, row: Row) -> _Entry | None:
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

    def joined(self, entries: Iterable[_Entry]) -> list[StudyFiles]:
        """One study per id, in the order of its first row; none for an id that is given to different patients."""
        rows: dict[str, list[_Entry]] = defaultdict(list)
        for entry in entries:
            rows[entry.study.study_uid].append(entry)
        return [study for same in rows.values() if (study := self._one_study(same)) is not None]

    def _one_study(self, rows: list[_Entry]) -> StudyFiles | None:
        if _is_of_several_patients(rows):
            why = "rows or their films give one study to different patients; none of these rows is used"
            self.refusals.extend(
                Refusal(where=row.place, code="several_patients", why=why, row=row.place) for row in rows
            )
            return None
        study = rows[0].study
        for later in rows[1:]:
            study = self._merged(study, later)
        stated = (row.patient_id for row in rows if row.patient_id)
        return replace(study, patient_id=next(stated, study.patient_id))

    def _read(self, row: Row, *, place: str) -> _Entry:
        if not row.complete:
            raise Rejected("wrong_field_count", f"the row has not {len(self.table.columns)} fields like the header")
        study_id = parse_id(self._value(row, self.columns.study))
        patient_id = real_patient_id(parse_id(self._value(row, self.columns.patient)))
        headers = self._films(row, study_id=study_id)
        film_patients = sorted({header.patient_id for header in headers if header.patient_id})
        uid = study_id or headers[0].study_uid or self.folder.relative(headers[0])
        if any(self.study_of.setdefault(header.path, uid) != uid for header in headers):
            raise Rejected("film_taken", "an earlier row gives a film of this row to another study")
        age, sex = parse_age(self._value(row, self.columns.age)), parse_sex(self._value(row, self.columns.sex))
        study = StudyFiles(
            study_uid=uid,
            films=tuple(header.path for header in headers),
            views=self._views(row, headers),
            report=self._report(row, study_uid=uid),
            patient_id=patient_id or first_stated(film_patients),
            film_patient_id=first_stated(film_patients),
            age_years=age if age is not None else first_stated(header.age_years for header in headers),
            sex=sex or first_stated(header.sex for header in headers),
            row=place,
        )
        return _Entry(place=place, study=study, patient_id=patient_id, film_patient_ids=frozenset(film_patients))

    def _films(self, row: Row, *, study_id: str | None) -> list[FilmHeader]:
        """Return the usable films that a row names, by path. Raises Rejected if there are none."""
        parts = self._value(row, self.columns.film).split(";")
        names = [name for part in parts if (name := parse_id(part)) is not None]
        if names:
            found = [self._found(self.folder.named(name), name=name) for name in names]
        elif study_id is not None:
            folder = self.folder
            files = folder.of_study(study_id) or folder.in_folder(study_id) or folder.named(study_id)
            found = [self._found(files, name=study_id)]
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
        whole = self._value(row, self.columns.report)
        if self.columns.findings is None or whole.strip():
            return sectioned_report(whole, study_uid=study_uid, language=self.language, origin=self.origin)
        report = sectioned_report(
            self._value(row, self.columns.findings), study_uid=study_uid, language=self.language, origin=self.origin
        )
        impression = self._value(row, self.columns.impression)
        if not impression.strip():
            return report
        check_report_text(impression)
        signed = sectioned_report(impression, study_uid=study_uid, language=self.language, origin=self.origin)
        return replace(report, impression=signed.impression or signed.findings)

    def _views(self, row: Row, headers: list[FilmHeader]) -> tuple[View, ...]:
        """Return what each film says of its view; the row has a word where it is of one film that says nothing."""
        views = tuple(header.view for header in headers)
        word = parse_view(self._value(row, self.columns.view))
        return (word,) if views == ("unknown",) and word is not None else views

    def _merged(self, first: StudyFiles, later: _Entry) -> StudyFiles:
        """Two rows of one study: one row a film, or one report twice, or two reports (preliminary and final)."""
        new = [index for index, film in enumerate(later.study.films) if film not in first.films]
        code, why = "", ""
        if later.study.report.text != first.report.text:
            code, why = "several_reports", "the study has another report in an earlier row, which was kept"
        elif not new:
            code, why = "duplicate_row", "an earlier row says the same"
        if code:
            self.refusals.append(Refusal(where=later.place, code=code, why=why, kind="note", row=later.place))
        return replace(
            first,
            patient_id=first.patient_id or later.study.patient_id,
            films=(*first.films, *(later.study.films[index] for index in new)),
            views=(*first.views, *(later.study.views[index] for index in new)),
            film_patient_id=first.film_patient_id or later.study.film_patient_id,
        )

    def _value(self, row: Row, column: str | None) -> str:
        return row.values.get(column, "") if column is not None else ""


def _is_of_several_patients(rows: list[_Entry]) -> bool:
    """Whether rows of one study id, or the films of these rows, name different patients."""
    stated = {row.patient_id for row in rows if row.patient_id}
    of_films = frozenset[str]().union(*(row.film_patient_ids for row in rows))
    return len(stated) > 1 or len(of_films) > 1


def _check_own_study(headers: Iterable[FilmHeader], *, study_id: str | None) -> None:
    """Refuse a row whose StudyInstanceUID is not that of the films it names; other study ids cannot be compared."""
    if study_id is None or not _UID.fullmatch(study_id):
        return
    if any(header.study_uid not in (None, study_id) for header in headers):
        why = "a film of this row has another StudyInstanceUID than the row; correct one, or leave the column out"
        raise Rejected("other_study", why)


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
