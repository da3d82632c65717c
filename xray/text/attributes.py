"""Side, zone, degree, size and course of a mentioned finding, read from its clause."""

import re
from functools import lru_cache
from typing import cast

from xray.text.lexicon import Profile, load
from xray.text.lexicon.anchors import may_match
from xray.text.mentions import Clause, Mention
from xray.types import Change, Laterality, Severity

_SIZE = re.compile(
    r"(?<!\d)(?P<a>\d{1,4}(?:\.\d{1,3})?)"
    r"(?: ?(?:mm|cm|毫米|厘米|公分)? ?[×xX*] ?(?P<b>\d{1,4}(?:\.\d{1,3})?))?"
    r"(?: ?(?:mm|cm|毫米|厘米|公分)? ?[×xX*] ?(?P<c>\d{1,4}(?:\.\d{1,3})?))?"
    r" ?(?P<unit>mm|cm|毫米|厘米|公分)"
)
_FORMER = re.compile("(?:增|缩|减|变)[大宽加多小少]?[^,。;]{0,3}[至到为]")
_OTHER_SIZE = re.compile("(?:[前旧]片?\\(|原来?|原先|上次|壁厚)(?:为|直径|大小|约)*$")
_JOINS = re.compile("[、和及或与伴并合]")
_CONCLUDES = re.compile("这|提示|考虑|符合|可能|表明|为|疑|系|代表|继发|倾向|不除外|警惕")
_INTERPRETS = re.compile("呈|伴|并|" + _CONCLUDES.pattern)
_MM = {"mm": 1.0, "毫米": 1.0, "cm": 10.0, "厘米": 10.0, "公分": 10.0}


def laterality(clause: Clause, mention: Mention) -> Laterality | None:
    """Return the side stated for a mention: in or before its words, else of its list, after them, or earlier."""
    before, after = clause.neighbours(mention)
    ahead = _sides(clause, before, mention.end)
    if ahead:
        return _combine(ahead)
    earlier = _sides(clause, 0, before)
    if earlier and (before == mention.start or _JOINS.search(clause.text, before, mention.start)):
        return earlier[-1]
    return _combine(_sides(clause, mention.end, _own_end(clause, mention, after)) or earlier[-1:])


def inherited(clause: Clause, side: Laterality | None) -> Laterality | None:
    """Return the side that reaches in from the clause before: left or right; both only into an interpretation."""
    return side if side != "bilateral" or _INTERPRETS.match(clause.text) else None


def concludes(clause: Clause) -> bool:
    """Whether a clause says what the findings before it mean, as 考虑肺炎 does."""
    return _CONCLUDES.match(clause.text) is not None


def side(clause: Clause) -> Laterality | None:
    """Return the side of a clause that only says where the finding before is."""
    return _combine(_sides(clause, 0, len(clause.text)))


def last_side(clause: Clause) -> Laterality | None:
    """Return the side named last in a clause."""
    named = _sides(clause, 0, len(clause.text))
    return named[-1] if named else None


def zones(clause: Clause, mention: Mention | None = None) -> tuple[str, ...]:
    """Return the lung zones stated for a mention, in the order of the lexicon; without a mention, in the clause."""
    if mention is None:
        return _zones(clause, 0, len(clause.text))
    before, after = clause.neighbours(mention)
    return _zones(clause, before, mention.end) or _zones(clause, mention.end, _own_end(clause, mention, after))


def _zones(clause: Clause, start: int, end: int) -> tuple[str, ...]:
    named = {value for first, last, value in _stated(clause, "zones") if start <= first and last <= end}
    return tuple(name for name in clause.lexicon.attributes["zones"] if name in named)


def severity(clause: Clause, mention: Mention | None = None) -> Severity | None:
    """Return the degree stated for a mention: the word nearest before or inside it, else right after it.

    Without a mention, of a clause that tells the amount of what came before (量少).
    """
    if mention is None:
        amount = _last(clause, "severity", 0, len(clause.text)) if clause.text.startswith("量") else None
        return cast("Severity | None", amount)
    before, after = clause.neighbours(mention)
    end = _own_end(clause, mention, after)
    found = _last(clause, "severity", before, mention.end) or _last(clause, "severity", mention.end, end)
    return cast("Severity | None", found)


def change(clause: Clause, mention: Mention | None = None) -> Change | None:
    """Return the course stated for a mention, after it or before it; without a mention, of the whole clause."""
    if mention is None:
        return cast("Change | None", _last(clause, "change", 0, len(clause.text)))
    before, after = clause.neighbours(mention)
    end = _own_end(clause, mention, after)
    found = _last(clause, "change", mention.start, end) or _last(clause, "change", before, mention.start)
    return cast("Change | None", found)


def compared(clause: Clause, mention: Mention) -> Change | None:
    """Return the course of a mention in a sentence that names the film compared with: words behind it, without 较前."""
    _, after = clause.neighbours(mention)
    return cast("Change | None", _last(clause, "compared", mention.end, _own_end(clause, mention, after)))


def misplaced(clause: Clause, concept: str, start: int, *, denials: list[int]) -> bool:
    """Whether the words of a clause from `start` on put a device out of place; `denials` are where denials begin."""
    pattern = clause.lexicon.misplaced.get(concept)
    if pattern is None:
        return False
    following = [m.start for m in clause.mentions if m.start > start and m.concept in clause.lexicon.misplaced]
    end = min(following, default=len(clause.text))
    return any(
        start <= match.start() < end and not any(start <= denial <= match.start() for denial in denials)
        for match in pattern.finditer(clause.text)
    )


def sizes(sentence: str) -> list[tuple[int, int, float]]:
    """Return (start, end, largest diameter in mm) of each size of a sentence, such as 直径约15mm or 1.2×0.8cm.

    Of 由8mm增大至12mm and of 较前(8mm)增大,现12mm only the second is returned; of a cavity not its wall.
    """
    found: list[tuple[int, int, float]] = []
    for match in _SIZE.finditer(sentence):
        if _FORMER.match(sentence, match.end()) or _OTHER_SIZE.search(sentence[: match.start()][-8:]):
            continue
        largest = max(float(match[axis] or 0) for axis in "abc")
        found.append((match.start(), match.end(), largest * _MM[match["unit"]]))
    return found


def _own_end(clause: Clause, mention: Mention, after: int) -> int:
    """Return where the words behind a mention begin to speak of the next one, as after 伴 or 及."""
    joint = _JOINS.search(clause.text, mention.end, after)
    return joint.start() if joint and after < len(clause.text) else after


def _stated(clause: Clause, attribute: str) -> tuple[tuple[int, int, str], ...]:
    """Return (start, end, value) of each expression of an attribute in a clause, value by value."""
    return _matches(clause.text, attribute, profile=clause.lexicon.profile)


@lru_cache(maxsize=4096)
def _matches(text: str, attribute: str, *, profile: Profile) -> tuple[tuple[int, int, str], ...]:
    characters = frozenset(text)
    return tuple(
        (match.start(), match.end(), value)
        for value, pattern in load(profile).attributes[attribute].items()
        if may_match(pattern, characters)
        for match in pattern.finditer(text)
        if match.end() > match.start()
    )


def _sides(clause: Clause, start: int, end: int) -> list[Laterality]:
    """Return the sides named in [start, end), in order; the left of 左右 is not counted again."""
    taken: set[int] = set()
    found: list[tuple[int, Laterality]] = []
    for first, last, value in _stated(clause, "laterality"):
        if start <= first < end and first not in taken:
            taken.update(range(first, last))
            found.append((first, cast("Laterality", value)))
    return [value for _, value in sorted(found)]


def _combine(sides: list[Laterality]) -> Laterality | None:
    if not sides:
        return None
    return sides[-1] if len(set(sides)) == 1 else "bilateral"


def _last(clause: Clause, attribute: str, start: int, end: int) -> str | None:
    """Return the value whose expression ends last inside [start, end); a longer one beats one it contains."""
    inside = [
        (last, last - first, value)
        for first, last, value in _stated(clause, attribute)
        if start <= first and last <= end
    ]
    return max(inside)[2] if inside else None
