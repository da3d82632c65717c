"""`xray score`: generated reports against references or a table of labels, and two systems against each other."""

import json
from dataclasses import asdict, replace
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
    typer.Option(
        "--html",
        metavar="PAGE.html",
        help="write a page: each metric explained, and the worst reports (with --compare, those that differ most) "
        "with their errors marked",
    ),
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
    """Score generated reports with 95 % intervals, or compare two systems on the same reports (--compare).

    Beside the scores of one system stand those of reports that know nothing of the films. --html explains each metric.
    """
    from xray.metrics import read_truth

    _check(references, truth=truth, compare=compare, metric=metric, html=html, alone=[train, also])
    keep_inputs(out, html, inputs=(predictions, references, compare, truth, train))
    texts = read_texts(predictions)
    table = read_truth(truth) if truth else None
    common: dict[str, Any] = {
        "references": read_texts(references) if references else None,
        "profile": profile.value,
        "groups": _patients(references or predictions, table),
        "truth": table.labels if table else None,
    }
    drawn = {"resamples": resamples, "seed": seed}
    if compare:
        chosen = {"metrics": metric, "draws": draws, **drawn}
        content = _compare(compare, predictions, texts, html=html, wants_all=out is not None, chosen=chosen, **common)
    else:
        content = _score(predictions, texts, html=html, train=train, also=also or [], **drawn, **common)
    if out:
        complete = {"schema_version": SCHEMA_VERSION, **content}
        write_atomically(out, json.dumps(complete, ensure_ascii=False, indent=2) + "\n")


def _score(
    predictions: Path, texts: dict[str, str], *, html: Path | None, train: Path | None, also: list[str], **common: Any
) -> dict[str, Any]:
    """Score one system, show it, write its page, and return what the file of scores holds."""
    from xray.commands.score_tables import show_scores
    from xray.metrics import score as score_reports

    report = score_reports(texts, **common)
    if train and (leak := _leak(train, **common)):
        report = replace(report, warnings=(leak, *report.warnings))
    baselines = _baselines(train, **common)
    others = {tool: _as_other(tool, texts, **common) for tool in also}
    show_scores(report, baselines=baselines, others=others)
    if html:
        write_atomically(html, _page(report, texts, title=predictions.stem, baselines=baselines, **common))
    return {
        **asdict(report),
        "baselines": {name: asdict(one)["metrics"] for name, one in baselines.items()},
        "other_tools": {tool: asdict(one) for tool, one in others.items()},
    }


def _compare(
    a_file: Path,
    b_file: Path,
    b_texts: dict[str, str],
    *,
    html: Path | None,
    wants_all: bool,
    chosen: dict[str, Any],
    **common: Any,
) -> dict[str, Any]:
    """Compare two systems, show it, write its page, and return what the file of scores holds: all of B, if wanted."""
    from xray.commands.score_tables import show_comparison
    from xray.metrics.comparison_page import System, comparison_page
    from xray.metrics.scoring import score_corpus
    from xray.metrics.systems import build_corpora, compare_corpora

    a_texts = read_texts(a_file)
    first, second = build_corpora(a_texts, b_texts, **common)
    comparison = compare_corpora(first, second, **chosen)
    show_comparison(comparison)
    if html:
        names = [
            f"{file.parent.name}/{file.stem}" if a_file.stem == b_file.stem else file.stem for file in (a_file, b_file)
        ]
        a = System(name=names[0], texts=a_texts, corpus=first)
        b = System(name=names[1], texts=b_texts, corpus=second)
        write_atomically(html, comparison_page(comparison, a=a, b=b, references=common["references"]))
    if not wants_all:
        return {}
    whole = score_corpus(second, resamples=chosen["resamples"], seed=chosen["seed"])
    return {**asdict(whole), "comparison": {"a_file": str(a_file), "b_file": str(b_file), **asdict(comparison)}}


def _check(
    references: Path | None,
    *,
    truth: Path | None,
    compare: Path | None,
    metric: list[str] | None,
    html: Path | None,
    alone: "Iterable[object]",
) -> None:
    if references is None and truth is None:
        raise typer.BadParameter("Give REFERENCES.jsonl, --truth labels.csv, or both.")
    if metric and compare is None:
        raise typer.BadParameter("--metric chooses what --compare compares; all metrics are computed without it.")
    if html is not None and references is None:
        raise typer.BadParameter("--html shows reports beside their references. Give REFERENCES.jsonl.")
    if any(option is not None for option in alone) and (compare is not None or references is None):
        raise typer.BadParameter("--train and --also belong to scores against references, without --compare.")


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


def _leak(train: Path, **common: Any) -> str | None:
    """Say that reports or patients of the references stand among the training reports, or None."""
    references, groups = common["references"], common["groups"]
    trained, patients = read_texts(train), _patients(train, None)
    reports = sum(trained.get(name) == text for name, text in references.items())
    shared = len(set(patients.values()) & set(groups.values())) if patients and groups else 0
    if not reports and not shared:
        return None
    counts = [f"{reports} of {len(references)} reports"] + [f"{shared} patients"] * bool(shared)
    return f"{train} holds what is scored, what was trained on it is not tested here: {', '.join(counts)}"


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
