"""Which characters an expression cannot do without, so that most expressions need not be tried on most clauses."""

import importlib
import re
from collections.abc import Iterable, Set
from functools import cache
from typing import Any

_COMMON = frozenset("肺心影胸部左右双侧性的度状区无未见不大小增气病变密结")
_PARSER = importlib.import_module(
    "re._parser"
)  # the standard library's own; it has no public way to read an expression


def may_match(pattern: re.Pattern[str], characters: Set[str]) -> bool:
    """Whether `pattern` can match in a text of these characters."""
    needed = anchors(pattern.pattern)
    return not needed or not needed.isdisjoint(characters)


@cache
def anchors(expression: str) -> frozenset[str]:
    """Return characters of which every match of `expression` holds at least one; none if there is no such set.

    >>> sorted(anchors("胸腔(?:少量)?积液|胸水"))
    ['水', '腔']
    """
    return _anchors(_PARSER.parse(expression)) or frozenset()


def _anchors(parsed: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
    """Return the set of the part of a sequence that is least often in a clause."""
    sets = [found for part in parsed if (found := _of(part))]
    return min(sets, key=_frequency, default=None)


def _of(part: tuple[Any, Any]) -> frozenset[str] | None:
    operation, argument = part
    match str(operation):
        case "LITERAL":
            return frozenset({chr(argument)})
        case "IN":
            literals = [chr(code) for kind, code in argument if str(kind) == "LITERAL"]
            return frozenset(literals) if len(literals) == len(argument) else None
        case "BRANCH":
            branches = [_anchors(branch) for branch in argument[1]]
            return None if None in branches else frozenset().union(*filter(None, branches))
        case "SUBPATTERN":
            return _anchors(argument[3])
        case "MAX_REPEAT" | "MIN_REPEAT":
            return _anchors(argument[2]) if argument[0] > 0 else None
    return None


def _frequency(characters: frozenset[str]) -> int:
    return sum(10 if character in _COMMON else 1 for character in characters)
