"""Which film bears which image id `<study>_<k>`: by its own name, or by an index."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.film_header import FilmHeader
from xray.data.sources.captions import split_id
from xray.data.sources.film_study import film_study
from xray.data.sources.films_folder import FilmsFolder, Found, RefusedFile
from xray.data.sources.rows import Row, Table, read_rows
from xray.data.sources.study_files import Refusal, StudyFiles
from xray.data.sources.values import parse_view
from xray.errors import DataError, Rejected
from xray.types import Report, View


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


def own_names(folder: FilmsFolder) -> list[Listing]:
    """Take each file's name, without its ending, for its image id."""
    return [Listing(name=stem, image_id=stem) for stem in folder.stems()]


def read_index(path: Path, *, refusals: list[Refusal]) -> list[Listing]:
    """Read a CSV with the columns `file` and `image_id` (or `openi_id`), and optionally `projection` or `view`.

    `file` is a name or a path below the films folder. Rows that are incomplete or repeat another one are listed.
    Raises DataError for a file without these columns.
    """
    table = read_rows(path, fits=lambda cells: None not in _index_columns(cells)[:2])
    file, image_id, view = _index_columns(table.columns)
    if file is None or image_id is None:
        raise DataError(
            f"{table.name} needs the columns `file` and `image_id` (or `openi_id`). It has: {', '.join(table.columns)}."
        )
    refusals += table.notes
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


def read_views(path: Path) -> dict[str, View]:
    """Read a CSV with the columns `file` (or `filename`) and `projection` (or `view`) into views by film name.

    A word that names no view is left out, and so is a film of which two rows say different things.
    Raises DataError for a file without these columns.
    """
    table = read_rows(path, fits=lambda cells: None not in _index_columns(cells)[::2])
    file, _, view = _index_columns(table.columns)
    if file is None or view is None:
        raise DataError(f"{table.name} needs the columns `file` and `projection`. It has: {', '.join(table.columns)}.")
    words: dict[str, set[View]] = defaultdict(set)
    for row in table.rows:
        if word := parse_view(row.values.get(view, "")):
            words[row.values.get(file, "").strip()].add(word)
    return {name: said.pop() for name, said in words.items() if name and len(said) == 1}


def _index_columns(columns: Sequence[str]) -> tuple[str | None, str | None, str | None]:
    """Return how a table spells the columns of the film, its image id and its view."""
    by_plain = {column.strip().casefold(): column for column in columns}
    file, image_id, view = (
        next((by_plain[name] for name in names if name in by_plain), None)
        for names in (("file", "filename", "file_name"), ("image_id", "openi_id", "id"), ("projection", "view"))
    )
    return file, image_id, view


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


def unpaired(rows: Mapping[str, str | None], *, pairing: Pairing, folder: FilmsFolder) -> Iterator[Refusal]:
    """Yield what has no partner, or no certain one. `rows` are the image ids that have a text, with its place."""
    for image_id, row in rows.items():
        if image_id in pairing.ambiguous:
            why = "several films may be meant by this image id, or its film has several; none is used"
            yield Refusal(where=image_id, code="ambiguous_film", why=why, row=row)
        elif image_id in pairing.refused:
            why = "the film of this image id was refused; see there"
            yield Refusal(where=image_id, code="film_refused", why=why, row=row)
        elif image_id not in pairing.images:
            yield Refusal(where=image_id, code="no_film", why="no film has this image id", kind="unpaired", row=row)
    ambiguous = {header.path: header for headers in pairing.ambiguous.values() for header in headers}
    for header in ambiguous.values():
        why = "another film has the same image id, or this one has several"
        yield Refusal(where=folder.relative(header), code="ambiguous_film", why=why)
    for header in pairing.unlisted:
        yield _no_report(folder, header)


def numbered_studies(
    pairing: Pairing,
    *,
    rows: Mapping[str, str | None],
    report_of: Callable[[str], Report],
    folder: FilmsFolder,
    refusals: list[Refusal],
) -> tuple[StudyFiles, ...]:
    """Return the studies that have films and a text, each with its films by number.

    `rows` are the studies that have a text, with its place; `report_of` makes the report of one, or raises Rejected.
    What cannot be used goes to `refusals`.
    """
    by_study: dict[str, list[StudyImage]] = defaultdict(list)
    for image in pairing.images.values():
        if image.study in rows:
            by_study[image.study].append(image)
        else:
            refusals.append(_no_report(folder, image.header))
    studies: list[StudyFiles] = []
    for study, images in sorted(by_study.items()):
        ordered = sorted(images, key=lambda image: image.number)
        headers, views = [image.header for image in ordered], [image.view for image in ordered]
        try:
            report = report_of(study)
            studies.append(film_study(headers, study_uid=study, views=views, report=report, row=rows[study]))
        except Rejected as rejected:
            refusals.append(Refusal(where=study, code=rejected.code, why=rejected.why, row=rows[study]))
    return tuple(studies)


def lost_films(pairing: Pairing, *, with_text: Collection[str]) -> tuple[Refusal, ...]:
    """Return the refused films of the image ids that have a text, each once."""
    files = {file.path: file for id_, refused in pairing.refused.items() if id_ in with_text for file in refused}
    return tuple(file.refusal for file in files.values())


def _no_report(folder: FilmsFolder, header: FilmHeader) -> Refusal:
    where = folder.relative(header)
    return Refusal(where=where, code="no_report", why="no text belongs to this film", kind="unpaired")


def _bad_row(table: Table, row: Row, *, code: str, why: str) -> Refusal:
    return Refusal(where=table.place(row), code=code, why=why, row=table.place(row))
