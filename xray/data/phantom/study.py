"""Who is examined and what the films will show: sampled first, drawn and described afterwards.

Because drawing and reporting both start from the same `PhantomStudy`, the labels are the truth of what was drawn,
not an annotator's opinion of it.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np

from xray.errors import ConfigError
from xray.text.labels import CLASSES
from xray.types import Laterality, Severity

Zone = Literal["upper", "middle", "lower"]
ZONES: tuple[Zone, ...] = ("upper", "middle", "lower")


class Style(StrEnum):
    """One of two invented hospitals: each has its wording, its mix of findings and its exposures."""

    DEMO = "demo"
    BASE = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFinding:
    """One abnormality or device on the films.

    `concept` is a key of the report lexicon. `zone` is a lung zone (`upper`, `middle`, `lower`) of focal lung disease,
    `size_mm` the diameter of a nodule or mass, `rib` the number of a broken rib.
    """

    concept: str
    laterality: Laterality | None = None
    zone: Zone | None = None
    severity: Severity | None = None
    size_mm: int | None = None
    rib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomStudy:
    """One examination of an invented patient.

    `seed` decides all that belongs to this examination (position, exposure, noise, wording), `patient_seed` the
    anatomy that a patient's studies share. `sex` is `F` or `M`; `day` counts days from the first possible examination.
    """

    study_number: int
    patient_number: int
    findings: tuple[DrawnFinding, ...]
    has_lateral: bool
    seed: int
    patient_seed: int
    sex: Literal["F", "M"]
    age_years: int
    day: int

    def get(self, concept: str) -> DrawnFinding | None:
        """Return the finding of this concept, or None. A study shows each concept at most once."""
        return next((finding for finding in self.findings if finding.concept == concept), None)


# Weights, not prevalences: conflicts between findings and follow-up of chronic ones shift them a little.
_DEMO_MIX = {
    "cardiomegaly": 0.9,
    "pleural_effusion": 1.25,
    "pneumothorax": 1.15,
    "opacity": 1.35,
    "consolidation": 1.2,
    "nodule": 1.3,
    "mass": 1.35,
    "atelectasis": 1.15,
    "edema": 1.3,
    "pleural_thickening": 0.75,
    "fracture": 1.25,
    "pacemaker": 0.7,
    "endotracheal_tube": 0.95,
    "central_line": 1.0,
}
_BASE_MIX = {
    "cardiomegaly": 1.2,
    "pleural_effusion": 1.5,
    "pneumothorax": 1.1,
    "opacity": 1.5,
    "consolidation": 1.3,
    "nodule": 1.3,
    "mass": 1.3,
    "atelectasis": 1.2,
    "edema": 1.1,
    "endotracheal_tube": 0.8,
    "central_line": 0.9,
}
_MIX = {Style.DEMO: _DEMO_MIX, Style.BASE: _BASE_MIX}
DEMO_CONCEPTS: tuple[str, ...] = tuple(_DEMO_MIX)
BASE_CONCEPTS: tuple[str, ...] = tuple(_BASE_MIX)

_NUM_FINDINGS = {Style.DEMO: (0.30, 0.36, 0.25, 0.09), Style.BASE: (0.26, 0.36, 0.28, 0.10)}
_NUM_STUDIES = (0.60, 0.25, 0.10, 0.05)
_LATERAL_SHARE = {Style.DEMO: 0.20, Style.BASE: 0.10}
_CHRONIC = ("cardiomegaly", "pleural_thickening", "pacemaker")


def sample_studies(count: int, *, seed: int, style: Style) -> list[PhantomStudy]:
    """Invent `count` studies of about `count` / 1.6 patients, numbered from 1 in order.

    A patient's studies are neighbours, share the anatomy and keep chronic findings. Study n is the same whatever
    `count` is. Raises ConfigError when `count` is not positive.
    """
    if count < 1:
        raise ConfigError(f"phantom studies: the number of studies is {count}. Ask for at least 1.")
    studies: list[PhantomStudy] = []
    patient_number = 0
    while len(studies) < count:
        patient_number += 1
        studies += _sample_patient(patient_number, first_study=len(studies) + 1, seed=seed, style=style)
    return studies[:count]


def _sample_patient(patient_number: int, *, first_study: int, seed: int, style: Style) -> list[PhantomStudy]:
    rng = np.random.default_rng([seed, patient_number, list(Style).index(style)])
    sex: Literal["F", "M"] = "F" if rng.random() < 0.47 else "M"
    age_years = int(np.clip(rng.normal(58, 17), 18, 92))
    patient_seed, day = int(rng.integers(2**62)), int(rng.integers(0, 300))
    studies: list[PhantomStudy] = []
    for offset in range(1 + int(rng.choice(len(_NUM_STUDIES), p=_NUM_STUDIES))):
        known = tuple(f for f in studies[-1].findings if f.concept in _CHRONIC) if studies else ()
        studies.append(
            PhantomStudy(
                study_number=first_study + offset,
                patient_number=patient_number,
                findings=_sample_findings(known, rng=rng, style=style),
                has_lateral=bool(rng.random() < _LATERAL_SHARE[style]),
                seed=int(rng.integers(2**62)),
                patient_seed=patient_seed,
                sex=sex,
                age_years=age_years,
                day=day,
            )
        )
        day += int(rng.integers(2, 60))
    return studies


def _sample_findings(
    known: tuple[DrawnFinding, ...], *, rng: np.random.Generator, style: Style
) -> tuple[DrawnFinding, ...]:
    mix = _MIX[style]
    weights = np.array(list(mix.values())) / sum(mix.values())
    num_findings = int(rng.choice(4, p=_NUM_FINDINGS[style]))
    findings = list(known)
    while len(findings) < num_findings:
        candidate = _sample_finding(str(rng.choice(list(mix), p=weights)), rng=rng)
        if all(compatible(candidate, other) for other in findings):
            findings.append(candidate)
    order = list(mix)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.concept)))


def _sample_finding(concept: str, *, rng: np.random.Generator) -> DrawnFinding:
    side: Laterality = "left" if rng.random() < 0.5 else "right"
    zone = ZONES[int(rng.integers(3))]
    match concept:
        case "cardiomegaly":
            return DrawnFinding(concept=concept, severity="mild" if rng.random() < 0.5 else "severe")
        case "pleural_effusion":
            severity: Severity = ("mild", "moderate", "severe")[int(rng.integers(3))]
            both = severity != "severe" and rng.random() < 0.3
            return DrawnFinding(concept=concept, laterality="bilateral" if both else side, severity=severity)
        case "pneumothorax":
            return DrawnFinding(concept=concept, laterality=side, severity="mild" if rng.random() < 0.5 else "severe")
        case "opacity" | "consolidation":
            return DrawnFinding(concept=concept, laterality=side, zone=zone)
        case "nodule":
            return DrawnFinding(concept=concept, laterality=side, zone=zone, size_mm=int(rng.choice([26, 28, 30])))
        case "mass":
            return DrawnFinding(concept=concept, laterality=side, zone=zone, size_mm=int(rng.choice([55, 60, 65, 70])))
        case "edema":
            return DrawnFinding(concept=concept, laterality="bilateral")
        case "fracture":
            return DrawnFinding(concept=concept, laterality=side, rib=int(rng.integers(5, 9)))
        case "endotracheal_tube":
            return DrawnFinding(concept=concept)
        case _:
            return DrawnFinding(concept=concept, laterality=side)


def compatible(one: DrawnFinding, other: DrawnFinding) -> bool:
    """Tell whether two findings can be on one film without hiding or imitating each other."""
    return one.concept != other.concept and _occupied(one).isdisjoint(_occupied(other))


def _occupied(finding: DrawnFinding) -> set[Hashable]:
    """Name the places of the film that a finding needs for itself."""
    sides = ("left", "right") if finding.laterality == "bilateral" else (finding.laterality,)
    match finding.concept:
        case "cardiomegaly":
            return {"heart"} | ({("left", "lower")} if finding.severity == "severe" else set())
        case "pleural_effusion":
            return {place for side in sides for place in _flooded(side, severity=finding.severity)}
        case "pneumothorax":
            return {("pleura", sides[0])} | {(sides[0], zone) for zone in ZONES}
        case "consolidation":
            return {(sides[0], finding.zone), ("ribs", sides[0])}
        case "atelectasis":
            return {("pleura", sides[0]), (sides[0], "lower"), "mediastinal shift"}
        case "edema":
            return {(side, place) for side in sides for place in ("middle", "lower")} | {("ribs", s) for s in sides}
        case "pleural_thickening":
            return {("pleura", sides[0])}
        case "fracture":
            return {("ribs", sides[0])}
        case "pacemaker":
            return {(sides[0], "upper"), "superior vena cava"}
        case "central_line":
            return {"superior vena cava"}
        case "endotracheal_tube":
            return {"trachea"}
        case _:
            return {(sides[0], finding.zone)}


def _flooded(side: Hashable, *, severity: Severity | None) -> set[Hashable]:
    places: set[Hashable] = {("pleura", side)}
    if severity in ("moderate", "severe"):
        places.add((side, "lower"))
    if severity == "severe":
        places |= {(side, "middle"), ("ribs", side), "mediastinal shift"}
    return places


_CLASS_OF = {
    "cardiomegaly": "Cardiomegaly",
    "pleural_effusion": "Pleural Effusion",
    "pneumothorax": "Pneumothorax",
    "opacity": "Lung Opacity",
    "consolidation": "Consolidation",
    "nodule": "Lung Lesion",
    "mass": "Lung Lesion",
    "atelectasis": "Atelectasis",
    "edema": "Edema",
    "pleural_thickening": "Pleural Other",
    "fracture": "Fracture",
    "pacemaker": "Support Devices",
    "endotracheal_tube": "Support Devices",
    "central_line": "Support Devices",
}


def labels(study: PhantomStudy) -> dict[str, int]:
    """Return the truth as the 14 CheXpert classes, 1 = drawn, 0 = not.

    As in CheXpert, support devices alone leave `No Finding` at 1. A class is set by its own finding only:
    consolidation does not set `Lung Opacity`.
    """
    shown = {_CLASS_OF[finding.concept] for finding in study.findings}
    values = {name: int(name in shown) for name in CLASSES}
    values["No Finding"] = int(shown <= {"Support Devices"})
    return values
