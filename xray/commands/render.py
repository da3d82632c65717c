"""`xray render`: one image as a viewer shows it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xray.command_line import keep_inputs, print_json
from xray.errors import Rejected

if TYPE_CHECKING:
    from xray.dicom.render import RenderSettings


class Profile(StrEnum):
    """Ways to show a film."""

    viewer = "viewer"
    mimic_jpg = "mimic_jpg"


def render(
    source: Annotated[Path, typer.Argument(metavar="IN", help="DICOM, PNG or JPEG file")],
    target: Annotated[Path | None, typer.Argument(metavar="OUT.png", help="8-bit grey PNG")] = None,
    size: Annotated[int | None, typer.Option(min=16, help="long side in pixels; native without it")] = None,
    profile: Annotated[Profile, typer.Option(help="mimic_jpg: equalised, as MIMIC-CXR-JPG")] = Profile.viewer,
    site: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="which element is right where a device's polarities differ")
    ] = None,
    raw: Annotated[Path | None, typer.Option(metavar="OUT.npy", help="write the decoded stored values instead")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print what was done, or the refusal, as JSON")] = False,
) -> None:
    """Render one image as a viewer shows it. A refused file exits with 3."""
    if (target is None) == (raw is None):
        raise typer.BadParameter("name either OUT.png or --raw OUT.npy")
    if target is not None and target.suffix.lower() != ".png":
        raise typer.BadParameter(f"{target} is written as PNG: call it {target.with_suffix('.png').name}")
    keep_inputs(target, raw, inputs=(source, site))
    try:
        if raw:
            done = _write_raw(source, raw)
        else:
            assert target is not None
            done = _write_png(source, target, settings=_settings(size=size, profile=profile, site=site))
    except Rejected as refusal:
        if as_json:
            print_json({"code": refusal.code, "why": refusal.why})
            raise typer.Exit(Rejected.exit_code) from None
        raise
    if as_json:
        print_json(done)


def _settings(*, size: int | None, profile: Profile, site: Path | None) -> "RenderSettings":
    from xray.dicom.render import RenderSettings
    from xray.dicom.site_profile import read_site_profile

    rules = read_site_profile(site) if site else None
    return RenderSettings(size=size, square=False, profile=profile.value, site=rules)


def _write_png(source: Path, target: Path, *, settings: "RenderSettings") -> dict[str, Any]:
    from functools import partial

    from PIL import Image

    from xray.data.films import load_film
    from xray.guard import Guarded

    with Guarded(partial(load_film, settings=settings)) as load:
        film = load(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(film.pixels).save(target, format="PNG")
    rows, columns = film.pixels.shape
    return {
        "rows": rows,
        "columns": columns,
        "view": film.ref.view,
        "flags": list(film.flags),
        "profile": settings.profile,
        "window": film.window,
        "turned_degrees": film.turned_degrees,
    }


def _write_raw(source: Path, target: Path) -> dict[str, Any]:
    import numpy as np

    from xray.dicom.stored import read_stored
    from xray.guard import Guarded

    with Guarded(read_stored) as read:
        stored = read(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        np.save(stream, stored, allow_pickle=False)
    return {"shape": list(stored.shape), "dtype": str(stored.dtype)}
