"""Films behind one door: DICOM, PNG and JPEG, told apart by their first bytes and never by their names."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset

from xray.data import pictures
from xray.data.patient_ids import real_patient_id
from xray.dicom import tags
from xray.dicom.layout import pixel_layout
from xray.dicom.read import has_dicom_magic, read_dataset, read_tags
from xray.dicom.render import Grey, RenderSettings, fit, render_dataset
from xray.dicom.view import view_of
from xray.errors import Rejected
from xray.types import ImageRef, View

_CHEST_MODALITIES = {"CR", "DX", "RG"}
_CHEST_WORDS = ("CHEST", "THORAX", "TORAX", "LUNG", "胸", "肺")
_MIN_SIDE = 64
_DIRECTION = re.compile(r"(?!.*(?:[AP].*[AP]|[LR].*[LR]|[HF].*[HF]))[APLRHF]{1,3}")  # no axis twice
_DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A rendered film: `pixels` uint8 [H, W], 0 = black; `flags` say what was repaired or guessed on the way."""

    ref: ImageRef
    pixels: Grey
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmHeader:
    """What a file says of itself, without decoding its pixels.

    For PNG and JPEG the DICOM fields are None or empty. `patient_id` is the hospital's own number: it is hidden from
    `repr`, must never be logged or stored, and only serves to derive a pseudonym; placeholders are no number.
    `patient_orientation` says where rows run to the right and columns run down (PS3.3 C.7.6.1.1.1), ("L", "F") for an
    upright frontal film, None where it is absent or not two legal values. `pixel_spacing_mm` is (row, column).
    """

    path: Path
    is_dicom: bool
    rows: int
    columns: int
    bits_stored: int
    study_uid: str | None = None
    sop_instance_uid: str | None = None
    patient_id: str | None = field(default=None, repr=False)
    modality: str | None = None
    body_part: str | None = field(default=None, repr=False)
    view: View = "unknown"
    view_position: str | None = None
    patient_orientation: tuple[str, str] | None = None
    age_years: float | None = None
    sex: str | None = None
    photometric_interpretation: str | None = None
    presentation_intent: str | None = None
    burned_in_annotation: bool = False
    pixel_spacing_mm: tuple[float, float] | None = None


def is_film_file(path: Path) -> bool:
    """Tell by its first bytes whether a file is DICOM, PNG or JPEG. False for what cannot be read."""
    head = _head(path)
    return head is not None and (has_dicom_magic(head) or pictures.has_picture_magic(head))


def read_header(path: Path) -> FilmHeader:
    """Read what a film says of itself; no pixel is decoded.

    Raises Rejected: the codes of `read_tags` and `pixel_layout` for DICOM, of `pictures.read_size` for PNG and JPEG,
    and `not_a_film` for any other content.
    """
    if _is_dicom(path):
        return _dicom_header(path, read_tags(path))
    size = pictures.read_size(path)
    return FilmHeader(path=path, is_dicom=False, rows=size.rows, columns=size.columns, bits_stored=size.bits_stored)


def stated_study(path: Path) -> str | None:
    """Return the StudyInstanceUID that a file states, also one that is refused; None where it states none."""
    try:
        return tags.text(read_tags(path), "StudyInstanceUID") if _is_dicom(path) else None
    except Rejected:
        return None


def check_chest_film(header: FilmHeader) -> None:
    """Refuse what does not belong into a chest data set. PNG and JPEG are only checked for their size.

    Raises Rejected: `not_chest_film` (modality other than CR, DX, RG; another body part), `for_processing` (raw
    detector data), `burned_in_annotation` (the header says that text, often a name, is in the picture), `turned_film`
    (the header says that the film is mirrored or not upright, so left and right would be named wrongly), `too_small`.
    """
    if min(header.rows, header.columns) < _MIN_SIDE:
        raise Rejected("too_small", f"The film is {header.rows} x {header.columns} pixels; {_MIN_SIDE} are needed.")
    if not header.is_dicom:
        return
    if header.modality not in _CHEST_MODALITIES:
        raise Rejected("not_chest_film", "The modality is not CR, DX or RG.")
    if header.body_part and not any(word in header.body_part for word in _CHEST_WORDS):
        raise Rejected("not_chest_film", "BodyPartExamined is not the chest.")
    if header.presentation_intent == "FOR PROCESSING":
        raise Rejected("for_processing", "Raw detector data. Export the image that is FOR PRESENTATION.")
    if header.burned_in_annotation:
        raise Rejected("burned_in_annotation", "The header says that text is burned into the picture. De-identify it.")
    if _is_turned(header):
        raise Rejected("turned_film", "PatientOrientation says mirrored or not upright. Export it upright, as L and F.")


def load_film(path: Path, *, settings: RenderSettings) -> Film:
    """Decode and render one film.

    Raises Rejected: the codes of `read_dataset` and `render_dataset` for DICOM, of `pictures.read_picture` for PNG and
    JPEG, and `not_a_film` for any other content.
    """
    if _is_dicom(path):
        return _load_dicom(path, settings=settings)
    picture = pictures.read_picture(path)
    rows, columns = picture.pixels.shape
    ref = ImageRef(
        path=path,
        sha256=file_sha256(path),
        rows=rows,
        columns=columns,
        bits_stored=picture.bits_stored,
        view="unknown",
    )
    return Film(ref=ref, pixels=fit(picture.pixels, settings=settings), flags=picture.flags)


def file_sha256(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes. Raises Rejected("unreadable")."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Rejected("unreadable", f"The file cannot be read ({error.strerror}).") from None


def _head(path: Path) -> bytes | None:
    """Return the first 132 bytes; None for what is no regular file, because opening a pipe would wait for ever."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            return stream.read(132)
    except (OSError, ValueError):
        return None


def _is_dicom(path: Path) -> bool:
    head = _head(path)
    if head is None:
        raise Rejected("unreadable", "There is no such file, or it cannot be opened.")
    if has_dicom_magic(head):
        return True
    if not pictures.has_picture_magic(head):
        raise Rejected("not_a_film", "The file is neither DICOM nor PNG nor JPEG.")
    return False


def _load_dicom(path: Path, *, settings: RenderSettings) -> Film:
    dataset = read_dataset(path)
    header = _dicom_header(path, dataset)
    rendered = render_dataset(dataset, settings=settings)
    ref = ImageRef(
        path=path,
        sha256=file_sha256(path),
        rows=header.rows,
        columns=header.columns,
        bits_stored=header.bits_stored,
        view=header.view,
        sop_instance_uid=header.sop_instance_uid,
        view_position=header.view_position,
        photometric_interpretation=header.photometric_interpretation,
        pixel_spacing_mm=header.pixel_spacing_mm,
    )
    return Film(ref=ref, pixels=rendered.pixels, flags=rendered.flags)


def _dicom_header(path: Path, dataset: Dataset) -> FilmHeader:
    layout = pixel_layout(dataset)
    return FilmHeader(
        path=path,
        is_dicom=True,
        rows=layout.rows,
        columns=layout.columns,
        bits_stored=layout.bits_stored,
        study_uid=tags.text(dataset, "StudyInstanceUID"),
        sop_instance_uid=tags.text(dataset, "SOPInstanceUID"),
        patient_id=real_patient_id(tags.text(dataset, "PatientID")),
        modality=tags.code(dataset, "Modality") or None,
        body_part=tags.code(dataset, "BodyPartExamined") or None,
        view=view_of(dataset),
        view_position=tags.code(dataset, "ViewPosition") or None,
        patient_orientation=_orientation(dataset),
        age_years=_age_years(dataset),
        sex=_one_of(dataset, "PatientSex", ("M", "F", "O")),
        photometric_interpretation=layout.photometric,
        presentation_intent=tags.code(dataset, "PresentationIntentType") or None,
        burned_in_annotation=tags.code(dataset, "BurnedInAnnotation") == "YES",
        pixel_spacing_mm=_pixel_spacing(dataset),
    )


def _orientation(dataset: Dataset) -> tuple[str, str] | None:
    """PatientOrientation (0020,0020): the directions of increasing column and row, each up to three letters."""
    found = tuple(str(part).strip().upper() for part in tags.values(dataset, "PatientOrientation"))
    if len(found) != 2 or not all(_DIRECTION.fullmatch(part) for part in found):
        return None
    return found[0], found[1]


def _is_turned(header: FilmHeader) -> bool:
    """Whether a film that is frontal, or whose view nobody states and which lies in that plane, is not upright.

    The first letter is the main direction; a lateral film runs to A or P, and both are usual.
    """
    if header.patient_orientation is None:
        return False
    main = tuple(direction[0] for direction in header.patient_orientation)
    in_plane = header.view == "frontal" or (header.view == "unknown" and set(main) <= set("LRHF"))
    return in_plane and main != ("L", "F")


def _one_of(dataset: Dataset, keyword: str, allowed: tuple[str, ...]) -> str | None:
    found = tags.code(dataset, keyword)
    return found if found in allowed else None


def _age_years(dataset: Dataset) -> float | None:
    """PatientAge (VR AS, `045Y`, `018M`) in years, else the time from birth to study."""
    age = tags.code(dataset, "PatientAge")
    if age[:-1].isdecimal() and age[-1:] in _DAYS_PER_UNIT:
        years = int(age[:-1]) * _DAYS_PER_UNIT[age[-1]] / _DAYS_PER_UNIT["Y"]
        return round(years, 2) if years <= 150 else None
    birth, study = (_ordinal_day(tags.text(dataset, keyword)) for keyword in ("PatientBirthDate", "StudyDate"))
    if birth is None or study is None or not 0 <= study - birth <= 150 * 366:
        return None
    return round((study - birth) / _DAYS_PER_UNIT["Y"], 2)


def _ordinal_day(date: str | None) -> int | None:
    """VR DA, `YYYYMMDD`, as a count of days."""
    try:
        return datetime.strptime(date or "", "%Y%m%d").toordinal()
    except ValueError:
        return None


def _pixel_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """PixelSpacing, else ImagerPixelSpacing, which is measured at the detector (PS3.3 10.7.1.3)."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        spacing = tags.numbers(dataset, keyword)
        if len(spacing) == 2 and all(0 < part < 100 for part in spacing):
            return spacing[0], spacing[1]
    return None
