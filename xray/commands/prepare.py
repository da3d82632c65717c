"""`xray prepare`: the options of a preparation, and what it tells on standard error."""

import sys
from collections.abc import Sequence
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xray.command_line import print_json, progress_bar
from xray.data.split import SplitSettings

if TYPE_CHECKING:
    from xray.data.sources.columns import TableColumns
    from xray.data.sources.study_files import Refusal, SourceData

_SPLIT = SplitSettings()


class SourceName(StrEnum):
    """Kinds of report files."""

    table = "table"
    xrayglm = "xrayglm"


Kind = Annotated[SourceName | None, typer.Option(help="kind of report file; told from its ending without it")]
Columns = Annotated[
    list[str] | None,
    typer.Option(metavar="FIELD=NAME", help="a table's unusual column, as in report=正文; may be repeated"),
]
Index = Annotated[Path | None, typer.Option(help="XrayGLM only: CSV of film file names and image ids")]
Share = Annotated[float, typer.Option(min=0, max=1, help="share of patients in this split")]
RefusedShare = Annotated[float, typer.Option(min=0, max=1, help="stop when a larger share of the films is refused")]
RefusedList = Annotated[
    Path | None,
    typer.Option(metavar="OUT.txt", help="list all that was left out, by its real path: for the hospital's eyes only"),
]


def prepare(
    films: Annotated[Path, typer.Argument(help="folder of films")],
    reports: Annotated[Path, typer.Argument(help="table of reports (.csv, .jsonl) or XrayGLM .json")],
    out: Annotated[Path, typer.Argument(help="folder of the prepared store")],
    source: Kind = None,
    column: Columns = None,
    index: Index = None,
    size: Annotated[int, typer.Option(min=64, help="long side in pixels")] = 1024,
    val: Share = _SPLIT.val,
    test: Share = _SPLIT.test,
    split_seed: Annotated[int, typer.Option(min=0, help="another number, another assignment")] = _SPLIT.seed,
    max_refused_fraction: RefusedShare = 0.2,
    refused: RefusedList = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes; all cores without it")] = None,
) -> None:
    """Read, check, render and split a data set once, so that training reads it back without decoding DICOM."""
    from xray.data.notices import public_key_notice, tell_refusals
    from xray.data.prepare import prepare as prepare_store
    from xray.dicom.render import RenderSettings

    if refused is not None and refused.resolve().is_relative_to(out.resolve()):
        raise typer.BadParameter("--refused lies inside the store, which may be passed on; put it elsewhere")
    data = _read(films, reports, kind=source, columns=column or (), index=index)
    found: list[Sequence[Refusal]] = []
    try:
        with progress_bar("Rendering films") as progress:
            store = prepare_store(
                data,
                out,
                settings=RenderSettings(size=size),
                split=SplitSettings(val=val, test=test, seed=split_seed),
                workers=workers,
                progress=progress,
                max_refused_fraction=max_refused_fraction,
                on_refusals=found.append,
            )
    finally:  # after the bar, and also if too many films were refused
        for refusals in found:
            tell_refusals(refusals, say=_say, everything=refused, hint="--refused OUT.txt lists all")
    if notice := public_key_notice(store):
        _say(f"warning: {notice}")
    print_json(store.info.model_dump(mode="json"))


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _read(
    films: Path, reports: Path, *, kind: SourceName | None, columns: Sequence[str], index: Path | None
) -> "SourceData":
    from xray.data.sources.table import read_table
    from xray.data.sources.xrayglm import read_xrayglm

    if (kind or (SourceName.xrayglm if reports.suffix == ".json" else SourceName.table)) is SourceName.xrayglm:
        if columns:
            raise typer.BadParameter("--column names columns of a table, and these are XrayGLM reports")
        return read_xrayglm(reports, films, index=index)
    if index is not None:
        raise typer.BadParameter("--index belongs to XrayGLM reports, and these are a table")
    return read_table(films, reports, columns=_columns(columns))


def _columns(assignments: Sequence[str]) -> "TableColumns":
    """Read `FIELD=NAME` pairs."""
    from xray.data.sources.columns import TableColumns

    known = [field.name for field in fields(TableColumns)]
    named: dict[str, str] = {}
    for assignment in assignments:
        field, _, name = assignment.partition("=")
        if field not in known or not name:
            raise typer.BadParameter(f"--column {assignment!r} is not FIELD=NAME, where FIELD is {', '.join(known)}")
        named[field] = name
    return TableColumns(**named)
