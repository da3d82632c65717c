"""What a film says of itself, read without decoding a pixel."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath

from pydicom.dataset import Dataset

from xray.data import pictures
from xray.data.file_kind import kind_of, read_head, refusal_of
from xray.data.patient_ids import real_patient_id
from xray.dicom import tags
from xray.dicom.layout import pixel_layout
from xray.dicom.people import people_of
from xray.dicom.read import read_tags
from xray.dicom.view import view_of
from xray.errors import Rejected
from xray.types import View

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64
_DIRECTION = re.compile(r"(?!.*(?:[AP].*[AP]|[LR].*[LR]|[HF].*[HF]))[APLRHF]{1,3}")  # no axis twice
_DAYS_PER_UNIT = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"  # Digital X-Ray Image Storage - For Processing (PS3.4 B.5)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # and the multi-frame classes below it (PS3.4 B.5)
_HUMAN = re.compile(r"(?<!NON)(?<!NON[- ])(HOMO|HUMAN)|^人|^M(AN|ENSCH)$")
_HUMAN_CODES = {"337915000", "30996001", "L-85B00", "L-85003"}  # SNOMED CT and SNOMED-RT for homo sapiens (CID 7454)
_SAYS_NOTHING = {"", "NA", "N/A", "NONE", "UNKNOWN", "UNDEFINED", "UNSPECIFIED", "OTHER", "未知", "不详", "其他"}


# ViewPosition (0018,5101) is kept where it is one of the standard's words or a usual one: others may hold anything.
_VIEW_POSITIONS = ("PA", "AP", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "LPO", "RPO", "LAO", "RAO", "LAT", "LATERAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmHeader:
    """What a file says of itself, without decoding its pixels.

    For PNG and JPEG the DICOM fields are None or empty. `patient_id` is the hospital's own number: it is hidden from
    `repr`, must never be logged or stored, and only serves to derive a pseudonym; placeholders are no number. `numbers`
    are the ones that the hospital gave the study, AccessionNumber and StudyID, by which its tables call it. Nor may
    `study_day`, the date of the study as a proleptic ordinal (`date.toordinal`), or `people`, the names that the header
    holds, leave memory.
    `place` is where people find the film, relative to the films folder, where that is not `path`: inside an archive.
    UIDs that are none (PS3.5 9.1) are None here and their keywords stand in `illegal_uids`, so that no path, name or
    key is ever made of them. `series_words` are the descriptions of the series, `study_words` that of the study.
    `burned_in_annotation` is None where the header does not say. `not_human` tells that a species other than man, a
    breed or an owner is named, `secondary_capture` that the picture was not taken as a film. `patient_orientation` says
    where rows run to the right and columns run down (PS3.3 C.7.6.1.1.1), ("L", "F") for an upright frontal film, None
    where it is absent or not two legal values.
    `pixel_spacing_mm` is (row, column).
    """

    path: Path
    is_dicom: bool
    rows: int
    columns: int
    bits_stored: int
    place: PurePath | None = field(default=None, repr=False)
    study_uid: str | None = None
    sop_instance_uid: str | None = None
    illegal_uids: tuple[str, ...] = ()
    patient_id: str | None = field(default=None, repr=False)
    numbers: tuple[str, ...] = field(default=(), repr=False)
    study_day: int | None = field(default=None, repr=False)
    people: tuple[str, ...] = field(default=(), repr=False)
    modality: str | None = None
    body_part: str | None = field(default=None, repr=False)
    series_words: str = field(default="", repr=False)
    study_words: str = field(default="", repr=False)
    view: View = "unknown"
    view_position: str | None = None
    patient_orientation: tuple[str, str] | None = None
    age_years: float | None = None
    sex: str | None = None
    photometric_interpretation: str | None = None
    presentation_intent: str | None = None
    burned_in_annotation: bool | None = None
    recognizable_features: bool = False
    secondary_capture: bool = False
    not_human: bool = False
    pixel_spacing_mm: tuple[float, float] | None = None


def is_film_file(path: Path) -> bool:
    """Tell by its first bytes whether a file is DICOM, whole or bare, PNG or JPEG. False for what cannot be read."""
    try:
        return kind_of(read_head(path)) in ("dicom", "bare_dicom", "png", "jpeg")
    except Rejected:
        return False


def read_header(path: Path, *, place: PurePath | None = None) -> FilmHeader:
    """Read what a film says of itself; no pixel is decoded. `place` is its path as people know it, by default `path`.

    Raises Rejected: the codes of `read_head`, `refusal_of` and, for DICOM, of `read_tags` and `pixel_layout`, for PNG
    and JPEG of `pictures.read_size`.
    """
    if is_dicom(path, name=place):
        return dicom_header(path, read_tags(path), place=place)
    size = pictures.read_size(path)
    return FilmHeader(
        path=path, place=place, is_dicom=False, rows=size.rows, columns=size.columns, bits_stored=size.bits_stored
    )


def is_dicom(path: Path, *, name: PurePath | None = None) -> bool:
    """Tell DICOM from a picture. Raises Rejected, with the codes of `read_head` and `refusal_of`, for other files."""
    head = read_head(path)
    refusal = refusal_of(head, name=name or path)
    if refusal is not None:
        raise refusal
    return kind_of(head) == "dicom"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedStudy:
    """The study that a file says it is of: its UID, None where it states none, and the hospital's numbers of it."""

    uid: str | None = None
    numbers: tuple[str, ...] = field(default=(), repr=False)


def stated_study(path: Path) -> StatedStudy:
    """Return what a file says of its study, also one that is refused."""
    try:
        if is_dicom(path):
            dataset = read_tags(path)
            return StatedStudy(uid=_uid(dataset, "StudyInstanceUID"), numbers=_numbers(dataset))
    except Rejected:
        pass
    return StatedStudy()


def dicom_header(path: Path, dataset: Dataset, *, place: PurePath | None = None) -> FilmHeader:
    """Take the header from a data set that was read from `path`. Raises Rejected: the codes of `pixel_layout`."""
    layout = pixel_layout(dataset)
    uids = {keyword: _uid(dataset, keyword) for keyword in ("StudyInstanceUID", "SOPInstanceUID")}
    return FilmHeader(
        path=path,
        place=place,
        is_dicom=True,
        rows=layout.rows,
        columns=layout.columns,
        bits_stored=layout.bits_stored,
        study_uid=uids["StudyInstanceUID"],
        sop_instance_uid=uids["SOPInstanceUID"],
        illegal_uids=tuple(name for name, uid in uids.items() if uid is None and tags.values(dataset, name)),
        patient_id=real_patient_id(tags.text(dataset, "PatientID")),
        numbers=_numbers(dataset),
        study_day=_ordinal_day(tags.text(dataset, "StudyDate")),
        people=people_of(dataset),
        modality=tags.code(dataset, "Modality") or None,
        body_part=_telling(tags.code(dataset, "BodyPartExamined")),
        series_words=_series_words(dataset),
        study_words=tags.code(dataset, "StudyDescription"),
        view=view_of(dataset),
        view_position=_one_of(dataset, "ViewPosition", _VIEW_POSITIONS),
        patient_orientation=_orientation(dataset),
        age_years=_age_years(dataset),
        sex=_one_of(dataset, "PatientSex", ("M", "F", "O")),
        photometric_interpretation=layout.photometric,
        presentation_intent=_presentation_intent(dataset),
        burned_in_annotation={"YES": True, "NO": False}.get(tags.code(dataset, "BurnedInAnnotation")),
        recognizable_features=tags.code(dataset, "RecognizableVisualFeatures") == "YES",
        secondary_capture=_is_secondary_capture(dataset),
        not_human=_is_not_human(dataset),
        pixel_spacing_mm=_pixel_spacing(dataset),
    )


def _uid(dataset: Dataset, keyword: str) -> str | None:
    """Return a UID of PS3.5 9.1; leading zeros of a component, which old devices write, are let through."""
    found = tags.values(dataset, keyword)
    text = tags.text(dataset, keyword) or ""
    return text if len(found) == 1 and len(text) <= _LONGEST_UID and _UID.fullmatch(text) else None


def _numbers(dataset: Dataset) -> tuple[str, ...]:
    stated = (tags.text(dataset, keyword) for keyword in ("AccessionNumber", "StudyID"))
    return tuple(dict.fromkeys(number for number in stated if number))


def _telling(word: str) -> str | None:
    return None if word in _SAYS_NOTHING else word


def _series_words(dataset: Dataset) -> str:
    """Everything that names what one series shows, in upper case."""
    keywords = ("SeriesDescription", "ProtocolName", "AcquisitionDeviceProcessingDescription")
    words = [tags.code(dataset, keyword) for keyword in keywords]
    words += [tags.code(item, "CodeMeaning") for item in tags.items(dataset, "AnatomicRegionSequence")]
    return " / ".join(filter(_telling, words))


def _presentation_intent(dataset: Dataset) -> str | None:
    """PresentationIntentType (0008,0068), or what the SOP class says of it where that is missing."""
    by_class = "FOR PROCESSING" if tags.text(dataset, "SOPClassUID") == _FOR_PROCESSING else None
    return tags.code(dataset, "PresentationIntentType") or by_class


def _is_secondary_capture(dataset: Dataset) -> bool:
    """Tell a picture that was not taken as a film: a screen shot, a scan, a photograph (PS3.3 A.8)."""
    sop_class = tags.text(dataset, "SOPClassUID") or ""
    is_of_class = sop_class == _SECONDARY_CAPTURE or sop_class.startswith(f"{_SECONDARY_CAPTURE}.")
    return is_of_class or tags.code(dataset, "Modality") == "OT" or bool(tags.code(dataset, "ConversionType"))


def _is_not_human(dataset: Dataset) -> bool:
    """Tell an animal by species, breed, neutering or owner (PS3.3 C.7.1.1); empty elements say nothing."""
    species = _telling(tags.code(dataset, "PatientSpeciesDescription"))
    if species and not _HUMAN.search(species):
        return True
    codes = {tags.code(item, "CodeValue") for item in tags.items(dataset, "PatientSpeciesCodeSequence")} - {""}
    if codes and not codes & _HUMAN_CODES:
        return True
    breeds = (*tags.items(dataset, "PatientBreedCodeSequence"), *tags.items(dataset, "BreedRegistrationSequence"))
    if any(len(breed) for breed in breeds) or _telling(tags.code(dataset, "PatientBreedDescription")):
        return True
    return bool(tags.code(dataset, "PatientSexNeutered")) or tags.code(dataset, "ResponsiblePersonRole") == "OWNER"


def _orientation(dataset: Dataset) -> tuple[str, str] | None:
    """PatientOrientation (0020,0020): the directions of increasing column and row, each up to three letters."""
    found = tuple(str(part).strip().upper() for part in tags.values(dataset, "PatientOrientation"))
    if len(found) != 2 or not all(_DIRECTION.fullmatch(part) for part in found):
        return None
    return found[0], found[1]


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
