"""The films below a folder, found by content and described by their headers."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

from xray.data.films import FilmHeader, check_chest_film, is_film_file, read_header
from xray.data.sources.study_files import Refusal
from xray.errors import DataError, Rejected
from xray.types import View

_FILM_SUFFIXES = frozenset({"", ".dcm", ".dicom", ".ima", ".png", ".jpg", ".jpeg"})
VIEW_ORDER: dict[View, int] = {"frontal": 0, "lateral": 1, "unknown": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmsFolder:
    """Every chest film below `root`. `refusals` lists the files that look like films and cannot be used."""

    root: Path
    headers: tuple[FilmHeader, ...] = field(repr=False)
    refusals: tuple[Refusal, ...] = field(repr=False)
    _by_study: dict[str, list[FilmHeader]] = field(repr=False)
    _by_name: dict[str, list[FilmHeader]] = field(repr=False)
    _by_folder: dict[str, list[FilmHeader]] = field(repr=False)
    _stripped: frozenset[str] = field(repr=False)
    _refused: frozenset[str] = field(repr=False)

    def of_study(self, study_uid: str) -> tuple[FilmHeader, ...]:
        """Return the films whose StudyInstanceUID is `study_uid`, frontal first."""
        return tuple(sorted(self._by_study.get(study_uid, ()), key=reading_order))

    def named(self, name: str) -> tuple[FilmHeader, ...]:
        """Return the films whose path below `root`, or file name, with or without its ending, is `name`."""
        return tuple(self._by_name.get(name.replace("\\", "/").removeprefix("./"), ()))

    def named_without_zeros(self, name: str) -> bool:
        """Whether a study or film would be called `name` if its leading zeros were dropped."""
        return name in self._stripped

    def was_refused(self, name: str) -> bool:
        """Whether `name` is the relative path or file name, with or without its ending, of a film that was refused."""
        return name in self._refused

    def in_folder(self, name: str) -> tuple[FilmHeader, ...]:
        """Return the films directly inside folders called `name`, as in one folder per study, frontal first."""
        return tuple(sorted(self._by_folder.get(name, ()), key=reading_order))

    def relative(self, header: FilmHeader) -> str:
        """Return the film's path below the folder, with forward slashes."""
        return header.path.relative_to(self.root).as_posix()


def reading_order(header: FilmHeader) -> tuple[int, str]:
    """Sort key: frontal, lateral, unknown; then by path."""
    return VIEW_ORDER[header.view], header.path.as_posix()


def scan_films(root: Path) -> FilmsFolder:
    """Read the header of every film below `root`, at any depth, without decoding pixels.

    Files are recognised by their first bytes. A file that is named like a film but is none is refused as
    `not_a_film`, a second copy of one SOPInstanceUID as `duplicate_film`. Raises DataError if `root` is no folder.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder. Give the folder that holds the films.")
    headers: list[FilmHeader] = []
    refusals: list[Refusal] = []
    seen: set[str] = set()
    for path in _candidates(root):
        try:
            headers.append(_chest_header(path, seen=seen))
        except Rejected as rejected:
            refusals.append(Refusal(where=path.relative_to(root).as_posix(), code=rejected.code, why=rejected.why))
    return _indexed(root, headers, refusals)


def _candidates(root: Path) -> Iterator[Path]:
    """Files that may be films, in a stable order. A DICOMDIR is an index, and hidden files are nobody's films."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            hidden = name.startswith(".") or name.upper() == "DICOMDIR"
            if not hidden and (path.suffix.lower() in _FILM_SUFFIXES or is_film_file(path)):
                yield path


def _chest_header(path: Path, *, seen: set[str]) -> FilmHeader:
    if not is_film_file(path):
        raise Rejected("not_a_film", "the file is neither DICOM nor PNG nor JPEG")
    header = read_header(path)
    check_chest_film(header)
    if header.sop_instance_uid is not None:
        if header.sop_instance_uid in seen:
            raise Rejected("duplicate_film", "another file has the same SOPInstanceUID")
        seen.add(header.sop_instance_uid)
    return header


def _names(relative: PurePath) -> set[str]:
    return {relative.as_posix(), relative.with_suffix("").as_posix(), relative.name, relative.stem}


def _indexed(root: Path, headers: list[FilmHeader], refusals: list[Refusal]) -> FilmsFolder:
    by_study: dict[str, list[FilmHeader]] = defaultdict(list)
    by_name: dict[str, list[FilmHeader]] = defaultdict(list)
    by_folder: dict[str, list[FilmHeader]] = defaultdict(list)
    for header in headers:
        if header.study_uid:
            by_study[header.study_uid].append(header)
        relative = header.path.relative_to(root)
        by_folder[relative.parent.name].append(header)
        for name in _names(relative):
            by_name[name].append(header)
    return FilmsFolder(
        root=root,
        headers=tuple(headers),
        refusals=tuple(refusals),
        _by_study=dict(by_study),
        _by_name=dict(by_name),
        _by_folder=dict(by_folder),
        _stripped=frozenset(name.lstrip("0") for name in (*by_name, *by_folder, *by_study) if name.startswith("0")),
        _refused=frozenset(name for refusal in refusals for name in _names(PurePosixPath(refusal.where))),
    )
