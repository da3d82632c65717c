"""The exports of a project: `exports/<time>-<kind>/` in its folder, each with its manifest, and as one zip."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.export.folder import MANIFEST_FILE, ExportManifest, Kind
from xray.errors import DataError
from xray.records import read_record

FOLDER = "exports"
_NAME = re.compile(r"\d{8}T\d{6}Z-[a-z_]+(-\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A finished export. `manifest` is None where it cannot be read any more."""

    folder: Path
    manifest: ExportManifest | None

    @property
    def name(self) -> str:
        """The name of its folder: the time in UTC and the kind."""
        return self.folder.name


def new_folder(project: Path, *, kind: Kind, now: datetime | None = None) -> Path:
    """Return a folder that there is not yet, named by the time and the kind. It is not made."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    first = project / FOLDER / f"{moment:%Y%m%dT%H%M%SZ}-{kind}"
    number = 2
    folder = first
    while folder.exists():
        folder, number = first.with_name(f"{first.name}-{number}"), number + 1
    return folder


def earlier_exports(project: Path) -> tuple[Earlier, ...]:
    """Return the exports of a project, the newest first."""
    return tuple(_earlier(path) for path in sorted((project / FOLDER).glob("*"), reverse=True) if _is_export(path))


def find_export(project: Path, name: str) -> Path | None:
    """Return the folder of the export of that name, None where there is none."""
    folder = project / FOLDER / name
    return folder if _NAME.fullmatch(name) and _is_export(folder) else None


def write_zip(folder: Path, target: Path) -> None:
    """Put all files of an export into one zip, below the name of its folder.

    Raises DataError where a file cannot be read.
    """
    try:
        with zipfile.ZipFile(target, "w", compression=zipfile.ZIP_DEFLATED) as packed:
            for path in _files(folder):
                packed.write(path, arcname=f"{folder.name}/{path.relative_to(folder).as_posix()}")
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}. Export the reviews again.") from None


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _is_export(folder: Path) -> bool:
    return bool(_NAME.fullmatch(folder.name)) and (folder / MANIFEST_FILE).is_file()


def _earlier(folder: Path) -> Earlier:
    try:
        manifest = read_record(folder / MANIFEST_FILE, ExportManifest, remedy="")
    except DataError:
        return Earlier(folder=folder, manifest=None)
    return Earlier(folder=folder, manifest=manifest)
