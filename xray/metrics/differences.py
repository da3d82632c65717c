"""How two mentions of one finding differ, what each difference costs, and which error of ReXVal it is.

ReXVal (Yu et al. 2023, Patterns 4, 100802) counts six kinds of error in a report: a false finding, an omitted one, a
wrong location, a wrong severity, a comparison that the reference does not make, and one that is left out.
"""

from dataclasses import dataclass
from typing import Literal

from xray.metrics.significance import relation_of
from xray.metrics.stated import Stated
from xray.types import Change, Severity

ErrorKind = Literal["false", "omission", "location", "severity", "added_comparison", "omitted_comparison"]
ERROR_KINDS: tuple[ErrorKind, ...] = (
    "false",
    "omission",
    "location",
    "severity",
    "added_comparison",
    "omitted_comparison",
)
Aspect = Literal["concept", "side", "zone", "position", "degree", "size", "course", "certainty"]

_DEGREES: tuple[Severity, ...] = ("mild", "moderate", "severe")
_NEIGHBOURS = (
    {"apical", "upper"},
    {"upper", "middle"},
    {"middle", "lower"},
    {"lower", "basal"},
    {"hilar", "middle"},
    {"hilar", "upper"},
    {"hilar", "lower"},
)
_AGES: set[Change | None] = {"new", "old"}
_OPPOSITE = tuple({worse, better} for worse in ("new", "worse") for better in ("better", "resolved"))
_LARGE_MM, _SMALL_MM = 30.0, 6.0
_LEAST_CREDIT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which a candidate's finding differs from the reference's.

    `cost` is the share of the credit that it takes, `error` the error of ReXVal that it is; None where a reader would
    not call it one: a less specific word, a side that is not stated, another certainty.
    """

    aspect: Aspect
    cost: float
    error: ErrorKind | None = None


def differences(candidate: Stated, reference: Stated) -> tuple[Difference, ...] | None:
    """Return how a candidate's finding differs from the reference's; None where it is another finding."""
    relation = relation_of(candidate.concept, reference.concept)
    if relation is None or (relation == "synonym" and not _same_place(candidate, reference)):
        return None
    found = (
        Difference(aspect="concept", cost=0.25) if relation == "family" else None,
        _side(candidate, reference),
        _dominant(candidate, reference),
        _zone(candidate, reference),
        _position(candidate, reference),
        _degree(candidate, reference),
        _size(candidate, reference),
        _course(candidate, reference),
        _certainty(candidate, reference),
    )
    return tuple(difference for difference in found if difference is not None)


def credit(found: tuple[Difference, ...]) -> float:
    """Return the share of a finding's weight that a match earns, in [0.1, 1]: it was found, whatever else is wrong."""
    return max(_LEAST_CREDIT, 1.0 - sum(difference.cost for difference in found))


def _side(candidate: Stated, reference: Stated) -> Difference | None:
    sides = {candidate.laterality, reference.laterality}
    if reference.laterality is None or len(sides) == 1:
        return None
    if candidate.laterality is None:
        return _left_open("side")
    return Difference(aspect="side", cost=0.25 if "bilateral" in sides else 0.5, error="location")


def _left_open(aspect: Aspect) -> Difference:
    """Return what it costs to say less than the reference: it is no error."""
    return Difference(aspect=aspect, cost=0.1)


def _dominant(candidate: Stated, reference: Stated) -> Difference | None:
    """Tell 右侧为著 from 左侧为著 where both reports name the worse side."""
    if candidate.dominant is None or reference.dominant in (None, candidate.dominant):
        return None
    return Difference(aspect="side", cost=0.25, error="location")


def _zone(candidate: Stated, reference: Stated) -> Difference | None:
    if not reference.zones or set(candidate.zones) & set(reference.zones):
        return None
    if not candidate.zones:
        return _left_open("zone")
    near = any(_touch(one, other) for one in candidate.zones for other in reference.zones)
    return None if near else Difference(aspect="zone", cost=0.25, error="location")


def _touch(zone: str, other: str) -> bool:
    if zone.startswith("rib") and other.startswith("rib"):
        return abs(int(zone[3:]) - int(other[3:])) == 1
    return {zone, other} in _NEIGHBOURS


def _position(candidate: Stated, reference: Stated) -> Difference | None:
    """Tell a device that lies where it should not in one report only."""
    if candidate.misplaced == reference.misplaced:
        return None
    return Difference(aspect="position", cost=0.5, error="location")


def _degree(candidate: Stated, reference: Stated) -> Difference | None:
    if reference.severity is None or candidate.severity == reference.severity:
        return None
    if candidate.severity is None:
        return _left_open("degree")
    steps = abs(_DEGREES.index(candidate.severity) - _DEGREES.index(reference.severity))
    return Difference(aspect="degree", cost=0.25 * steps, error="severity")


def _size(candidate: Stated, reference: Stated) -> Difference | None:
    if reference.size_mm is None:
        return None
    if candidate.size_mm is None:
        return _left_open("size")
    crosses = (candidate.size_mm >= _LARGE_MM) != (reference.size_mm >= _LARGE_MM)  # 30 mm makes a nodule a mass
    if not crosses and abs(candidate.size_mm - reference.size_mm) <= _tolerance(reference.size_mm):
        return None
    return None if candidate.size_mm == reference.size_mm else Difference(aspect="size", cost=0.25, error="severity")


def _tolerance(size_mm: float) -> float:
    """Return how far two readers' measurements of one finding may be apart, in mm."""
    if size_mm >= _LARGE_MM:
        return 0.2 * size_mm
    return 2.0 if size_mm < _SMALL_MM else 4.0


def _course(candidate: Stated, reference: Stated) -> Difference | None:
    """Tell courses apart, and a new finding from an old one; that it is old is no comparison with an earlier film."""
    if {candidate.change, reference.change} == _AGES:
        return Difference(
            aspect="course",
            cost=0.5,
            error="added_comparison" if candidate.change == "new" else "omitted_comparison",
        )
    ours, theirs = (None if one.change == "old" else one.change for one in (candidate, reference))
    if ours == theirs:
        return None
    added = theirs is None
    cost = 0.5 if any({ours, theirs} == pair for pair in _OPPOSITE) else 0.1
    return Difference(aspect="course", cost=cost, error="added_comparison" if added else "omitted_comparison")


def _certainty(candidate: Stated, reference: Stated) -> Difference | None:
    """Tell a suspicion from a finding, and one that its own report also denies from one that is sure."""
    if candidate.denied and not reference.denied:
        return Difference(aspect="certainty", cost=0.5)
    return None if candidate.assertion == reference.assertion else Difference(aspect="certainty", cost=0.1)


def _same_place(candidate: Stated, reference: Stated) -> bool:
    """Whether nothing that the two say of their place contradicts the other."""
    sides = {candidate.laterality, reference.laterality} - {None}
    zone = _zone(candidate, reference)
    return len(sides) < 2 and (zone is None or zone.error is None)
