"""Which film bears which XrayGLM image id `<study>_<k>`: by its own name, or by an index."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.films import FilmHeader
from xray.data.sources.films_folder import FilmsFolder, Found, RefusedFile
from xray.data.sources.rows import Row, Table, read_rows
from xray.data.sources.study_files import Refusal
from xray.data.sources.values import parse_view
from xray.errors import DataError
from xray.types import View

_IMAGE_ID = re.compile(r"(?P<study>.+)_(?P<number>\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A film's name and its image id. `view` is the index's word, None where the film itself has to tell."""

    name: str = field(repr=False)
    image_id: str
    view: View | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyImage:
    """One film with its place in its study."""

    header: FilmHeader
    study: str
    number: int
    view: View


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Films by image id: `images` can be used, `refused` were refused, `ambiguous` ids may mean several films.

    `unlisted` are the films that nothing gives an image id.
    """

    images: dict[str, StudyImage]
    refused: dict[str, tuple[RefusedFile, ...]]
    ambiguous: dict[str, tuple[FilmHeader, ...]]
    unlisted: tuple[FilmHeader, ...]


def split_id(image_id: str) -> tuple[str, int]:
    """Study and number of an image id; an id without number is a study of one film."""
    match = _IMAGE_ID.fullmatch(image_id.strip())
    return (match["study"], int(match["number"])) if match else (image_id.strip(), 1)


def own_names(folder: FilmsFolder) -> list[Listing]:
    """Take each file's name, without its ending, for its image id."""
    return [Listing(name=stem, image_id=stem) for stem in folder.stems()]


def read_index(path: Path, *, refusals: list[Refusal]) -> list[Listing]:
    """Read a CSV with the columns `file` and `image_id` (or `openi_id`), and optionally `projection` or `view`.

    `file` is a name or a path below the films folder. Rows that are incomplete or repeat another one are listed.
    Raises DataError for a file without these columns.
    """
    table = read_rows(path)
    by_plain = {column.casefold(): column for column in table.columns}
    file, image_id, view = (
        next((by_plain[name] for name in names if name in by_plain), None)
        for names in (("file", "filename", "file_name"), ("image_id", "openi_id", "id"), ("projection", "view"))
    )
    if file is None or image_id is None:
        raise DataError(
            f"{table.name} needs the columns `file` and `image_id` (or `openi_id`). It has: {', '.join(table.columns)}."
        )
    listings: dict[tuple[str, str], Listing] = {}
    for row in table.rows:
        name, found_id = (row.values.get(column, "").strip() for column in (file, image_id))
        if not row.complete:
            refusals.append(_bad_row(table, row, code="wrong_field_count", why="the row has not the header's fields"))
        elif not name or not found_id:
            refusals.append(_bad_row(table, row, code="no_image_id", why="the row lacks a file or an image id"))
        elif (name, found_id) in listings:
            where = table.place(row)
            why = "an earlier row says the same"
            refusals.append(Refusal(where=where, code="duplicate_row", why=why, kind="note", row=where))
        else:
            word = parse_view(row.values.get(view, "")) if view else None
            listings[name, found_id] = Listing(name=name, image_id=found_id, view=word)
    return list(listings.values())


def pair_films(folder: FilmsFolder, listings: Iterable[Listing]) -> Pairing:
    """Find the film of each image id. A film with two image ids, or an image id with two films, is used for neither."""
    of_id: dict[str, list[tuple[Listing, Found]]] = defaultdict(list)
    ids_of: dict[Path, set[str]] = defaultdict(set)
    for listing in listings:
        found = folder.named(listing.name)
        of_id[listing.image_id].append((listing, found))
        for header in found.headers:
            ids_of[header.path].add(listing.image_id)
    pairing = Pairing(
        images={},
        refused={},
        ambiguous={},
        unlisted=tuple(header for header in folder.headers if header.path not in ids_of),
    )
    for image_id, entries in of_id.items():
        films = {header.path: header for _, found in entries for header in found.headers}
        headers = tuple(films.values())
        shared = any(len(ids_of[path]) > 1 for path in films)
        if len(headers) > 1 or shared or any(found.is_ambiguous for _, found in entries):
            pairing.ambiguous[image_id] = headers
        elif headers:
            view = next((listing.view for listing, _ in entries if listing.view), headers[0].view)
            study, number = split_id(image_id)
            pairing.images[image_id] = StudyImage(header=headers[0], study=study, number=number, view=view)
        elif refused := tuple(file for _, found in entries for file in found.refused):
            pairing.refused[image_id] = refused
    return pairing


def _bad_row(table: Table, row: Row, *, code: str, why: str) -> Refusal:
    return Refusal(where=table.place(row), code=code, why=why, row=table.place(row))
