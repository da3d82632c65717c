"""How often reports say of their findings where, how much and how large: silence costs a score little.

A side that the candidate leaves out is a small deduction, a degree or a size that it leaves out none, because a reader
would not call it wrong. A system that never gives any is told by these shares, beside those of the references.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xray.metrics.stated import StatedReport

FloatArray = NDArray[np.float64]
QUANTITIES = 4
"""Numbers per report: its present findings, and those of them with a side, a degree, a size in mm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Present findings of all reports of one author, and the shares that carry a side, a degree, a size; None of 0."""

    findings: int
    side: float | None
    degree: float | None
    size: float | None


def coverage_row(report: StatedReport) -> FloatArray:
    """Return what one report contributes, float64 [4]: see `QUANTITIES`. A finding said twice is one."""
    present = [one for one in report.stated if one.assertion == "present"]
    told = [(one.laterality is not None, one.severity is not None, one.size_mm is not None) for one in present]
    return np.array([len(present), *np.sum(np.reshape(told, (-1, 3)), axis=0)], dtype=np.float64)


def coverage(sums: FloatArray) -> Coverage:
    """Turn summed rows, float64 [4], into shares."""
    findings = int(sums[0])
    side, degree, size = (float(count) / findings if findings else None for count in sums[1:])
    return Coverage(findings=findings, side=side, degree=degree, size=size)
