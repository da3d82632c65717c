"""Agreement of findings between a candidate report and its reference, over the classes of CheXpert.

Per report and class one cell: true positive, false positive or false negative; scores are sums of cells. `No Finding`
is left out of the headline, because a constant normal report earns it. Uncertain counts as positive (the convention
of F1CheXbert), and as negative beside it. Explicit negatives ("no pneumothorax") are a cell of their own: a system that
never denies anything is not told from one that denies correctly by positives alone.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from xray.text.labels import CLASSES, LabelledText, concept_class
from xray.types import Laterality

FloatArray = NDArray[np.float64]

PATHOLOGIES: tuple[str, ...] = tuple(name for name in CLASSES if name != "No Finding")
"""The thirteen classes of the headline."""
FIVE: tuple[str, ...] = ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")
"""The five classes of the CheXpert competition."""


def columns(names: Iterable[str]) -> list[int]:
    """Positions of classes in `CLASSES`."""
    return [CLASSES.index(name) for name in names]


def cells(candidate: LabelledText, reference: LabelledText, *, uncertain_positive: bool = True) -> FloatArray:
    """Return float64 [3, 14]: rows true positive, false positive, false negative; columns `CLASSES`."""
    wanted = {1, -1} if uncertain_positive else {1}
    return _cells(candidate, reference, wanted=wanted)


def negative_cells(candidate: LabelledText, reference: LabelledText) -> FloatArray:
    """Return float64 [3, 14] as `cells` does, with an explicit negative (0) in the place of the positive."""
    return _cells(candidate, reference, wanted={0})


def precision(counts: FloatArray) -> FloatArray:
    """Precision of counts (tp, fp, fn), float64 [..., 3] -> [...].

    1 where neither side has a positive, NaN where only the candidate has none.
    """
    return _share(counts[..., 0], counts[..., 0] + counts[..., 1], empty=counts.sum(axis=-1) == 0)


def recall(counts: FloatArray) -> FloatArray:
    """Recall of counts (tp, fp, fn), float64 [..., 3] -> [...].

    1 where neither side has a positive, NaN where only the reference has none.
    """
    return _share(counts[..., 0], counts[..., 0] + counts[..., 2], empty=counts.sum(axis=-1) == 0)


def f1(counts: FloatArray) -> FloatArray:
    """F1 = 2 tp / (2 tp + fp + fn) of counts, float64 [..., 3] -> [...]; 1 where neither side has a positive."""
    return _share(2 * counts[..., 0], counts[..., 0] + counts.sum(axis=-1), empty=counts.sum(axis=-1) == 0)


def defined_f1(counts: FloatArray) -> FloatArray:
    """F1 of counts (tp, fp, fn), float64 [..., 3] -> [...]; NaN where neither side has a positive."""
    return np.where(counts.sum(axis=-1) > 0, f1(counts), np.nan)


def example_f1(cells: FloatArray) -> FloatArray:
    """F1 of one report over the thirteen classes of the headline, float64 [..., 3, 14] -> [...].

    1 where neither side has a positive. Its mean over reports is the example-based F1 of multi-label classification
    (Tsoumakas and Katakis 2007).
    """
    return f1(cells[..., columns(PATHOLOGIES)].sum(axis=-1))


def macro_f1(cells: FloatArray) -> FloatArray:
    """Mean F1 over classes, float64 [..., 3, C] -> [...].

    Classes without a positive on either side are left out; 1 where all are.
    """
    by_class = np.moveaxis(cells, -2, -1)
    defined = by_class.sum(axis=-1) > 0
    total = np.where(defined, f1(by_class), 0.0).sum(axis=-1)
    number = defined.sum(axis=-1)
    return np.where(number > 0, total / np.maximum(number, 1), 1.0)


def side_counts(candidate: LabelledText, reference: LabelledText) -> FloatArray:
    """Return float64 [2]: findings with the right side, and findings whose side could be judged.

    Judged are the concepts that both reports state and the reference gives a side. The mentions of a concept are
    joined: left and right, or one bilateral, is bilateral. No side in the candidate is a wrong side. Concepts and not
    classes, because a tracheal tube has no side that could answer for a pacemaker's.
    """
    ours, theirs = concept_sides(candidate), concept_sides(reference)
    judged = [name for name, side in theirs.items() if side is not None and name in ours]
    return np.array([sum(ours[name] == theirs[name] for name in judged), len(judged)], dtype=np.float64)


def concept_sides(labelled: LabelledText) -> dict[str, Laterality | None]:
    """Return the side of each concept stated of a positive class; None where no mention gives one."""
    stated: dict[str, set[Laterality]] = {}
    for finding in labelled.findings:
        name = concept_class(finding.concept)
        if name is not None and finding.assertion != "absent" and labelled.labels[name] in {1, -1}:
            stated.setdefault(finding.concept, set()).update({finding.laterality} if finding.laterality else ())
    return {concept: _join(sides) for concept, sides in stated.items()}


def _join(sides: set[Laterality]) -> Laterality | None:
    if not sides:
        return None
    return next(iter(sides)) if len(sides) == 1 else "bilateral"


def _cells(candidate: LabelledText, reference: LabelledText, *, wanted: set[int]) -> FloatArray:
    ours, theirs = (np.array([side.labels[name] in wanted for name in CLASSES]) for side in (candidate, reference))
    return np.stack([ours & theirs, ours & ~theirs, ~ours & theirs]).astype(np.float64)


def _share(top: FloatArray, bottom: FloatArray, *, empty: NDArray[np.bool_]) -> FloatArray:
    undefined = np.full(np.shape(bottom), np.nan)
    return np.where(empty, 1.0, np.divide(top, bottom, out=undefined, where=bottom > 0))
