"""`xray score`: generated reports against references or a table of labels, and two systems against each other."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xray.commands.report_files import ProfileName, ProfileOption, read_rows, read_texts
from xray.records import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from xray.metrics import ScoreReport, SystemComparison, TruthTable

SCHEMA_VERSION = 2
_NO_VALUE = "–"
_MACRO = "finding_f1_macro"

Predictions = Annotated[Path, typer.Argument(metavar="PREDICTIONS.jsonl", help='rows {"id", "text"}')]
References = Annotated[
    Path | None,
    typer.Argument(
        metavar="[REFERENCES.jsonl]", help='rows {"id", "text"}, "patient_key" if known; not needed with --truth'
    ),
]
Compare = Annotated[
    Path | None,
    typer.Option(
        metavar="A.jsonl",
        help="predictions of another system A for the same ids: show the difference of PREDICTIONS (B) from it, "
        "with interval and p. As in: xray score --compare A.jsonl B.jsonl REFERENCES.jsonl",
    ),
]
Truth = Annotated[
    Path | None,
    typer.Option(
        metavar="labels.csv",
        help="what the films show, in place of the references' labels: id, CheXpert classes with 1, 0, -1 or nothing",
    ),
]
MetricNames = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="with --compare: a metric to compare; may be repeated")
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="scores.json", help="write everything: metrics, classes, each report's values, comparison"),
]
Page = Annotated[
    Path | None,
    typer.Option("--html", metavar="PAGE.html", help="write a page: tables, and the worst reports with their errors"),
]
Train = Annotated[
    Path | None,
    typer.Option(metavar="TRAIN.jsonl", help="reports of the training split, for the baselines drawn from them"),
]
Also = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="text overlap as another tool prints it: llamafactory, swift, sacrebleu_zh or coco_char; may be repeated"
    ),
]


def score(
    predictions: Predictions,
    references: References = None,
    compare: Compare = None,
    truth: Truth = None,
    metric: MetricNames = None,
    profile: ProfileOption = ProfileName.standard,
    out: Out = None,
    html: Page = None,
    train: Train = None,
    also: Also = None,
    resamples: Annotated[int, typer.Option(min=100, help="bootstrap resamples")] = 2000,
    draws: Annotated[int, typer.Option(min=100, help="with --compare: random exchanges of patients")] = 10_000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Score generated reports with 95 % intervals, or compare two systems on the same reports (--compare)."""
    if references is None and truth is None:
        raise typer.BadParameter("Give REFERENCES.jsonl, --truth labels.csv, or both.")
    if metric and compare is None:
        raise typer.BadParameter("--metric chooses what --compare compares; all metrics are computed without it.")
    from xray.metrics import compare_systems, read_truth
    from xray.metrics import score as score_reports

    texts = read_texts(predictions)
    table = read_truth(truth) if truth else None
    common: dict[str, Any] = {
        "references": read_texts(references) if references else None,
        "profile": profile.value,
        "groups": _patients(references or predictions, table),
        "truth": table.labels if table else None,
        "resamples": resamples,
        "seed": seed,
    }
    report = score_reports(texts, **common)
    content = {"schema_version": SCHEMA_VERSION, **asdict(report)}
    comparison = None
    if compare:
        comparison = compare_systems(read_texts(compare), texts, metrics=metric, draws=draws, **common)
        content["comparison"] = {"a_file": str(compare), "b_file": str(predictions), **asdict(comparison)}
    if out:
        write_atomically(out, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    if comparison:
        _show_comparison(comparison)
    else:
        _show(report)


def _patients(path: Path, table: "TruthTable | None") -> dict[str, str] | None:
    """Return id -> patient where every row of the reports names one, or the table of truth does."""
    patients = {str(row["id"]): row.get("patient_key") for _, row in read_rows(path)}
    known = {key: str(patient) for key, patient in patients.items() if patient is not None}
    if known and len(known) == len(patients):
        return known
    return table.patients if table else None


def _show(report: "ScoreReport") -> None:
    table = _table("metric", "value", "95 % interval", "n", title=f"profile {report.profile}; {report.bootstrap}")
    for name, estimate in report.metrics.items():
        interval = _interval(estimate.low, estimate.high)
        table.add_row(name, _number(estimate.value), interval, str(estimate.n))
    classes = _table("class", "tp", "fp", "fn", "P", "R", "F1", "95 % interval", title="uncertain as positive")
    for name, row in report.per_class.items():
        counts = [f"{row[key]:.0f}" for key in ("tp", "fp", "fn")]
        values = [_number(row[key]) for key in ("precision", "recall", "f1")]
        classes.add_row(name, *counts, *values, _interval(row["f1_low"], row["f1_high"]))
    undefined = (f"no positive on either side, left out of the macro mean: {c}" for c in report.undefined[_MACRO])
    _print([table, classes], warnings=[*undefined, *report.warnings])
    typer.echo(f"{report.signature}|split:{report.split[:8]}")


def _show_comparison(comparison: "SystemComparison") -> None:
    title = f"profile {comparison.profile}; {comparison.test}; {comparison.bootstrap}"
    table = _table("metric", "A", "B", "B - A, 95 % interval", "p", "p (Holm)", title=title)
    for name, one in comparison.metrics.items():
        difference = f"{_number(one.difference)} {_interval(one.low, one.high)}"
        corrected = _probability(one.p_holm) + (" *" if one.significant else "")
        table.add_row(name, _number(one.a), _number(one.b), difference, _probability(one.p), corrected)
    _print([table], warnings=comparison.warnings)
    tested = sum(one.p is not None for one in comparison.metrics.values())
    typer.echo(f"* significant at {comparison.alpha:g} after Holm's correction for {tested} metrics")
    for signature in dict.fromkeys(one.signature for one in comparison.metrics.values()):
        typer.echo(signature)


def _table(*heads: str, title: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD)
    for head in heads:
        table.add_column(head, no_wrap=True)
    return table


def _print(tables: "Iterable[Table]", *, warnings: "Iterable[str]") -> None:
    """Print tables, and on standard error the warnings: one line for what is warned of, with all it is true of."""
    from rich.console import Console

    console = Console()
    for table in tables:
        console.print(table)
    by_text: dict[str, list[str]] = {}
    for warning in warnings:
        text, _, of = warning.rpartition(": ")
        by_text.setdefault(text, []).append(of)
    for text, of_all in by_text.items():
        typer.echo(f"warning: {text}: {', '.join(of_all)}", err=True)


def _number(value: float | None) -> str:
    return _NO_VALUE if value is None else f"{value:.3f}"


def _probability(value: float | None) -> str:
    return _NO_VALUE if value is None else f"{value:.2g}"


def _interval(low: float | None, high: float | None) -> str:
    return _NO_VALUE if low is None or high is None else f"[{low:.3f}, {high:.3f}]"
