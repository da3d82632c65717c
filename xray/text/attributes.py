"""Side, zone, degree, size and course of a mentioned finding, read from its clause."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple, cast

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
_OTHER_SIZE = re.compile("(?:[前旧]片?\\(|原来?|原先|上次|(?P<wall>壁厚))(?:为|直径|大小|约)*$")
_JOINS = re.compile("[、和及或与伴并合]")
_CONCLUDES = re.compile("这|提示|考虑|符合|可能|表明|为|疑|系|代表|继发|倾向|不除外|警惕")
_INTERPRETS = re.compile("呈|伴|并|" + _CONCLUDES.pattern)
_COLLAPSE = re.compile(
    r"(?:(?P<side>[左右])[侧肺上中下叶]{0,3}[^,。;左右]{0,8})?(?:(?<!椎体)(?<!椎)(?:压缩|受压)|气胸[,(]?(?=约|占|[(]?\d))"
    r"(?P<said>[^。;\d]{0,6}?)(?:(?P<low>\d{1,3})%?(?:[-~至到](?P<high>\d{1,3}))?%(?P<above>以上)?"
    r"|(?P<top>\d)/(?P<bottom>\d)|(?P<bottom_word>[二三四])分之(?P<top_word>[一二三])|(?P<half>半))"
)
_BELOW, _ABOVE = re.compile("[小少低]于|不足|不到|<"), re.compile("[大多高]于|超过|>")
_NUMBERS = {numeral: number for number, numeral in enumerate("一二三四五六七八九十", start=1)} | {
    "十一": 11,
    "十二": 12,
}
_RIB = re.compile(r"(?P<first>\d+|[一二三四五六七八九十]+)(?:[~至到-]第?(?P<last>\d+|[一二三四五六七八九十]+))?")
_MM = {"mm": 1.0, "毫米": 1.0, "cm": 10.0, "厘米": 10.0, "公分": 10.0}


Places = Literal["zones", "ribs"]


class Side(NamedTuple):
    """A side and where its word starts in a clause."""

    start: int
    value: Laterality


class Size(NamedTuple):
    """[start, end) of a size in its sentence, the largest diameter in mm, and the one it had before."""

    start: int
    end: int
    millimetres: float
    former: float | None

    @property
    def change(self) -> Change | None:
        """The course that both sizes show where a fifth more or less is told apart; None without a former one."""
        if self.former is None:
            return None
        grown = self.millimetres / self.former if self.former else 2.0
        return "worse" if grown > 1.2 else "better" if grown < 0.8 else "stable"


class Collapse(NamedTuple):
    """How far a lung has collapsed: where a sentence says so, of which side, and the degree of the pneumothorax."""

    start: int
    side: Laterality | None
    severity: Severity


def laterality(clause: Clause, mention: Mention) -> Laterality | None:
    """Return the side stated for a mention: in or before its words, else of its list, after them, or earlier."""
    before, after = clause.neighbours(mention)
    ahead = sides(clause, before, mention.end)
    if ahead:
        return _combine(ahead)
    earlier = _earlier(clause, before)
    if earlier and (before == mention.start or _JOINS.search(clause.text, before, mention.start)):
        return earlier
    return _combine(sides(clause, mention.end, _own_end(clause, mention, after))) or earlier


def _earlier(clause: Clause, end: int) -> Laterality | None:
    """Return the side of the finding that ends at `end`, both of 右肺及左肺支扩; else the last one before it."""
    start = max((mention.end for mention in clause.mentions if mention.end < end), default=0)
    return _combine(sides(clause, start, end)) or _combine(sides(clause, 0, start)[-1:])


def inherited(clause: Clause, side: Laterality | None) -> Laterality | None:
    """Return the side that reaches in from the clause before: left or right; both only into an interpretation."""
    return side if side != "bilateral" or _INTERPRETS.match(clause.text) else None


def concludes(clause: Clause) -> bool:
    """Whether a clause says what the findings before it mean, as 考虑肺炎 does."""
    return _CONCLUDES.match(clause.text) is not None


def side(clause: Clause) -> Laterality | None:
    """Return the side of a clause that only says where the finding before is."""
    return _combine(sides(clause, 0, len(clause.text)))


def last_side(clause: Clause) -> Laterality | None:
    """Return the side named last in a clause."""
    named = sides(clause, 0, len(clause.text))
    return named[-1].value if named else None


def zones(clause: Clause, mention: Mention | None = None) -> tuple[str, ...]:
    """Return the zones stated for a mention, the ribs for a fracture; without a mention, the zones of the clause."""
    if mention is None:
        return zones_within(clause, 0, len(clause.text))
    places = clause.lexicon.concepts[mention.concept].places or "zones"
    before, end = reach(clause, mention)
    return zones_within(clause, before, mention.end, places=places) or zones_within(
        clause, mention.end, end, places=places
    )


def zones_within(clause: Clause, start: int, end: int, *, places: Places = "zones") -> tuple[str, ...]:
    """Return the zones named in [start, end), in the order of the lexicon; the ribs, as `rib5`, in that of the text."""
    inside = [(first, last, value) for first, last, value in stated(clause, places) if start <= first and last <= end]
    if places == "ribs":
        return tuple(dict.fromkeys(rib for first, last, _ in inside for rib in _ribs(clause.text[first:last])))
    named = {value for _, _, value in inside}
    return tuple(name for name in clause.lexicon.attributes["zones"] if name in named)


def _ribs(numbers: str) -> list[str]:
    """Spell 3-5、7 out as rib3, rib4, rib5 and rib7."""
    ranges = [(_number(match["first"]), _number(match["last"] or match["first"])) for match in _RIB.finditer(numbers)]
    return [f"rib{number}" for first, last in ranges for number in range(first, last + 1) if 1 <= number <= 12]


def _number(numeral: str) -> int:
    return int(numeral) if numeral.isdecimal() else _NUMBERS.get(numeral, 0)


def severity(clause: Clause, mention: Mention | None = None) -> Severity | None:
    """Return the degree stated for a mention: the word nearest before or inside it, else right after it.

    Without a mention, of a clause that tells the amount of what came before (量少).
    """
    if mention is None:
        amount = last(clause, "severity", 0, len(clause.text)) if clause.text.startswith("量") else None
        return cast("Severity | None", amount)
    before, end = reach(clause, mention)
    found = last(clause, "severity", before, mention.end) or last(clause, "severity", mention.end, end)
    return cast("Severity | None", found)


def change(clause: Clause, mention: Mention | None = None) -> Change | None:
    """Return the course stated for a mention, after it or before it; without a mention, of the whole clause."""
    if mention is None:
        return cast("Change | None", last(clause, "change", 0, len(clause.text)))
    before, end = reach(clause, mention)
    found = last(clause, "change", mention.start, end) or last(clause, "change", before, mention.start)
    return cast("Change | None", found)


def compared(clause: Clause, mention: Mention) -> Change | None:
    """Return the course of a mention in a sentence that names the film compared with: words behind it, without 较前."""
    _, end = reach(clause, mention)
    return cast("Change | None", last(clause, "compared", mention.end, end))


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


def sizes(sentence: str) -> list[Size]:
    """Return each size of a sentence, such as 直径约15mm or 1.2×0.8cm.

    Of 由8mm增大至12mm and of 较前(8mm)增大,现12mm only the second is returned; of a cavity not its wall.
    """
    found: list[Size] = []
    former: float | None = None
    for match in _SIZE.finditer(sentence):
        millimetres = max(float(match[axis] or 0) for axis in "abc") * _MM[match["unit"]]
        other = _OTHER_SIZE.search(sentence[: match.start()][-8:])
        if other or _FORMER.match(sentence, match.end()):
            former = None if other and other["wall"] else millimetres
            continue
        found.append(Size(match.start(), match.end(), millimetres, former))
        former = None
    return found


def collapses(text: str) -> list[Collapse]:
    """Return how far lungs have collapsed, as in 肺组织压缩约30%: below a fifth is mild, above a half severe."""
    found: list[Collapse] = []
    for match in _COLLAPSE.finditer(text):
        percent = _percent(match)
        severity: Severity = "mild" if percent < 20 else "moderate" if percent <= 50 else "severe"
        side: dict[str | None, Laterality] = {"左": "left", "右": "right"}
        found.append(Collapse(match.end("said"), side.get(match["side"]), severity))
    return found


def _percent(match: re.Match[str]) -> float:
    """Return the share of a lung in percent: the middle of a range, a little beside a limit."""
    if match["half"]:
        return 50.0
    if match["bottom_word"]:
        return 100 * _NUMBERS[match["top_word"]] / _NUMBERS[match["bottom_word"]]
    if match["bottom"]:
        return 100 * int(match["top"]) / max(int(match["bottom"]), 1)
    percent = (int(match["low"]) + int(match["high"] or match["low"])) / 2
    beyond = bool(match["above"] or _ABOVE.search(match["said"])) - bool(_BELOW.search(match["said"]))
    return percent + beyond


def reach(clause: Clause, mention: Mention) -> tuple[int, int]:
    """Return [start, end) of the words of a clause that may speak of a mention."""
    before, after = clause.neighbours(mention)
    return before, _own_end(clause, mention, after)


def _own_end(clause: Clause, mention: Mention, after: int) -> int:
    """Return where the words behind a mention begin to speak of the next one, as after 伴 or 及."""
    joint = _JOINS.search(clause.text, mention.end, after)
    return joint.start() if joint and after < len(clause.text) else after


def stated(clause: Clause, attribute: str) -> tuple[tuple[int, int, str], ...]:
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


def sides(clause: Clause, start: int, end: int) -> list[Side]:
    """Return the sides named in [start, end), in order; not the left of 左右 again, and not that of 以左侧为著."""
    taken = {place for first, stop, _ in stated(clause, "dominant") for place in range(first, stop)}
    found: list[Side] = []
    for first, stop, value in stated(clause, "laterality"):
        if start <= first < end and first not in taken:
            taken.update(range(first, stop))
            found.append(Side(first, cast("Laterality", value)))
    return sorted(found)


def _combine(named: list[Side]) -> Laterality | None:
    values = {side.value for side in named}
    return "bilateral" if len(values) > 1 else next(iter(values), None)


def last(clause: Clause, attribute: str, start: int, end: int) -> str | None:
    """Return the value whose expression ends last inside [start, end); a longer one beats one it contains."""
    inside = [
        (stop, stop - first, value)
        for first, stop, value in stated(clause, attribute)
        if start <= first and stop <= end
    ]
    return max(inside)[2] if inside else None
