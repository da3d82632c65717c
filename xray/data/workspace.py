"""What a preparation has rendered so far: kept as it comes, so that a kill costs the last seconds and no more."""

import hashlib
import re
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.records import FILMS_FOLDER, PARTS_FOLDER, REFUSED_FILE, REMEDY, FilmFacts, RefusedFilm, ShardInfo
from xray.data.shards import (
    SUFFIX,
    DamagedShardError,
    FilmRow,
    read_facts,
    read_image,
    read_keys,
    read_rows,
    read_sizes,
    write_shard,
)
from xray.errors import DataError, Rejected
from xray.lock import unread
from xray.records import naming, read_appended, write_lines

_OURS = re.compile(r"[0-9a-f]{32}\.arrow|\d+-\d+\.part")
"""Files that we wrote; no other is ever deleted."""
_FLUSH_BYTES = 64 * 2**20
_FLUSH_SECONDS = 10.0
_SHARD_BYTES = 256 * 2**20
"""What a shard typically has; the least is half of it, and the most twice."""
_TRANSIENT = frozenset({"unreadable", "decode_timeout", "decode_memory", "decoder_crashed", "file_changed"})
"""Refusals that another try may not give: a share that was away, a machine that was busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A film that is on the disk, and how many bytes its pictures have."""

    shard: Path
    row: int
    size: int
    facts: FilmFacts


@dataclass(slots=True, kw_only=True)
class Workspace:
    """The rendered films below a store, those of earlier preparations included."""

    store: Path
    _kept: dict[str, _Kept] = field(default_factory=dict, repr=False)
    _refused: dict[str, Rejected] = field(default_factory=dict, repr=False)
    _waiting: dict[str, FilmRow] = field(default_factory=dict, repr=False)
    _waiting_bytes: int = 0
    _flushed: float = field(default_factory=time.monotonic)

    @classmethod
    def open(cls, store: Path) -> "Workspace":
        """Find what is there. Damaged files, and what a kill left half-written, are removed and rendered again.

        Raises DataError, and removes nothing, where the system does not let a file be read.
        """
        space = cls(store=store)
        for folder in (FILMS_FOLDER, PARTS_FOLDER):
            for path in sorted((store / folder).glob("*")):
                if _OURS.fullmatch(path.name):
                    space._take(path)
        with suppress(DataError):  # a damaged list of refusals only costs looking at those films again
            for line in read_appended(store / REFUSED_FILE, RefusedFilm, remedy=REMEDY):
                space._refused[line.key] = Rejected(line.code, line.why)
        return space

    def known(self) -> frozenset[str]:
        """Return the keys of all films that need not be decoded again: rendered, or refused for what they are."""
        return frozenset((*self._kept, *self._waiting, *self._refused))

    def outcome(self, key: str) -> FilmFacts | Rejected:
        """Return what is known of a film of `known`."""
        if key in self._refused:
            return self._refused[key]
        return self._waiting[key].facts if key in self._waiting else self._kept[key].facts

    def image(self, key: str) -> bytes:
        """Return the 8-bit PNG of a rendered film of `known`."""
        if key in self._waiting:
            return self._waiting[key].image
        return read_image(self._kept[key].shard, self._kept[key].row)

    def add(self, row: FilmRow) -> None:
        """Keep a rendered film; it is on the disk after about 10 seconds or 64 MiB."""
        if row.key in self._kept or row.key in self._waiting:
            return
        self._waiting[row.key] = row
        self._waiting_bytes += row.size
        if self._waiting_bytes > _FLUSH_BYTES or time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self.flush()

    def refuse(self, key: str, rejected: Rejected) -> None:
        """Remember that a film was refused, unless another try may end otherwise."""
        if rejected.code in _TRANSIENT or key in self._refused:
            return
        self._refused[key] = rejected
        line = RefusedFilm(key=key, code=rejected.code, why=rejected.why).model_dump_json() + "\n"
        self.store.mkdir(parents=True, exist_ok=True)
        path = self.store / REFUSED_FILE
        with naming(path), path.open("a", encoding="utf-8") as stream:
            stream.write(line)

    def flush(self) -> None:
        """Write what waits."""
        rows, self._waiting, self._waiting_bytes = list(self._waiting.values()), {}, 0
        if rows:
            path = write_shard(self.store / PARTS_FOLDER, rows)
            for number, row in enumerate(rows):
                self._kept[row.key] = _Kept(shard=path, row=number, size=row.size, facts=row.facts)
        self._flushed = time.monotonic()

    def pack(self, keys: Sequence[str]) -> tuple[ShardInfo, ...]:
        """Put the films `keys`, in this order, into shards of about 256 MiB, 512 MiB at most, and describe these.

        The bytes of the shards follow from the films and their order alone: not from the number of processes, the
        kills or the engine. A shard that is there already is not written again, and a film more or less changes its
        own shard and seldom another.
        """
        self.flush()
        films = (self.store / FILMS_FOLDER).glob(f"*{SUFFIX}")
        there = {tuple(read_keys(path)): path for path in films if _OURS.fullmatch(path.name)}
        shards = []
        for group in self._groups(keys):
            path = there.get(group) or write_shard(self.store / FILMS_FOLDER, self._rows(group))
            shards.append(ShardInfo(path=f"{FILMS_FOLDER}/{path.name}", films=len(group), bytes=path.stat().st_size))
        return tuple(shards)

    def clear(self, *, keep: Collection[str], refused: Collection[str]) -> None:
        """Delete what a finished store does not need.

        `keep` are the paths of its shards; `refused` the keys of the refused films of the data set. Who is taken out
        of the source is taken out of the store: now, or by the next preparation where a command still reads its films.
        """
        with unread(self.store) as free:
            for folder in (FILMS_FOLDER, PARTS_FOLDER) if free else (PARTS_FOLDER,):
                for path in (self.store / folder).glob("*"):
                    if f"{folder}/{path.name}" not in keep and _OURS.fullmatch(path.name):
                        path.unlink()
        if (self.store / PARTS_FOLDER).is_dir():
            with suppress(OSError):  # a stranger's file lies in it, which is not ours to delete
                (self.store / PARTS_FOLDER).rmdir()
        kept = {key: self._refused[key] for key in sorted(refused) if key in self._refused}
        lines = [RefusedFilm(key=key, code=rejected.code, why=rejected.why) for key, rejected in kept.items()]
        write_lines(self.store / REFUSED_FILE, lines)

    def _take(self, path: Path) -> None:
        try:
            rows = list(zip(read_keys(path), read_sizes(path), strict=True)) if path.suffix == SUFFIX else []
            kept = {
                key: _Kept(shard=path, row=row, size=size, facts=read_facts(path, row))
                for row, (key, size) in enumerate(rows)
            }
        except (DamagedShardError, ValueError):
            kept = {}
        if not kept:
            path.unlink()
        self._kept.update(kept)

    def _groups(self, keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
        group: list[str] = []
        total = 0
        for key in keys:
            size = self._kept[key].size
            if group and total + size > 2 * _SHARD_BYTES:
                yield tuple(group)
                group, total = [], 0
            group.append(key)
            total += size
            if total >= _SHARD_BYTES // 2 and _ends_shard(key, size=size):
                yield tuple(group)
                group, total = [], 0
        if group:
            yield tuple(group)

    def _rows(self, keys: Sequence[str]) -> Iterator[FilmRow]:
        for key in keys:
            kept = self._kept[key]
            yield from read_rows(kept.shard, [kept.row])


def _ends_shard(key: str, *, size: int) -> bool:
    """Tell whether a film is one after which a shard may end: one in each half of a shard's bytes, on average.

    The film alone decides, and not what stands before it, so that shards after a new film end where they did.
    """
    drawn = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64
    return drawn < size / (_SHARD_BYTES // 2)
