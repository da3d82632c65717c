"""One error planted into a copy of a report, of a kind that a careful reader has to notice."""

import random
import re
from collections.abc import Callable, Sequence

from xray.text.frames import find
from xray.text.lexicon import Profile
from xray.types import Finding

_Planter = Callable[[str, Sequence[Finding], Profile, random.Random], str | None]
_SENTENCE = re.compile(r"[^。!！?？;；\n]*[。!！?？;；\n]?")
_CLAUSE_END = re.compile(r"[，,。;；:：!！?？\n]")
_DEGREES = {
    "轻度": "重度",
    "轻微": "严重",
    "少量": "大量",
    "微量": "大量",
    "小量": "大量",
    "中度": "轻度",
    "中等量": "少量",
}
_DEGREES |= {"重度": "轻度", "严重": "轻微", "大量": "少量"}
_NEGATIONS = ("没有发现", "没有看到", "没有观察到", "未见明显", "未见", "没有", "未发现")
_ADDED = {
    "pneumothorax": "右侧气胸。",
    "pleural_effusion": "左侧胸腔积液。",
    "fracture": "右侧第6肋骨骨折。",
    "nodule": "左肺上叶见一结节。",
    "cardiomegaly": "心影增大。",
    "hernia": "食管裂孔疝。",
}


def _side(text: str, findings: Sequence[Finding], profile: Profile, rng: random.Random) -> str | None:
    """Exchange left and right in the clause of a finding."""
    places = [
        start + match.start()
        for finding in findings
        if finding.assertion != "absent" and finding.laterality in ("left", "right")
        for start, clause in [_clause(text, finding)]
        for match in re.finditer("[左右]", clause)
        if not re.match("左右|右左|[左右](?:心|移)", clause[match.start() :])
    ]
    if not places:
        return None
    place = rng.choice(places)
    return text[:place] + {"左": "右", "右": "左"}[text[place]] + text[place + 1 :]


def _degree(text: str, findings: Sequence[Finding], profile: Profile, rng: random.Random) -> str | None:
    """Exchange the degree of a finding that has one."""
    changes = [
        (start + match.start(), match.group())
        for finding in findings
        if finding.assertion != "absent" and finding.severity is not None
        for start, clause in [_clause(text, finding)]
        for match in re.finditer("|".join(_DEGREES), clause)
    ]
    if not changes:
        return None
    place, word = rng.choice(changes)
    return text[:place] + _DEGREES[word] + text[place + len(word) :]


def _negation(text: str, findings: Sequence[Finding], profile: Profile, rng: random.Random) -> str | None:
    """State what a report denies: its negation becomes 可见."""
    stated = {finding.concept for finding in findings if finding.assertion != "absent"}
    places = []
    for finding in findings:
        if finding.assertion == "absent" and finding.concept not in stated:
            start, clause = _clause(text, finding)
            ahead = clause[: finding.span[0] - start]
            word = next((word for word in _NEGATIONS if word in ahead), None)
            if word is not None:
                places.append((start + ahead.index(word), word))
    if not places:
        return None
    place, word = rng.choice(places)
    return text[:place] + "可见" + text[place + len(word) :]


def _dropped(text: str, findings: Sequence[Finding], profile: Profile, rng: random.Random) -> str | None:
    """Leave out a sentence that states a finding which no other sentence states."""
    choices = []
    for match in _SENTENCE.finditer(text):
        rest = text[: match.start()] + text[match.end() :]
        inside = {
            finding.concept
            for finding in findings
            if finding.assertion != "absent" and match.start() <= finding.span[0] < match.end()
        }
        if inside - {one.concept for one in find(rest, profile=profile) if one.assertion != "absent"}:
            choices.append(rest)
    return rng.choice(choices) if choices else None


def _added(text: str, findings: Sequence[Finding], profile: Profile, rng: random.Random) -> str | None:
    """Add a finding that the report does not have."""
    stated = {finding.concept for finding in findings if finding.assertion != "absent"}
    choices = [sentence for concept, sentence in _ADDED.items() if concept not in stated]
    return text + rng.choice(choices) if choices else None


def _clause(text: str, finding: Finding) -> tuple[int, str]:
    """Return where the clause of a finding starts, and the clause."""
    start = max((match.end() for match in _CLAUSE_END.finditer(text, 0, finding.span[0])), default=0)
    end = _CLAUSE_END.search(text, finding.span[1])
    return start, text[start : end.start() if end else len(text)]


_PLANTERS: dict[str, _Planter] = {
    "side": _side,
    "degree": _degree,
    "negation": _negation,
    "dropped": _dropped,
    "added": _added,
}
PLANTED: tuple[str, ...] = tuple(_PLANTERS)
"""The kinds of error, the gravest for a reader to miss first."""


def plant(text: str, *, kind: str, rng: random.Random, profile: Profile = "standard") -> str | None:
    """Return a copy of a Chinese report with one error of a kind of `PLANTED`, None where it offers no place for one.

    Planted is only where it changes what is said: a side or a degree in a clause that states a finding, a negation in
    front of one, a sentence whose finding no other sentence states, and a finding that the report does not have.
    """
    return _PLANTERS[kind](text, find(text, profile=profile), profile, rng)
