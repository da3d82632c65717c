"""Whose report a structured report is: the identity in the headers of the films, or the pseudonyms alone."""

import hashlib
import re

from pydicom import Dataset
from pydicom.uid import UID, SecondaryCaptureImageStorage

from app.export.records import ReviewedReport
from xray.dicom import tags
from xray.dicom.read import read_tags
from xray.errors import DataError, Rejected

_COPIED = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "AccessionNumber",
    "StudyInstanceUID",
    "StudyID",
    "StudyDescription",
    "ReferringPhysicianName",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "SOPClassUID",
)
_SHAPED = {"PatientBirthDate": r"\d{8}", "StudyDate": r"\d{8}", "StudyTime": r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"}
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
_SEXES = ("M", "F", "O")


def derived_uid(*parts: str) -> UID:
    """Return the UID of a name under 2.25 (PS3.5 B.2): the same parts give the same UID."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16])}")


def identities(record: ReviewedReport) -> tuple[Dataset, ...]:
    """Return what the headers of the review's DICOM films say of patient, study and instance, in UTF-8.

    Without DICOM files, one data set under the pseudonyms, whose film no PACS has. A wrongly declared character set
    is repaired; dates that are none are left empty. Raises DataError if a file cannot be read, lacks a UID, is of a
    private class, or belongs to another study than the first.
    """
    found = [_identity(record, number) for number, film in enumerate(record.films) if film.dicom is not None]
    if not found:
        return (_pseudonymous(record),)
    if len({(header.PatientID, header.StudyInstanceUID) for header in found}) > 1:
        raise DataError(
            f"The DICOM films of review {record.id} are of several patients or studies. Correct its films."
        ).in_chinese(f"评审 {record.id} 的原始影像属于多位患者或多次检查。请更正其影像。")
    return tuple(found)


def _identity(record: ReviewedReport, number: int) -> Dataset:
    path = record.films[number].dicom
    assert path is not None  # the caller asked
    where = f"Film {number + 1} of review {record.id}"  # the path of an original may hold a patient's name
    where_zh = f"评审 {record.id} 的第 {number + 1} 张原始影像"
    try:
        header = read_tags(path)
    except Rejected as rejected:
        raise DataError(f"{where}: {rejected.why} A structured report names the films that it is about.").in_chinese(
            f"{where_zh}无法读取（{rejected.code}）。请从 PACS 重新导出影像。"
        ) from None
    identity = Dataset()
    identity.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _COPIED:
        setattr(identity, keyword, tags.text(header, keyword) or "")
    for keyword, shape in _SHAPED.items():
        value = tags.text(header, keyword) or ""
        setattr(identity, keyword, value if re.fullmatch(shape, value) else "")
    sex = tags.code(header, "PatientSex")
    identity.PatientSex = sex if sex in _SEXES else ""
    if missing := [keyword for keyword in _UIDS if not UID(identity[keyword].value).is_valid]:
        raise DataError(f"{where}: {missing[0]} is missing or no UID. Export the film from the PACS again.").in_chinese(
            f"{where_zh}缺少有效的 {missing[0]}。请从 PACS 重新导出影像。"
        )
    if UID(identity.SOPClassUID).is_private:
        raise DataError(
            f"{where} is of a private SOP class, which no other program reads. Leave the film out."
        ).in_chinese(f"{where_zh}属于厂商私有类别，其他程序无法读取。请勿使用该影像。")
    return identity


def _pseudonymous(record: ReviewedReport) -> Dataset:
    identity = Dataset()
    for keyword in (*_COPIED, *_SHAPED, "PatientSex"):
        setattr(identity, keyword, "")
    identity.PatientID = record.patient_key
    identity.StudyInstanceUID = derived_uid("study", record.study_uid)
    identity.SeriesInstanceUID = derived_uid("films", record.study_uid)
    identity.SOPInstanceUID, identity.SOPClassUID = derived_uid("film", record.study_uid), SecondaryCaptureImageStorage
    return identity
