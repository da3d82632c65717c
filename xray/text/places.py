"""Which side has what: lists that give each side its own zones or degree, the worse side, the way of a shift."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from xray.text import attributes
from xray.text.mentions import Clause, Mention
from xray.types import Laterality, Severity

_BESIDE_DEGREES = re.compile("[其中侧边肺胸腔病变者量则为呈是约有见并伴部分包裹局限、,及和而;。:()]*")
_OTHER: dict[Laterality, Laterality] = {"left": "right", "right": "left", "bilateral": "bilateral"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a list says of one side: 左上肺及右下肺 has two parts."""

    side: Laterality
    zones: tuple[str, ...] = ()
    severity: Severity | None = None


def parts(clause: Clause, mention: Mention | None = None) -> tuple[Part, ...]:
    """Return the parts of a mention, or of a clause without one, whose sides differ in zone or degree; else none."""
    if mention is None:
        return _differing(_named(clause, 0, len(clause.text)))
    before, end = attributes.reach(clause, mention)
    places = clause.lexicon.concepts[mention.concept].places or "zones"
    ahead = _named(clause, before, mention.end, places=places)
    if any(part.side != "bilateral" for part in ahead):
        return _differing(ahead)
    return _differing(_named(clause, mention.end, end, places=places))


def degrees(clause: Clause) -> tuple[Part, ...]:
    """Return the sides of a clause that says nothing but their degree, as 左侧大量、右侧少量 does."""
    named = _named(clause, 0, len(clause.text))
    if clause.mentions or not named or not all(part.severity and part.side != "bilateral" for part in named):
        return ()
    said = [*attributes.stated(clause, "laterality"), *attributes.stated(clause, "severity")]
    taken = {place for first, last, _ in said for place in range(first, last)}
    rest = "".join(character for place, character in enumerate(clause.text) if place not in taken)
    return named if _BESIDE_DEGREES.fullmatch(rest) else ()


def dominant(clause: Clause, mention: Mention | None = None) -> Laterality | None:
    """Return the side that has more of what is on both, as in 以右侧为著 or 左侧较轻."""
    start, end = attributes.reach(clause, mention) if mention else (0, len(clause.text))
    for first, last, kind in attributes.stated(clause, "dominant"):
        if start <= first and last <= end:
            side: Laterality = "left" if clause.text[first] == "左" else "right"
            return side if kind == "more" else _OTHER[side]
    return None


def direction(clause: Clause, mention: Mention, sick: Laterality | None) -> Laterality | None:
    """Return where a shift goes; 健侧 and 同侧 count from the `sick` side, or the one named before in the clause."""
    start, end = attributes.reach(clause, mention)
    way = attributes.last(clause, "shift", start, end)
    if way in ("left", "right"):
        return cast("Laterality", way)
    named = attributes.sides(clause, 0, mention.start)
    side = named[-1].value if named else sick
    if way is None or side in (None, "bilateral"):
        return None
    return side if way == "same" else _OTHER[side]


def _named(clause: Clause, start: int, end: int, *, places: attributes.Places = "zones") -> tuple[Part, ...]:
    """Return what is said behind each side of [start, end) up to the next one, sides named twice joined."""
    named = attributes.sides(clause, start, end)
    found: dict[Laterality, Part] = {}
    stops = [*(other.start for other in named), end][1:]
    for one, stop in zip(named, stops, strict=True):
        known = found.get(one.value, Part(side=one.value))
        zones = attributes.zones_within(clause, one.start, stop, places=places)
        severity = attributes.last(clause, "severity", one.start, stop)
        found[one.value] = replace(
            known,
            zones=tuple(dict.fromkeys((*known.zones, *zones))),
            severity=cast("Severity | None", severity) or known.severity,
        )
    return tuple(found.values())


def _differing(named: Sequence[Part]) -> tuple[Part, ...]:
    """Leave the sides that differ. What only the last one has belongs to all, as in 左、右肺下叶."""
    if len(named) < 2:
        return ()
    own = [part for part in named if part.side != "bilateral" or part.zones or part.severity]
    if not any(part.zones for part in own[:-1]):
        own = [replace(part, zones=own[-1].zones) for part in own]
    if not any(part.severity for part in own[:-1]):
        own = [replace(part, severity=own[-1].severity) for part in own]
    return tuple(own) if len({(part.zones, part.severity) for part in own}) > 1 else ()
