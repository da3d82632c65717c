"""Finding by finding: what a report got right, invented, left out, or put on the wrong side."""

from dataclasses import dataclass

from xray.text.frames import find
from xray.text.labels import concept_class
from xray.text.lexicon import Profile
from xray.types import Finding, Laterality


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A finding of the candidate and the finding of the reference it was matched with; spans index their own texts."""

    candidate: Finding
    reference: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The present and uncertain findings of two reports.

    matched: 一致. wrong_side: 侧别错误, the same finding with another side. false: 误报, only in the candidate.
    omitted: 遗漏, only in the reference. Every finding is in one of them; where a report states a finding twice, both
    statements are paired with what the other report says of it.
    """

    matched: tuple[Pair, ...]
    wrong_side: tuple[Pair, ...]
    false: tuple[Finding, ...]
    omitted: tuple[Finding, ...]


@dataclass(slots=True)
class _Stated:
    """One finding of a report with all its statements: findings and impression often say the same."""

    statements: list[Finding]

    @property
    def concept(self) -> str:
        return self.statements[0].concept

    @property
    def laterality(self) -> Laterality | None:
        return next((f.laterality for f in self.statements if f.laterality), None)

    @property
    def zones(self) -> tuple[str, ...]:
        return next((f.zones for f in self.statements if f.zones), ())

    def restated_by(self, finding: Finding) -> bool:
        """Whether a later statement adds nothing that contradicts this finding."""
        same_side = None in {self.laterality, finding.laterality} or self.laterality == finding.laterality
        same_zone = not self.zones or not finding.zones or self.zones == finding.zones
        return self.concept == finding.concept and same_side and same_zone


def compare_findings(candidate: str, reference: str, *, profile: Profile = "standard") -> Comparison:
    """Match the findings of a candidate report to those of its reference.

    Findings match when their concepts are the same, else when they count for the same CheXpert class, devices apart: a
    pacemaker is no catheter. The closest in concept, side and zone are paired first. A side that the reference does not
    state cannot be wrong. Absent findings and normal statements take no part.
    """
    ours, theirs = _stated(candidate, profile), _stated(reference, profile)
    pairs = _pair(ours, theirs)
    right = [pair for pair in pairs if _same_side(*pair)]
    wrong = [pair for pair in pairs if not _same_side(*pair)]
    paired = {id(one) for pair in pairs for one in pair}
    return Comparison(
        matched=tuple(statement for pair in right for statement in _statements(*pair)),
        wrong_side=tuple(statement for pair in wrong for statement in _statements(*pair)),
        false=tuple(f for one in ours if id(one) not in paired for f in one.statements),
        omitted=tuple(f for one in theirs if id(one) not in paired for f in one.statements),
    )


def _stated(text: str, profile: Profile) -> list[_Stated]:
    found: list[_Stated] = []
    for finding in find(text, profile=profile):
        if finding.assertion == "absent":
            continue
        known = next((one for one in found if one.restated_by(finding)), None)
        if known is None:
            found.append(_Stated([finding]))
        else:
            known.statements.append(finding)
    return found


def _pair(ours: list[_Stated], theirs: list[_Stated]) -> list[tuple[_Stated, _Stated]]:
    """Pair one to one, greedily by rising cost; ties go to the order of the texts."""
    costs = sorted(
        (cost, i, j) for i, one in enumerate(ours) for j, other in enumerate(theirs) if (cost := _cost(one, other))
    )
    left, right = set(range(len(ours))), set(range(len(theirs)))
    pairs: list[tuple[int, int]] = []
    for _, i, j in costs:
        if i in left and j in right:
            left.discard(i)
            right.discard(j)
            pairs.append((i, j))
    return [(ours[i], theirs[j]) for i, j in sorted(pairs)]


def _cost(ours: _Stated, theirs: _Stated) -> tuple[bool, bool, bool] | None:
    """(concept differs, side differs, zone differs), or None where the two cannot be the same finding."""
    name = concept_class(ours.concept)
    if ours.concept != theirs.concept and (name in {None, "Support Devices"} or name != concept_class(theirs.concept)):
        return None
    return ours.concept != theirs.concept, not _same_side(ours, theirs), ours.zones != theirs.zones


def _same_side(ours: _Stated, theirs: _Stated) -> bool:
    return theirs.laterality in {None, ours.laterality}


def _statements(ours: _Stated, theirs: _Stated) -> list[Pair]:
    """Pair the first statements, the second ones, ...; the shorter list repeats its last."""
    count = max(len(ours.statements), len(theirs.statements))
    return [
        Pair(
            candidate=ours.statements[min(index, len(ours.statements) - 1)],
            reference=theirs.statements[min(index, len(theirs.statements) - 1)],
        )
        for index in range(count)
    ]
