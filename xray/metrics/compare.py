"""Finding by finding: what a report got right, invented, left out, or put on the wrong side."""

from dataclasses import dataclass

from xray.text.frames import find
from xray.text.labels import concept_class
from xray.text.lexicon import Profile
from xray.types import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A finding of the candidate and the finding of the reference it was matched with; spans index their own texts."""

    candidate: Finding
    reference: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The present and uncertain findings of two reports, each in exactly one place.

    matched: 一致. wrong_side: 侧别错误, the same finding with another side. false: 误报, only in the candidate.
    omitted: 遗漏, only in the reference.
    """

    matched: tuple[Pair, ...]
    wrong_side: tuple[Pair, ...]
    false: tuple[Finding, ...]
    omitted: tuple[Finding, ...]


def compare_findings(candidate: str, reference: str, *, profile: Profile = "standard") -> Comparison:
    """Match the findings of a candidate report to those of its reference.

    Findings match when their concepts are the same, else when they count for the same CheXpert class; the closest in
    concept, then in side, are paired first. A repeated statement of one report follows its first one. Absent findings
    and normal statements are no part of the comparison.
    """
    ours, theirs = _stated(candidate, profile), _stated(reference, profile)
    pairs = _pair(ours, theirs)
    paired_ours, paired_theirs = {i for i, _ in pairs}, {j for _, j in pairs}
    matched = [Pair(candidate=ours[i], reference=theirs[j]) for i, j in pairs]
    return Comparison(
        matched=tuple(pair for pair in matched if same_side(pair)),
        wrong_side=tuple(pair for pair in matched if not same_side(pair)),
        false=tuple(f for i, f in enumerate(ours) if i not in paired_ours),
        omitted=tuple(f for j, f in enumerate(theirs) if j not in paired_theirs),
    )


def same_side(pair: Pair) -> bool:
    """Whether the candidate says the side that the reference states; a reference without a side is content."""
    return pair.reference.laterality is None or pair.reference.laterality == pair.candidate.laterality


def _stated(text: str, profile: Profile) -> list[Finding]:
    return [finding for finding in find(text, profile=profile) if finding.assertion != "absent"]


def _pair(ours: list[Finding], theirs: list[Finding]) -> list[tuple[int, int]]:
    """Pair greedily by rising cost; what is left over joins an already paired twin of its own text."""
    costs = sorted(
        (cost, i, j) for i, f in enumerate(ours) for j, g in enumerate(theirs) if (cost := _cost(f, g)) is not None
    )
    free_ours, free_theirs = set(range(len(ours))), set(range(len(theirs)))
    pairs: list[tuple[int, int]] = []
    for _, i, j in costs:
        if i in free_ours and j in free_theirs:
            pairs.append((i, j))
            free_ours.discard(i)
            free_theirs.discard(j)
    for cost, i, j in costs:
        if (i in free_ours or j in free_theirs) and cost[1] == 0:
            pairs.append((i, j))
            free_ours.discard(i)
            free_theirs.discard(j)
    return sorted(pairs)


def _cost(ours: Finding, theirs: Finding) -> tuple[int, int] | None:
    """(concept differs, side differs), or None where the two cannot be the same finding."""
    name = concept_class(ours.concept)
    related = ours.concept == theirs.concept or (name is not None and name == concept_class(theirs.concept))
    if not related:
        return None
    side = 0 if theirs.laterality in {None, ours.laterality} else 1
    return int(ours.concept != theirs.concept), side
