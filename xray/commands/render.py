"""`xray render`: one image as a viewer shows it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from xray.command_line import print_json
from xray.errors import Rejected


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
