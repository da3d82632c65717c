"""What the commands on reports share: JSON Lines of `{"id", "text"}`, and the choice of a lexicon."""

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from xray.data.sources.rows import decode_text
from xray.errors import DataError
from xray.records import is_encodable

_NAMED = 8


class ProfileName(StrEnum):
    """Lexicons: native reports, or machine-translated ones."""

    standard = "standard"
    mt = "mt"


ProfileOption = Annotated[
    ProfileName, typer.Option(help="lexicon: standard (native reports) or mt (machine-translated)")
]


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, row) of a JSON Lines file in UTF-8, UTF-16 or GB18030.

    Raises DataError with the line that is no object.
    """
    try:
        text, _ = decode_text(path.read_bytes(), where=str(path))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Check its rights.") from None
    lines = text.split("\n")  # a text may hold U+2028
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f'{path}, line {number}: not JSON ({error.msg}). Each line is an object {{"id", "text"}}.'
            ) from None
        if not isinstance(row, dict):
            raise DataError(f'{path}, line {number}: a row must be an object with "id" and "text"')
        yield number, row


def read_texts(path: Path) -> dict[str, str]:
    """Return id -> text. Raises DataError for no rows, rows without both, and ids that stand twice."""
    from xray.metrics import index_by_id

    def pairs() -> Iterator[tuple[str, str]]:
        for number, row in read_rows(path):
            key, text = row.get("id"), row.get("text")
            if not isinstance(key, str | int) or not isinstance(text, str):
                held = ", ".join(f"{name} ({type(value).__name__})" for name, value in list(row.items())[:_NAMED])
                raise DataError(
                    f'{path}, line {number}: a row needs "id" and "text", a string. It has: {held or "none"}.'
                )
            if not (is_encodable(str(key)) and is_encodable(text)):
                raise DataError(f"{path}, line {number}: half a character (a lone surrogate). Export the text again.")
            yield str(key), text

    texts = index_by_id(pairs(), source=str(path))
    if not texts:
        raise DataError(f'{path} holds no reports. It needs rows {{"id", "text"}}.')
    return texts
