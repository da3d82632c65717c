"""Two systems on the same reports: differences with intervals, and whether chance alone would make them.

Two intervals that overlap say little, because both systems wrote about the same patients. Here the patients are
resampled for both at once, and the test exchanges the two systems' reports of whole patients
(`xray.metrics.statistics`).
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xray.errors import ConfigError, DataError
from xray.metrics.corpus import Corpus, build_corpus, some_ids
from xray.metrics.coverage import Coverage
from xray.metrics.label_sums import ALL_METRICS
from xray.metrics.scoring import describe_bootstrap, metric_signature, warn_of_few
from xray.metrics.statistics import Exchanges, bootstrap_sums, exchange_sums, holm, interval, paired_test
from xray.metrics.sums import Metric
from xray.metrics.truth import Labels
from xray.text.lexicon import Profile, load

FloatArray = NDArray[np.float64]

COMPARED: tuple[str, ...] = (
    "finding_f1",
    "finding_f1_macro",
    "frame_f1",
    "green_zh",
    "side_accuracy",
    "bleu4_char",
    "rouge_l_char",
)
"""The metrics compared where none are named. Each further one costs power: Holm's correction counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of two systems.

    difference: b - a, with its 95 % bootstrap interval low to high. p: two-sided; p_holm: corrected for all metrics of
    the comparison. smallest_p: the smallest p these reports allow. significant: whether p_holm is at most the level;
    None where that was out of reach, or the difference is undefined. n: reports. units: patients, or reports where no
    patients are known. signature: how the values were made, and on which reports.
    """

    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    smallest_p: float | None
    significant: bool | None
    n: int
    units: int
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemComparison:
    """Two systems, metric by metric.

    test, bootstrap: what was exchanged and resampled, in words. alpha: the level of `significant`. differing: units
    whose reports are not alike in the two systems. lexicon: its sha256. split: `corpus.split_hash`. coverage: author,
    `a`, `b` or `reference` -> how many of its findings carry a side, a degree, a size.
    """

    metrics: dict[str, Difference]
    test: str
    bootstrap: str
    alpha: float
    n: int
    units: int
    differing: int
    profile: str
    lexicon: str
    split: str
    coverage: dict[str, Coverage]
    warnings: tuple[str, ...]


def compare_systems(
    a: Mapping[str, str],
    b: Mapping[str, str],
    references: Mapping[str, str] | None,
    *,
    profile: Profile = "standard",
    groups: Mapping[str, str] | None = None,
    truth: Mapping[str, Labels] | None = None,
    metrics: Iterable[str] | None = None,
    draws: int = 10_000,
    resamples: int = 2000,
    seed: int = 0,
    alpha: float = 0.05,
) -> SystemComparison:
    """Compare the reports of system `b` with those of system `a`, by id, on the same references.

    Paired approximate randomisation with `draws` exchanges of whole patients (`groups`: id -> patient key; reports
    where it is None), all exchanges where `statistics.EXACT_UNITS` patients or fewer differ; a bootstrap of `resamples`
    for the intervals of the differences; Holm's correction over `metrics` (default `COMPARED`, without those of texts
    where there are no references). `truth` as in `xray.metrics.score`. Raises DataError, naming ids, when the ids
    differ, and ConfigError for an unknown metric or one that needs references.
    """
    first, second = build_corpora(a, b, references, profile=profile, groups=groups, truth=truth)
    return compare_corpora(first, second, metrics=metrics, draws=draws, resamples=resamples, seed=seed, alpha=alpha)


def build_corpora(
    a: Mapping[str, str],
    b: Mapping[str, str],
    references: Mapping[str, str] | None,
    *,
    profile: Profile,
    groups: Mapping[str, str] | None,
    truth: Mapping[str, Labels] | None,
) -> tuple[Corpus, Corpus]:
    """Make the rows of two systems. Raises DataError when their ids differ, and as `build_corpus` does."""
    only = {system: set(ours) - set(theirs) for system, ours, theirs in (("A", a, b), ("B", b, a))}
    if any(only.values()):
        said = "; ".join(f"{some_ids(ids)} only of {system}" for system, ids in only.items() if ids)
        raise DataError(f"The two systems did not write the same reports: {said}.")
    first, second = (build_corpus(texts, references, profile=profile, groups=groups, truth=truth) for texts in (a, b))
    return first, second


def compare_corpora(
    first: Corpus,
    second: Corpus,
    *,
    metrics: Iterable[str] | None,
    draws: int,
    resamples: int,
    seed: int,
    alpha: float = 0.05,
) -> SystemComparison:
    """Compare what `build_corpora` made of two systems. See `compare_systems`."""
    chosen = _chosen(metrics, first)
    random = np.random.default_rng(seed)
    exchanges = exchange_sums(first.rows, second.rows, groups=first.keys, draws=draws, rng=random)
    resampled = _resample_both(first, second, resamples=resamples, rng=random)
    found = {
        name: _difference(name, metric, exchanges=exchanges, resampled=resampled, corpus=first)
        for name, metric in chosen.items()
    }
    judged = _judge(found, alpha=alpha)
    return SystemComparison(
        metrics=judged,
        test=_describe(exchanges, corpus=first, draws=draws, seed=seed),
        bootstrap=describe_bootstrap(first, resamples=resamples, seed=seed, kind="paired percentile"),
        alpha=alpha,
        n=len(first.ids),
        units=first.units,
        differing=exchanges.differing,
        profile=first.profile,
        lexicon=load(first.profile).sha256,
        split=first.split,
        coverage=_coverage(first, second),
        warnings=(*warn_of_few(first), *_warnings(judged, alpha=alpha)),
    )


def _chosen(names: Iterable[str] | None, corpus: Corpus) -> dict[str, Metric]:
    known = corpus.metrics
    if names is None:
        return {name: known[name] for name in COMPARED if name in known}
    chosen = list(dict.fromkeys(names))
    if not chosen:
        raise ConfigError("No metric to compare. Name at least one.")
    for name in chosen:
        if name in ALL_METRICS and name not in known:
            raise ConfigError(f"{name} compares texts. Give reference reports, or leave it out.")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"Did you mean {near[0]}?" if near else f"Use some of: {', '.join(known)}."
            raise ConfigError(f"No metric is called {name!r}. {hint}")
    return {name: known[name] for name in chosen}


def _coverage(first: Corpus, second: Corpus) -> dict[str, Coverage]:
    wanted = {author: found for author, found in first.coverage.items() if author == "reference"}
    return {"a": first.coverage["candidate"], "b": second.coverage["candidate"], **wanted}


def _resample_both(
    first: Corpus, second: Corpus, *, resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray] | None:
    """Return the sums of both systems on the same resampled patients, float64 [resamples, K] each."""
    if first.units < 2 or resamples < 1:
        return None
    rows = np.concatenate([first.rows, second.rows], axis=1)
    drawn = bootstrap_sums(rows, groups=first.keys, resamples=resamples, rng=rng)
    width = first.rows.shape[1]
    return drawn[:, :width], drawn[:, width:]


def _difference(
    name: str,
    metric: Metric,
    *,
    exchanges: Exchanges,
    resampled: tuple[FloatArray, FloatArray] | None,
    corpus: Corpus,
) -> Difference:
    value_a, value_b = (_defined(metric(sums[0])) for sums in (exchanges.first, exchanges.second))
    known = value_a is not None and value_b is not None
    low, high = interval(metric(resampled[1]) - metric(resampled[0])) if known and resampled else (None, None)
    outcome = paired_test(metric, exchanges)
    return Difference(
        a=value_a,
        b=value_b,
        difference=value_b - value_a if value_a is not None and value_b is not None else None,
        low=low,
        high=high,
        p=outcome.p,
        p_holm=None,
        smallest_p=outcome.smallest_p,
        significant=None,
        n=len(corpus.ids),
        units=corpus.units,
        signature=metric_signature(name, corpus),
    )


def _judge(found: Mapping[str, Difference], *, alpha: float) -> dict[str, Difference]:
    """Correct the p values over all metrics, and call significant what may be."""
    corrected = holm({name: one.p for name, one in found.items()})
    judged: dict[str, Difference] = {}
    for name, one in found.items():
        p = corrected[name]
        reachable = p is not None and one.smallest_p is not None and one.smallest_p <= alpha
        judged[name] = replace(one, p_holm=p, significant=p <= alpha if p is not None and reachable else None)
    return judged


def _warnings(judged: Mapping[str, Difference], *, alpha: float) -> tuple[str, ...]:
    """Say of each metric why it has no verdict."""
    found = []
    for name, one in judged.items():
        if one.p is None:
            found.append(f"undefined for a system, not compared: {name}")
        elif one.smallest_p is not None and one.smallest_p > alpha:
            found.append(
                f"no difference can be significant at {alpha:g}, the smallest p that these reports allow is above it: "
                f"{name} ({one.smallest_p:.2g})"
            )
    return tuple(found)


def _describe(exchanges: Exchanges, *, corpus: Corpus, draws: int, seed: int) -> str:
    differing = f"{exchanges.differing} of {exchanges.units} {corpus.unit} that differ"
    if exchanges.exact:
        return f"exact randomisation, all 2^{exchanges.differing} exchanges of the {differing}"
    return f"approximate randomisation, {draws} exchanges of the {differing}, seed {seed}"


def _defined(value: FloatArray) -> float | None:
    return None if np.isnan(value) else float(value)
