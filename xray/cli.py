"""`xray`: render, prepare, phantom, label, score."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xray.command_line import guard, print_json, progress_bar
from xray.data.file_names import printable
from xray.errors import DataError, Rejected
from xray.prepare_command import prepare
from xray.records import is_encodable, write_atomically

if TYPE_CHECKING:
    from xray.metrics import ScoreReport

app = typer.Typer(
    help="Chest films and Chinese reports: render, prepare, label, score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class ProfileName(StrEnum):
    """Lexicons: native reports, or machine-translated ones."""

    standard = "standard"
    mt = "mt"


ProfileOption = Annotated[
    ProfileName, typer.Option(help="lexicon: standard (native reports) or mt (machine-translated)")
]


@app.command()
def render(
    source: Annotated[Path, typer.Argument(metavar="IN", help="DICOM, PNG or JPEG file")],
    target: Annotated[Path | None, typer.Argument(metavar="OUT.png", help="8-bit grey PNG")] = None,
    size: Annotated[int | None, typer.Option(min=16, help="long side in pixels; native without it")] = None,
    raw: Annotated[Path | None, typer.Option(metavar="OUT.npy", help="write the decoded stored values instead")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print what was done, or the refusal, as JSON")] = False,
) -> None:
    """Render one image as a viewer shows it. A refused file exits with 3."""
    if (target is None) == (raw is None):
        raise typer.BadParameter("name either OUT.png or --raw OUT.npy")
    try:
        done = _write_raw(source, raw) if raw else _write_png(source, target, size=size)
    except Rejected as refusal:
        if as_json:
            print_json({"code": refusal.code, "why": refusal.why})
            raise typer.Exit(Rejected.exit_code) from None
        raise
    if as_json:
        print_json(done)


app.command()(prepare)


@app.command()
def label(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help='rows {"id", "text"}')],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help='rows {"id", "labels", "findings"}')],
    profile: ProfileOption = ProfileName.standard,
) -> None:
    """Label reports with the 14 CheXpert classes: 1 present, 0 absent, -1 uncertain, null not mentioned."""
    from xray.text.labels import label as label_text

    rows = []
    for key, text in _read_texts(source).items():
        labelled = label_text(text, profile=profile.value)
        findings = [{**asdict(finding), "text": text[slice(*finding.span)]} for finding in labelled.findings]
        rows.append({"id": key, "labels": labelled.labels, "findings": findings})
    _write_lines(target, rows)


@app.command()
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

    report = score_reports(
        _read_texts(predictions),
        _read_texts(references),
        profile=profile.value,
        groups=_read_patients(references),
        resamples=resamples,
        seed=seed,
    )
    if out:
        write_atomically(out, json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n")
    _show(report)


@app.command()
def phantom(
    out: Annotated[Path, typer.Argument(help="folder to write")],
    studies: Annotated[int, typer.Option(min=1)] = 1000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    style: Annotated[str, typer.Option(help="demo or base: two hospitals' films and wording")] = "demo",
    workers: Annotated[int | None, typer.Option(min=1, help="processes; all cores without it")] = None,
) -> None:
    """Draw a data set of procedural chest films as DICOM, with Chinese reports and the truth of what was drawn."""
    from xray.data.phantom import Style, write_dataset

    if style not in set(Style):
        raise typer.BadParameter(f"--style is demo or base, not {style!r}")
    with progress_bar("Drawing films") as progress:
        write_dataset(
            out,
            studies=studies,
            seed=seed,
            style=Style(style),
            workers=workers,
            progress=lambda done: progress(done, studies),
        )
    typer.echo(f"{studies} studies in {printable(str(out))}")


def main() -> None:
    """Run the command line."""
    guard(app)


def _write_png(source: Path, target: Path | None, *, size: int | None) -> dict[str, Any]:
    from PIL import Image

    from xray.data.films import load_film
    from xray.dicom.render import RenderSettings

    assert target is not None
    film = load_film(source, settings=RenderSettings(size=size, square=False))
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(film.pixels).save(target, format="PNG")
    rows, columns = film.pixels.shape
    return {"rows": rows, "columns": columns, "view": film.ref.view, "flags": list(film.flags)}


def _write_raw(source: Path, target: Path) -> dict[str, Any]:
    import numpy as np

    from xray.dicom.decode import decode
    from xray.dicom.read import read_dataset

    stored = decode(read_dataset(source))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        np.save(stream, stored, allow_pickle=False)
    return {"shape": list(stored.shape), "dtype": str(stored.dtype)}


def _read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # a text may hold U+2028
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text: {type(error).__name__}") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"{path}, line {number}: not JSON ({error.msg})") from None
        if not isinstance(row, dict):
            raise DataError(f'{path}, line {number}: a row must be an object with "id" and "text"')
        yield number, row


def _read_texts(path: Path) -> dict[str, str]:
    from xray.metrics import index_by_id

    def pairs() -> Iterator[tuple[str, str]]:
        for number, row in _read_rows(path):
            key, text = row.get("id"), row.get("text")
            if not isinstance(key, str | int) or not isinstance(text, str):
                raise DataError(f'{path}, line {number}: a row needs "id" and "text"')
            if not (is_encodable(str(key)) and is_encodable(text)):
                raise DataError(f"{path}, line {number}: half a character (a lone surrogate). Export the text again.")
            yield str(key), text

    return index_by_id(pairs(), source=str(path))


def _read_patients(path: Path) -> dict[str, str] | None:
    """Return id -> patient where every row names one: the unit of the bootstrap."""
    patients = {str(row["id"]): row.get("patient_key") for _, row in _read_rows(path)}
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


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
