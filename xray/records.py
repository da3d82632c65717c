"""Files of records: pydantic schemas as JSON or JSON Lines, written so that a kill cannot spoil them."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from xray.errors import DataError


class Record(BaseModel):
    """Base of everything that is read from or written to a file of ours: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


RecordType = TypeVar("RecordType", bound=Record)
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


def is_encodable(text: str) -> bool:
    r"""Tell whether a text can be written: JSON can spell half a character (`\ud83d` alone), which no file can hold."""
    return _HALF_CHARACTER.search(text) is None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in an OSError that names none: the system does not say on which disk no room was left."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from None


def write_atomically(path: Path, data: str | bytes) -> None:
    """Write `data` so that `path` holds either the old content or all of the new one, also after a kill."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    with naming(path), temporary.open("wb") as stream:
        stream.write(data.encode() if isinstance(data, str) else data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def write_lines(path: Path, records: Iterable[Record]) -> None:
    """Write records as JSON Lines, atomically."""
    write_atomically(path, "".join(record.model_dump_json() + "\n" for record in records))


def write_record(path: Path, record: Record) -> None:
    """Write one record as indented JSON, atomically."""
    write_atomically(path, json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n")


def read_lines(path: Path, kind: type[RecordType], *, remedy: str) -> list[RecordType]:
    """Read JSON Lines. Raises DataError with the line that does not fit and with `remedy`, what to do about it."""
    return list(_parse_lines(_text(path, remedy=remedy), kind, path=path, remedy=remedy))


def read_appended(path: Path, kind: type[RecordType], *, remedy: str) -> list[RecordType]:
    """Read JSON Lines that are appended to one by one: none yet is fine, and a line that a kill cut off is dropped."""
    if not path.exists():
        return []
    text = _text(path, remedy=remedy)
    return list(_parse_lines(text[: text.rfind("\n") + 1], kind, path=path, remedy=remedy))


def read_record(path: Path, kind: type[RecordType], *, remedy: str) -> RecordType:
    """Read one JSON record. Raises DataError if it is missing or does not fit, with `remedy`."""
    return _parsed(_text(path, remedy=remedy), kind, where=str(path), remedy=remedy)


def _parse_lines(text: str, kind: type[RecordType], *, path: Path, remedy: str) -> Iterator[RecordType]:
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines: a text may hold U+2028
        if line.strip():
            yield _parsed(line, kind, where=f"{path}, line {number}", remedy=remedy)


def _text(path: Path, *, remedy: str) -> str:
    try:
        return path.read_bytes().decode("utf-8", errors="strict")
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. {remedy}") from None
    except (OSError, UnicodeDecodeError):
        raise DataError(f"{path} cannot be read. {remedy}") from None


def _parsed(text: str, kind: type[RecordType], *, where: str, remedy: str) -> RecordType:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the record"
        raise DataError(f"{where}: {place}: {problem['msg']}. {remedy}") from None
