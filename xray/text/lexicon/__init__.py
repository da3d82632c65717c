"""The lexicon: which words state which finding, and which words decide whether it is there.

Data files beside this module, read once per profile and checked against a schema: `pathologies.yaml`, `devices.yaml`
and `other_findings.yaml` (native reports), `mt.yaml` (additions for machine-translated corpora), `cues.yaml`
(assertion), `attributes.yaml` (side, zone, degree, course). Long expressions are folded; white space in them is
dropped. Profile `standard` is for reports written by radiologists, `mt` for OpenI-zh and its like.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from xray.text.lexicon.anchors import anchors

Profile = Literal["standard", "mt"]
PROFILES: tuple[Profile, ...] = ("standard", "mt")
CueKind = Literal[
    "pseudo",
    "course",
    "unchanged",
    "end",
    "hedge",
    "hedge_before",
    "hedge_after",
    "negation",
    "negation_before",
    "negation_both",
    "resolved",
]
TermKind = Literal["terms", "uncertain", "absent"]

_PRECEDENCE: tuple[CueKind, ...] = (
    "pseudo",
    "course",
    "unchanged",
    "hedge",
    "hedge_before",
    "resolved",
    "negation_both",
    "negation_before",
    "negation",
    "hedge_after",
    "end",
)
_GAP = "[^,。;:]{0,8}?"
_CONCEPTS = ("pathologies.yaml", "devices.yaml", "other_findings.yaml")
_FILES = (*_CONCEPTS, "mt.yaml", "cues.yaml", "attributes.yaml")


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Expressions(_Schema):
    """Regular expressions of one concept, by what a match means."""

    terms: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class Concept(Expressions):
    """One thing a report can state; the fields are explained at the head of `pathologies.yaml`."""

    zh: str
    label: str | None = Field(alias="class")
    sided: bool = False
    directed: bool = False
    measured: bool = False
    joins: tuple[str, ...] = ()
    certainty: Literal["certain", "uncertain"] = "certain"
    misplaced: str | None = None
    parts: str | None = None

    @property
    def places(self) -> Literal["zones", "ribs"] | None:
        """What its places are: lung fields, or ribs of a fracture; the middle of a clavicle is no lung field."""
        if not self.sided:
            return None
        return "ribs" if self.label == "Fracture" else "zones"


class Attributes(_Schema):
    """Regular expressions of the attributes a finding can have, by value; of `misplaced`, for any device."""

    laterality: dict[str, str]
    zones: dict[str, str]
    ribs: dict[str, str]
    shift: dict[str, str]
    dominant: dict[str, str]
    severity: dict[str, str]
    change: dict[str, str]
    compared: dict[str, str]
    misplaced: str


class _Cues(_Schema):
    pseudo: tuple[str, ...] = ()
    course: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    hedge: tuple[str, ...] = ()
    hedge_before: tuple[str, ...] = ()
    hedge_after: tuple[str, ...] = ()
    negation: tuple[str, ...] = ()
    negation_before: tuple[str, ...] = ()
    negation_both: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    absorbed: str = ""
    continues: str = ""
    filler: str = ""
    predicate: str = ""
    comparison: str = ""
    gone: str = ""
    advice: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The compiled lexicon of one profile.

    `terms` holds one pattern per (concept, kind, expression); `anchored` tells for a character the terms that may match
    a text with it, under the empty string those that may match any; `cues` are in order of precedence, `absorbed` are
    the words a cue may pass over, `continues`, `filler` and `predicate` tell an enumeration that goes on after a
    comma; the groups of `attributes` are keyed by attribute, then by value. `comparison`, `gone` and `position` tell
    clauses without a finding: one that names an earlier film, one that says what came before is no longer there, one
    that says where it is. `advice` is a stretch that states nothing. `misplaced` holds, for each device, the words
    behind it that put it out of place; `parts`, for some, the words behind it that name a part of it.
    """

    profile: Profile
    concepts: dict[str, Concept]
    terms: tuple[tuple[str, TermKind, re.Pattern[str]], ...]
    anchored: dict[str, tuple[int, ...]]
    cues: tuple[tuple[CueKind, re.Pattern[str]], ...]
    absorbed: re.Pattern[str]
    continues: re.Pattern[str]
    filler: re.Pattern[str]
    predicate: re.Pattern[str]
    comparison: re.Pattern[str]
    gone: re.Pattern[str]
    advice: re.Pattern[str]
    position: re.Pattern[str]
    attributes: dict[str, dict[str, re.Pattern[str]]]
    misplaced: dict[str, re.Pattern[str]]
    parts: dict[str, re.Pattern[str]]
    sha256: str


@cache
def load(profile: Profile) -> Lexicon:
    """Read, check and compile the lexicon of `profile`. The result is shared; it is immutable."""
    concepts = _concepts()
    additions = _additions() if profile == "mt" else {}
    attributes = Attributes.model_validate(_yaml("attributes.yaml"))
    terms = tuple(_term_patterns(concepts, additions))
    groups: dict[str, dict[str, str]] = attributes.model_dump(exclude={"misplaced"})
    return Lexicon(
        profile=profile,
        concepts=concepts,
        terms=terms,
        anchored=_anchored(terms),
        cues=tuple(_cue_patterns(profile)),
        absorbed=_joined(profile, "absorbed"),
        continues=_joined(profile, "continues"),
        filler=_joined(profile, "filler"),
        predicate=_joined(profile, "predicate"),
        comparison=_joined(profile, "comparison"),
        gone=_joined(profile, "gone"),
        advice=_joined(profile, "advice"),
        position=_joined(profile, "position"),
        attributes={name: {value: _compile(p) for value, p in group.items()} for name, group in groups.items()},
        misplaced={
            name: _compile("|".join(filter(None, (attributes.misplaced, concept.misplaced))))
            for name, concept in concepts.items()
            if concept.label == "Support Devices"
        },
        parts={name: _compile(concept.parts) for name, concept in concepts.items() if concept.parts},
        sha256=_digest(),
    )


@cache
def _concepts() -> dict[str, Concept]:
    merged = {name: fields for file in _CONCEPTS for name, fields in _yaml(file).items()}
    return TypeAdapter(dict[str, Concept]).validate_python(merged)


def concept(name: str) -> Concept | None:
    """Return the concept called `name`, or None. Concepts do not depend on the profile; their words do."""
    return _concepts().get(name)


def _additions() -> dict[str, Expressions]:
    return TypeAdapter(dict[str, Expressions]).validate_python(_yaml("mt.yaml"))


def _term_patterns(
    concepts: dict[str, Concept], additions: dict[str, Expressions]
) -> list[tuple[str, TermKind, re.Pattern[str]]]:
    """Compile all expressions, the additions of a profile first: at equal length the first one wins."""
    kinds: tuple[TermKind, ...] = ("absent", "uncertain", "terms")
    return [
        (name, kind, _compile(expression))
        for source in (additions, concepts)
        for name, expressions in source.items()
        for kind in kinds
        for expression in getattr(expressions, kind)
    ]


def _anchored(terms: tuple[tuple[str, TermKind, re.Pattern[str]], ...]) -> dict[str, tuple[int, ...]]:
    index: dict[str, tuple[int, ...]] = {"": ()}
    for number, (_, _, pattern) in enumerate(terms):
        for character in anchors(pattern.pattern) or {""}:
            index[character] = (*index.get(character, ()), number)
    return index


def _cue_patterns(profile: Profile) -> list[tuple[CueKind, re.Pattern[str]]]:
    return [
        (kind, _compile("|".join(form for cues in _cues(profile) for form in getattr(cues, kind))))
        for kind in _PRECEDENCE
    ]


def _joined(
    profile: Profile,
    name: Literal["absorbed", "continues", "filler", "predicate", "comparison", "gone", "advice", "position"],
) -> re.Pattern[str]:
    return _compile(f"(?:{'|'.join(form for cues in _cues(profile) if (form := getattr(cues, name)))})+")


def _cues(profile: Profile) -> list[_Cues]:
    raw = TypeAdapter(dict[Profile, _Cues]).validate_python(_yaml("cues.yaml"))
    return [raw["standard"]] if profile == "standard" else [raw["mt"], raw["standard"]]


def _compile(expression: str) -> re.Pattern[str]:
    return re.compile("".join(expression.split()).replace("…", _GAP))


def _yaml(name: str) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load((files(__package__) / name).read_text(encoding="utf-8"))
    return loaded


@cache
def _digest() -> str:
    content = b"\0".join((files(__package__) / name).read_bytes() for name in _FILES)
    return hashlib.sha256(content).hexdigest()
