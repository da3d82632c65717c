"""The XrayGLM format: `{"annotations": [{"image_id": "<study>_<k>", "caption": ...}]}`, films named by image id."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from xray.data.file_names import printable
from xray.data.films import FilmHeader
from xray.data.sources.film_scan import scan_films
from xray.data.sources.films_folder import FilmsFolder
from xray.data.sources.rows import decode_text
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles, first_stated
from xray.data.sources.values import sectioned_report
from xray.data.sources.xrayglm_images import Pairing, StudyImage, own_names, pair_films, read_index, split_id
from xray.errors import DataError, Rejected
from xray.types import Origin


class _Annotation(BaseModel):
    """One entry of the file; other keys than these two are other people's notes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    image_id: str
    caption: str


class _Annotations(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    annotations: list[_Annotation]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caption:
    """The caption of one image id, with its place in the file."""

    study: str
    number: int
    text: str
    row: str


def read_xrayglm(
    annotations: Path,
    films: Path,
    *,
    index: Path | None = None,
    language: str = "zh",
    origin: Origin = "machine_translation",
) -> SourceData:
    """Pair the captions with films called `<study>_<k>.png`, `.jpg` or `.dcm`; one study is one `<study>`.

    `index` is a CSV for films with other names: columns `file` and `image_id` (or `openi_id`), and optionally
    `projection` or `view`. Films are ordered frontal first, then by `<k>`. A study has one report, the caption of its
    first image id; differing ones are noted as `several_reports`. Captions without film (`no_film`) and films without
    caption (`no_report`) are listed. Raises DataError if a file is missing or not in this format.
    """
    folder = scan_films(films)
    refusals = list(folder.refusals)
    captions = _read_annotations(annotations, refusals=refusals)
    pairing = pair_films(folder, own_names(folder) if index is None else read_index(index, refusals=refusals))
    refusals += _unpaired(captions, pairing=pairing, folder=folder)
    reports = _reports({image.study for image in pairing.images.values()}, captions=captions, refusals=refusals)
    by_study: dict[str, list[StudyImage]] = defaultdict(list)
    for image in pairing.images.values():
        if image.study in reports:
            by_study[image.study].append(image)
        else:
            refusals.append(_no_report(folder, image.header))
    studies: list[StudyFiles] = []
    for study, images_of in sorted(by_study.items()):
        try:
            studies.append(_study(images_of, caption=reports[study], language=language, origin=origin))
        except Rejected as rejected:
            row = reports[study].row
            refusals.append(Refusal(where=study, code=rejected.code, why=rejected.why, row=row))
    lost = {file.path: file.refusal for id_, files in pairing.refused.items() if id_ in captions for file in files}
    return SourceData(
        name="xrayglm",
        root=films,
        studies=tuple(studies),
        refusals=tuple(refusals),
        lost_films=tuple(lost.values()),
    )


def _read_annotations(path: Path, *, refusals: list[Refusal]) -> dict[str, _Caption]:
    """Captions by image id, in file order; the first of one image id counts."""
    try:
        text, _ = decode_text(path.read_bytes(), where=path.name)
        entries = _Annotations.model_validate_json(text).annotations
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or 'cannot be read'}. Check the path of the annotations.") from None
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise DataError(
            f'{path.name}: {place}: {problem["msg"]}. Expected {{"annotations": [{{"image_id", "caption"}}]}}.'
        ) from None
    captions: dict[str, _Caption] = {}
    for position, entry in enumerate(entries, start=1):
        study, number = split_id(entry.image_id)
        row = f"{printable(path.name)}, annotation {position}"
        caption = _Caption(study=study, number=number, text=entry.caption, row=row)
        if captions.setdefault(entry.image_id.strip(), caption) is not caption:
            why = "an earlier annotation has the same image id and was kept"
            refusals.append(Refusal(where=study, code="duplicate_row", why=why, kind="note", row=row))
    return captions


def _unpaired(captions: dict[str, _Caption], *, pairing: Pairing, folder: FilmsFolder) -> Iterator[Refusal]:
    """Yield what has no partner, or no certain one."""
    for image_id, caption in captions.items():
        if image_id in pairing.ambiguous:
            why = "several films may be meant by this image id, or its film has several; none is used"
            yield Refusal(where=image_id, code="ambiguous_film", why=why, row=caption.row)
        elif image_id in pairing.refused:
            why = "the film of this caption was refused; see there"
            yield Refusal(where=image_id, code="film_refused", why=why, row=caption.row)
        elif image_id not in pairing.images:
            why = "no film has this image id"
            yield Refusal(where=image_id, code="no_film", why=why, kind="unpaired", row=caption.row)
    ambiguous = {header.path: header for headers in pairing.ambiguous.values() for header in headers}
    for header in ambiguous.values():
        why = "another film has the same image id, or this one has several"
        yield Refusal(where=folder.relative(header), code="ambiguous_film", why=why)
    for header in pairing.unlisted:
        yield _no_report(folder, header)


def _reports(studies: set[str], *, captions: dict[str, _Caption], refusals: list[Refusal]) -> dict[str, _Caption]:
    """Return the caption that each of `studies` keeps: that of its first image id. Others that differ are noted."""
    kept: dict[str, _Caption] = {}
    for caption in sorted(captions.values(), key=lambda caption: (caption.study, caption.number)):
        if caption.study not in studies:
            continue
        first = kept.setdefault(caption.study, caption)
        if caption.text.strip() != first.text.strip():
            why = "the study has another report with an earlier image id, which was kept"
            refusals.append(Refusal(where=caption.study, code="several_reports", why=why, kind="note", row=caption.row))
    return kept


def _study(images: list[StudyImage], *, caption: _Caption, language: str, origin: Origin) -> StudyFiles:
    ordered = sorted(images, key=lambda image: image.number)
    headers = [image.header for image in ordered]
    patients = sorted({header.patient_id for header in headers if header.patient_id})
    if len(patients) > 1:
        raise Rejected("several_patients", "the films of this study carry different patient ids; none is used")
    return StudyFiles(
        study_uid=caption.study,
        films=tuple(header.path for header in headers),
        views=tuple(image.view for image in ordered),
        report=sectioned_report(caption.text, study_uid=caption.study, language=language, origin=origin),
        patient_id=first_stated(patients),
        film_patient_id=first_stated(patients),
        age_years=first_stated(header.age_years for header in headers),
        sex=first_stated(header.sex for header in headers),
        row=caption.row,
    )


def _no_report(folder: FilmsFolder, header: FilmHeader) -> Refusal:
    where = folder.relative(header)
    return Refusal(where=where, code="no_report", why="no caption belongs to this film", kind="unpaired")
