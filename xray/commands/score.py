"""`xray score`: generated reports against references or a table of labels, and two systems against each other."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xray.command_line import keep_inputs
from xray.commands.report_files import ProfileName, ProfileOption, read_rows, read_texts
from xray.records import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xray.metrics import ScoreReport, TruthTable
    from xray.metrics.other_tools import OtherScores

SCHEMA_VERSION = 2

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
        metavar="NAME",
        help="scores as another tool gives them: llamafactory, swift, sacrebleu_zh, coco_char, or for English reports "
        "radeval:NAME where RadEval and its weights are on this disk; may be repeated",
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
    from xray.commands.score_tables import show_comparison, show_scores
    from xray.metrics import compare_systems, read_truth
    from xray.metrics import score as score_reports

    _check(references, truth=truth, compare=compare, metric=metric, needs_references=[html, train, also])
    keep_inputs(out, html, inputs=(predictions, references, compare, truth, train))
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
    if compare:
        comparison = compare_systems(read_texts(compare), texts, metrics=metric, draws=draws, **common)
        content["comparison"] = {"a_file": str(compare), "b_file": str(predictions), **asdict(comparison)}
        show_comparison(comparison)
    else:
        baselines = _baselines(train, **common)
        others = {tool: _as_other(tool, texts, **common) for tool in also or ()}
        content["baselines"] = {name: asdict(one)["metrics"] for name, one in baselines.items()}
        content["other_tools"] = {tool: asdict(one) for tool, one in others.items()}
        show_scores(report, baselines=baselines, others=others)
        if html:
            write_atomically(html, _page(report, texts, title=predictions.stem, baselines=baselines, **common))
    if out:
        write_atomically(out, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def _check(
    references: Path | None,
    *,
    truth: Path | None,
    compare: Path | None,
    metric: list[str] | None,
    needs_references: "Iterable[object]",
) -> None:
    if references is None and truth is None:
        raise typer.BadParameter("Give REFERENCES.jsonl, --truth labels.csv, or both.")
    if metric and compare is None:
        raise typer.BadParameter("--metric chooses what --compare compares; all metrics are computed without it.")
    asked = any(option is not None for option in needs_references)
    if asked and (compare is not None or references is None):
        raise typer.BadParameter("--html, --train and --also belong to scores against references, without --compare.")


def _baselines(train: Path | None, **common: Any) -> "dict[str, ScoreReport]":
    """Score what knows nothing of the films: one normal report for all, and reports drawn from the training split."""
    references = common["references"]
    if references is None:
        return {}
    from xray.metrics import constant_normal, random_reports
    from xray.metrics import score as score_reports

    known = list(read_texts(train).values()) if train else []
    normal = constant_normal(known, profile=common["profile"])
    systems = {"constant normal report": dict.fromkeys(references, normal)}
    if known:
        systems["random training report"] = random_reports(known, references, seed=common["seed"])
    return {name: score_reports(texts, **common) for name, texts in systems.items()}


def _as_other(tool: str, texts: dict[str, str], **common: Any) -> "OtherScores":
    from xray.metrics.english import PREFIX, score_english
    from xray.metrics.other_tools import score_as

    if tool.startswith(PREFIX):
        return score_english(tool, texts, common["references"])
    chosen = {name: common[name] for name in ("references", "groups", "resamples", "seed")}
    return score_as(tool, texts, **chosen)


def _page(
    report: "ScoreReport", texts: dict[str, str], *, title: str, baselines: "dict[str, ScoreReport]", **common: Any
) -> str:
    from xray.metrics.page import scores_page

    chosen = {name: common[name] for name in ("references", "profile")}
    return scores_page(report, title=title, predictions=texts, baselines=baselines, **chosen)


def _patients(path: Path, table: "TruthTable | None") -> dict[str, str] | None:
    """Return id -> patient where every row of the reports names one, or the table of truth does."""
    patients = {str(row["id"]): row.get("patient_key") for _, row in read_rows(path)}
    known = {key: str(patient) for key, patient in patients.items() if patient is not None}
    if known and len(known) == len(patients):
        return known
    return table.patients if table else None
