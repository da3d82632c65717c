"""Side, zone, degree, size and course of a mentioned finding, read from its clause."""

import re
from typing import cast

from xray.text.lexicon import Lexicon
from xray.text.mentions import Mention
from xray.types import Change, Laterality, Severity

_SIZE = re.compile(
    r"(?P<a>\d+(?:\.\d+)?)(?:(?:mm|cm|毫米|厘米)?[×xX*](?P<b>\d+(?:\.\d+)?))?(?:(?:mm|cm|毫米|厘米)?[×xX*]\d+(?:\.\d+)?)?"
    r"(?P<unit>mm|cm|毫米|厘米)"
)
_MM = {"mm": 1.0, "毫米": 1.0, "cm": 10.0, "厘米": 10.0}


def laterality(clause: str, mention: Mention, *, mentions: list[Mention], lexicon: Lexicon) -> Laterality | None:
    """The side stated for a mention: in its own words, else the words before it, else the words after it."""
    before, after = _neighbours(mention, mentions, len(clause))
    own = _sides(clause, mention.start, mention.end, lexicon)
    ahead = _sides(clause, before, mention.start, lexicon)
    if own or ahead:
        return _combine(ahead + own)
    earlier = _sides(clause, 0, before, lexicon)
    behind = _sides(clause, mention.end, after, lexicon)
    if behind and not earlier:
        return _combine(behind)
    if earlier and re.search(r"[、和及或与伴并合]", clause[before : mention.start]):
        return earlier[-1]
    return _combine(behind)


def zones(clause: str, mention: Mention, *, mentions: list[Mention], lexicon: Lexicon) -> tuple[str, ...]:
    """The lung zones stated for a mention, in the order of the lexicon."""
    before, after = _neighbours(mention, mentions, len(clause))
    patterns = lexicon.attributes["zones"]
    near = [name for name, pattern in patterns.items() if _within(pattern, clause, before, mention.end)]
    return tuple(near or [name for name, pattern in patterns.items() if _within(pattern, clause, mention.end, after)])


def severity(clause: str, mention: Mention, *, mentions: list[Mention], lexicon: Lexicon) -> Severity | None:
    """The degree stated for a mention: the word nearest before or inside it, else right after it."""
    before, after = _neighbours(mention, mentions, len(clause))
    found = _last(lexicon.attributes["severity"], clause, before, mention.end)
    return cast("Severity | None", found or _last(lexicon.attributes["severity"], clause, mention.end, after))


def change(clause: str, mention: Mention, *, mentions: list[Mention], lexicon: Lexicon) -> Change | None:
    """The course stated for a mention, after it or before it."""
    before, after = _neighbours(mention, mentions, len(clause))
    found = _last(lexicon.attributes["change"], clause, mention.start, after)
    return cast("Change | None", found or _last(lexicon.attributes["change"], clause, before, mention.start))


def sizes(sentence: str) -> list[tuple[int, int, float]]:
    """Return (start, end, largest diameter in mm) of each size of a sentence, such as 直径约15mm or 1.2×0.8cm."""
    found: list[tuple[int, int, float]] = []
    for match in _SIZE.finditer(sentence):
        largest = max(float(match["a"]), float(match["b"] or 0))
        found.append((match.start(), match.end(), largest * _MM[match["unit"]]))
    return found


def _neighbours(mention: Mention, mentions: list[Mention], length: int) -> tuple[int, int]:
    before = max((m.end for m in mentions if m.end <= mention.start), default=0)
    after = min((m.start for m in mentions if m.start >= mention.end), default=length)
    return before, after


def _within(pattern: re.Pattern[str], clause: str, start: int, end: int) -> bool:
    return any(start <= match.start() and match.end() <= end for match in pattern.finditer(clause))


def _sides(clause: str, start: int, end: int, lexicon: Lexicon) -> list[Laterality]:
    taken: set[int] = set()
    found: list[tuple[int, Laterality]] = []
    for value, pattern in lexicon.attributes["laterality"].items():
        for match in pattern.finditer(clause):
            if start <= match.start() < end and match.start() not in taken:
                taken.update(range(*match.span()))
                found.append((match.start(), cast("Laterality", value)))
    return [value for _, value in sorted(found)]


def _combine(sides: list[Laterality]) -> Laterality | None:
    if not sides:
        return None
    return sides[-1] if len(set(sides)) == 1 else "bilateral"


def _last(patterns: dict[str, re.Pattern[str]], clause: str, start: int, end: int) -> str | None:
    """The value whose expression ends last inside [start, end); a longer one wins over one it contains."""
    best: tuple[int, int, str] | None = None
    for value, pattern in patterns.items():
        for match in pattern.finditer(clause):
            if start <= match.start() and match.end() <= end and match.end() > match.start():
                key = (match.end(), match.end() - match.start(), value)
                best = max(best, key) if best else key
    return best[2] if best else None
