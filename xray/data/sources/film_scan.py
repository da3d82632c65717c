"""Finding the films below a folder by their content, and naming every file that may have been meant as one."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.films import FilmHeader, check_chest_film, is_film_file, read_header, stated_study
from xray.data.sources.films_folder import PACKED_SUFFIXES, FilmsFolder, RefusedFile
from xray.data.sources.study_files import Refusal
from xray.errors import DataError, Rejected

_FILM_SUFFIXES = frozenset({"", ".dcm", ".dicom", ".ima", ".png", ".jpg", ".jpeg"})
_OTHER_PICTURES = frozenset(
    {".bmp", ".dib", ".gif", ".heic", ".j2k", ".jp2", ".mha", ".mhd", ".nii", ".nrrd", ".tif", ".tiff", ".webp"}
)


def scan_films(root: Path) -> FilmsFolder:
    """Read the header of every film below `root`, at any depth, without decoding pixels.

    Files are recognised by their first bytes. Hidden files are nobody's films. What is refused: a film that
    `read_header` or `check_chest_film` refuses, `duplicate_film` (a second copy of one SOPInstanceUID),
    `unsupported_picture` (TIFF, BMP and others), `packed_file`, `linked_folder` and `unreadable_folder`. A DICOMDIR is
    noted. Raises DataError if `root` is no folder or cannot be read.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder. Give the folder that holds the films.")
    scan = _Scan(root=root)
    scan.run()
    return FilmsFolder.of(root, headers=scan.headers, refused=scan.refused, notes=scan.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """One walk through a folder: what was found so far. `seen` maps SOPInstanceUIDs to the film that came first."""

    root: Path
    headers: list[FilmHeader] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    notes: list[Refusal] = field(default_factory=list)
    seen: dict[str, Path] = field(default_factory=dict)

    def run(self) -> None:
        """Look at every file, in an order that does not depend on the file system."""
        for folder, subfolders, names in os.walk(self.root, onerror=self._refuse_folder):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in subfolders:
                if Path(folder, name).is_symlink():
                    why = "links to folders are not followed; copy the films, or give the folder that holds them"
                    self._refuse(Path(folder, name), code="linked_folder", why=why, is_folder=True)
            for name in sorted(name for name in names if not name.startswith(".")):
                self._look_at(Path(folder, name))

    def _look_at(self, path: Path) -> None:
        suffix = path.suffix.lower()
        if path.name.upper() == "DICOMDIR":
            why = "an index of films; not needed, because films are found by their content"
            where = path.relative_to(self.root).as_posix()
            self.notes.append(Refusal(where=where, code="dicomdir", why=why, kind="note"))
        elif suffix in _FILM_SUFFIXES or is_film_file(path):
            self._add(path)
        elif suffix in _OTHER_PICTURES:
            why = "this kind of picture is not read; export it as DICOM or PNG"
            self._refuse(path, code="unsupported_picture", why=why)
        elif suffix in PACKED_SUFFIXES:
            self._refuse(path, code="packed_file", why="packed files are not opened; unpack it")

    def _add(self, path: Path) -> None:
        try:
            header = read_header(path)
            check_chest_film(header)
        except Rejected as rejected:
            self._refuse(path, code=rejected.code, why=rejected.why, study_uid=stated_study(path))
            return
        original = self.seen.setdefault(header.sop_instance_uid, path) if header.sop_instance_uid else path
        if original == path:
            self.headers.append(header)
        else:
            why = "another file has the same SOPInstanceUID"
            self._refuse(path, code="duplicate_film", why=why, study_uid=header.study_uid, copy_of=original)

    def _refuse_folder(self, error: OSError) -> None:
        if Path(error.filename) == self.root:
            raise DataError(f"{self.root} cannot be read ({error.strerror}). Check who may read the films.")
        why = f"the folder cannot be read ({error.strerror})"
        self._refuse(Path(error.filename), code="unreadable_folder", why=why, is_folder=True)

    def _refuse(
        self,
        path: Path,
        *,
        code: str,
        why: str,
        is_folder: bool = False,
        study_uid: str | None = None,
        copy_of: Path | None = None,
    ) -> None:
        relative = path.relative_to(self.root)
        self.refused.append(
            RefusedFile(path=relative, code=code, why=why, is_folder=is_folder, study_uid=study_uid, copy_of=copy_of)
        )
