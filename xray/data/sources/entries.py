"""Rows of a table that belong to one study: joined, with the report that has the last word."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from xray.data.sources.study_files import Kind, Refusal, StudyFiles, first_stated
from xray.types import Report, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row that names films and holds a usable report.

    `patient_id` and `day` (of the study, `date.toordinal`) are the row's own words; `film_patient_ids`,
    `film_study_uids` and `film_numbers` (`FilmHeader.numbers`) the films'. `status` is that of `parse_status`,
    `written` when the report was written. `study.report` is `report`.
    """

    place: str
    study: StudyFiles
    report: Report = field(repr=False)
    patient_id: str | None = field(repr=False)
    film_patient_ids: frozenset[str] = field(repr=False)
    film_study_uids: frozenset[str] = field(default=frozenset(), repr=False)
    film_numbers: frozenset[str] = field(default=frozenset(), repr=False)
    day: int | None = field(default=None, repr=False)
    status: int = 1
    written: datetime | None = None


def join_entries(entries: Iterable[Entry], *, refusals: list[Refusal]) -> list[StudyFiles]:
    """Make one study of the rows of each id, in the order of its first row.

    Films are joined. Of differing reports the most final counts (corrected, final, unstated, preliminary), among those
    the latest, where each has a time, and else that of the first row; every other one is noted. Rows of one id that
    name different patients, studies, days or splits are all refused: the id may be that of a patient. `refusals` gets
    what was left out.
    """
    rows: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        rows[entry.study.study_uid].append(entry)
    return [study for same in rows.values() if (study := _one_study(same, refusals=refusals)) is not None]


def _one_study(rows: list[Entry], *, refusals: list[Refusal]) -> StudyFiles | None:
    code, why = "", ""
    if _is_of_several_patients(rows):
        code, why = "several_patients", "rows or their films give one study to different patients"
    elif len(frozenset[str]().union(*(row.film_study_uids for row in rows))) > 1:
        code, why = "several_studies", "films of several studies (StudyInstanceUID) are given one study id"
    elif len({row.day for row in rows} - {None}) > 1:
        code, why = "several_days", "rows of one study id are of different days; name the column of the study's own id"
    elif len({row.study.declared_split for row in rows} - {None}) > 1:
        code, why = "several_splits", "rows put one study into different splits"
    if code:
        refusals.extend(_about(row, code=code, why=f"{why}; none of these rows is used") for row in rows)
        return None
    last_word = _last_word(rows)
    refusals.extend(_notes(rows, last_word=last_word))
    views: dict[Path, View] = {}
    for row in rows:
        for film, view in zip(row.study.films, row.study.views, strict=True):
            views.setdefault(film, view)
    studies = [row.study for row in rows]
    return replace(
        rows[0].study,
        films=tuple(views),
        views=tuple(views.values()),
        report=last_word.report,
        row=last_word.place,
        patient_id=first_stated([*(row.patient_id for row in rows), *(study.patient_id for study in studies)]),
        film_patient_id=first_stated(study.film_patient_id for study in studies),
        age_years=first_stated(study.age_years for study in studies),
        sex=first_stated(study.sex for study in studies),
        study_day=first_stated(study.study_day for study in studies),
        declared_split=first_stated(study.declared_split for study in studies),
        people=tuple(sorted({person for study in studies for person in study.people})),
    )


def _last_word(rows: list[Entry]) -> Entry:
    status = max(row.status for row in rows)
    most_final = [row for row in rows if row.status == status]
    if all(row.written is not None for row in most_final):
        return max(most_final, key=lambda row: row.written or datetime.min)  # the first of several equal ones
    return most_final[0]


def _notes(rows: list[Entry], *, last_word: Entry) -> Iterable[Refusal]:
    """Yield a note for each row whose report is not used, and one where nobody has checked the one that is."""
    films = set(last_word.study.films)
    for row in rows:
        if row is not last_word and row.report.text != last_word.report.text:
            why = f"the study has another report in {last_word.place}, which was kept"
            yield _about(row, code="several_reports", why=why, is_note=True)
        elif row is not last_word and films.issuperset(row.study.films):
            yield _about(row, code="duplicate_row", why=f"{last_word.place} says the same", is_note=True)
        films.update(row.study.films)
    if last_word.status == 0:
        yield _about(
            last_word, code="preliminary_report", why="used, but no final report of the study is here", is_note=True
        )


def _about(row: Entry, *, code: str, why: str, is_note: bool = False) -> Refusal:
    kind: Kind = "note" if is_note else "refused"
    return Refusal(where=row.place, code=code, why=why, kind=kind, row=row.place)


def _is_of_several_patients(rows: list[Entry]) -> bool:
    """Whether rows of one study id, or the films of these rows, name different patients."""
    stated = {row.patient_id for row in rows if row.patient_id}
    of_films = frozenset[str]().union(*(row.film_patient_ids for row in rows))
    return len(stated) > 1 or len(of_films) > 1
