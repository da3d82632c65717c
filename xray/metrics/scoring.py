"""Score generated reports against reference reports: clinical agreement first, text overlap second, with intervals.

Everything is computed from sums over reports, so the texts are read once and every interval costs one matrix product.
A value that is undefined is None, never NaN and never a constant that flatters.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xray.errors import ConfigError
from xray.metrics import labels as agreement
from xray.metrics.corpus import Corpus, build_corpus
from xray.metrics.coverage import Coverage
from xray.metrics.label_sums import CLASS_SETS, LABEL_METRICS, MACRO_METRICS, POLICIES, negatives
from xray.metrics.significance import table_sha256
from xray.metrics.statistics import Estimate, bootstrap_sums, estimate, interval
from xray.metrics.sums import FRAME_METRICS, part, sentence_bleu
from xray.metrics.truth import Labels
from xray.text.labels import CLASSES
from xray.text.lexicon import PROFILES, Profile, load
from xray.text.normalize import VERSION

FloatArray = NDArray[np.float64]
ClassTable = dict[str, dict[str, float | None]]

FEW = 30
"""Fewer positives, reports or patients than this are warned of: an interval is then wider than most differences."""
_PER_REPORT = ("finding_f1", "frame_f1", "green_zh", "crimson_zh", "side_accuracy", "rouge_l_char", "exact_match")
_MEASURES = {"precision": agreement.precision, "recall": agreement.recall, "f1": agreement.f1}
_SHORT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """Scores of one system on one set of reports.

    metrics: by name, see `sums.METRICS`; larger is better but for the errors. per_report: report id -> metric -> value
    or None.
    per_class: CheXpert class -> tp, fp, fn, precision, recall, f1, each of the three with its 95 % interval (f1_low,
    f1_high), support (positives of the reference), predicted (those of the candidate) and n (reports), with uncertain
    as positive; per_class_uncertain_negative: the same with uncertain as negative; per_class_negative: the same of
    explicit negatives.
    undefined: macro mean -> the judged classes left out of it, having no positive on either side.
    coverage: author, `candidate` or `reference` -> how many of its findings carry a side, a degree, a size.
    profile: the lexicon. signature: how the numbers were made; numbers of different signatures do not compare.
    signatures: the same for each metric, with the split. lexicon: sha256 of the lexicon. split: `corpus.split_hash`.
    bootstrap: what the intervals resample. n: reports. units: patients, or reports where no patients are known.
    truth: `report` or `table`, what the labels are compared with. warnings: what makes the numbers uncertain, each as
    "what: of whom".
    """

    metrics: dict[str, Estimate]
    per_report: dict[str, dict[str, float | None]]
    per_class: ClassTable
    per_class_uncertain_negative: ClassTable
    per_class_negative: ClassTable
    undefined: dict[str, tuple[str, ...]]
    coverage: dict[str, Coverage]
    profile: str
    signature: str
    signatures: dict[str, str]
    lexicon: str
    split: str
    bootstrap: str
    n: int
    units: int
    truth: str
    warnings: tuple[str, ...]


def score(
    predictions: Mapping[str, str],
    references: Mapping[str, str] | None,
    *,
    profile: Profile = "standard",
    groups: Mapping[str, str] | None = None,
    truth: Mapping[str, Labels] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> ScoreReport:
    """Score predicted reports, by id, against reference reports with the same ids.

    `groups` maps ids to patient keys; the bootstrap then resamples patients, else reports. Findings with uncertain
    wording count as positive, except in the metrics called `_uncertain_negative`. `truth` maps ids to labels (1, 0, -1,
    None by class): they replace the labels of the references, so that what a film shows is the truth and not what was
    written of it. Texts and sides are still compared with the references, sides of the classes that the truth has; with
    references None only the metrics of labels remain. A class that the truth never states is not judged. The result
    does not depend on the order of the mappings. Raises DataError, naming ids, when the ids differ, a text is none, a
    patient key or a truth is missing, a class is unknown or nothing is to score.
    """
    corpus = build_corpus(predictions, references, profile=profile, groups=groups, truth=truth)
    return score_corpus(corpus, resamples=resamples, seed=seed)


def score_corpus(corpus: Corpus, *, resamples: int, seed: int) -> ScoreReport:
    """Score what `build_corpus` made. See `score`."""
    resampled = _resample(corpus, resamples=resamples, seed=seed)
    sums = corpus.rows.sum(axis=0)
    metrics = {name: estimate(metric, sums=corpus.rows, resampled=resampled) for name, metric in corpus.metrics.items()}
    tables = [_per_class(cells, corpus.rows, resampled) for cells in (*POLICIES.values(), "negative")]
    return ScoreReport(
        metrics=metrics,
        per_report={name: _per_report(row, corpus) for name, row in zip(corpus.ids, corpus.rows, strict=True)},
        per_class=tables[0],
        per_class_uncertain_negative=tables[1],
        per_class_negative=tables[2],
        undefined=_undefined(corpus, sums),
        coverage=corpus.coverage,
        profile=corpus.profile,
        signature=signature(corpus.profile, tabled=corpus.tabled),
        signatures={name: metric_signature(name, corpus) for name in metrics},
        lexicon=load(corpus.profile).sha256,
        split=corpus.split,
        bootstrap=describe_bootstrap(corpus, resamples=resamples, seed=seed),
        n=len(corpus.ids),
        units=corpus.units,
        truth="table" if corpus.tabled else "report",
        warnings=(
            *_warn_of_texts(corpus),
            *warn_of_few(corpus),
            *(_warn_of_no_interval(metrics, corpus) if resampled is not None else ()),
            *_warn_of_classes(corpus, part(sums, "cells")),
        ),
    )


def signature(profile: Profile, *, tabled: bool = False) -> str:
    """How the numbers are made, in the style of sacreBLEU: change one part and they no longer compare."""
    if profile not in PROFILES:
        raise ConfigError(f"Unknown profile {profile!r}. Use one of: {', '.join(PROFILES)}.")
    return (
        f"tok:char|case:na|smooth:none|sec:all|bleu:raw|norm:{VERSION}|{_lexicon(profile)}"
        f"|uncertain:positive|{_truth(tabled=tabled)}"
    )


def metric_signature(name: str, corpus: Corpus) -> str:
    """How one metric is made and on which reports: what two numbers must share to be compared."""
    split = f"|n:{len(corpus.ids)}|split:{corpus.split[:_SHORT]}"
    if name in FRAME_METRICS:
        return f"{_lexicon(corpus.profile)}|weights:{table_sha256()[:_SHORT]}{split}"
    if name not in LABEL_METRICS:
        return signature(corpus.profile, tabled=corpus.tabled) + split
    policy = "negative" if name.endswith("_uncertain_negative") else "positive"
    return f"{_lexicon(corpus.profile)}|uncertain:{policy}|{_truth(tabled=corpus.tabled)}{split}"


def _warn_of_texts(corpus: Corpus) -> tuple[str, ...]:
    """Return a warning each for predictions in which no finding can be read, whatever they say."""
    counts = {"are empty": corpus.empty, "hold no Chinese, and no finding is read in them": corpus.foreign}
    return tuple(f"predictions that {what}: {count} of {len(corpus.ids)}" for what, count in counts.items() if count)


def warn_of_few(corpus: Corpus) -> tuple[str, ...]:
    """Return a warning each for fewer than `FEW` reports and patients, and one where there can be no interval."""
    if corpus.units < 2:
        return (f"an interval needs two {corpus.unit} or more, none is given: {corpus.units}",)
    counts = {"reports": len(corpus.ids), corpus.unit: corpus.units}
    return tuple(
        f"fewer than {FEW} {unit}, intervals are rough and often too narrow: {count}"
        for unit, count in counts.items()
        if count < FEW
    )


def describe_bootstrap(corpus: Corpus, *, resamples: int, seed: int, kind: str = "percentile") -> str:
    """Say what the intervals resample."""
    if corpus.units < 2 or resamples < 1:
        return "no intervals"
    return f"{kind} bootstrap over {corpus.units} {corpus.unit}, {resamples} resamples, seed {seed}"


def _warn_of_no_interval(metrics: Mapping[str, Estimate], corpus: Corpus) -> tuple[str, ...]:
    alone = [name for name, one in metrics.items() if one.value is not None and one.low is None]
    return tuple(f"too few {corpus.unit} bear on it for an interval: {name}" for name in alone)


def _warn_of_classes(corpus: Corpus, cells: FloatArray) -> tuple[str, ...]:
    unknown = [
        f"the truth never states this class, it is not judged: {name}" for name in CLASSES if name not in corpus.judged
    ]
    stated = dict(zip(CLASSES, cells.sum(axis=0), strict=True))
    support = dict(zip(CLASSES, cells[0] + cells[2], strict=True))
    none = [
        f"no positive on either side, left out of macro means: {name}" for name in corpus.judged if not stated[name]
    ]
    few = [
        f"fewer than {FEW} positives in the reference, do not rank systems by it: {name} ({support[name]:.0f})"
        for name in corpus.judged
        if stated[name] and support[name] < FEW
    ]
    return (*unknown, *none, *few)


def _resample(corpus: Corpus, *, resamples: int, seed: int) -> FloatArray | None:
    if corpus.units < 2 or resamples < 1:
        return None
    return bootstrap_sums(corpus.rows, groups=corpus.keys, resamples=resamples, rng=np.random.default_rng(seed))


def _per_report(counts: FloatArray, corpus: Corpus) -> dict[str, float | None]:
    values = {name: _defined(corpus.metrics[name](counts)) for name in _PER_REPORT if name in corpus.metrics}
    return values | ({"bleu4_char": _defined(sentence_bleu(counts))} if corpus.referenced else {})


def _per_class(cells: str, rows: FloatArray, resampled: FloatArray | None) -> ClassTable:
    """Return the table of one quantity: `cells`, `strict_cells` or `negative`."""

    def by_class(sums: FloatArray) -> FloatArray:
        found = negatives(sums) if cells == "negative" else part(sums, cells)
        return np.moveaxis(found, -2, -1)

    counts = by_class(rows.sum(axis=0))
    drawn = by_class(resampled) if resampled is not None else None
    return {
        name: _class_row(counts[i], drawn[:, i] if drawn is not None else None, n=len(rows))
        for i, name in enumerate(CLASSES)
    }


def _class_row(counts: FloatArray, drawn: FloatArray | None, *, n: int) -> dict[str, float | None]:
    """Values of one class, counts float64 [3] and drawn float64 [B, 3]; no scores where neither side has a positive.

    Resamples without a positive on either side are left out of the intervals.
    """
    tp, fp, fn = (float(count) for count in counts)
    values: dict[str, float | None] = {"tp": tp, "fp": fp, "fn": fn}
    for name, measure in _MEASURES.items():
        value = _defined(measure(counts)) if tp + fp + fn > 0 else None
        low, high = None, None
        if value is not None and drawn is not None:
            low, high = interval(np.where(drawn.sum(axis=-1) > 0, measure(drawn), np.nan))
        values |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return values | {"support": tp + fn, "predicted": tp + fp, "n": float(n)}


def _undefined(corpus: Corpus, sums: FloatArray) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, (ending, policy) in MACRO_METRICS.items():
        empty = part(sums, POLICIES[policy]).sum(axis=0) == 0
        found[name] = tuple(c for c in CLASS_SETS[ending] if empty[CLASSES.index(c)] and c in corpus.judged)
    return found


def _lexicon(profile: Profile) -> str:
    return f"lex:{load(profile).sha256[:_SHORT]}|profile:{profile}"


def _truth(*, tabled: bool) -> str:
    return "truth:table" if tabled else "truth:report"


def _defined(value: FloatArray | float) -> float | None:
    return None if np.isnan(value) else float(value)
