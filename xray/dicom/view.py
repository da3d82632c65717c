"""From which side a chest film was taken, as far as its header says so."""

import re

from pydicom.dataset import Dataset

from xray.dicom import tags
from xray.types import View

_POSITIONS: dict[str, View] = {
    "PA": "frontal",
    "AP": "frontal",
    "LL": "lateral",
    "RL": "lateral",
    "LAT": "lateral",
    "LATERAL": "lateral",
}
# View codes of CID 4010 (PS3.16), SNOMED CT and the retired SNOMED-RT codes that most devices still write.
_CODES: dict[str, View] = {
    "399033003": "frontal",
    "R-10202": "frontal",
    "399348003": "frontal",
    "R-10206": "frontal",
    "272479007": "frontal",
    "R-40888": "frontal",
    "R-10214": "frontal",
    "399067008": "lateral",
    "R-102CD": "lateral",
    "399173006": "lateral",
    "R-10236": "lateral",
    "399198007": "lateral",
    "R-10232": "lateral",
    "30730003": "lateral",
    "G-A145": "lateral",
}
# From the nearest to the farthest: what names the whole study may name another film's view.
_DESCRIPTIONS = ("SeriesDescription", "AcquisitionDeviceProcessingDescription", "ProtocolName", "StudyDescription")
_LISTED = "[、+和及与,，/ -]*"  # 正、侧位 names both views
_FRONTAL = re.compile(
    r"(?<![a-z])(p-?a|a-?p|frontal|postero-?anterior|antero-?posterior)(?![a-z])"
    rf"|正位|正{_LISTED}[侧側]|[后後]-?前位|前-?[后後]位",
    re.IGNORECASE,
)
_LATERAL = re.compile(
    rf"(?<![a-z])([lr]?lat|lateral|ll|rl|sagittal)(?![a-z])|[侧側]位|[侧側]{_LISTED}正", re.IGNORECASE
)
_NEITHER = re.compile(r"decub|obli|lordotic|medial|medio|[侧側][卧臥]|斜|前弓", re.IGNORECASE)


def view_of(dataset: Dataset) -> View:
    """Return the view: ViewPosition, else ViewCodeSequence, else a description, else PatientOrientation, else unknown.

    A description that names both views, an oblique or a decubitus film gives no view: nothing is guessed.
    """
    return (
        _from_position(dataset)
        or _from_codes(dataset)
        or _from_descriptions(dataset)
        or _from_orientation(dataset)
        or "unknown"
    )


def _from_position(dataset: Dataset) -> View | None:
    position = tags.code(dataset, "ViewPosition")
    exact = _POSITIONS.get(re.split(r"[_\W]", position)[0]) if not _NEITHER.search(position) else None
    return exact or _from_words(position)


def _from_codes(dataset: Dataset) -> View | None:
    for item in tags.items(dataset, "ViewCodeSequence"):
        found = _CODES.get(tags.code(item, "CodeValue")) or _from_words(tags.text(item, "CodeMeaning"))
        if found:
            return found
    return None


def _from_descriptions(dataset: Dataset) -> View | None:
    for keyword in _DESCRIPTIONS:
        found = _from_words(tags.text(dataset, keyword))
        if found:
            return found
    return None


def _from_orientation(dataset: Dataset) -> View | None:
    """Return lateral where rows run to A or P and columns to F or H (PS3.3 C.7.6.1.1.1).

    The other way round nothing follows: devices write L and F on lateral films too.
    """
    main = tuple(str(part).strip().upper()[:1] for part in tags.values(dataset, "PatientOrientation"))
    return "lateral" if len(main) == 2 and main[0] in ("A", "P") and main[1] in ("F", "H") else None


def _from_words(words: str | None) -> View | None:
    if not words or _NEITHER.search(words):
        return None
    frontal, lateral = bool(_FRONTAL.search(words)), bool(_LATERAL.search(words))
    if frontal == lateral:
        return None
    return "frontal" if frontal else "lateral"
