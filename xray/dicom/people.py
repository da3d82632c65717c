"""The people that a header names, to look for them in the report: patient, physicians, operators."""

import re

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from xray.dicom import tags

_NUMBERS = ("PatientID", "AccessionNumber", "StudyID", "AdmissionID")
_NO_PERSON = re.compile("[科室医院部组床诊]|护士|技师|测试|匿名|未知|患者|病人|管理|无名|胸片|系统")
_SEVERAL = re.compile("[,，、;；/]")  # 李四,王五 stands in one value where a device has one field for all of them
_SHORTEST_NUMBER = 5  # a shorter one may be an ordinary number of a report


def people_of(dataset: Dataset) -> tuple[str, ...]:
    """Return every way in which the people of a header (VR PN, PS3.5 6.2) may be written, and the patient's numbers.

    The result names people: it must never be logged or stored. Left out are names of one character and what is no name
    (内科, 技师, 匿名): it would take ordinary words out of the report.
    """
    found: dict[str, None] = {}
    for tag in sorted(dataset.keys()):
        element = dataset.get_item(tag)
        if element is not None and _is_name(tag, element.VR):
            for name in tags.texts(dataset, keyword_for_tag(tag)):
                found |= dict.fromkeys(_spellings(name))
    for keyword in _NUMBERS:
        number = tags.text(dataset, keyword) or ""
        if len(number) >= _SHORTEST_NUMBER:
            found[number] = None
    return tuple(found)


def _is_name(tag: BaseTag, vr: str | None) -> bool:
    """Whether an element holds a person's name. Implicit VR files do not say so: the dictionary does."""
    if vr not in (None, "UN"):
        return vr == "PN"
    return dictionary_has_tag(tag) and dictionary_VR(tag) == "PN"


def _spellings(name: str) -> list[str]:
    """Spell each component group of a person name: 张^三 is 张三; ZHANG^SAN is ZHANG SAN and SAN ZHANG."""
    spellings: list[str] = []
    for group in name.split("="):
        if not group.isascii():
            spellings += ["".join(_parts(person)) for person in _SEVERAL.split(group)]
            continue
        parts = _parts(group)
        if len(parts) > 1:
            spellings += [" ".join(parts), " ".join((*parts[1:], parts[0]))]
        elif parts and " " in parts[0]:
            spellings.append(parts[0])
    return [spelling for spelling in spellings if len(spelling) > 1 and not _NO_PERSON.search(spelling)]


def _parts(name: str) -> list[str]:
    """Return family, given and middle name, as far as they are there."""
    return [part.strip() for part in name.split("^")[:3] if part.strip()]
