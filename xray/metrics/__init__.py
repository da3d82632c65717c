"""Scores of generated reports, with intervals and baselines."""

from xray.metrics.baselines import constant_normal, film_features, nearest_neighbour, random_reports
from xray.metrics.compare import Comparison, Match, Pair, compare_findings
from xray.metrics.scoring import ScoreReport, index_by_id, score
from xray.metrics.statistics import Estimate

__all__ = [
    "Comparison",
    "Estimate",
    "Match",
    "Pair",
    "ScoreReport",
    "compare_findings",
    "constant_normal",
    "film_features",
    "index_by_id",
    "nearest_neighbour",
    "random_reports",
    "score",
]
