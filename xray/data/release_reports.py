"""The reports of released films: ids are the pseudonyms of the films, and the text names nobody."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from xray.data.film_header import FilmHeader, read_header
from xray.data.pseudonym import Pseudonyms
from xray.data.release import is_complete, released_path
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles
from xray.data.study_texts import clean_report, without_people
from xray.errors import Rejected
from xray.records import write_atomically

REPORTS_FILE = "reports.csv"
_COLUMNS = ("study_uid", "patient_id", "age", "sex", "findings", "impression", "indication", "comparison")
_OLDEST_YEARS = 90.0  # beyond this an age can name a person (45 CFR 164.514(b)(2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedReports:
    """What the reports of a release came to. `refusals` are rows and films that could not be used."""

    written: int
    refusals: tuple[Refusal, ...]


def release_reports(data: SourceData, out: Path, *, names: Pseudonyms) -> ReleasedReports:
    """Write the reports of the films that lie released in `out` to `out`/reports.csv.

    `study_uid` is the one in the released films, so that `xray prepare OUT OUT/reports.csv` joins them again. The text
    loses the names that the headers of the study's films hold, and all that `remove_identifiers` finds. A report that
    still holds an id of its study (`id_in_report`), or nothing (`empty_report`), is refused.
    """
    rows: list[tuple[str, ...]] = []
    refusals = [refusal for refusal in data.refusals if refusal.row is not None and refusal.kind != "note"]
    for study in data.studies:
        header = _released(study, out=out, names=names, data=data, refusals=refusals)
        try:
            if header is not None and study.report is not None:
                rows.append(_row(study, header=header, out=out, names=names))
        except Rejected as rejected:
            refusals.append(Refusal(where=study.study_uid, code=rejected.code, why=rejected.why, row=study.row))
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows(rows)
    write_atomically(out / REPORTS_FILE, stream.getvalue())
    return ReleasedReports(written=len(rows), refusals=tuple(refusals))


def _released(
    study: StudyFiles, *, out: Path, names: Pseudonyms, data: SourceData, refusals: list[Refusal]
) -> FilmHeader | None:
    """Return the first film of a study that lies released in `out`. Films that cannot be read any more are listed."""
    for path in study.films:
        try:
            header = read_header(path)
        except Rejected as rejected:
            refusals.append(Refusal(where=data.place(path), code=rejected.code, why=rejected.why))
            continue
        if is_complete(released_path(header, out=out, names=names)):
            return header
    return None


def _row(study: StudyFiles, *, header: FilmHeader, out: Path, names: Pseudonyms) -> tuple[str, ...]:
    """Return the cleaned report of a study and its film's pseudonyms. Raises Rejected, see `clean_report`."""
    folder = released_path(header, out=out, names=names)
    assert folder is not None
    assert header.study_uid is not None
    assert study.report is not None
    report = clean_report(study.report, clean=lambda text, part: without_people(text, files=study).text)
    age = "" if study.age_years is None else f"{min(study.age_years, _OLDEST_YEARS):g}"
    texts = (report.findings, report.impression, report.indication, report.comparison)
    return names.uid(header.study_uid), folder.parts[-3], age, study.sex or "", *(text or "" for text in texts)
