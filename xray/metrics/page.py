"""Scores as one page without any other file, script or request: tables, and the worst reports with their errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader

from xray.metrics.marks import MarkedReports, mark_reports
from xray.metrics.scoring import ScoreReport
from xray.metrics.statistics import Estimate
from xray.metrics.sums import ERRORS, FRAME_METRICS
from xray.text.lexicon import Profile

WORST = 20
"""How many reports the page shows."""
_NONE = "–"
_TEXT = ("bleu1_char", "bleu2_char", "bleu3_char", "bleu4_char", "rouge_l_char", "cider_char", "chrf", "exact_match")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReport:
    """One generated report beside its reference."""

    id: str
    score: str
    marked: MarkedReports


def scores_page(
    report: ScoreReport,
    *,
    title: str,
    predictions: Mapping[str, str],
    references: Mapping[str, str],
    profile: Profile,
    baselines: Mapping[str, ScoreReport],
) -> str:
    """Return the page as HTML; the `baselines` are shown beside the report."""
    systems = {title: report.metrics, **{name: one.metrics for name, one in baselines.items()}}
    template = Environment(loader=PackageLoader("xray.metrics", "templates"), autoescape=True).get_template(
        "scores.html.j2"
    )
    shown = [
        ShownReport(
            id=name,
            score=_number(report.per_report[name].get("frame_f1")),
            marked=mark_reports(predictions[name], reference=references[name], profile=profile),
        )
        for name in worst_reports(report)
    ]
    return template.render(
        title=title,
        report=report,
        systems=list(systems),
        groups=[(group, _rows(names, systems)) for group, names in _groups(report).items()],
        classes=[(name, _class_cells(row)) for name, row in report.per_class.items()],
        cases=shown,
    )


def worst_reports(report: ScoreReport, *, count: int = WORST) -> list[str]:
    """Return the ids of the reports with the lowest frame F1; of equal ones those with more negative scores first."""

    def badness(name: str) -> tuple[float, float, str]:
        values = report.per_report[name]
        return values.get("frame_f1") or 0.0, values.get("crimson_zh") or 0.0, name

    return sorted((name for name in report.per_report if report.per_report[name].get("frame_f1") != 1.0), key=badness)[
        :count
    ]


def _groups(report: ScoreReport) -> dict[str, Sequence[str]]:
    """Return the metrics by what they look at: findings first, text overlap last."""
    apart = {*FRAME_METRICS, *_TEXT}
    labels = [name for name in report.metrics if name not in apart]
    groups: dict[str, Sequence[str]] = {
        "findings (14 classes)": labels,
        "findings with side, place, degree and course": [name for name in FRAME_METRICS if name not in ERRORS],
        "errors per report (ReXVal)": list(ERRORS),
        "text overlap, to be trusted last": _TEXT,
    }
    return {group: [name for name in names if name in report.metrics] for group, names in groups.items()}


def _rows(names: Sequence[str], systems: Mapping[str, Mapping[str, Estimate]]) -> list[tuple[str, list[str]]]:
    return [(name, [_estimate(metrics.get(name)) for metrics in systems.values()]) for name in names]


def _class_cells(row: Mapping[str, float | None]) -> list[str]:
    counts = [f"{row[key] or 0:.0f}" for key in ("support", "predicted")]
    interval = _interval(row["f1_low"], row["f1_high"])
    return [*counts, _number(row["precision"]), _number(row["recall"]), f"{_number(row['f1'])} {interval}"]


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return _NONE
    return f"{_number(estimate.value)} {_interval(estimate.low, estimate.high)}"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3f}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"
