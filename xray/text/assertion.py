"""Is a mentioned finding present, absent or uncertain? Cue words and their reach, after NegEx and CheXpert.

Chapman et al. 2001 (NegEx: cue words with a reach ended by certain words), Irvin et al. 2019 (CheXpert: hedged
negation first, then negation, then hedging). The reach of a cue is its clause; over a comma it goes on only into a
clause that opens with 或, 如, 包括 ... or is nothing but a list of findings.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xray.text.lexicon import CueKind, Lexicon
from xray.text.lexicon.anchors import may_match
from xray.text.mentions import Clause, Mention
from xray.types import Assertion

_EXCEPTION = re.compile(r"(?<![不能可以排])除(?!外|了?颤)[^。;]{1,30}?(?:以外|之外|外)(?!侧|带|周|伤|科|缘|形|院|高)")
_BETWEEN_ITEMS = re.compile(r"(?:影|的|征)*[、和及或与][^,。;见]{0,6}")
_FORWARD: frozenset[CueKind] = frozenset({"hedge", "hedge_after"})
_BACKWARD: frozenset[CueKind] = frozenset({"hedge", "hedge_before", "negation_before", "negation_both", "resolved"})
_COURSES: frozenset[CueKind] = frozenset({"course", "unchanged"})
_DENIALS: frozenset[CueKind] = frozenset({"negation", "negation_both"})
_REACH_BACK = 12
"""Characters between a finding and a word behind it that still speaks of it."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One cue word in a clause."""

    kind: CueKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the words around a mention say of it; `resolved` means it was there before."""

    assertion: Assertion
    resolved: bool = False


def find_cues(clause: Clause) -> list[Cue]:
    """Return the cue words of a clause from left to right, none overlapping; earlier kinds of the lexicon win."""
    taken = [False] * len(clause.text)
    cues: list[Cue] = []
    characters = frozenset(clause.text)
    for kind, pattern in clause.lexicon.cues:
        if not may_match(pattern, characters):
            continue
        for match in pattern.finditer(clause.text):
            start, end = match.span()
            if end > start and not any(taken[start:end]) and not (kind in _COURSES and _named(clause, match)):
                taken[start:end] = [True] * (end - start)
                cues.append(Cue(kind, start, end))
    cues = [cue for cue in cues if cue.kind != "end" or not _absorbed(cue, cues, clause.text, clause.lexicon)]
    return sorted(cues, key=lambda cue: cue.start)


def _named(clause: Clause, course: re.Match[str]) -> bool:
    """Whether the words of a course belong to the name of a finding: 增大不明显 denies 心影增大, but not a 结节."""
    start, end = course.span(course.lastindex or 0)
    return any(mention.start < end and start < mention.end for mention in clause.mentions)


def _absorbed(cue: Cue, cues: Sequence[Cue], clause: str, lexicon: Lexicon) -> bool:
    """Whether an ending word only governs, as 可见 does in 未见明显可见的骨折."""
    for other in cues:
        if other.kind in {"negation", "hedge", "hedge_after"} and other.end <= cue.start:
            passed = lexicon.absorbed.match(clause, other.end)
            if passed and passed.end() >= cue.end:
                return True
    return False


def exception_spans(sentence: str) -> list[tuple[int, int]]:
    """Return the [start, end) of 除…外: what stands inside is affirmed whatever follows."""
    return [match.span() for match in _EXCEPTION.finditer(sentence)]


def judge(clause: Clause, mention: Mention, *, cues: Sequence[Cue], carried: Assertion | None) -> Verdict:
    """Decide on one mention of a clause. `carried` is the assertion that reaches in from the clause before."""
    if mention.kind == "absent":
        return Verdict("absent")
    behind = _kinds_behind(clause, mention, cues)
    if "resolved" in behind:
        return Verdict("absent", resolved=True)
    ahead = _governing(mention, cues, carried)
    if ahead == "absent" or not behind.isdisjoint({"negation_before", "negation_both"}):
        return Verdict("absent")
    if ahead == "uncertain" or behind or mention.kind == "uncertain":
        return Verdict("uncertain")
    return Verdict("present")


def carries_over(clause: Clause, *, cues: Sequence[Cue], carried: Assertion | None) -> Assertion | None:
    """Return the assertion that would reach from a clause into a list that goes on in the next one."""
    for cue in reversed(cues):
        if cue.kind in _DENIALS:
            return "absent"
        if cue.kind in _FORWARD and any(mention.start >= cue.end for mention in clause.mentions):
            return "uncertain"
        if cue.kind == "end":
            return None
    return carried if clause.mentions else None


def continues_list(clause: Clause, *, after_mention: bool) -> bool:
    """Whether a clause goes on with the list of the clause before.

    It does when it opens with 或, 如, 包括 ...; and, when the clause before named findings, if it is nothing but names
    that are no sentences of their own.
    """
    if not clause.mentions:
        return False
    if clause.lexicon.continues.match(clause.text):
        return True
    named = (clause.text[mention.start : mention.end] for mention in clause.mentions)
    if not after_mention or any(clause.lexicon.predicate.search(name) for name in named):
        return False
    rest = clause.text
    for mention in reversed(clause.mentions):
        rest = rest[: mention.start] + rest[mention.end :]
    return not clause.lexicon.filler.sub("", rest)


def _governing(mention: Mention, cues: Sequence[Cue], carried: Assertion | None) -> Assertion | None:
    """Return what the words ahead of a mention say: a negation beats a hedge, an ending word ends both."""
    found = carried
    for cue in cues:
        if cue.end > mention.end:
            break
        if cue.kind == "end" and cue.start < mention.start:
            found = None
        elif cue.kind in _DENIALS:
            found = "absent"
        elif cue.kind in _FORWARD and found is None:
            found = "uncertain"
    return found


def _kinds_behind(clause: Clause, mention: Mention, cues: Sequence[Cue]) -> set[CueKind]:
    """Return the kinds of the cues after a mention that speak of it, or of the list it belongs to."""
    listed = _list_end(clause, mention)
    kinds: set[CueKind] = set()
    for cue in cues:
        if cue.kind == "end" and cue.start >= listed:
            break
        if cue.kind in _BACKWARD and listed <= cue.start <= listed + _REACH_BACK:
            alone = not clause.text[cue.end :].strip("。;!?,) ")
            if cue.kind != "hedge" or alone:
                kinds.add(cue.kind)
    return kinds


def _list_end(clause: Clause, mention: Mention) -> int:
    """Return the end of the enumeration a mention belongs to: a word after the list speaks of all its members."""
    end = mention.end
    for other in clause.mentions:
        if other.start >= end and _BETWEEN_ITEMS.fullmatch(clause.text, end, other.start):
            end = other.end
    return end
