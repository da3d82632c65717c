"""Scores as one page without any other file, script or request: tables, and the worst reports with their errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader

from xray.metrics.coverage import Coverage
from xray.metrics.marks import MarkedReports, mark_reports
from xray.metrics.meanings import MEANINGS, Meaning
from xray.metrics.scoring import ScoreReport
from xray.metrics.sums import ERRORS, FRAME_METRICS
from xray.metrics.wording import estimate_text, joined_warnings, number_text, share_text, value_text
from xray.text.lexicon import Profile

WORST = 20
"""How many reports the page shows."""
_TEXT = ("bleu1_char", "bleu2_char", "bleu3_char", "bleu4_char", "rouge_l_char", "cider_char", "chrf", "exact_match")
_AUTHORS = {"candidate": "生成报告 generated", "reference": "参考报告 reference", "a": "A", "b": "B"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """A metric with its values as they are shown; `better` names the system of two that is, "" where none is."""

    name: str
    meaning: Meaning
    cells: tuple[str, ...]
    better: str = ""


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
    systems = {title: report, **baselines}
    shown = [
        ShownReport(
            id=name,
            score=number_text(report.per_report[name].get("frame_f1")),
            marked=mark_reports(predictions[name], reference=references[name], profile=profile),
        )
        for name in worst_reports(report)
    ]
    return render(
        "scores.html.j2",
        title=title,
        report=report,
        systems=list(systems),
        groups=[(group, _rows(names, systems)) for group, names in _groups(report).items()],
        classes=[(name, _class_cells(row)) for name, row in report.per_class.items()],
        coverage=coverage_rows(report.coverage),
        cases=shown,
        warnings=joined_warnings(report.warnings),
        signatures=[report.signature, f"lexicon {report.lexicon}", f"split {report.split}"],
    )


def worst_reports(report: ScoreReport, *, count: int = WORST) -> list[str]:
    """Return the ids of the reports with the lowest frame F1; of equal ones those with more negative scores first."""

    def badness(name: str) -> tuple[float, float, str]:
        values = report.per_report[name]
        return values.get("frame_f1") or 0.0, values.get("crimson_zh") or 0.0, name

    return sorted((name for name in report.per_report if report.per_report[name].get("frame_f1") != 1.0), key=badness)[
        :count
    ]


def coverage_rows(found: Mapping[str, Coverage]) -> list[tuple[str, tuple[str, ...]]]:
    """Return of each author how many findings there are, and the shares with a side, a degree, a size."""
    return [
        (_AUTHORS[author], (str(one.findings), *map(share_text, (one.side, one.degree, one.size))))
        for author, one in found.items()
    ]


def render(template: str, **content: object) -> str:
    """Fill one of the templates of this package; whatever is filled in is escaped."""
    environment = Environment(loader=PackageLoader("xray.metrics", "templates"), autoescape=True)
    return environment.get_template(template).render(content)


def _groups(report: ScoreReport) -> dict[str, Sequence[str]]:
    """Return the metrics by what they look at: findings first, text overlap last."""
    apart = {*FRAME_METRICS, *_TEXT}
    labels = [name for name in report.metrics if name not in apart]
    groups: dict[str, Sequence[str]] = {
        "征象（14 类） findings (14 classes)": labels,
        "征象及其侧别、位置、程度、变化 findings with side, place, degree and course": [
            name for name in FRAME_METRICS if name not in ERRORS
        ],
        "每份报告的错误 errors per report (ReXVal)": list(ERRORS),
        "文字重合，最后参考 text overlap, to be trusted last": _TEXT,
    }
    return {group: [name for name in names if name in report.metrics] for group, names in groups.items()}


def _rows(names: Sequence[str], systems: Mapping[str, ScoreReport]) -> list[MetricRow]:
    return [
        MetricRow(
            name=name,
            meaning=MEANINGS[name],
            cells=tuple(estimate_text(one.metrics.get(name)) for one in systems.values()),
        )
        for name in names
    ]


def _class_cells(row: Mapping[str, float | None]) -> list[str]:
    counts = [f"{row[key] or 0:.0f}" for key in ("support", "predicted")]
    f1 = value_text(row["f1"], low=row["f1_low"], high=row["f1_high"])
    return [*counts, number_text(row["precision"]), number_text(row["recall"]), f1]
