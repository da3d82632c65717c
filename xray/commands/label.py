"""`xray label`: reports to the 14 classes."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from xray.command_line import keep_inputs
from xray.commands.report_files import ProfileName, ProfileOption, read_texts
from xray.records import write_atomically


def label(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help='rows {"id", "text"}')],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help='rows {"id", "labels", "findings"}')],
    profile: ProfileOption = ProfileName.standard,
) -> None:
    """Label reports with the 14 CheXpert classes: 1 present, 0 absent, -1 uncertain, null not mentioned."""
    from xray.text.labels import label as label_text

    keep_inputs(target, inputs=(source,))
    rows = []
    for key, text in read_texts(source).items():
        labelled = label_text(text, profile=profile.value)
        findings = [{**asdict(finding), "text": text[slice(*finding.span)]} for finding in labelled.findings]
        rows.append({"id": key, "labels": labelled.labels, "findings": findings})
    _write_lines(target, rows)


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
