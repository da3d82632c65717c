"""What a report states as there: its present and uncertain findings, each once, however often it is said.

Findings and impression repeat each other, and 斑片影，考虑肺炎 names a sign and what it is taken for. A score that
counted each mention would reward repetition.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from xray.metrics.significance import is_evidence, weight_of
from xray.text.contradiction import denied_in_words
from xray.text.frames import find
from xray.text.lexicon import Profile
from xray.types import Assertion, Change, Finding, Laterality, Severity

_CONCLUDES = re.compile("提示|考虑|符合|可能|疑|系|为|示|倾向|代表|表明|除外|排除|[(（]")
_ASKS = re.compile("[^。;；,，]{0,3}(?:待排|待查|待除外|可能|[?？])")
_JOINS = re.compile("[。!！?？;；\n]|伴|合并|并(?!不)|以及|及|和|、|另")
_REACH = 8  # a sentence concludes within a few findings; a model that repeats itself states thousands
_MEASURED = 20  # nobody measures more nodules of one place
_DEGREES: tuple[Severity | None, ...] = (None, "mild", "moderate", "severe")
_COURSES: tuple[Change | None, ...] = (None, "old", "stable", "resolved", "better", "worse", "new")
"""Of two mentions that differ, the one that must not be missed counts."""
_LEFT_AND_RIGHT: tuple[Laterality, ...] = ("left", "right")
_ORDER: dict[Laterality | None, int] = {"left": 0, "right": 1, "bilateral": 2, None: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One finding of a report with everything that is said of it.

    `statements` are its mentions, `evidence` the signs from which the report concludes it; `denied` means that the
    report also says in the same words that it is absent.
    The other fields are those of `Finding`, joined: `assertion` is present where one mention is.
    """

    concept: str
    assertion: Assertion
    statements: tuple[Finding, ...]
    laterality: Laterality | None = None
    zones: tuple[str, ...] = ()
    severity: Severity | None = None
    size_mm: float | None = None
    change: Change | None = None
    misplaced: bool = False
    dominant: Laterality | None = None
    denied: bool = False
    evidence: tuple[Finding, ...] = ()

    @property
    def mentions(self) -> tuple[Finding, ...]:
        """Every mention in the text, that of the evidence included, in the order of the text."""
        return tuple(sorted((*self.statements, *self.evidence), key=lambda finding: finding.span))

    @property
    def weight(self) -> float:
        """Clinical significance, in (0, 1]: see `significance.yaml`. A device out of place is acted upon at once."""
        return 1.0 if self.misplaced else weight_of(self.concept, severity=self.severity)

    @property
    def order(self) -> tuple[object, ...]:
        """A key that sorts findings by what they say, not by where it stands in the text."""
        return (
            self.concept,
            _ORDER[self.laterality],
            self.zones,
            self.severity or "",
            self.size_mm or 0.0,
            self.change or "",
            self.misplaced,
            self.dominant or "",
            self.assertion,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedReport:
    """A report's stated findings, sorted by what they say; `absent` are the ones it denies."""

    text: str
    stated: tuple[Stated, ...]
    absent: tuple[Finding, ...]


def read_report(text: str, *, profile: Profile = "standard") -> StatedReport:
    """Read a report into the findings that are to be compared."""
    return stated_report(text, findings=find(text, profile=profile))


def stated_report(text: str, *, findings: Iterable[Finding]) -> StatedReport:
    """Join the findings that were read from `text`."""
    known = tuple(findings)
    there = [finding for finding in known if finding.assertion != "absent"]
    denied = {(finding.concept, finding.span) for finding in denied_in_words(text, known)}
    joined = [
        replace(one, denied=any((finding.concept, finding.span) in denied for finding in one.statements))
        for one in _joined(_without_evidence(text, there))
    ]
    return StatedReport(
        text=text,
        stated=tuple(sorted(joined, key=lambda one: one.order)),
        absent=tuple(finding for finding in known if finding.assertion == "absent"),
    )


def joined_sides(left: Stated, right: Stated) -> Stated:
    """Make one finding on both sides of two, a left one and a right one in general; what differs is left open."""
    return replace(
        left,
        laterality="bilateral",
        zones=left.zones if left.zones == right.zones else (),
        severity=left.severity if left.severity == right.severity else None,
        size_mm=None,
        change=left.change if left.change == right.change else None,
        dominant=_worse_side(left, right),
        denied=left.denied or right.denied,
        assertion="present" if "present" in (left.assertion, right.assertion) else "uncertain",
        statements=(*left.statements, *right.statements),
        evidence=(*left.evidence, *right.evidence),
    )


def _worse_side(left: Stated, right: Stated) -> Laterality | None:
    """Return the side with the higher degree where there is a left and a right one and both have a degree."""
    if (left.laterality, right.laterality) != ("left", "right") or not (left.severity and right.severity):
        return None
    more = _DEGREES.index(left.severity) - _DEGREES.index(right.severity)
    return "left" if more > 0 else "right" if more < 0 else None


def _without_evidence(text: str, findings: Sequence[Finding]) -> list[tuple[Finding, tuple[Finding, ...]]]:
    """Give each finding the signs it was concluded from, and leave these out."""
    signs: dict[int, list[Finding]] = {}
    for place, sign in enumerate(findings):
        following = range(place + 1, min(place + 1 + _REACH, len(findings)))
        conclusion = next((n for n in following if _concluded(text, sign=sign, from_it=findings[n])), None)
        if conclusion is not None:
            signs.setdefault(conclusion, []).append(sign)
    left_out = {id(sign) for group in signs.values() for sign in group}
    return [
        (_located(finding, signs.get(number, ())), tuple(signs.get(number, ())))
        for number, finding in enumerate(findings)
        if id(finding) not in left_out
    ]


def _concluded(text: str, *, sign: Finding, from_it: Finding) -> bool:
    """Whether a report concludes a finding from a sign that stands before it in the same sentence."""
    if not is_evidence(sign.concept, of=from_it.concept) or sign.span[1] > from_it.span[0]:
        return False
    between = text[sign.span[1] : from_it.span[0]]
    same_side = None in (sign.laterality, from_it.laterality) or sign.laterality == from_it.laterality
    asked = between in {",", "，"} and _ASKS.match(text, from_it.span[1]) is not None
    return same_side and not _JOINS.search(between) and (asked or bool(_CONCLUDES.search(between)))


def _located(finding: Finding, signs: Sequence[Finding]) -> Finding:
    """Place a conclusion where its sign is, as large and as marked."""
    for sign in signs:
        finding = replace(
            finding,
            laterality=finding.laterality or sign.laterality,
            zones=finding.zones or sign.zones,
            severity=finding.severity or sign.severity,
            size_mm=finding.size_mm or sign.size_mm,
            change=finding.change or sign.change,
            dominant=finding.dominant or sign.dominant,
        )
    return finding


def _joined(findings: Iterable[tuple[Finding, tuple[Finding, ...]]]) -> list[Stated]:
    """Join mentions of one finding, the most exact ones first, so that the order of the sentences is irrelevant."""
    ordered = _largest(sorted(findings, key=lambda one: _exactness(one[0])))
    found: list[Stated] = []
    mentions: list[list[tuple[Finding, tuple[Finding, ...]]]] = []
    places: dict[tuple[object, ...], list[int]] = {}
    for finding, signs in ordered:
        key = (finding.concept, finding.laterality, finding.zones, finding.size_mm)
        if key not in places:
            same = (number for number, one in enumerate(found) if _restated(one, finding))
            places[key] = _sides_of(found, finding) or [next(same, len(found))]
        at = places[key]
        for place in at:
            if place == len(found):
                found.append(_first(finding))
                mentions.append([])
            severity = (found[place].severity if len(at) > 1 else None) or finding.severity
            part = replace(finding, severity=severity)
            found[place] = _again(found[place], part)
            mentions[place].append((part, signs))
    return [_with_mentions(one, group) for one, group in zip(found, mentions, strict=True)]


def _largest(
    findings: Iterable[tuple[Finding, tuple[Finding, ...]]],
) -> Iterator[tuple[Finding, tuple[Finding, ...]]]:
    """Leave out all sizes of one finding at one place but the largest few; these are told apart, the rest is one."""
    sizes: dict[tuple[object, ...], set[float]] = defaultdict(set)
    for finding, signs in findings:
        known = sizes[finding.concept, finding.laterality, finding.zones]
        size = finding.size_mm
        if size is not None and len(known) < _MEASURED:
            known.add(size)
        yield replace(finding, size_mm=size if size in known else None), signs


def _with_mentions(one: Stated, mentions: Sequence[tuple[Finding, tuple[Finding, ...]]]) -> Stated:
    return replace(
        one,
        statements=tuple(finding for finding, _ in mentions),
        evidence=tuple(sign for _, signs in mentions for sign in signs),
    )


def _exactness(finding: Finding) -> tuple[object, ...]:
    degree = -_DEGREES.index(finding.severity)
    return _ORDER[finding.laterality], not finding.zones, finding.zones, degree, -(finding.size_mm or 0.0)


def _sides_of(found: Sequence[Stated], finding: Finding) -> list[int]:
    """Return where the left and the right stand that 双侧 sums up; none if one is missing or a zone is another."""
    if finding.laterality != "bilateral":
        return []
    parts = [
        next((n for n, one in enumerate(found) if _restated(one, replace(finding, laterality=side))), None)
        for side in _LEFT_AND_RIGHT
    ]
    return [part for part in parts if part is not None] if None not in parts else []


def _first(finding: Finding) -> Stated:
    return Stated(
        concept=finding.concept,
        assertion=finding.assertion,
        statements=(),
        laterality=finding.laterality,
        zones=finding.zones,
        severity=finding.severity,
        size_mm=finding.size_mm,
        change=finding.change,
        misplaced=finding.misplaced,
        dominant=finding.dominant,
    )


def _again(one: Stated, finding: Finding) -> Stated:
    sizes = [size for size in (one.size_mm, finding.size_mm) if size is not None]
    return replace(
        one,
        assertion="present" if "present" in (one.assertion, finding.assertion) else "uncertain",
        zones=one.zones or finding.zones,
        severity=max((one.severity, finding.severity), key=_DEGREES.index),
        size_mm=max(sizes, default=None),
        change=max((one.change, finding.change), key=_COURSES.index),
        misplaced=one.misplaced or finding.misplaced,
        dominant=one.dominant or finding.dominant,
    )


def _restated(one: Stated, finding: Finding) -> bool:
    """Whether a mention adds nothing that contradicts a finding."""
    same_side = finding.laterality in (None, one.laterality)
    same_zone = not one.zones or not finding.zones or bool(set(one.zones) & set(finding.zones))
    same_size = None in (one.size_mm, finding.size_mm) or one.size_mm == finding.size_mm
    return one.concept == finding.concept and same_side and same_zone and same_size
