"""A study made of the headers of its films: what every source does once it knows which films belong together."""

from collections.abc import Iterable, Sequence

from xray.data.film_header import FilmHeader
from xray.data.sources.study_files import StudyFiles, first_stated
from xray.errors import Rejected
from xray.types import Report, Split, Turn, View


def film_study(
    headers: Sequence[FilmHeader],
    *,
    study_uid: str,
    report: Report | None,
    views: Sequence[View] | None = None,
    patient_id: str | None = None,
    row: str | None = None,
    study_day: int | None = None,
    declared_split: Split | None = None,
    conversations: tuple[tuple[Turn, ...], ...] = (),
) -> StudyFiles:
    """Return one study of films of one patient; what the source itself does not say is taken from the headers.

    Raises Rejected("several_patients") if the films carry different patient ids.
    """
    patients = sorted({header.patient_id for header in headers if header.patient_id})
    if len(patients) > 1:
        raise Rejected("several_patients", "the films of this study carry different patient ids; none is used")
    film_patient = first_stated(patients)
    return StudyFiles(
        study_uid=study_uid,
        films=tuple(header.path for header in headers),
        views=tuple(views) if views is not None else tuple(header.view for header in headers),
        report=report,
        patient_id=patient_id or film_patient,
        film_patient_id=film_patient,
        age_years=first_stated(header.age_years for header in headers),
        sex=first_stated(header.sex for header in headers),
        row=row,
        study_day=study_day if study_day is not None else first_stated(header.study_day for header in headers),
        people=people_of_films(headers),
        declared_split=declared_split,
        conversations=conversations,
    )


def people_of_films(headers: Iterable[FilmHeader]) -> tuple[str, ...]:
    """Return the names in the headers of several films, each once."""
    return tuple(sorted({person for header in headers for person in header.people}))
