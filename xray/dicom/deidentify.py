"""A film without its patient: a new DICOM data set, built from an allow-list and never by deleting from the old one.

Deleting forgets: of 22 planted identifiers the usual tools leave 7 to 19. Here a value is written only if it is on
`xray.dicom.allow_list`, a keyed pseudonym, a moved date or decoded pixels. Gone with everything else are private
attributes, overlays (also those in unused high bits), curves, annotations, icons, signatures and presentation states.
Source: PS3.15 Annex E, Basic Application Level Confidentiality Profile with the options of `METHODS`.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from pydicom import uid
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.valuerep import format_number_as_ds

from xray.dicom import allow_list, tags, voi
from xray.dicom.decode import Pixels, decode
from xray.dicom.geometry import pixel_aspect
from xray.dicom.layout import GREY, PixelLayout, pixel_layout
from xray.dicom.site_profile import is_inverted
from xray.dicom.view import view_of
from xray.errors import Rejected

IMPLEMENTATION_VERSION = "XRAY_DEID_2"
_IMPLEMENTATION = uid.UID("2.25.303427641987452046101879231664910294837")
_METHOD = "PS3.15 Annex E Basic Profile: rebuilt from an allow-list"
_CHEST: allow_list.Code = ("816094009", "SCT", "Chest")
_CR, _DX = uid.ComputedRadiographyImageStorage, uid.DigitalXRayImageStorageForPresentation
_TYPE_2 = {_CR: allow_list.TYPE_2_OF_CR, _DX: allow_list.TYPE_2_OF_DX, uid.SecondaryCaptureImageStorage: ()}
_AGE = re.compile(r"(\d{3})([DWMY])")
_OLDEST_YEARS = 90  # beyond this an age can name a person (45 CFR 164.514(b)(2))
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_DIRECTION = re.compile(r"[APLRHF]{1,3}")
_SIGNED_LIMIT, _WIDEST = 32768, 1e7


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIdentity:
    """Who and what a film is from now on: pseudonyms, and by how many days its dates go into the past.

    `patient` is written as PatientID and PatientName, `study` (at most 16 characters) as StudyID.
    """

    patient: str
    study: str
    study_uid: str
    series_uid: str
    instance_uid: str
    days_back: int


def deidentify(dataset: Dataset, *, identity: NewIdentity) -> Dataset:
    """Return a new data set with file meta information: native pixels, Explicit VR Little Endian, UTF-8.

    It renders to the same picture as `dataset` and keeps view and orientation. The caller has checked that the film is
    a chest film without text burned into it (`xray.data.films.check_chest_film`).

    Raises Rejected: the codes of `decode`, `polarity_conflict`, `bad_lut`, `bad_tag` (a spacing or rescale of a size
    that is not written), `unsupported_sop_class` (neither CR, nor DX for presentation, nor a secondary capture),
    `not_grey` (a colour picture may show a screen with names).
    """
    layout = pixel_layout(dataset)
    sop_class = uid.UID(tags.text(dataset, "SOPClassUID") or "")
    if sop_class not in _TYPE_2:
        why = "Only CR, DX for presentation and secondary captures are written. Export the film as one of them."
        raise Rejected("unsupported_sop_class", why)
    if layout.photometric not in GREY:
        raise Rejected(
            "not_grey", "A colour picture may be a screen with names on it. Export the film itself, in grey."
        )
    is_inverted(dataset, photometric=layout.photometric, site=None)
    film = _described(dataset, sop_class=sop_class)
    _add_identity(film, identity=identity)
    _add_dates(film, dataset, days_back=identity.days_back)
    _add_grey_mapping(film, dataset, layout=layout)
    _check_shape_and_greys(film, dataset, layout=layout)
    _add_pixels(film, decode(dataset), layout=layout)
    _add_view(film, dataset, is_dx=sop_class == _DX)
    film.file_meta = _file_meta(film)
    return film


def _described(dataset: Dataset, *, sop_class: uid.UID) -> Dataset:
    """Start a data set with all words and numbers of the allow-list, and what Type 2 asks for without a value."""
    film = Dataset()
    film.SpecificCharacterSet = "ISO_IR 192"
    film.SOPClassUID = sop_class
    for keyword in (*allow_list.EMPTY, *allow_list.TYPE_2, *_TYPE_2[sop_class]):
        setattr(film, keyword, Sequence([]) if dictionary_VR(keyword) == "SQ" else None)
    for keyword, words in allow_list.WORDS.items():
        found = [str(word).strip().upper() for word in tags.values(dataset, keyword)]
        known = [word for word in found if word in words]
        if known and (known == found or keyword == "ShutterShape"):  # a shape hides the same beside an unknown one
            setattr(film, keyword, known if len(known) > 1 else known[0])
    for keyword, allowed in allow_list.NUMBERS.items():
        _add_numbers(film, keyword, tags.numbers(dataset, keyword), allowed=allowed)
    film.ImageType = _image_type(dataset, is_dx=sop_class == _DX)
    film.Manufacturer = _manufacturer(dataset)
    _add_age(film, dataset)
    return film


def _add_numbers(film: Dataset, keyword: str, found: tuple[float, ...], *, allowed: allow_list.Range) -> None:
    if not 0 < len(found) <= allowed.most_values or not all(allowed.low <= number <= allowed.high for number in found):
        return  # a NaN is in no range
    if dictionary_VR(keyword) == "DS":
        written: list[str] | list[int] = [_decimal(number) for number in found]
    else:
        written = [int(number) for number in found]
    setattr(film, keyword, written if len(written) > 1 else written[0])


def _decimal(number: float) -> str:
    return str(int(number)) if number == int(number) else format_number_as_ds(number)


def _image_type(dataset: Dataset, *, is_dx: bool) -> list[str]:
    found = " ".join(str(word) for word in tags.values(dataset, "ImageType")).upper().replace("\\", " ").split()
    words = [next((word for word in found if word in allowed), allowed[-1]) for allowed in allow_list.IMAGE_TYPES]
    return [*words, ""] if is_dx else words


def _manufacturer(dataset: Dataset) -> str | None:
    """Return the maker as the allow-list spells it, or None for one that is not on it."""
    text = tags.text(dataset, "Manufacturer") or ""
    for spellings in allow_list.MANUFACTURERS:
        if re.search(rf"(?<![a-z])(?:{'|'.join(spellings)})", text, re.IGNORECASE):
            return spellings[0]
    return None


def _add_age(film: Dataset, dataset: Dataset) -> None:
    age = _AGE.fullmatch(tags.code(dataset, "PatientAge"))
    if age:
        number = min(int(age[1]), _OLDEST_YEARS) if age[2] == "Y" else int(age[1])
        film.PatientAge = f"{number:03d}{age[2]}"


def _add_identity(film: Dataset, *, identity: NewIdentity) -> None:
    film.PatientID = film.PatientName = identity.patient
    film.StudyID = identity.study
    film.StudyInstanceUID = identity.study_uid
    film.SeriesInstanceUID = identity.series_uid
    film.SOPInstanceUID = identity.instance_uid
    film.PatientIdentityRemoved = "YES"
    film.DeidentificationMethod = _METHOD
    film.DeidentificationMethodCodeSequence = Sequence(_code(code) for code in allow_list.METHODS)
    film.LongitudinalTemporalInformationModified = "MODIFIED"


def _code(code: allow_list.Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def _add_dates(film: Dataset, dataset: Dataset, *, days_back: int) -> None:
    """Move the dates; times are left out, so that the day is all that is known of the order (PS3.15 E.3.6)."""
    for keyword in allow_list.DATES:
        found = _DATE.fullmatch(tags.text(dataset, keyword) or "")
        if found is None:
            continue
        try:
            moved = date(int(found[1]), int(found[2]), int(found[3])) - timedelta(days=days_back)
        except (ValueError, OverflowError):
            continue
        setattr(film, keyword, f"{moved:%Y%m%d}".zfill(8))


def _add_grey_mapping(film: Dataset, dataset: Dataset, *, layout: PixelLayout) -> None:
    """Write windows, LUTs and padding with the numbers that they had, and without their explanations."""
    pairs = zip(tags.numbers(dataset, "WindowCenter"), tags.numbers(dataset, "WindowWidth"), strict=False)
    known = [pair for pair in pairs if all(math.isfinite(number) and abs(number) < _WIDEST for number in pair)]
    if known:
        film.WindowCenter, film.WindowWidth = ([_decimal(pair[index]) for pair in known] for index in (0, 1))
    for item in tags.items(dataset, "ModalityLUTSequence")[:1]:
        modality = _lut(item)
        if modality is None:
            raise Rejected("bad_lut", "The Modality LUT is damaged. Export the film again.")
        modality.ModalityLUTType = "US"
        film.ModalityLUTSequence = Sequence([modality])
        for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType"):  # never both (PS3.3 C.11.1)
            film.pop(keyword, None)
    readable = [lut for item in tags.items(dataset, "VOILUTSequence") if (lut := _lut(item)) is not None]
    if readable:
        film.VOILUTSequence = Sequence(readable)
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        number = tags.number(dataset, keyword)
        if number is not None and -_SIGNED_LIMIT <= number < 2 * _SIGNED_LIMIT:
            film.add_new(keyword, *_cell(int(number), signed=layout.signed))


def _check_shape_and_greys(film: Dataset, dataset: Dataset, *, layout: PixelLayout) -> None:
    """Refuse a film whose pixels would get another shape or other greys because a number is not on the allow-list."""
    (before, _), (after, _) = (
        voi.modality_values(one, stored=np.array([0.0, 1.0]), signed=layout.signed) for one in (dataset, film)
    )
    same_shape = math.isclose(pixel_aspect(dataset), pixel_aspect(film))
    if not (same_shape and np.allclose(before, after, rtol=1e-9, atol=1e-9)):
        raise Rejected("bad_tag", "The pixel spacing or the rescale has an impossible size. Export the film again.")


def _cell(number: int, *, signed: bool) -> tuple[str, int]:
    """Return VR and value of a 16-bit number as PixelRepresentation means it, whatever VR it had."""
    cell = number & 0xFFFF
    return ("SS", cell - 0x10000 if cell >= _SIGNED_LIMIT else cell) if signed else ("US", cell)


def _lut(item: Dataset) -> Dataset | None:
    """Rebuild an item of a LUT sequence: its descriptor, and exactly as many entries as that announces."""
    table = voi.lookup_table(item, signed=False)
    if table is None:
        return None
    count, first, bits = (int(number) for number in tags.numbers(item, "LUTDescriptor"))
    rebuilt = Dataset()
    rebuilt.add_new(
        "LUTDescriptor", "SS" if first < 0 else "US", [count & 0xFFFF, first, bits]
    )  # US is the count always
    rebuilt.add_new("LUTData", "OW", table.entries.astype("<u2").tobytes())
    return rebuilt


def _add_pixels(film: Dataset, stored: Pixels, *, layout: PixelLayout) -> None:
    """Write decoded values only: compressed data can carry comments, and native cells an overlay in unused bits."""
    lowest, highest = int(stored.min()), int(stored.max())
    bits = max(layout.bits_stored, _bits_needed((lowest, highest), signed=layout.signed))  # a lossy codec may overshoot
    film.SamplesPerPixel, film.PhotometricInterpretation = 1, layout.photometric
    film.Rows, film.Columns = stored.shape
    film.BitsAllocated = 8 * stored.dtype.itemsize
    film.BitsStored, film.HighBit = bits, bits - 1
    film.PixelRepresentation = int(layout.signed)
    cells = stored.view(f"u{stored.dtype.itemsize}") & np.array((1 << bits) - 1, dtype=f"u{stored.dtype.itemsize}")
    data = cells.astype(f"<u{stored.dtype.itemsize}").tobytes()
    film.add_new("PixelData", "OW" if film.BitsAllocated > 8 else "OB", data + b"\0" * (len(data) % 2))


def _bits_needed(values: Iterable[int], *, signed: bool) -> int:
    return max((value if value >= 0 else ~value).bit_length() for value in values) + signed


def _add_view(film: Dataset, dataset: Dataset, *, is_dx: bool) -> None:
    """Write side and view as far as they are understood, and never in the hospital's words."""
    directions = [str(part).strip().upper() for part in tags.values(dataset, "PatientOrientation")]
    if len(directions) == 2 and all(_DIRECTION.fullmatch(part) for part in directions):
        film.PatientOrientation = directions
    if is_dx:
        film.AnatomicRegionSequence = Sequence([_code(_CHEST)])
    if tags.text(dataset, "BodyPartExamined"):
        film.BodyPartExamined = "CHEST"
    position = tags.code(dataset, "ViewPosition")
    if position in allow_list.VIEW_POSITIONS:
        film.ViewPosition = position
    values = [tags.code(item, "CodeValue") for item in tags.items(dataset, "ViewCodeSequence")]
    codes = [code for code in allow_list.VIEW_CODES if code[0] in values]
    view = view_of(dataset)
    _add_view_codes(film, codes, is_dx=is_dx)
    if view_of(film) != view:  # it was read from words that do not pass, or is doubted by such
        if "ViewPosition" in film:
            film.ViewPosition = None
        _add_view_codes(film, [allow_list.VIEWS[view]] if view in allow_list.VIEWS else [], is_dx=is_dx)


def _add_view_codes(film: Dataset, codes: list[allow_list.Code], *, is_dx: bool) -> None:
    film.pop("ViewCodeSequence", None)
    if codes:
        film.ViewCodeSequence = Sequence(_code(code) for code in codes)
        for item in film.ViewCodeSequence if is_dx else ():
            item.ViewModifierCodeSequence = Sequence([])


def _file_meta(film: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = film.SOPClassUID, film.SOPInstanceUID
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION
    return meta
