"""What a DICOMDIR, the index of a film set on a disc, says of its files (PS3.3 Annex F, PS3.10 8)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from pydicom.dataset import Dataset

from xray.dicom import tags
from xray.dicom.read import read_tags
from xray.errors import Rejected

_INACTIVE = 0
_MOST_COMPONENTS = 8  # PS3.10 8.2
_COMPONENT = re.compile(r"[^/\\:\0]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmIndex:
    """The images that an index lists, as paths relative to its folder; `outside` counts those that lead out of it."""

    images: tuple[PurePosixPath, ...]
    outside: int

    def missing(self, present: Collection[str], *, folder: PurePath) -> tuple[PurePosixPath, ...]:
        """Return the images that are not there: `present` are paths spelled by `folded`, `folder` that of the index.

        Discs spell names in upper case and with a version (`IM0001;1`), and systems show them in lower case without.
        """
        return tuple(image for image in self.images if folded((folder / image).as_posix()) not in present)


def folded(path: str) -> str:
    """Spell a path so that the names of a disc (ISO 9660) and of a copied folder compare."""
    return re.sub(r"(\.?;\d+)?$", "", path).rstrip(".").casefold()


def read_dicomdir(path: Path) -> FilmIndex:
    """Read the images that are in use, each once.

    Raises Rejected: the codes of `read_tags`, and `not_dicom` for a file that holds no directory.
    """
    dataset = read_tags(path)
    if "DirectoryRecordSequence" not in dataset:
        raise Rejected("not_dicom", "The file holds no directory of a film set. Copy it again.")
    images: dict[PurePosixPath, None] = {}
    outside = 0
    for record in tags.items(dataset, "DirectoryRecordSequence"):
        if not _is_image_in_use(record):
            continue
        place = _place(record)
        if place is None:
            outside += 1
        else:
            images[place] = None
    return FilmIndex(images=tuple(images), outside=outside)


def _is_image_in_use(record: Dataset) -> bool:
    if tags.number(record, "RecordInUseFlag") == _INACTIVE or tags.code(record, "DirectoryRecordType") != "IMAGE":
        return False
    return bool(tags.values(record, "ReferencedFileID"))


def _place(record: Dataset) -> PurePosixPath | None:
    """Return the path of ReferencedFileID, whose values are folders and a file name; None if it leads elsewhere."""
    parts = [str(part).strip() for part in tags.values(record, "ReferencedFileID")]
    legal = all(_COMPONENT.fullmatch(part) and part not in ("..", ".") for part in parts)
    return PurePosixPath(*parts) if legal and len(parts) <= _MOST_COMPONENTS else None
