"""OpenI, the Indiana University chest X-ray collection: one XML per study, films called by their `parentImage` id.

Image id `<n>_<k>` is the k-th `parentImage` of `<n>.xml` (from 1), and `CXR<n>_IM-....` the name of its film. There is
one report per study. Demner-Fushman et al., JAMIA 23(2), 2016.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.sources.captions import Caption, one_per_study, read_captions
from xray.data.sources.film_scan import Scan, scan_films
from xray.data.sources.films_folder import FilmsFolder
from xray.data.sources.numbered_films import Listing, lost_films, numbered_studies, pair_films, read_views, unpaired
from xray.data.sources.openi_xml import OpeniReport, read_openi_xml
from xray.data.sources.study_files import Refusal, SourceData
from xray.data.sources.values import check_report_text, sectioned_report
from xray.errors import ConfigError, Rejected
from xray.types import Report, View


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeniImage:
    """One film of a study: its image id `<n>_<k>`, the name of its film without ending, and its own caption."""

    image_id: str
    film: str
    caption: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeniStudy:
    """One study: its XML, its films in the order of the XML, and the caption that is kept for it, if there is one."""

    study: str
    report: OpeniReport
    images: tuple[OpeniImage, ...]
    caption: Caption | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeniJoin:
    """XML files and captions put together, without any film.

    `unresolved` are the image ids of captions that no XML has. `refusals` holds them, XML files that cannot be read,
    and a note for each differing caption of a study.
    """

    studies: tuple[OpeniStudy, ...]
    unresolved: tuple[str, ...]
    refusals: tuple[Refusal, ...]


def join_openi(xmls: Path, captions: Path | None = None) -> OpeniJoin:
    """Join the XML reports (a folder, or a `.tgz` of them) with the captions of their images (XrayGLM's JSON).

    A study with differing captions keeps that of its lowest image number. Raises DataError for a file that is missing,
    broken or of another kind.
    """
    refusals: list[Refusal] = []
    reports = read_openi_xml(xmls, refusals=refusals)
    found = read_captions(captions, refusals=refusals) if captions is not None else {}
    kept = one_per_study(found, studies=reports, refusals=refusals)
    studies = tuple(
        OpeniStudy(study=study, report=report, images=tuple(_images(report, captions=found)), caption=kept.get(study))
        for study, report in sorted(reports.items())
    )
    known = {image.image_id for study in studies for image in study.images}
    unresolved = tuple(image_id for image_id in found if image_id not in known)
    why = "no XML report has this image"
    refusals += [
        Refusal(where=image_id, code="no_report", why=why, kind="unpaired", row=found[image_id].row)
        for image_id in unresolved
    ]
    return OpeniJoin(studies=studies, unresolved=unresolved, refusals=tuple(refusals))


def read_openi(
    films: Path,
    xmls: Path,
    *,
    captions: Path | None = None,
    index: Path | None = None,
    language: str | None = None,
    scan: Scan = scan_films,
) -> SourceData:
    """Pair the films with the English reports of the XML files, or with translated `captions` where these are given.

    Films are called like their `parentImage` (`CXR1_IM-0001-3001.png`), with or without `CXR`, as in every release of
    the collection, or by image id (`1_1.png`). `index` is a CSV with the columns `filename` and `projection`, for the
    views of films that are no DICOM. `language` is that of the captions, `zh` unless stated; the XML files are `en`.
    Image ids without film (`no_film`) and films without text (`no_report`) are listed. Films are found by `scan`.
    Raises DataError as `join_openi` does, and ConfigError for another language.
    """
    if captions is None and language not in (None, "en"):
        raise ConfigError(
            f"OpenI's own reports are English, not {language!r}: set the language to en, or give captions."
        )
    join = join_openi(xmls, captions)
    folder = scan(films)
    views = read_views(index) if index is not None else {}
    by_name = {study.study: study for study in join.studies}
    rows = {study.study: _place(study) for study in join.studies if _has_text(study, translated=captions is not None)}
    pairing = pair_films(folder, _listings(join, folder=folder, views=views))
    refusals = [*folder.refusals, *join.refusals]
    image_rows = {
        image.image_id: rows[study.study] for study in join.studies if study.study in rows for image in study.images
    }
    refusals += unpaired(image_rows, pairing=pairing, folder=folder)

    def report_of(study: str) -> Report:
        return _report(by_name[study], language=language or ("zh" if captions is not None else "en"))

    studies = numbered_studies(pairing, rows=rows, report_of=report_of, folder=folder, refusals=refusals)
    lost = lost_films(pairing, with_text=image_rows)
    return SourceData(
        name="openi",
        root=films,
        studies=studies,
        refusals=tuple(refusals),
        lost_films=lost,
        unpacked=folder.unpacked,
    )


def _images(report: OpeniReport, *, captions: Mapping[str, Caption]) -> "list[OpeniImage]":
    numbered = ((f"{report.study}_{number}", film) for number, film in enumerate(report.films, start=1))
    return [
        OpeniImage(image_id=image_id, film=film, caption=captions[image_id].text if image_id in captions else None)
        for image_id, film in numbered
    ]


def _has_text(study: OpeniStudy, *, translated: bool) -> bool:
    return study.caption is not None if translated else bool(study.report.findings or study.report.impression)


def _place(study: OpeniStudy) -> str:
    return study.caption.row if study.caption is not None else study.report.row


def _report(study: OpeniStudy, *, language: str) -> Report:
    """Return the caption as report, or else that of the XML. Raises Rejected."""
    if study.caption is not None:
        return sectioned_report(
            study.caption.text, study_uid=study.study, language=language, origin="machine_translation"
        )
    own = study.report
    findings, impression = (own.findings, own.impression) if own.findings else (own.impression, None)
    if not findings:
        raise Rejected("empty_report", "the report has neither findings nor an impression")
    check_report_text(findings)
    return Report(
        study_uid=study.study,
        language=language,
        findings=findings,
        impression=impression,
        indication=own.indication,
        comparison=own.comparison,
    )


def _listings(join: OpeniJoin, *, folder: FilmsFolder, views: Mapping[str, View]) -> list[Listing]:
    """Name the film of each image as the folder calls it."""
    by_film = {_bare(name): view for name, view in views.items()}
    return [
        Listing(
            name=_name_in(folder, film=image.film, image_id=image.image_id),
            image_id=image.image_id,
            view=by_film.get(_bare(image.film)),
        )
        for study in join.studies
        for image in study.images
    ]


def _name_in(folder: FilmsFolder, *, film: str, image_id: str) -> str:
    """`CXR1_IM-0001-3001` is `1_IM-0001-3001.dcm` in the DICOM release and `1_IM-0001-3001.dcm.png` in another."""
    short = film.removeprefix("CXR")
    spellings: Collection[str] = (film, short, f"{film}.dcm", f"{short}.dcm", image_id)
    return next((name for name in spellings if folder.named(name)), film)


def _bare(name: str) -> str:
    stem = name.rsplit("/", 1)[-1]
    for ending in (".png", ".jpg", ".jpeg", ".dcm"):
        stem = stem.removesuffix(ending)
    return stem.removeprefix("CXR")
