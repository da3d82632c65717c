"""`xray score`: generated reports against references."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xray.command_line import keep_inputs
from xray.commands.report_files import ProfileName, ProfileOption, read_rows, read_texts
from xray.records import write_atomically

if TYPE_CHECKING:
    from xray.metrics import ScoreReport


def score(
    predictions: Annotated[Path, typer.Argument(metavar="PREDICTIONS.jsonl", help='rows {"id", "text"}')],
    references: Annotated[
        Path, typer.Argument(metavar="REFERENCES.jsonl", help='rows {"id", "text"}, "patient_key" if known')
    ],
    profile: ProfileOption = ProfileName.standard,
    out: Annotated[
        Path | None, typer.Option(metavar="scores.json", help="write metrics and each report's values")
    ] = None,
    resamples: Annotated[int, typer.Option(min=100, help="bootstrap resamples")] = 2000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Score generated reports against references, with 95 % intervals."""
    from xray.metrics import score as score_reports

    keep_inputs(out, inputs=(predictions, references))
    report = score_reports(
        read_texts(predictions),
        read_texts(references),
        profile=profile.value,
        groups=_read_patients(references),
        resamples=resamples,
        seed=seed,
    )
    if out:
        write_atomically(out, json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n")
    _show(report)


def _read_patients(path: Path) -> dict[str, str] | None:
    """Return id -> patient where every row names one: the unit of the bootstrap."""
    patients = {str(row["id"]): row.get("patient_key") for _, row in read_rows(path)}
    known = {key: str(patient) for key, patient in patients.items() if patient is not None}
    return known if len(known) == len(patients) and known else None


def _show(report: "ScoreReport") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("metric", "value", "95 % interval", "n", title=f"profile {report.profile}; {report.bootstrap}")
    for name, estimate in report.metrics.items():
        value = "–" if estimate.value is None else f"{estimate.value:.3f}"
        interval = "–" if estimate.low is None else f"[{estimate.low:.3f}, {estimate.high:.3f}]"
        table.add_row(name, value, interval, str(estimate.n))
    Console().print(table)
    typer.echo(report.signature)
