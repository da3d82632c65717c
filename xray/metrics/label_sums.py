"""The metrics of the 14 labels beside those of `xray.metrics.sums`: macro means, strict aggregates, negatives.

A row of a report is its row of `sums.row` with `label_row` behind it; the metrics here take such rows, and those of
`sums.METRICS` do too. Every metric exists for uncertain as positive; `_uncertain_negative` in a name says otherwise.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from xray.metrics import labels as agreement
from xray.metrics.sums import METRICS, Metric, part
from xray.text.labels import CLASSES, LabelledText

FloatArray = NDArray[np.float64]

_NEGATIVE = slice(-3 * len(CLASSES) - 1, -1)
CLASS_SETS: dict[str, tuple[str, ...]] = {"": agreement.PATHOLOGIES, "_14": CLASSES, "_5": agreement.FIVE}
"""Ending of a metric's name -> the classes it is over; the headline has none."""
POLICIES: dict[str, str] = {"": "cells", "_uncertain_negative": "strict_cells"}
"""Ending of a metric's name -> the quantity of `sums.part` with its cells: uncertain as positive, or as negative."""


def label_row(ours: LabelledText, theirs: LabelledText) -> FloatArray:
    """Return what a report contributes to the metrics here, float64 [43]; `ours` labels the candidate."""
    return np.append(
        agreement.negative_cells(ours, theirs).ravel(), agreement.example_f1(agreement.cells(ours, theirs))
    )


def negatives(sums: FloatArray) -> FloatArray:
    """Return the cells of explicit negatives, float64 [..., 3, 14]."""
    return sums[..., _NEGATIVE].reshape((*sums.shape[:-1], 3, len(CLASSES)))


def _aggregate(measure: Callable[[FloatArray], FloatArray], names: tuple[str, ...], *, cells: str) -> Metric:
    """Micro: the measure of the cells summed over the classes."""
    columns = agreement.columns(names)
    return lambda sums: measure(part(sums, cells)[..., columns].sum(axis=-1))


def _macro(names: tuple[str, ...], *, cells: str) -> Metric:
    columns = agreement.columns(names)
    return lambda sums: agreement.macro_f1(part(sums, cells)[..., columns])


def _negative_f1(sums: FloatArray) -> FloatArray:
    """Micro F1 of explicit negatives over the thirteen classes; NaN where neither side denies anything."""
    columns = agreement.columns(agreement.PATHOLOGIES)
    return agreement.defined_f1(negatives(sums)[..., columns].sum(axis=-1))


def _example_f1(sums: FloatArray) -> FloatArray:
    return sums[..., -1] / part(sums, "reports")


def _by_class_set() -> dict[str, Metric]:
    metrics: dict[str, Metric] = {}
    for policy, cells in POLICIES.items():
        for ending, names in CLASS_SETS.items():
            metrics[f"finding_f1{ending}{policy}"] = _aggregate(agreement.f1, names, cells=cells)
            metrics[f"finding_f1_macro{ending}{policy}"] = _macro(names, cells=cells)
    return metrics


ALL_METRICS: dict[str, Metric] = (
    METRICS
    | {name: metric for name, metric in _by_class_set().items() if name not in METRICS}
    | {"negative_f1": _negative_f1, "example_f1": _example_f1}
)
"""Every metric of a score report, by its name; takes summed rows of both modules."""
LABEL_METRICS: tuple[str, ...] = tuple(
    name for name in ALL_METRICS if name.startswith("finding_") or name in {"negative_f1", "example_f1"}
)
"""The metrics that are made of the 14 labels alone: those that a table of labels can be the truth for."""
MACRO_METRICS: dict[str, tuple[str, str]] = {
    f"finding_f1_macro{ending}{policy}": (ending, policy) for policy in POLICIES for ending in CLASS_SETS
}
"""Each macro mean and the keys of its classes and of its policy."""
