"""`xray prepare`: the options of a preparation, and what it tells on standard error."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xray.command_line import keep_inputs, print_json, progress_bar
from xray.commands.render import Profile
from xray.data.split_settings import SplitSettings
from xray.types import Engine, SourceKind

if TYPE_CHECKING:
    from xray.data.sources.columns import TableColumns
    from xray.data.sources.request import SourceRequest
    from xray.data.sources.study_files import Refusal, SourceData
    from xray.data.store import Store
    from xray.dicom.render import RenderSettings

_SPLIT = SplitSettings()


class Language(StrEnum):
    """Languages of reports."""

    zh = "zh"
    en = "en"


Films = Annotated[
    str,
    typer.Argument(help="folder or zip of films, or a server: dicomweb+https://host/dicom-web?StudyDate=20240101-"),
]
Kind = Annotated[SourceKind | None, typer.Option(help="kind of reports; told from their place without it")]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD=NAME",
        help="a table's unusual column, as in report=正文; FIELD is study, film, report, findings, impression, "
        "patient, age, sex, view, split, study_date, status or report_time; may be repeated",
    ),
]
Sheet = Annotated[str | None, typer.Option(help="sheet of a workbook")]
Index = Annotated[Path | None, typer.Option(help="XrayGLM, OpenI: CSV of film file names and image ids or views")]
Captions = Annotated[Path | None, typer.Option(help="OpenI: JSON of translated captions")]
Texts = Annotated[Language | None, typer.Option(help="language of the texts; what the kind usually has without it")]
Fetched = Annotated[Path | None, typer.Option(metavar="FOLDER", help="where films of a server are kept")]
Site = Annotated[Path | None, typer.Option(metavar="FILE.yaml", help="what the site knows of its devices")]
Deep = Annotated[bool, typer.Option("--deep", help="keep 16 bits of each film too, for window jitter in training")]
Repair = Annotated[bool, typer.Option("--repair-terms", help="repair the terms of machine-translated reports")]
Splits = Annotated[Path | None, typer.Option(metavar="FILE", help="table that declares splits: columns id and split")]
Share = Annotated[float, typer.Option(min=0, max=1, help="share of patients in this split")]
RefusedShare = Annotated[
    float, typer.Option(min=0, max=1, help="stop when more of the films that have a report are refused")
]
RefusedList = Annotated[
    Path | None,
    typer.Option(metavar="OUT.txt", help="list all that was left out, by its real path: for the hospital's eyes only"),
]


def prepare(
    films: Films,
    reports: Annotated[Path, typer.Argument(help="table (.csv, .xlsx, .jsonl), .json, or folder of reports")],
    out: Annotated[Path, typer.Argument(help="folder of the prepared store")],
    source: Kind = None,
    column: Columns = None,
    sheet: Sheet = None,
    index: Index = None,
    captions: Captions = None,
    language: Texts = None,
    fetch_into: Fetched = None,
    size: Annotated[int, typer.Option(min=64, help="long side in pixels")] = 1024,
    profile: Annotated[Profile, typer.Option(help="how films are rendered")] = Profile.viewer,
    site: Site = None,
    deep: Deep = False,
    repair_terms: Repair = False,
    splits: Splits = None,
    val: Share = _SPLIT.val,
    test: Share = _SPLIT.test,
    split_seed: Annotated[int, typer.Option(min=0, help="another number, another assignment")] = _SPLIT.seed,
    max_refused_fraction: RefusedShare = 0.2,
    refused: RefusedList = None,
    engine: Annotated[Engine, typer.Option(help="local processes, or a Ray cluster")] = Engine.local,
    workers: Annotated[int | None, typer.Option(min=1, help="processes; all cores without it")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print what the store says of itself as JSON")] = False,
) -> None:
    """Read, check, render and split a data set once, so that training reads it back without decoding DICOM."""
    if refused is not None and refused.resolve().is_relative_to(out.resolve()):
        raise typer.BadParameter("--refused lies inside the store, which may be passed on; put it elsewhere")
    keep_inputs(refused, inputs=(Path(films), reports, index, captions, site, splits))
    request = _request(reports, kind=source, columns=column or (), sheet=sheet, index=index, captions=captions)
    request = replace(request, language=language and language.value)
    settings = _settings(size, profile=profile, site=site, deep=deep)
    with _read(films, request, out=out, fetch_into=fetch_into) as data:
        store = _prepare(
            data,
            out,
            settings=settings,
            split=SplitSettings(val=val, test=test, seed=split_seed),
            splits=splits,
            repair_terms=repair_terms,
            engine=engine,
            workers=workers,
            max_refused_fraction=max_refused_fraction,
            everything=refused,
        )
    if as_json:
        print_json(store.info.model_dump(mode="json"))


def _prepare(
    data: "SourceData",
    out: Path,
    *,
    settings: "RenderSettings",
    split: SplitSettings,
    splits: Path | None,
    repair_terms: bool,
    engine: Engine,
    workers: int | None,
    max_refused_fraction: float,
    everything: Path | None,
) -> "Store":
    from xray.data.notices import public_key_notice, tell_refusals, tell_store
    from xray.data.prepare import prepare as prepare_store

    found: list[Sequence[Refusal]] = []
    try:
        with progress_bar("Rendering films") as progress:
            store = prepare_store(
                data,
                out,
                settings=settings,
                split=split,
                splits=splits,
                repair_terms=repair_terms,
                engine=engine,
                workers=workers,
                progress=progress,
                max_refused_fraction=max_refused_fraction,
                on_refusals=found.append,
            )
    finally:  # after the bar, and also if too many films were refused
        for refusals in found:
            tell_refusals(refusals, say=_say, everything=everything, hint="--refused OUT.txt lists all")
    tell_store(store, say=_say)
    if notice := public_key_notice(store):
        _say(f"warning: {notice}")
    return store


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _request(
    reports: Path,
    *,
    kind: SourceKind | None,
    columns: Sequence[str],
    sheet: str | None,
    index: Path | None,
    captions: Path | None,
) -> "SourceRequest":
    from xray.data.sources.request import SourceRequest

    return SourceRequest(
        films=Path(),
        reports=reports,
        kind=kind,
        columns=_columns(columns),
        sheet=sheet,
        index=index,
        captions=captions,
    )


def _settings(size: int, *, profile: Profile, site: Path | None, deep: bool) -> "RenderSettings":
    from xray.dicom.render import RenderSettings
    from xray.dicom.site_profile import read_site_profile

    rules = None if site is None else read_site_profile(site)
    return RenderSettings(size=size, profile=profile.value, deep=deep, site=rules)


@contextmanager
def _read(films: str, request: "SourceRequest", *, out: Path, fetch_into: Path | None) -> "Iterator[SourceData]":
    """Read the data set, with the films of a server fetched and those of archives unpacked beside the store."""
    from xray.data.prepare import scratch_folder
    from xray.data.sources.film_scan import scan_films
    from xray.data.sources.request import read_source

    fetched: Sequence[Refusal] = ()
    folder = Path(films)
    if films.startswith("dicomweb+"):
        folder, fetched = _fetch(films, into=fetch_into, out=out)
    elif fetch_into is not None:
        raise typer.BadParameter("--fetch-into belongs to films of a server, and these are a folder")
    with scratch_folder(out, films=folder) as scratch:
        with progress_bar("Reading headers") as progress:
            scan = partial(scan_films, scratch=scratch, progress=progress)
            data = read_source(replace(request, films=folder, scan=scan))
        yield replace(data, refusals=(*fetched, *data.refusals))


def _fetch(address: str, *, into: Path | None, out: Path) -> "tuple[Path, Sequence[Refusal]]":
    from xray.data.sources.dicomweb import fetch_studies, parse_server

    if into is None:
        raise typer.BadParameter("name a folder for the films of the server, which stay as they are: --fetch-into")
    if into.resolve().is_relative_to(out.resolve()):
        raise typer.BadParameter("--fetch-into lies inside the store, which may be passed on; put it elsewhere")
    server, query = parse_server(address)
    with progress_bar("Fetching studies") as progress:
        result = fetch_studies(server, query, into=into, progress=progress)
    _say(f"{result.studies} studies with {result.instances} films fetched, {result.new_instances} of them new")
    return result.films, result.refusals


def _columns(assignments: Sequence[str]) -> "TableColumns":
    """Read `FIELD=NAME` pairs."""
    from xray.data.sources.columns import TableColumns, field_of

    named: dict[str, str] = {}
    for assignment in assignments:
        stated, _, name = assignment.partition("=")
        field = field_of(stated)
        if field is None or not name:
            known = ", ".join(field.name for field in fields(TableColumns))
            raise typer.BadParameter(f"--column {assignment!r} is not FIELD=NAME, where FIELD is {known}")
        named[field] = name
    return TableColumns(**named)
