"""Which finding of a candidate report answers which finding of its reference: the cheapest pairing of all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from xray.metrics.differences import Difference, differences
from xray.metrics.stated import Stated, joined_sides

_IMPOSSIBLE = 1e6
_TIE = 1e-3  # at equal cost a wrong degree is likelier than a wrong side: 左侧大量，右侧少量 against 左侧少量，右侧大量


class Pairing(NamedTuple):
    """A finding of the candidate, the one of the reference that it answers, and how the two differ."""

    candidate: Stated
    reference: Stated
    differences: tuple[Difference, ...]


def pair_findings(candidate: Sequence[Stated], reference: Sequence[Stated]) -> list[Pairing]:
    """Pair findings one to one: as many as can be, and of these pairings that with the least differences (Kuhn 1955).

    Findings of one name come first; a neighbouring word answers only what has no namesake in the other report.
    Both come sorted by what they say, so that the order of the sentences does not matter. A finding on both sides
    answers the same finding named on the left and on the right, and the reverse; the two are then one `Stated`.
    """
    ours, theirs = join_sides(candidate, other=reference), join_sides(reference, other=candidate)
    pairs = _assign(ours, theirs, same_name=True)
    taken = {id(one) for pair in pairs for one in (pair.candidate, pair.reference)}
    left = [[one for one in side if id(one) not in taken] for side in (ours, theirs)]
    return [*pairs, *_assign(left[0], left[1], same_name=False)]


def _assign(ours: Sequence[Stated], theirs: Sequence[Stated], *, same_name: bool) -> list[Pairing]:
    if not ours or not theirs:
        return []
    found = [[_compared(one, other, same_name=same_name) for other in theirs] for one in ours]
    costs = np.array([[_cost(cell) for cell in row] for row in found])
    chosen = zip(*linear_sum_assignment(costs), strict=True)
    cells = [(ours[row], theirs[column], found[row][column]) for row, column in chosen]
    return [Pairing(one, other, differing) for one, other, differing in cells if differing is not None]


def join_sides(findings: Sequence[Stated], *, other: Sequence[Stated]) -> list[Stated]:
    """Join a left and a right finding to one on both sides where the other report says it so."""
    joined = list(findings)
    for concept in {one.concept for one in other if one.laterality == "bilateral"}:
        named = [one for one in joined if one.concept == concept]
        alone = sum(one.concept == concept for one in other) == 1
        if len(named) == 2 and (_left_and_right(named) or (alone and _one_list(named))):
            joined[joined.index(named[0])] = joined_sides(*named)
            joined.remove(named[1])
    return joined


def _left_and_right(findings: Sequence[Stated]) -> bool:
    return {one.laterality for one in findings} == {"left", "right"}


def _one_list(findings: Sequence[Stated]) -> bool:
    """Whether both stand in one list, as in 双上肺及右下肺斑片影."""
    first, second = ({finding.span for finding in one.statements} for one in findings)
    return bool(first & second)


def _compared(candidate: Stated, reference: Stated, *, same_name: bool) -> tuple[Difference, ...] | None:
    return None if same_name and candidate.concept != reference.concept else differences(candidate, reference)


def _cost(found: tuple[Difference, ...] | None) -> float:
    if found is None:
        return _IMPOSSIBLE
    elsewhere = _TIE * any(difference.aspect == "side" for difference in found)
    return elsewhere + sum(difference.cost for difference in found)
