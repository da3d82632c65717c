"""Text overlap as another tool prints it, with the intervals that it does not print."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xray.errors import DataError
from xray.metrics.compatible import variant
from xray.metrics.statistics import Estimate, bootstrap_sums, estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherScores:
    """The values of one tool by name, and how they are made."""

    metrics: dict[str, Estimate]
    signature: str


def scored_ids(predictions: Mapping[str, str], references: Mapping[str, str]) -> list[str]:
    """Return the ids of the references, sorted. Raises DataError where a prediction is missing."""
    if missing := [name for name in references if name not in predictions]:
        raise DataError(f"Predictions are missing for {len(missing)} reports, the first: {missing[0]}.")
    return sorted(references)


def score_as(
    tool: str,
    predictions: Mapping[str, str],
    references: Mapping[str, str],
    *,
    groups: Mapping[str, str] | None,
    resamples: int,
    seed: int,
) -> OtherScores:
    """Score as `tool` (one of `compatible.VARIANTS`) does.

    Ids and groups are as in `xray.metrics.score`. Raises ConfigError for an unknown tool and where jieba is needed and
    not installed, DataError where a prediction is missing.
    """
    ids = scored_ids(predictions, references)
    made = variant(tool, [references[name] for name in ids])
    rows = np.stack([made.row(predictions[name], references[name]) for name in ids])
    keys = [groups[name] if groups is not None else name for name in ids]
    rng = np.random.default_rng(seed)
    resampled = bootstrap_sums(rows, groups=keys, resamples=resamples, rng=rng) if len(set(keys)) > 1 else None
    metrics = {name: estimate(made.metric(name), sums=rows, resampled=resampled) for name in made.metrics}
    return OtherScores(metrics=metrics, signature=made.signature)
