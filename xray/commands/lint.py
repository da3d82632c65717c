"""`xray lint`: what share of a corpus of reports is chatty, compares with priors, is repeated or uses wrong terms."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xray.commands.report_files import ProfileName, ProfileOption, read_rows, read_texts
from xray.errors import DataError

if TYPE_CHECKING:
    from xray.data.sources.columns import TableColumns
    from xray.data.sources.rows import Row
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
    texts: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for row in table.rows:
        text = _report(row, columns=columns)
        told = (row.values.get(columns.study or "", ""), text)
        if told[0] and told in seen:
            continue  # a further film of the study, with the same report
        seen.add(told)
        texts[f"line {row.line}"] = text
    return texts


def _report(row: "Row", *, columns: "TableColumns") -> str:
    """Return the report of a row as `xray prepare` takes it, with a header above a conclusion of its own column."""
    from xray.data.sources.columns import report_cells
    from xray.data.sources.values import says_nothing
    from xray.text.sections import locate_sections

    text, impression = report_cells(row, columns)
    if says_nothing(impression):
        return text
    is_headed = any(section.name == "impression" for section in locate_sections(impression))
    return f"{text}\n{'' if is_headed else '诊断意见：'}{impression}"


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
