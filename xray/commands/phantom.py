"""`xray phantom`: a data set of drawn films."""

from pathlib import Path
from typing import Annotated

import typer

from xray.command_line import progress_bar
from xray.data.file_names import printable


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
