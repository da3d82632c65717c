"""Splits that a data set itself declares, in a table of its own: an id, and train, val or test."""

from collections.abc import Collection, Mapping
from pathlib import Path

from xray.data.sources.rows import Row, read_rows
from xray.data.sources.values import LOST_DIGITS, parse_id, parse_split
from xray.errors import DataError, Rejected
from xray.types import Split

_ID, _SPLIT = "id", "split"


def read_declared_splits(path: Path) -> dict[str, Split]:
    """Read a table (CSV, workbook or JSON Lines) with the columns `id`, of a study or an image, and `split`.

    Ids are read as those of a table of reports. Raises DataError for a missing column, a row that is not whole, an id
    that a spreadsheet spoiled or that stands there twice with different splits, and a word that is no split; with the
    line, not the id.
    """
    table = read_rows(path, fits=lambda cells: {_ID, _SPLIT} <= set(cells))
    if missing := [name for name in (_ID, _SPLIT) if name not in table.columns]:
        raise DataError(f"{table.name} has no column {' and no column '.join(missing)}. Name its columns id and split.")
    declared: dict[str, Split] = {}
    for row in table.rows:
        try:
            name, split = _entry(row)
        except Rejected as rejected:
            raise DataError(f"{table.place(row)}: {rejected.why}.") from None
        if name is None or split is None:
            raise DataError(f"{table.place(row)}: the id or the split is empty. Complete the row or take it out.")
        if declared.setdefault(name, split) != split:
            raise DataError(f"{table.place(row)}: this id stands in another split before. Keep one of the rows.")
    return declared


def _entry(row: Row) -> tuple[str | None, Split | None]:
    if not row.complete:
        raise Rejected("wrong_field_count", "the row has not the fields of the header")
    if _ID in row.no_id:
        raise Rejected(row.no_id[_ID], LOST_DIGITS if row.no_id[_ID] == "lost_digits" else "the id became a date")
    return parse_id(row.values.get(_ID, "")), parse_split(row.values.get(_SPLIT, ""))


def declared_by_study(declared: Mapping[str, Split], *, images_of: Mapping[str, Collection[str]]) -> dict[str, Split]:
    """Return the declared split of each study, the keys of `images_of`, which holds the ids of each study's images.

    `declared` may name studies or images. Raises DataError if it parts the images of a study, with the numbers that
    tell how much a score would be worth, or if it leaves a study out.
    """
    splits_of = {
        study: {declared[name] for name in (study, *images) if name in declared} for study, images in images_of.items()
    }
    if parted := [study for study, splits in splits_of.items() if len(splits) > 1]:
        raise DataError(_why_parted(parted, declared=declared, images_of=images_of))
    if left_out := sum(not splits for splits in splits_of.values()):
        raise DataError(
            f"{left_out} of {len(images_of)} studies have no declared split. Declare one for each, or for none."
        )
    return {study: split for study, (split,) in splits_of.items()}


def _why_parted(
    parted: Collection[str], *, declared: Mapping[str, Split], images_of: Mapping[str, Collection[str]]
) -> str:
    held_out = exposed = 0
    for images in images_of.values():
        splits = [declared[image] for image in images if image in declared]
        held_out += sum(split != "train" for split in splits)
        exposed += sum(split != "train" for split in splits) if "train" in splits else 0
    return (
        f"The declared split parts the images of {len(parted)} of {len(images_of)} studies; {exposed} of {held_out} "
        "images for validation and test have images and the report of their own study in train. Declare splits of "
        "whole studies, better of patients, or leave the declaration out: studies are then split by patient."
    )
