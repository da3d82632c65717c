"""Score generated reports against reference reports: clinical agreement first, text overlap second, with intervals.

Everything is computed from sums over reports, so the texts are read once and every interval costs one matrix product.
A value that is undefined is None, never NaN and never a constant that flatters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from xray.errors import ConfigError, DataError
from xray.metrics import labels as agreement
from xray.metrics import lexical
from xray.metrics.statistics import Estimate, bootstrap_sums, estimate
from xray.metrics.sums import METRICS, part, row, sentence_bleu
from xray.text.labels import CLASSES, LabelledText, label
from xray.text.lexicon import PROFILES, Profile, load
from xray.text.normalize import VERSION

FloatArray = NDArray[np.float64]

_NAMED = 5
_PER_REPORT = ("finding_f1", "side_accuracy", "rouge_l_char", "exact_match")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """Scores of one system on one set of reports.

    metrics: by name, each in [0, 1], larger is better. per_report: report id -> metric -> value or None.
    per_class: CheXpert class -> tp, fp, fn, precision, recall, f1, support (positives of the reference) and predicted.
    profile: the lexicon. signature: how the numbers were made; numbers of different signatures do not compare.
    bootstrap: what the intervals resample.
    """

    metrics: dict[str, Estimate]
    per_report: dict[str, dict[str, float | None]]
    per_class: dict[str, dict[str, float | None]]
    profile: str
    signature: str
    bootstrap: str


def score(
    predictions: Mapping[str, str],
    references: Mapping[str, str],
    *,
    profile: Profile = "standard",
    groups: Mapping[str, str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> ScoreReport:
    """Score predicted reports, by id, against reference reports with the same ids.

    `groups` maps ids to patient keys; the bootstrap then resamples patients, else reports. Findings with uncertain
    wording count as positive, except in `finding_f1_uncertain_negative`. The result does not depend on the order of
    the mappings. Raises DataError, naming ids, when the ids differ, a patient key is missing or nothing is to score.
    """
    ids = _checked_ids(predictions, references, groups)
    rows = np.stack([_row(predictions[name], references[name], profile) for name in ids])
    keys = [groups[name] for name in ids] if groups is not None else ids
    resampled = _resample(rows, keys, resamples=resamples, seed=seed)
    return ScoreReport(
        metrics={name: estimate(metric, sums=rows, resampled=resampled) for name, metric in METRICS.items()},
        per_report={name: _per_report(row) for name, row in zip(ids, rows, strict=True)},
        per_class=_per_class(part(rows.sum(axis=0), "cells")),
        profile=profile,
        signature=signature(profile),
        bootstrap=_describe(keys, grouped=groups is not None, resamples=resamples, seed=seed),
    )


def signature(profile: Profile) -> str:
    """How the numbers are made, in the style of sacreBLEU: change one part and they no longer compare."""
    if profile not in PROFILES:
        raise ConfigError(f"Unknown profile {profile!r}. Use one of: {', '.join(PROFILES)}.")
    return (
        f"tok:char|case:na|smooth:none|sec:all|bleu:raw|norm:{VERSION}|lex:{load(profile).sha256[:8]}|profile:{profile}"
        "|uncertain:positive"
    )


def index_by_id(rows: Iterable[tuple[str, str]], *, source: str) -> dict[str, str]:
    """Collect (id, text) rows of a file. Raises DataError naming the ids that occur twice; `source` names the file."""
    texts: dict[str, str] = {}
    repeated: list[str] = []
    for name, text in rows:
        if name in texts:
            repeated.append(name)
        texts[name] = text
    if repeated:
        raise DataError(f"{source}: {_some(repeated)} more than once. Keep one report per id.")
    return texts


def _checked_ids(
    predictions: Mapping[str, str], references: Mapping[str, str], groups: Mapping[str, str] | None
) -> list[str]:
    if not references:
        raise DataError("There are no reference reports to score against. Give at least one.")
    missing = [name for name in references if name not in predictions]
    if missing:
        raise DataError(f"Predictions are missing for {_some(missing)}. Generate them, or leave out the references.")
    extra = [name for name in predictions if name not in references]
    if extra:
        raise DataError(f"There is no reference for {_some(extra)}. Add them, or leave out the predictions.")
    if groups is not None and (unknown := [name for name in references if name not in groups]):
        raise DataError(f"There is no patient key for {_some(unknown)}. Give one per report, or none at all.")
    if not any(lexical.tokens(text) for text in references.values()):
        raise DataError("All reference reports are empty. Is the text column the right one?")
    return sorted(references)


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_NAMED])
    count = f"{len(names)} id" + ("s" if len(names) > 1 else "")
    return f"{count}: {shown}" + (" ..." if len(names) > _NAMED else "")


@lru_cache(maxsize=20_000)
def _labelled(text: str, profile: Profile) -> LabelledText:
    """Labels of a text; systems of one table share their references, and constant baselines their only report."""
    return label(text, profile=profile)


def _row(candidate: str, reference: str, profile: Profile) -> FloatArray:
    return row(candidate, reference, ours=_labelled(candidate, profile), theirs=_labelled(reference, profile))


def _resample(rows: FloatArray, keys: list[str], *, resamples: int, seed: int) -> FloatArray | None:
    if len(set(keys)) < 2 or resamples < 1:
        return None
    return bootstrap_sums(rows, groups=keys, resamples=resamples, rng=np.random.default_rng(seed))


def _per_report(counts: FloatArray) -> dict[str, float | None]:
    values = {name: _defined(METRICS[name](counts)) for name in _PER_REPORT}
    return values | {"bleu4_char": _defined(sentence_bleu(counts))}


def _per_class(cells: FloatArray) -> dict[str, dict[str, float | None]]:
    table: dict[str, dict[str, float | None]] = {}
    for position, name in enumerate(CLASSES):
        counts = cells[:, position]
        scored = bool(counts.sum() > 0)
        table[name] = {
            "tp": counts[0],
            "fp": counts[1],
            "fn": counts[2],
            "precision": _defined(agreement.precision(counts)) if scored else None,
            "recall": _defined(agreement.recall(counts)) if scored else None,
            "f1": _defined(agreement.f1(counts)) if scored else None,
            "support": counts[0] + counts[2],
            "predicted": counts[0] + counts[1],
        }
    return {name: {key: None if v is None else float(v) for key, v in row.items()} for name, row in table.items()}


def _defined(value: FloatArray | float) -> float | None:
    return None if np.isnan(value) else float(value)


def _describe(keys: list[str], *, grouped: bool, resamples: int, seed: int) -> str:
    unit = "patients" if grouped else "reports"
    return f"percentile bootstrap over {len(set(keys))} {unit}, {resamples} resamples, seed {seed}"
