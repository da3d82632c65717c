"""The reports of released films: ids are the pseudonyms of the films, and the text names nobody."""

import csv
import io
from pathlib import Path

from xray.data.film_header import FilmHeader, read_header
from xray.data.pseudonym import Pseudonyms
from xray.data.release import is_complete, released_path
from xray.data.sources.study_files import SourceData, StudyFiles
from xray.dicom.people import people_of
from xray.dicom.read import read_tags
from xray.errors import Rejected
from xray.records import write_atomically
from xray.text.identifiers import remove_identifiers

REPORTS_FILE = "reports.csv"
_COLUMNS = ("study_uid", "patient_id", "age", "sex", "findings", "impression", "indication", "comparison")
_OLDEST_YEARS = 90.0  # beyond this an age can name a person (45 CFR 164.514(b)(2))


def release_reports(data: SourceData, out: Path, *, names: Pseudonyms) -> int:
    """Write the reports of the films that lie released in `out` to `out`/reports.csv; return how many there are.

    `study_uid` is the one in the released films, so that `xray prepare OUT OUT/reports.csv` joins them again. The text
    loses the names that the headers of the study's films hold, and all that `remove_identifiers` finds.
    """
    rows = [row for study in data.studies if (row := _row(study, out=out, names=names)) is not None]
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows(rows)
    write_atomically(out / REPORTS_FILE, stream.getvalue())
    return len(rows)


def _row(study: StudyFiles, *, out: Path, names: Pseudonyms) -> tuple[str, ...] | None:
    headers = [read_header(path) for path in study.films]
    released = [header for header in headers if is_complete(released_path(header, out=out, names=names))]
    if not released or study.report is None:
        return None
    header, report = released[0], study.report
    known = _known(study, headers=headers)
    texts = (report.findings, report.impression, report.indication, report.comparison)
    day = study.study_day if study.study_day is not None else header.study_day
    age = "" if study.age_years is None else f"{min(study.age_years, _OLDEST_YEARS):g}"
    folder = released_path(header, out=out, names=names)
    assert folder is not None
    assert header.study_uid is not None
    return (
        names.uid(header.study_uid),
        folder.parts[-3],
        age,
        study.sex or "",
        *(remove_identifiers(text, known=known, study_day=day).text if text else "" for text in texts),
    )


def _known(study: StudyFiles, *, headers: list[FilmHeader]) -> set[str]:
    """Return the names and numbers that the headers and the table of a study hold."""
    known = {one for one in (study.patient_id, study.film_patient_id, study.study_uid) if one and len(one) > 4}
    for header in headers:
        if header.is_dicom:
            try:
                known.update(people_of(read_tags(header.path)))
            except Rejected:
                continue
    return known
