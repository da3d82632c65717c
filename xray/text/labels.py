"""Findings to the fourteen observations of CheXpert (Irvin et al. 2019)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from xray.text.frames import find
from xray.text.lexicon import Profile, concept
from xray.types import Finding

CLASSES: tuple[str, ...] = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
"""The fourteen class names, in the order of the CheXpert table."""

_VALUES = {"present": 1, "uncertain": -1, "absent": 0}
_STRENGTH = (1, -1, 0)
_WORDS = re.compile(r"\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """The labels of one report and the findings they come from.

    `labels` has one entry per name of `CLASSES`: 1 present, 0 absent, -1 uncertain, None not mentioned.
    """

    labels: dict[str, int | None]
    findings: tuple[Finding, ...]


def concept_class(name: str) -> str | None:
    """Return the CheXpert class that a concept of the lexicon counts for; None for other abnormalities."""
    known = concept(name)
    return known.label if known else None


def label(text: str, *, profile: Profile = "standard") -> LabelledText:
    """Label one report.

    The strongest statement on a class counts: present, then uncertain, then absent; but what the shape of the heart
    suggests does not stand against a heart that is said to be of normal size. `No Finding` is 1 when the text
    says something and nothing abnormal (devices are no abnormality), 0 when it says or suspects one, and None for a
    text without words.
    """
    findings = find(text, profile=profile)
    stated = {(concept_class(finding.concept), _value(finding)) for finding in findings}
    labels: dict[str, int | None] = dict.fromkeys(CLASSES)
    for name in CLASSES:
        labels[name] = next((value for value in _STRENGTH if (name, value) in stated), None)
    if labels["Cardiomegaly"] == -1 and ("Cardiomegaly", 0) in stated and not _suspected(findings, "Cardiomegaly"):
        labels["Cardiomegaly"] = 0
    if _WORDS.search(text):
        labels["No Finding"] = 0 if _abnormal(findings) else 1
    return LabelledText(labels=labels, findings=findings)


def _value(finding: Finding) -> int:
    known = concept(finding.concept)
    if finding.assertion == "present" and known is not None and known.certainty == "uncertain":
        return -1
    return _VALUES[finding.assertion]


def _suspected(findings: Iterable[Finding], name: str) -> bool:
    return any(f.assertion == "uncertain" and concept_class(f.concept) == name for f in findings)


def _abnormal(findings: Iterable[Finding]) -> bool:
    return any(f.assertion != "absent" and concept_class(f.concept) != "Support Devices" for f in findings)
