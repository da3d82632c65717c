"""Arrow files of rendered films: what they hold, how they are written, how their rows are found.

Each file is an Arrow stream that `datasets` wrote, so `datasets.load_dataset("arrow", data_files=...)` opens a store as
well. A file appears under its name only when it is complete. Packed shards are called by the hash of their bytes, so a
name never stands for two contents and a file that is open is never changed.
"""

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from xray.data.records import FilmFacts
from xray.errors import DataError
from xray.records import naming

SUFFIX = ".arrow"
_DAMAGED = "{} is missing or damaged. Prepare the data again."
_UNREADABLE = (
    "{} cannot be read: {}. Nothing was deleted. See that its disk is there and that you may read the file, "
    "then run the same command again."
)
_ROWS_AT_ONCE = 16  # rows that the writer holds before they go to the file


class DamagedShardError(DataError):
    """A file that can be read, but holds something else than we wrote: it was cut off or overwritten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRow:
    """One rendered film.

    `key` follows from the source file's bytes, the render settings and the version of the code. `image` is an 8-bit
    grey PNG, 0 = black; `deep` the 16-bit one (see `Rendered.deep`), None where it was not asked for.
    """

    key: str
    facts: FilmFacts
    image: bytes
    deep: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes of the pictures."""
        return len(self.image) + len(self.deep or b"")


def write_shard(folder: Path, rows: Iterable[FilmRow]) -> Path:
    """Write rows to a new Arrow file in `folder`, synced to the disk, and return it: `<hash of its bytes>.arrow`."""
    from datasets import Features, Image, Value
    from datasets.arrow_writer import ArrowWriter

    features = Features({"key": Value("string"), "facts": Value("string"), "image": Image(), "deep": Image()})
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{os.getpid()}-{threading.get_ident()}.part"
    with naming(temporary), temporary.open("wb") as stream:
        writer = ArrowWriter(features=features, stream=stream, writer_batch_size=_ROWS_AT_ONCE)
        for row in rows:
            writer.write(_written(row))
        writer.finalize(close_stream=False)
        stream.flush()
        os.fsync(stream.fileno())
    with temporary.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return temporary.replace(folder / (digest[:32] + SUFFIX))


def read_keys(path: Path) -> list[str]:
    """Return the keys of a shard's films in their order.

    Raises DataError if the file is missing or cannot be read, DamagedShardError if its content is damaged.
    """
    keys: list[str] = _opened(path).table.column("key").to_pylist()
    return keys


def read_sizes(path: Path) -> list[int]:
    """Return the bytes of the pictures of each row. Raises DataError."""
    import pyarrow.compute as compute

    table = _opened(path).table
    image, deep = (
        compute.binary_length(compute.struct_field(table.column(name), "bytes")) for name in ("image", "deep")
    )
    return [size + (more or 0) for size, more in zip(image.to_pylist(), deep.to_pylist(), strict=True)]


def read_facts(path: Path, row: int) -> FilmFacts:
    """Return what is known of the film in a row. Raises DataError."""
    return FilmFacts.model_validate_json(_opened(path).text("facts", row))


def read_rows(path: Path, rows: Iterable[int]) -> Iterator[FilmRow]:
    """Yield whole rows. Raises DataError."""
    shard = _opened(path)
    for row in rows:
        yield FilmRow(
            key=shard.text("key", row),
            facts=read_facts(path, row),
            image=read_image(path, row),
            deep=shard.picture("deep", row),
        )


def read_image(path: Path, row: int) -> bytes:
    """Return the 8-bit PNG of a row. Raises DataError."""
    picture = _opened(path).picture("image", row)
    if picture is None:
        raise DataError(_DAMAGED.format(path))
    return picture


def read_deep_image(path: Path, row: int) -> bytes | None:
    """Return the 16-bit PNG of a row, None where there is none. Raises DataError."""
    return _opened(path).picture("deep", row)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shard:
    """A shard that is mapped into memory: nothing is read before it is asked for."""

    path: Path
    table: Any

    def text(self, column: str, row: int) -> str:
        return str(self._cell(column, row).as_py())

    def picture(self, column: str, row: int) -> bytes | None:
        found = self._cell(column, row).as_py()
        return None if found is None else bytes(found["bytes"])

    def _cell(self, column: str, row: int) -> Any:  # noqa: ANN401 - pyarrow has no types
        try:
            return self.table.column(column)[row]
        except (IndexError, OSError):
            raise DamagedShardError(_DAMAGED.format(self.path)) from None


@lru_cache(maxsize=256)
def _opened(path: Path) -> _Shard:
    import pyarrow

    try:
        table = pyarrow.ipc.open_stream(pyarrow.memory_map(str(path))).read_all()
        return _Shard(path=path, table=table.select(["key", "facts", "image", "deep"]))
    except FileNotFoundError:
        raise DataError(_DAMAGED.format(path)) from None
    except (OSError, KeyError, pyarrow.ArrowInvalid) as error:
        number = getattr(error, "errno", None)  # pyarrow gives none where the content is at fault
        if number is None:
            raise DamagedShardError(_DAMAGED.format(path)) from None
        raise DataError(_UNREADABLE.format(path, os.strerror(number))) from None


def _written(row: FilmRow) -> dict[str, Any]:
    deep = None if row.deep is None else {"bytes": row.deep, "path": None}
    image = {"bytes": row.image, "path": None}
    return {"key": row.key, "facts": row.facts.model_dump_json(), "image": image, "deep": deep}
