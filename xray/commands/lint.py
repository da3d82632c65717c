"""`xray lint`: what share of a corpus of reports is chatty, compares with priors, is repeated or uses wrong terms."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xray.commands.report_files import ProfileName, ProfileOption, read_rows, read_texts
from xray.errors import DataError

if TYPE_CHECKING:
    from xray.text.lint import LintReport


def lint(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help='.jsonl of {"id", "text"}, a table of reports, or XrayGLM JSON')
    ],
    profile: ProfileOption = ProfileName.standard,
    as_json: Annotated[bool, typer.Option("--json", help="print the counts as JSON")] = False,
) -> None:
    """Say what is wrong with the words of Chinese reports: counts, shares and example ids, never their text."""
    from xray.text.lint import lint_reports

    texts = _texts(source)
    if not texts:
        raise DataError(f"{source} holds no reports.")
    report = lint_reports(texts, profile=profile.value)
    if as_json:
        typer.echo(json.dumps(report.model_dump(mode="json"), ensure_ascii=False, indent=2))
    else:
        _show(report)


def _texts(source: Path) -> dict[str, str]:
    """Return the reports by id; a row of a table is named by its line, since its id may be a patient's."""
    if source.suffix.lower() == ".json":
        return _captions(source)
    if source.suffix.lower() == ".jsonl" and all({"id", "text"} <= set(row) for _, row in read_rows(source)):
        return read_texts(source)
    return _table(source)


def _captions(source: Path) -> dict[str, str]:
    from xray.data.sources.captions import one_per_study, read_captions

    captions = read_captions(source, refusals=[])
    kept = one_per_study(captions, studies={caption.study for caption in captions.values()}, refusals=[])
    return {study: caption.text for study, caption in kept.items()}


def _table(source: Path) -> dict[str, str]:
    from xray.data.sources.columns import TableColumns, has_needed_columns, resolve_columns
    from xray.data.sources.rows import read_rows as read_table

    wanted = TableColumns()
    table = read_table(source, fits=lambda cells: has_needed_columns(wanted, present=cells))
    columns = resolve_columns(wanted, present=table.columns, table=table.name)
    parts = [columns.report] if columns.report else [columns.findings, columns.impression]
    texts: dict[str, str] = {}
    seen: set[str] = set()
    for row in table.rows:
        study = row.values.get(columns.study or "", "")
        if study and study in seen:
            continue  # a further film of the study, with the same report
        seen.add(study)
        texts[f"line {row.line}"] = "\n".join(filter(None, (row.values.get(name or "", "") for name in parts)))
    return texts


def _show(report: "LintReport") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("rule", "reports", "share", "for example", title=f"{report.reports} reports, {report.clean} clean")
    for kind in report.kinds:
        table.add_row(f"[bold]{kind.rule}", f"[bold]{kind.count}", f"[bold]{kind.share:.1%}", "")
        for rule in report.rules:
            if rule.kind == kind.rule and rule.count:
                table.add_row(f"  {rule.rule}", str(rule.count), f"{rule.share:.1%}", ", ".join(rule.examples))
    Console().print(table)
