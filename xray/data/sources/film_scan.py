"""Finding the films below a folder by their content, and naming every file that may have been meant as one."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from xray.data.archives import PACKED_SUFFIXES, is_archive, unpack
from xray.data.chest_gate import check_chest_film
from xray.data.dicomdir import FilmIndex, folded, read_dicomdir
from xray.data.film_header import FilmHeader, StatedStudy, is_film_file, read_header, stated_study
from xray.data.sources.film_twins import twin_clashes
from xray.data.sources.films_folder import FilmsFolder, RefusedFile
from xray.data.sources.study_files import Refusal
from xray.errors import DataError, Rejected

Progress = Callable[[int, int], None]
Scan = Callable[[Path], FilmsFolder]
"""`scan_films` with what its caller adds: a place to unpack archives, a bar."""

_FILM_SUFFIXES = frozenset({"", ".dcm", ".dicom", ".ima", ".png", ".jpg", ".jpeg"})
_NO_STUDY = StatedStudy()
_OTHER_PICTURES = frozenset(
    {".bmp", ".dib", ".gif", ".heic", ".j2k", ".jp2", ".mha", ".mhd", ".nii", ".nrrd", ".tif", ".tiff", ".webp"}
)


def scan_films(root: Path, *, scratch: Path | None = None, progress: Progress | None = None) -> FilmsFolder:
    """Read the header of every film below `root`, at any depth, without decoding pixels.

    Files are recognised by their first bytes. Hidden files are nobody's films. With a folder `scratch`, which the
    caller makes and removes after the films were rendered, zip and tar files are unpacked there, and so may `root`
    itself be one; a film then lies at `path`, and `place` is where people find it: `ward.zip/P1/a.dcm`. `progress` is
    called with the number of files looked at and of all.

    What is refused: a film that `read_header` or `check_chest_film` refuses; `several_patients`, `duplicate_uid` and
    `duplicate_film` (see `identity_clashes`; only films that share a SOPInstanceUID and differ in bytes are decoded,
    in a guarded process); `unsupported_picture` (TIFF, BMP and others), `packed_file`, what `unpack` refuses,
    `linked_folder` and `unreadable_folder`; `dicomdir_outside`, an index that leads out of its folder. Notes:
    `dicomdir`, `dicomdir_corrupt`, and `dicomdir_missing` for each image that an index lists and that is not there.
    Raises DataError if `root` is neither folder nor archive or cannot be read.
    """
    scan = _Scan(root=root, scratch=scratch, progress=progress)
    if root.is_dir():
        scan.run()
    elif scratch is not None and root.is_file() and is_archive(root.name):
        scan.open_archive(root, place=PurePath(root.name), inside=PurePath())
    else:
        raise DataError(f"{root} is no folder, zip or tar file. Give the one that holds the films.")
    scan.compare_with_indexes()
    return FilmsFolder.of(root, headers=scan.without_clashes(), refused=scan.refused, notes=scan.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """One walk through a folder: what was found so far.

    `places` are the folded paths of all files; `indexes` the indexes of film sets by the folder that holds them.
    """

    root: Path
    scratch: Path | None
    progress: Progress | None = None
    headers: list[FilmHeader] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    notes: list[Refusal] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    indexes: list[tuple[PurePath, FilmIndex]] = field(default_factory=list)
    archives: list[Path] = field(default_factory=list)

    def run(self) -> None:
        """Look at every file, in an order that does not depend on the file system."""
        paths = list(self._files())
        for number, path in enumerate(paths, start=1):
            self._look_at(path, place=path.relative_to(self.root))
            if self.progress is not None:
                self.progress(number, len(paths))

    def _files(self) -> Iterator[Path]:
        for folder, subfolders, names in os.walk(self.root, onerror=self._refuse_folder):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in subfolders:
                if Path(folder, name).is_symlink():
                    why = "links to folders are not followed; copy the films, or give the folder that holds them"
                    place = Path(folder, name).relative_to(self.root)
                    self._refuse(place, code="linked_folder", why=why, is_folder=True)
            yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))

    def open_archive(self, path: Path, *, place: PurePath, inside: PurePath) -> None:
        """Unpack an archive and look at its files, whose places begin with `inside`."""
        if self.scratch is None:
            self._refuse(place, code="packed_file", why="packed files are not opened; unpack it")
            return
        self.archives.append(path)
        unpacked = unpack(path, into=self.scratch / f"{len(self.archives):04d}")
        for member in unpacked.refused:
            where = place if member.name is None else inside / member.name
            self._refuse(where, code=member.refusal.code, why=member.refusal.why)
        for file in unpacked.files:
            self._look_at(file.path, place=inside / file.name)

    def compare_with_indexes(self) -> None:
        """Name the images that an index of a film set lists and that are not there."""
        for folder, index in self.indexes:
            if index.outside:
                why = f"{index.outside} of its entries lead out of its folder; copy the film set again"
                self._refuse(folder / "DICOMDIR", code="dicomdir_outside", why=why)
            for image in index.missing(self.places, folder=folder):
                why = "the index of the film set lists this image, and it is not there; the film set is incomplete"
                where = (folder / image).as_posix()
                self.notes.append(Refusal(where=where, code="dicomdir_missing", why=why, kind="note"))

    def without_clashes(self) -> list[FilmHeader]:
        """Refuse the films that cannot all be what they say, and return the others."""
        by_path = {header.path: header for header in self.headers}
        for clash in twin_clashes(self.headers):
            header = by_path.pop(clash.path)
            place = header.place or header.path.relative_to(self.root)
            study = StatedStudy(uid=header.study_uid, numbers=header.numbers)
            self._refuse(place, code=clash.code, why=clash.why, study=study, copy_of=clash.copy_of)
        return list(by_path.values())

    def _look_at(self, path: Path, *, place: PurePath) -> None:
        suffix = place.suffix.lower()
        self.places.add(folded(place.as_posix()))
        if place.name.upper() == "DICOMDIR":
            self._note_index(path, place=place)
        elif is_archive(place.name):
            self.open_archive(path, place=place, inside=place)
        elif suffix in _FILM_SUFFIXES or is_film_file(path):
            self._add(path, place=place)
        elif suffix in _OTHER_PICTURES:
            why = "this kind of picture is not read; export it as DICOM or PNG"
            self._refuse(place, code="unsupported_picture", why=why)
        elif suffix in PACKED_SUFFIXES:
            self._refuse(place, code="packed_file", why="packed files of this kind are not opened; unpack it")

    def _add(self, path: Path, *, place: PurePath) -> None:
        unpacked = None if path == self.root / place else place
        try:
            header = read_header(path, place=unpacked)
            check_chest_film(header)
        except Rejected as rejected:
            self._refuse(place, code=rejected.code, why=rejected.why, study=stated_study(path))
        else:
            self.headers.append(header)

    def _note_index(self, path: Path, *, place: PurePath) -> None:
        code, why = "dicomdir", "an index of films; not needed, because films are found by their content"
        try:
            self.indexes.append((place.parent, read_dicomdir(path)))
        except Rejected:
            code, why = "dicomdir_corrupt", "an index of films that cannot be read; films are found without it"
        self.notes.append(Refusal(where=place.as_posix(), code=code, why=why, kind="note"))

    def _refuse_folder(self, error: OSError) -> None:
        if Path(error.filename) == self.root:
            raise DataError(f"{self.root} cannot be read ({error.strerror}). Check who may read the films.")
        why = f"the folder cannot be read ({error.strerror})"
        self._refuse(Path(error.filename).relative_to(self.root), code="unreadable_folder", why=why, is_folder=True)

    def _refuse(
        self,
        place: PurePath,
        *,
        code: str,
        why: str,
        is_folder: bool = False,
        study: StatedStudy = _NO_STUDY,
        copy_of: Path | None = None,
    ) -> None:
        self.refused.append(
            RefusedFile(path=place, code=code, why=why, is_folder=is_folder, study=study, copy_of=copy_of)
        )
