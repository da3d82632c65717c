"""What one report contributes to every score, as one row of numbers, and every score as a function of summed rows.

A corpus is the sum of its rows, a bootstrap resample a weighted sum, a single report its own row: one definition of a
metric serves all three.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xray.metrics import coverage, frames, lexical
from xray.metrics import labels as agreement
from xray.metrics.cider import ReferenceFrequencies
from xray.metrics.compare import compare_stated
from xray.metrics.differences import ERROR_KINDS, ErrorKind
from xray.metrics.stated import stated_report
from xray.text.labels import CLASSES, LabelledText

FloatArray = NDArray[np.float64]
Metric = Callable[[FloatArray], FloatArray]
"""Summed rows float64 [..., K] -> values float64 [...], NaN where undefined."""


class _Quantity(NamedTuple):
    """A stretch of the row and the shape of what it holds."""

    columns: slice
    shape: tuple[int, ...]


def _lay_out(shapes: dict[str, tuple[int, ...]]) -> dict[str, _Quantity]:
    stops = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    starts = [0, *stops[:-1]]
    return {
        name: _Quantity(slice(int(start), int(stop)), shape)
        for (name, shape), start, stop in zip(shapes.items(), starts, stops, strict=True)
    }


_LAYOUT = _lay_out(
    {
        "matched": (lexical.CHRF_ORDER,),
        "candidate": (lexical.CHRF_ORDER,),
        "reference": (lexical.CHRF_ORDER,),
        "comparable": (lexical.CHRF_ORDER,),
        "rouge": (),
        "exact": (),
        "reports": (),
        "cells": (3, len(CLASSES)),
        "strict_cells": (3, len(CLASSES)),
        "side": (2,),
        "frames": (frames.QUANTITIES,),
        "green": (),
        "crimson": (),
        "cider": (),
        "candidate_told": (coverage.QUANTITIES,),
        "reference_told": (coverage.QUANTITIES,),
    }
)


def row(
    candidate: str,
    reference: str,
    *,
    ours: LabelledText,
    theirs: LabelledText,
    frequencies: ReferenceFrequencies | None = None,
) -> FloatArray:
    """Return the contribution of one report, float64 [K]; `ours` labels the candidate, `theirs` the reference.

    `frequencies` are those of all references, which CIDEr needs.
    """
    tallies = lexical.tally(candidate, reference)
    generated = stated_report(candidate, findings=ours.findings)
    wanted = stated_report(reference, findings=theirs.findings)
    found = frames.frame_sums(compare_stated(generated, wanted))
    values: dict[str, FloatArray | float] = {
        "matched": tallies.matched,
        "candidate": tallies.candidate,
        "reference": tallies.reference,
        "comparable": tallies.comparable,
        "rouge": lexical.rouge_l(candidate, reference),
        "exact": lexical.same_text(candidate, reference),
        "reports": 1.0,
        "cells": agreement.cells(ours, theirs),
        "strict_cells": agreement.cells(ours, theirs, uncertain_positive=False),
        "side": agreement.side_counts(ours, theirs),
        "frames": found,
        "green": frames.green_zh(found),
        "crimson": frames.crimson_zh(found),
        "cider": frequencies.cider(candidate, reference) if frequencies is not None else 0.0,
        "candidate_told": coverage.coverage_row(generated),
        "reference_told": coverage.coverage_row(wanted),
    }
    return np.concatenate([np.ravel(values[name]) for name in _LAYOUT]).astype(np.float64)


def part(sums: FloatArray, name: str) -> FloatArray:
    """Return one quantity of summed rows, float64 [..., *its shape]; `cells` is [..., 3, 14] (tp, fp, fn)."""
    columns, shape = _LAYOUT[name]
    return sums[..., columns].reshape((*sums.shape[:-1], *shape))


def sentence_bleu(sums: FloatArray) -> FloatArray:
    """BLEU-4 of single reports, smoothed; float64 [..., K] rows -> [...]."""
    return lexical.sentence_bleu(*_ngrams(sums), order=4)


def _ngrams(sums: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return part(sums, "matched"), part(sums, "candidate"), part(sums, "reference")


def _bleu(order: int) -> Metric:
    return lambda sums: lexical.bleu(*_ngrams(sums), order=order)


def _chrf(sums: FloatArray) -> FloatArray:
    return lexical.chrf(
        part(sums, "matched"), part(sums, "comparable"), part(sums, "reference"), candidate=part(sums, "candidate")
    )


def _mean(name: str) -> Metric:
    return lambda sums: part(sums, name) / part(sums, "reports")


def _micro(
    measure: Callable[[FloatArray], FloatArray],
    names: Iterable[str] = agreement.PATHOLOGIES,
    *,
    cells: str = "cells",
) -> Metric:
    columns = agreement.columns(names)
    return lambda sums: measure(part(sums, cells)[..., columns].sum(axis=-1))


def _macro(sums: FloatArray) -> FloatArray:
    return agreement.macro_f1(part(sums, "cells")[..., agreement.columns(agreement.PATHOLOGIES)])


def _side_accuracy(sums: FloatArray) -> FloatArray:
    right, judged = part(sums, "side")[..., 0], part(sums, "side")[..., 1]
    return np.where(judged > 0, right / np.maximum(judged, 1), np.nan)


def _frames(measure: Metric) -> Metric:
    return lambda sums: measure(part(sums, "frames"))


def _errors(kind: ErrorKind) -> Metric:
    place = frames.QUANTITIES - len(ERROR_KINDS) + ERROR_KINDS.index(kind)
    return lambda sums: part(sums, "frames")[..., place] / part(sums, "reports")


ERRORS: dict[str, Metric] = {f"errors_{kind}": _errors(kind) for kind in ERROR_KINDS}
"""Errors of each kind of ReXVal per report: the only numbers of which smaller ones are better."""

FRAME_METRICS = ("frame_f1", "frame_precision", "frame_recall", "green_zh", "crimson_zh", *ERRORS)
"""The metrics of findings with their attributes."""

METRICS: dict[str, Metric] = {
    "finding_f1": _micro(agreement.f1),
    "finding_precision": _micro(agreement.precision),
    "finding_recall": _micro(agreement.recall),
    "finding_f1_macro": _macro,
    "finding_f1_14": _micro(agreement.f1, CLASSES),
    "finding_f1_5": _micro(agreement.f1, agreement.FIVE),
    "finding_f1_uncertain_negative": _micro(agreement.f1, cells="strict_cells"),
    "side_accuracy": _side_accuracy,
    "frame_f1": _frames(frames.frame_f1),
    "frame_precision": _frames(frames.frame_precision),
    "frame_recall": _frames(frames.frame_recall),
    "green_zh": _mean("green"),
    "crimson_zh": _mean("crimson"),
    "bleu1_char": _bleu(1),
    "bleu2_char": _bleu(2),
    "bleu3_char": _bleu(3),
    "bleu4_char": _bleu(4),
    "rouge_l_char": _mean("rouge"),
    "cider_char": _mean("cider"),
    "chrf": _chrf,
    "exact_match": _mean("exact"),
    **ERRORS,
}
"""Every metric of a score report, by its name: in [0, 1] but for `ERRORS`, `crimson_zh` in (-1, 1] and
`cider_char` in [0, 10]."""
