"""Scores of generated reports, with intervals and baselines."""

from xray.metrics.baselines import constant_normal, film_features, nearest_neighbour, random_reports
from xray.metrics.compare import Comparison, Match, Pair, compare_findings
from xray.metrics.corpus import index_by_id
from xray.metrics.scoring import ScoreReport, score
from xray.metrics.statistics import Estimate
from xray.metrics.systems import SystemComparison, compare_systems
from xray.metrics.truth import TruthTable, read_truth

__all__ = [
    "Comparison",
    "Estimate",
    "Match",
    "Pair",
    "ScoreReport",
    "SystemComparison",
    "TruthTable",
    "compare_findings",
    "compare_systems",
    "constant_normal",
    "film_features",
    "index_by_id",
    "nearest_neighbour",
    "random_reports",
    "read_truth",
    "score",
]
