"""The XrayGLM format: `{"annotations": [{"image_id": "<study>_<k>", "caption": ...}]}`, films named by image id."""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from xray.data.films import FilmHeader
from xray.data.sources.films_folder import VIEW_ORDER, FilmsFolder, scan_films
from xray.data.sources.rows import decode_text, read_rows
from xray.data.sources.study_files import Refusal, SourceData, StudyFiles
from xray.data.sources.values import parse_view, sectioned_report
from xray.errors import DataError, Rejected
from xray.types import Origin, View

_IMAGE_ID = re.compile(r"(?P<study>.+)_(?P<number>\d+)")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """One film with its place in its study; `view` is the index's word, None where the film itself has to tell."""

    header: FilmHeader
    study: str
    number: int
    view: View | None

    def reading_order(self) -> tuple[int, int]:
        """Frontal first, then by number."""
        return VIEW_ORDER[self.view or self.header.view], self.number


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
    images = _images(folder, index=index, refusals=refusals)
    refusals += [_no_film(caption) for image_id, caption in captions.items() if image_id not in images]
    reports = _reports({image.study for image in images.values()}, captions=captions, refusals=refusals)
    by_study: dict[str, list[_Image]] = defaultdict(list)
    for image in images.values():
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
    return SourceData(name="xrayglm", root=films, studies=tuple(studies), refusals=tuple(refusals))


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
        study, number = _split_id(entry.image_id)
        row = f"{path.name}, annotation {position}"
        caption = _Caption(study=study, number=number, text=entry.caption, row=row)
        if captions.setdefault(entry.image_id.strip(), caption) is not caption:
            why = "an earlier annotation has the same image id and was kept"
            refusals.append(Refusal(where=study, code="duplicate_row", why=why, kind="note", row=row))
    return captions


def _split_id(image_id: str) -> tuple[str, int]:
    """Study and number of an image id; an id without number is a study of one film."""
    match = _IMAGE_ID.fullmatch(image_id.strip())
    return (match["study"], int(match["number"])) if match else (image_id.strip(), 1)


def _images(folder: FilmsFolder, *, index: Path | None, refusals: list[Refusal]) -> dict[str, _Image]:
    """Films by image id. Films that an index does not list, and second films of one id, are refused."""
    listed = _read_index(index) if index is not None else None
    images: dict[str, _Image] = {}
    for header in folder.headers:
        name = header.path.name
        image_id, view = listed.get(name, (None, None)) if listed is not None else (header.path.stem, None)
        if image_id is None:
            refusals.append(_no_report(folder, header))
        elif image_id in images:
            why = "another film has the same image id"
            refusals.append(Refusal(where=folder.relative(header), code="ambiguous_film", why=why))
        else:
            study, number = _split_id(image_id)
            images[image_id] = _Image(header=header, study=study, number=number, view=view)
    return images


def _read_index(path: Path) -> dict[str, tuple[str, View | None]]:
    """Image id and view by file name."""
    table = read_rows(path)
    by_plain = {column.casefold(): column for column in table.columns}
    file, image_id, view = (
        next((by_plain[name] for name in names if name in by_plain), None)
        for names in (("file", "filename", "file_name"), ("image_id", "openi_id", "id"), ("projection", "view"))
    )
    if file is None or image_id is None:
        raise DataError(
            f"{table.name} needs the columns `file` and `image_id` (or `openi_id`). It has: {', '.join(table.columns)}."
        )
    rows = (row.values for row in table.rows if row.complete and row.values[image_id].strip())
    return {
        Path(row[file].strip()).name: (row[image_id].strip(), parse_view(row[view]) if view else None) for row in rows
    }


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


def _study(images: list[_Image], *, caption: _Caption, language: str, origin: Origin) -> StudyFiles:
    ordered = sorted(images, key=_Image.reading_order)
    headers = [image.header for image in ordered]
    patients = tuple(sorted({header.patient_id for header in headers if header.patient_id}))
    return StudyFiles(
        study_uid=caption.study,
        films=tuple(header.path for header in headers),
        views=tuple(image.view for image in ordered),
        report=sectioned_report(caption.text, study_uid=caption.study, language=language, origin=origin),
        patient_id=patients[0] if patients else None,
        other_patient_ids=patients,
        age_years=headers[0].age_years,
        sex=headers[0].sex,
    )


def _no_film(caption: _Caption) -> Refusal:
    where = f"{caption.study}_{caption.number}"
    return Refusal(where=where, code="no_film", why="no film has this image id", kind="unpaired", row=caption.row)


def _no_report(folder: FilmsFolder, header: FilmHeader) -> Refusal:
    where = folder.relative(header)
    return Refusal(where=where, code="no_report", why="no caption belongs to this film", kind="unpaired")
