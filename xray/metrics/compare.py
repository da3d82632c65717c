"""Finding by finding: what a report got right, invented, left out, or said otherwise."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from xray.metrics.differences import ERROR_KINDS, Aspect, Difference, ErrorKind, credit
from xray.metrics.pairing import join_sides, pair_findings
from xray.metrics.stated import Stated, StatedReport, read_report
from xray.text.lexicon import Profile
from xray.text.normalize import normalize
from xray.types import Finding

_SENTENCE = re.compile(r"[^。;!\n]+")
_LOOKS_BACK = re.compile(
    r"较(?:前|旧|老|上次|既往|原|先)|(?:与|同|对比|比较|对照)[^,。;]{0,12}?(?:前|旧|老|既往|上次|原|先前|以前|之前)[^,。;]{0,8}?"
    r"(?:片|比|检查|对照|相仿|同|图像|X光)|同前|前片|自上次"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A mention in the candidate beside one in the reference; spans index their own texts."""

    candidate: Finding
    reference: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A finding of the candidate that answers one of the reference, and how the two differ."""

    candidate: Stated
    reference: Stated
    differences: tuple[Difference, ...]

    @property
    def credit(self) -> float:
        """The share of the finding's weight that is earned, in [0.1, 1]."""
        return credit(self.differences)

    def differs(self, *aspects: Aspect) -> bool:
        """Tell whether one of these aspects is an error."""
        return any(found.aspect in aspects and found.error is not None for found in self.differences)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Pair the first mentions, the second ones, and so on; the shorter list repeats its last."""
        ours, theirs = self.candidate.mentions, self.reference.mentions
        count = max(len(ours), len(theirs))
        return tuple(
            Pair(candidate=ours[min(n, len(ours) - 1)], reference=theirs[min(n, len(theirs) - 1)]) for n in range(count)
        )


@dataclass(frozen=True, kw_only=True)  # no slots: the errors are counted once
class Comparison:
    """The present and uncertain findings of a candidate report beside those of its reference.

    Every finding is in one of `matches`, `false` (误报, only in the candidate) and `omitted` (遗漏, only in the
    reference). `contradicted` are those of `false` and `omitted` that the other report denies in words. `general` are
    comparisons with an earlier film that belong to no finding, where only one of the reports makes any.
    """

    matches: tuple[Match, ...]
    false: tuple[Stated, ...]
    omitted: tuple[Stated, ...]
    contradicted: frozenset[Stated] = frozenset()
    general: tuple[ErrorKind, ...] = ()

    @cached_property
    def errors(self) -> Mapping[ErrorKind, int]:
        """The number of errors of each of the six kinds of ReXVal."""
        found: Counter[ErrorKind] = Counter({"false": len(self.false), "omission": len(self.omitted)})
        found.update(difference.error for match in self.matches for difference in match.differences if difference.error)
        found.update(self.general)
        return {kind: found[kind] for kind in ERROR_KINDS}


def compare_findings(candidate: str, reference: str, *, profile: Profile = "standard") -> Comparison:
    """Compare a candidate report with its reference: see `compare_stated`."""
    ours, theirs = (read_report(text, profile=profile) for text in (candidate, reference))
    return compare_stated(ours, theirs)


def compare_stated(candidate: StatedReport, reference: StatedReport) -> Comparison:
    """Match the findings of a candidate report to those of its reference.

    Findings answer one another as `significance.yaml` says: the same concept, a synonym at the same place, or a
    neighbouring word. A side, zone or degree that the reference does not state cannot be wrong. Absent findings and
    normal statements take no part. The order of the sentences does not matter.
    """
    matches = tuple(
        Match(candidate=ours, reference=theirs, differences=found)
        for ours, theirs, found in pair_findings(candidate.stated, reference.stated)
    )
    false = _rest(candidate.stated, other=reference.stated, taken=[match.candidate for match in matches])
    omitted = _rest(reference.stated, other=candidate.stated, taken=[match.reference for match in matches])
    denied = [
        *(one for one in false if _is_denied(one, reference)),
        *(one for one in omitted if _is_denied(one, candidate)),
    ]
    return Comparison(
        matches=matches,
        false=false,
        omitted=omitted,
        contradicted=frozenset(denied),
        general=_general(candidate, reference),
    )


def _rest(findings: Sequence[Stated], *, other: Sequence[Stated], taken: Sequence[Stated]) -> tuple[Stated, ...]:
    return tuple(one for one in join_sides(findings, other=other) if one not in taken)


def _is_denied(one: Stated, report: StatedReport) -> bool:
    """Whether a report says in words that a finding is absent, at its side or without a side."""
    return any(
        finding.concept == one.concept and (None in sides or "bilateral" in sides or len(sides) == 1)
        for finding in report.absent
        if (sides := {finding.laterality, one.laterality})
    )


def _general(candidate: StatedReport, reference: StatedReport) -> tuple[ErrorKind, ...]:
    """Name a comparison that only one report makes, beyond those of its findings, which are judged with them."""
    ours, theirs = _looks_back(candidate, other=reference), _looks_back(reference, other=candidate)
    if ours and not theirs and not _has_course(reference):
        return ("added_comparison",)
    if theirs and not ours and not _has_course(candidate):
        return ("omitted_comparison",)
    return ()


def _looks_back(report: StatedReport, *, other: StatedReport) -> bool:
    """Whether a report compares with an earlier film without saying what became of a finding that is there.

    That a finding is gone counts only where the other report is silent on it: else it is false there already.
    """
    there = {one.concept for one in other.stated}
    if any(finding.change == "resolved" and finding.concept not in there for finding in report.absent):
        return True
    return not _has_course(report) and any(
        _LOOKS_BACK.search(sentence) for sentence in _SENTENCE.findall(normalize(report.text))
    )


def _has_course(report: StatedReport) -> bool:
    return any(one.change not in (None, "old") for one in report.stated)
