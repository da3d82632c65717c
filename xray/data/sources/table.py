"""A folder of films with a table of reports: what a hospital can export."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from xray.data.films import FilmHeader
from xray.data.patient_ids import real_patient_id
from xray.data.sources.columns import TableColumns, resolve_columns
from xray.data.sources.films_folder import FilmsFolder, reading_order, scan_films
from xray.data.sources.rows import Row, Table, read_rows
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles
from xray.data.sources.values import check_report_text, parse_age, parse_id, parse_sex, parse_view, sectioned_report
from xray.errors import Rejected
from xray.types import Origin, Report, View

_USUAL_COLUMNS = TableColumns()


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
    Several rows with one study id are one study: their films are joined, and the first report counts; if they name
    different patients, all of them are refused. Films without report and rows without film are listed, as is every row
    and film that cannot be used. Raises DataError for a missing folder or file, or a table without its columns.
    """
    table = read_rows(reports)
    names = resolve_columns(columns, present=table.columns, table=table.name)
    reader = _Reader(table=table, columns=names, folder=scan_films(films), language=language, origin=origin)
    entries = [entry for row in table.rows if (entry := reader.entry(row)) is not None]
    studies = _other_patients_refused(reader.joined(entries), refusals=reader.refusals)
    reader.refusals.extend(_films_without_report(reader.folder, studies=studies, named=reader.study_of))
    refusals = (*reader.folder.refusals, *reader.refusals)
    return SourceData(name="table", root=films, studies=tuple(studies), refusals=refusals)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A row that names films and holds a usable report; `patient_id` is the row's own word."""

    place: str
    study: StudyFiles
    patient_id: str | None = field(repr=False)


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Turns rows into studies and keeps what it refused."""

    table: Table
    columns: TableColumns
    folder: FilmsFolder
    language: str
    origin: Origin
    refusals: list[Refusal] = field(default_factory=list)
    study_of: dict[Path, str] = field(default_factory=dict)

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
        """One study per id, in the order of its first row; none for an id that rows give to different patients."""
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
        own_ids = tuple(sorted({header.patient_id for header in headers if header.patient_id}))
        uid = study_id or headers[0].study_uid or self.folder.relative(headers[0])
        if any(self.study_of.setdefault(header.path, uid) != uid for header in headers):
            raise Rejected("film_taken", "an earlier row gives a film of this row to another study")
        age, sex = parse_age(self._value(row, self.columns.age)), parse_sex(self._value(row, self.columns.sex))
        study = StudyFiles(
            study_uid=uid,
            films=tuple(header.path for header in headers),
            views=(self._view(row, headers),) if len(headers) == 1 else (None,) * len(headers),
            report=self._report(row, study_uid=uid),
            patient_id=patient_id or (own_ids[0] if own_ids else None),
            other_patient_ids=own_ids,
            age_years=age if age is not None else headers[0].age_years,
            sex=sex or headers[0].sex,
        )
        return _Entry(place=place, study=study, patient_id=patient_id)

    def _films(self, row: Row, *, study_id: str | None) -> tuple[FilmHeader, ...]:
        parts = self._value(row, self.columns.film).split(";")
        names = [name for part in parts if (name := parse_id(part)) is not None]
        if names:
            return tuple(sorted((self._one(name) for name in names), key=reading_order))
        if study_id is None:
            raise Rejected("no_study_id", "the row names neither a study nor a film")
        headers = self.folder.of_study(study_id) or self.folder.in_folder(study_id)
        return headers or (self._one(study_id),)

    def _one(self, name: str) -> FilmHeader:
        found = self.folder.named(name)
        if len(found) == 1:
            return found[0]
        if found:
            raise Rejected("ambiguous_film", f"{len(found)} films have the name that the row gives; give the path")
        if self.folder.was_refused(name):
            raise Rejected("film_refused", "the film of this row was refused; see there")
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

    def _view(self, row: Row, headers: tuple[FilmHeader, ...]) -> View | None:
        return parse_view(self._value(row, self.columns.view)) if headers[0].view == "unknown" else None

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
            other_patient_ids=tuple(sorted({*first.other_patient_ids, *later.study.other_patient_ids})),
        )

    def _value(self, row: Row, column: str | None) -> str:
        return row.values.get(column, "") if column is not None else ""


def _is_of_several_patients(rows: list[_Entry]) -> bool:
    """Whether rows of one study id name different patients, or have films that no patient id joins."""
    stated = {row.patient_id for row in rows if row.patient_id}
    by_film = [set(row.study.other_patient_ids) for row in rows if row.study.other_patient_ids]
    return len(stated) > 1 or bool(by_film and not set.intersection(*by_film))


def _other_patients_refused(studies: list[StudyFiles], *, refusals: list[Refusal]) -> list[StudyFiles]:
    """Leave out reports of another patient than the films'.

    The two ids may follow different numberings; a difference counts only where the table mostly uses the films' ids.
    """
    known = [study for study in studies if study.patient_id and study.other_patient_ids]
    wrong = {study.study_uid for study in known if study.patient_id not in study.other_patient_ids}
    if not wrong or len(wrong) > len(known) / 2:
        return studies
    refusals.extend(
        Refusal(where=uid, code="other_patient", why="the films carry another patient id than the report")
        for uid in sorted(wrong)
    )
    return [study for study in studies if study.study_uid not in wrong]


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
