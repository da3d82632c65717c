"""The films below a folder, and which of them a word in a table stands for.

A word that stands for files in several folders stands for none of them: in one folder per patient, `1` or `b.png` may
well be different people's. Refused files count for that, or a patient whose film was refused would get another's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath

from xray.data.archives import PACKED_SUFFIXES
from xray.data.file_names import decoded, halfwidth
from xray.data.film_header import FilmHeader, StatedStudy
from xray.data.sources.study_files import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFile:
    """A file below the films folder, or a folder that was not entered, which cannot be used.

    `path` is relative to the films folder. `study` is what the header says, `copy_of` the film of which this is a
    copy, None where it is none.
    """

    path: PurePath = field(repr=False)
    code: str
    why: str
    is_folder: bool = False
    study: StatedStudy = field(default=StatedStudy(), repr=False)
    copy_of: Path | None = field(default=None, repr=False)

    @property
    def refusal(self) -> Refusal:
        """The entry of the list of refusals."""
        return Refusal(where=self.path.as_posix(), code=self.code, why=self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a word stands for: films that can be used, sorted by path, and refused files.

    `is_ambiguous` tells that it may mean one or another of them.
    """

    headers: tuple[FilmHeader, ...]
    refused: tuple[RefusedFile, ...]
    is_ambiguous: bool = False

    def __bool__(self) -> bool:
        return bool(self.headers or self.refused)


_Entry = tuple[PurePath, FilmHeader | RefusedFile]  # the folder that is meant, and a file in it


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmsFolder:
    """Every chest film below `root`, a folder or an archive, and every file there that cannot be used.

    `notes` are files that are passed over although nothing is wrong with them.
    """

    root: Path
    headers: tuple[FilmHeader, ...] = field(repr=False)
    refused: tuple[RefusedFile, ...] = field(repr=False)
    notes: tuple[Refusal, ...] = field(repr=False)
    _by_study: Mapping[str, Sequence[_Entry]] = field(repr=False)
    _by_number: Mapping[str, Sequence[_Entry]] = field(repr=False)
    _by_name: Mapping[str, Sequence[_Entry]] = field(repr=False)
    _by_folder: Mapping[str, Sequence[_Entry]] = field(repr=False)
    _stripped: frozenset[str] = field(repr=False)

    @classmethod
    def of(
        cls, root: Path, *, headers: Sequence[FilmHeader], refused: Sequence[RefusedFile], notes: Sequence[Refusal]
    ) -> "FilmsFolder":
        """Index what was found below `root`."""
        index = _Index()
        for header in headers:
            study = StatedStudy(uid=header.study_uid, numbers=header.numbers)
            index.add(header.place or header.path.relative_to(root), header, study=study)
        for file in refused:
            index.add(file.path, file, study=file.study)
        known = (*index.by_name, *index.by_folder, *index.by_study, *index.by_number)
        return cls(
            root=root,
            headers=tuple(headers),
            refused=tuple(refused),
            notes=tuple(notes),
            _by_study=dict(index.by_study),
            _by_number=dict(index.by_number),
            _by_name=dict(index.by_name),
            _by_folder=dict(index.by_folder),
            _stripped=frozenset(name.lstrip("0") for name in known if name.startswith("0")),
        )

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """What is to be listed of the folder itself."""
        return (*(file.refusal for file in self.refused), *self.notes)

    def of_study(self, study_uid: str) -> Found:
        """Return the files whose StudyInstanceUID is `study_uid`, wherever they lie."""
        headers, refused = _sorted(self._by_study.get(study_uid, ()))
        return Found(headers=headers, refused=refused)

    def named(self, name: str) -> Found:
        """Return the file whose path below `root`, or file name, with or without its ending, is `name`.

        Ambiguous if several films have the name, or a film and a refused file in another folder.
        """
        return _one_of(self._by_name.get(_plain(name), ()), most_films=1)

    def numbered(self, number: str) -> Found:
        """Return the files to whose study the hospital gave this number (AccessionNumber, StudyID), wherever they lie.

        Ambiguous if films of several studies have it: devices count from 1 again.
        """
        headers, refused = _sorted(self._by_number.get(number, ()))
        return Found(headers=headers, refused=refused, is_ambiguous=len({header.study_uid for header in headers}) > 1)

    def in_folder(self, name: str) -> Found:
        """Return the files inside the folder whose path below `root`, or own name, is `name`.

        Those of its subfolders belong to them where all films of the folder are of one study, which pictures do not
        tell. Ambiguous if several folders have the name, or if only subfolders hold films and nobody tells that they
        are of one study.
        """
        found = self._by_folder.get(_plain(name), ())
        below = _one_of(found, most_films=None)
        studies = {header.study_uid for header in below.headers}
        if len(studies) == 1 and None not in studies:
            return below
        inside = [entry for entry in found if self._parent(entry[1]) == entry[0]]
        direct = _one_of(inside, most_films=None)
        holders = {self._parent(header) for header in below.headers}
        return direct or (below if len(holders) < 2 else replace(below, is_ambiguous=True))

    def named_without_zeros(self, name: str) -> bool:
        """Whether a study or film would be called `name` if its leading zeros were dropped."""
        return name in self._stripped

    def stems(self) -> list[str]:
        """Return the names of all files without ending and folder, each once, in the order they were found."""
        paths = [self._path(header) for header in self.headers] + [file.path for file in self.refused]
        return list(dict.fromkeys(_bare(PurePosixPath(decoded(path.name))).name for path in paths))

    def relative(self, header: FilmHeader) -> str:
        """Return the film's path below the folder, with forward slashes; inside an archive, `ward.zip/P1/a.dcm`."""
        return self._path(header).as_posix()

    @property
    def unpacked(self) -> Mapping[Path, str]:
        """The films that lie elsewhere, because they were unpacked, each with what `relative` says of it."""
        return {header.path: header.place.as_posix() for header in self.headers if header.place}

    def _path(self, header: FilmHeader) -> PurePath:
        return header.place or header.path.relative_to(self.root)

    def _parent(self, file: FilmHeader | RefusedFile) -> PurePath:
        """Return the folder that holds a file; a folder that was not entered holds itself."""
        if isinstance(file, FilmHeader):
            return self._path(file).parent
        return file.path if file.is_folder else file.path.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    by_study: dict[str, list[_Entry]] = field(default_factory=lambda: defaultdict(list))
    by_number: dict[str, list[_Entry]] = field(default_factory=lambda: defaultdict(list))
    by_name: dict[str, list[_Entry]] = field(default_factory=lambda: defaultdict(list))
    by_folder: dict[str, list[_Entry]] = field(default_factory=lambda: defaultdict(list))

    def add(self, path: PurePath, file: FilmHeader | RefusedFile, *, study: StatedStudy) -> None:
        entry = (path.parent, file)
        if study.uid:
            self.by_study[study.uid].append(entry)
        for number in study.numbers:
            self.by_number[number].append(entry)
        if isinstance(file, RefusedFile) and file.is_folder:
            self._add_folders(path, *path.parents, file=file)
        else:
            self._add_folders(*path.parents, file=file)
            for name in _names(path):
                self.by_name[name].append(entry)

    def _add_folders(self, *folders: PurePath, file: FilmHeader | RefusedFile) -> None:
        for folder in folders:
            if folder.parts:  # the films folder itself has no name in a table
                for name in _folder_names(folder):
                    self.by_folder[name].append((folder, file))


def _plain(name: str) -> str:
    r"""Spell a path as the index does: `.\P1\1\` is `P1/1`."""
    return PurePosixPath(halfwidth(name).replace("\\", "/")).as_posix()


def _names(path: PurePath) -> set[str]:
    """Every way in which a table may name a file; one in an archive also by its path there."""
    whole = PurePosixPath(halfwidth(decoded(path.as_posix())))
    spellings = [whole, _without_ending(whole), _bare(whole)]
    for depth, part in enumerate(whole.parts[:-1], start=1):
        if PurePosixPath(part).suffix.lower() in PACKED_SUFFIXES:
            inside = PurePosixPath(*whole.parts[depth:])
            spellings += [inside, _without_ending(inside)]
    return {text for spelling in spellings for text in (spelling.as_posix(), spelling.name)}


def _folder_names(folder: PurePath) -> set[str]:
    """Every way in which a table may name a folder; an archive, which stands for one, also without its ending."""
    whole = PurePosixPath(halfwidth(decoded(folder.as_posix())))
    spellings = [whole]
    if whole.suffix.lower() in PACKED_SUFFIXES:
        spellings.append(_bare(whole))
    return {text for spelling in spellings for text in (spelling.as_posix(), spelling.name)}


def _bare(path: PurePosixPath) -> PurePosixPath:
    """Drop the ending of a file name, and of the file that is packed in it."""
    return _without_ending(_without_ending(path) if path.suffix.lower() in PACKED_SUFFIXES else path)


def _without_ending(path: PurePosixPath) -> PurePosixPath:
    """Drop the ending of a file name; the last number of a UID is none."""
    return path if path.suffix[1:].isdigit() else path.with_suffix("")


def _sorted(entries: Iterable[_Entry]) -> tuple[tuple[FilmHeader, ...], tuple[RefusedFile, ...]]:
    headers = [file for _, file in entries if isinstance(file, FilmHeader)]
    refused = [file for _, file in entries if isinstance(file, RefusedFile)]
    return tuple(sorted(headers, key=lambda header: header.place or header.path)), tuple(refused)


def _one_of(entries: Sequence[_Entry], *, most_films: int | None) -> Found:
    """Take the files of one folder; a second folder that holds copies of the same films is not another one."""
    headers, refused = _sorted(entries)
    used = {header.path for header in headers}
    folders = {folder for folder, file in entries if isinstance(file, FilmHeader) or file.copy_of not in used}
    several = most_films is not None and len(headers) > most_films
    return Found(headers=headers, refused=refused, is_ambiguous=bool(headers) and (several or len(folders) > 1))
