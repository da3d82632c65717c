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
}
_FRONTAL = re.compile(
    r"(?<![a-z])(pa|ap|frontal|postero-?anterior|antero-?posterior)(?![a-z])|正位|正侧|正側|后前位|後前位|前后位|前後位",
    re.IGNORECASE,
)
_LATERAL = re.compile(r"(?<![a-z])(lat|lateral|ll|rl)(?![a-z])|侧位|側位|正侧位|正側位", re.IGNORECASE)
_NEITHER = re.compile(r"decub|obli|lordotic|侧卧|側臥|斜位", re.IGNORECASE)


def view_of(dataset: Dataset) -> View:
    """Return the view: ViewPosition, else ViewCodeSequence, else the series and study descriptions, else unknown.

    A description that names both views, an oblique or a decubitus film gives no view: nothing is guessed.
    """
    return _from_position(dataset) or _from_codes(dataset) or _from_descriptions(dataset) or "unknown"


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
    for keyword in ("SeriesDescription", "StudyDescription"):
        found = _from_words(tags.text(dataset, keyword))
        if found:
            return found
    return None


def _from_words(words: str | None) -> View | None:
    if not words or _NEITHER.search(words):
        return None
    frontal, lateral = bool(_FRONTAL.search(words)), bool(_LATERAL.search(words))
    if frontal == lateral:
        return None
    return "frontal" if frontal else "lateral"
