"""What `xray score` shows on a terminal."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import typer

from xray.metrics.wording import (
    estimate_text,
    joined_warnings,
    number_text,
    probability_text,
    share_text,
    value_text,
)

if TYPE_CHECKING:
    from rich.table import Table

    from xray.metrics import Estimate, ScoreReport, SystemComparison
    from xray.metrics.coverage import Coverage
    from xray.metrics.other_tools import OtherScores

SHOWN = (
    *("finding_f1", "finding_precision", "finding_recall", "finding_f1_macro", "finding_f1_14", "finding_f1_5"),
    *("negative_f1", "side_accuracy", "frame_f1", "green_zh", "crimson_zh", "errors_false", "errors_omission"),
    *("errors_location", "errors_severity", "errors_added_comparison", "errors_omitted_comparison"),
    *("bleu1_char", "bleu4_char", "rouge_l_char", "cider_char", "chrf"),
)
"""The metrics that fit on one screen."""
_SHORT = {"constant normal report": "one normal", "random training report": "random"}
_WIDTH = 96  # where the output is no terminal, or a narrow one, lines rather wrap than lose numbers
_AUTHORS = {"a": "A", "b": "B", "candidate": "generated"}
_POINTER = "what each metric means, its range and which way is better: --html PAGE.html, or the README"


def show_scores(
    report: "ScoreReport", *, baselines: Mapping[str, "ScoreReport"], others: Mapping[str, "OtherScores"]
) -> None:
    """Print the metrics beside those of the baselines, the classes, the scores of other tools, and the warnings."""
    heads = ("metric", "value, 95 % interval", *(_SHORT.get(name, name) for name in baselines))
    table = _table(*heads, title=f"profile {report.profile}; {report.bootstrap}; all metrics: --out, --html")
    for name in (name for name in SHOWN if name in report.metrics):
        trivial = [number_text(one.metrics[name].value) for one in baselines.values()]
        table.add_row(name, estimate_text(report.metrics[name]), *trivial)
    tables = [table, _classes(report), _coverage(report.coverage)]
    _print([*tables, *(_other(one.metrics, tool=tool) for tool, one in others.items())], warnings=report.warnings)
    typer.echo(_POINTER)
    typer.echo(f"{report.signature}|split:{report.split[:8]}")
    for one in others.values():
        typer.echo(one.signature)


def show_comparison(comparison: "SystemComparison") -> None:
    """Print what differs between two systems."""
    title = f"profile {comparison.profile}; {comparison.test}; {comparison.bootstrap}"
    table = _table("metric", "A", "B", "B - A, 95 % interval", "p", "p (Holm)", title=title)
    for name, one in comparison.metrics.items():
        difference = value_text(one.difference, low=one.low, high=one.high)
        corrected = probability_text(one.p_holm) + (" *" if one.significant else "")
        table.add_row(name, number_text(one.a), number_text(one.b), difference, probability_text(one.p), corrected)
    _print([table, _coverage(comparison.coverage)], warnings=comparison.warnings)
    typer.echo(_POINTER)
    if any(name.startswith("errors_") for name in comparison.metrics):
        typer.echo("errors_*: per report, fewer are better")
    tested = sum(one.p is not None for one in comparison.metrics.values())
    typer.echo(f"* significant at {comparison.alpha:g} after Holm's correction for {tested} metrics")
    for signature in dict.fromkeys(one.signature for one in comparison.metrics.values()):
        typer.echo(signature)


def _classes(report: "ScoreReport") -> "Table":
    classes = _table("class", "tp", "fp", "fn", "P", "R", "F1, 95 % interval", title="uncertain as positive")
    for name, row in report.per_class.items():
        counts = [f"{row[key]:.0f}" for key in ("tp", "fp", "fn")]
        f1 = value_text(row["f1"], low=row["f1_low"], high=row["f1_high"])
        classes.add_row(name, *counts, number_text(row["precision"]), number_text(row["recall"]), f1)
    return classes


def _coverage(coverage: "Mapping[str, Coverage]") -> "Table":
    """Show what is told of the present findings: leaving it out costs the scores little."""
    table = _table("reports", "findings", "side", "degree", "size", title="present findings that carry each")
    for author, one in coverage.items():
        table.add_row(
            _AUTHORS.get(author, author), str(one.findings), *map(share_text, (one.side, one.degree, one.size))
        )
    return table


def _other(metrics: Mapping[str, "Estimate"], *, tool: str) -> "Table":
    table = _table("metric", "value, 95 % interval", title=f"as {tool} prints it")
    for name, estimate in metrics.items():
        table.add_row(name, estimate_text(estimate))
    return table


def _table(*heads: str, title: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD)
    for head in heads:
        table.add_column(head, no_wrap=True)
    return table


def _print(tables: "Iterable[Table]", *, warnings: Iterable[str]) -> None:
    """Print tables, and on standard error the warnings: one line for what is warned of, with all it is true of."""
    from rich.console import Console

    console = Console()
    console.width = max(console.width, _WIDTH)
    for table in tables:
        console.print(table)
    for line in joined_warnings(warnings):
        typer.echo(f"warning: {line}", err=True)
