"""Right terms for what machine translation made of them: 巩固 and 合并症 for consolidation, 无意识 for atelectasis.

A model that is tuned on such a corpus learns to write them, so a machine-translated corpus is repaired before it is
trained on. The table is `lexicon/repairs.yaml`: an expression with the context that proves the mistake, and the term.
Reports that radiologists wrote are not meant for it, though the contexts leave their sentences alone.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate

import yaml
from pydantic import BaseModel, ConfigDict


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Repair(_Schema):
    """One entry of the table; the fields are explained at its head."""

    find: str
    write: str
    en: str
    example: str


class _Table(_Schema):
    words: dict[str, str]
    repairs: tuple[Repair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One repair: the words `found` at `start` of the text as it was, and what was `written` in their place."""

    found: str
    written: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A text with the right terms, and the changes from left to right."""

    text: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch [start, end) of the text as it was, and what stands there now."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Find:
    """Words [start, end) of a text that are to be replaced by `write`."""

    start: int
    end: int
    write: str


def repair(text: str) -> Repaired:
    """Write the right term wherever the table finds a wrong one. Repairing a repaired text changes nothing.

    A repair may complete the context of another one, so the table is applied until it finds nothing more.
    """
    pieces = [_Piece(index, index + 1, character) for index, character in enumerate(text)]
    while found := _found("".join(piece.text for piece in pieces)):
        pieces = _replaced(pieces, found)
    changes = (
        Change(found=text[piece.start : piece.end], written=piece.text, start=piece.start)
        for piece in pieces
        if piece.text != text[piece.start : piece.end]
    )
    return Repaired(text="".join(piece.text for piece in pieces), changes=tuple(changes))


def repairs() -> tuple[Repair, ...]:
    """Return the table, in its order."""
    return _table().repairs


def _found(text: str) -> list[_Find]:
    """Return what is to be replaced, from left to right; of overlapping finds the longest, then the first in order."""
    finds = [find for pattern, write in _patterns() for find in _matches(pattern, text, write)]
    finds.sort(key=lambda find: find.start - find.end)
    taken = [False] * len(text)
    chosen: list[_Find] = []
    for find in finds:
        if not any(taken[find.start : find.end]):
            taken[find.start : find.end] = [True] * (find.end - find.start)
            chosen.append(find)
    return sorted(chosen, key=lambda find: find.start)


def _matches(pattern: re.Pattern[str], text: str, write: str) -> Iterator[_Find]:
    for match in pattern.finditer(text):
        start, end = match.span(pattern.groups)  # the group, or all of it
        if start >= 0:
            yield _Find(start, end, write)


def _replaced(pieces: list[_Piece], finds: list[_Find]) -> list[_Piece]:
    """Join the pieces under each find to one; what an earlier repair wrote beside it stays."""
    replaced = list(pieces)
    starts = [0, *accumulate(len(piece.text) for piece in pieces)]
    for find in reversed(finds):
        first, last = bisect_right(starts, find.start) - 1, bisect_left(starts, find.end) - 1
        before = replaced[first].text[: find.start - starts[first]]
        after = replaced[last].text[find.end - starts[last] :]
        joined = _Piece(replaced[first].start, replaced[last].end, before + find.write + after)
        replaced[first : last + 1] = [joined]
    return replaced


@cache
def _table() -> _Table:
    return _Table.model_validate(yaml.safe_load((files("xray.text.lexicon") / "repairs.yaml").read_text("utf-8")))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    words = _table().words
    return tuple((_compiled(entry.find, words), entry.write) for entry in _table().repairs)


def _compiled(expression: str, words: dict[str, str]) -> re.Pattern[str]:
    for name, form in words.items():
        expression = expression.replace(f"<{name}>", form)
    return re.compile("".join(expression.split()))
