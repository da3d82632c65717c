"""Is a mentioned finding present, absent or uncertain? Cue words and their reach, after NegEx and CheXpert.

Chapman et al. 2001 (NegEx: cue words with a reach ended by certain words), Irvin et al. 2019 (CheXpert: hedged
negation first, then negation, then hedging). The reach of a cue is its clause; over a comma it goes on only into a
clause that opens with 或, 如, 包括 ... or is nothing but a list of findings.
"""

import re
from dataclasses import dataclass

from xray.text.lexicon import CueKind, Lexicon
from xray.text.mentions import Mention
from xray.types import Assertion

_EXCEPTION = re.compile(r"(?<![不能可以排])除(?!外|了?颤)[^。;]{1,30}?(?:以外|之外|外)(?!侧|带|周|伤|科|缘|形|院|高)")
_CONTINUES = re.compile(r"^(?:以?及|或者?|和|与|也|例?如|包括|诸如|比如|并(?=[无未没]))")
_FILLER = re.compile(
    r"(?:明显|明确|急性|活动性|局灶性|任何|其他|的|等|、|和|或者?|以?及|与|征象?|迹象|证据|影|大量|大的|大|也|都|均|[。;!?\s])+"
)


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


def find_cues(clause: str, *, lexicon: Lexicon) -> list[Cue]:
    """Return the cue words of a clause from left to right, none overlapping; earlier kinds of the lexicon win."""
    taken = [False] * len(clause)
    cues: list[Cue] = []
    for kind, pattern in lexicon.cues:
        for match in pattern.finditer(clause):
            if match.end() > match.start() and not any(taken[match.start() : match.end()]):
                taken[match.start() : match.end()] = [True] * (match.end() - match.start())
                cues.append(Cue(kind, match.start(), match.end()))
    return sorted(cues, key=lambda cue: cue.start)


def exception_spans(sentence: str) -> list[tuple[int, int]]:
    """Return the [start, end) of 除…外: what stands inside is affirmed whatever follows."""
    return [match.span() for match in _EXCEPTION.finditer(sentence)]


def judge(
    clause: str, mention: Mention, *, mentions: list[Mention], cues: list[Cue], carried: Assertion | None
) -> Verdict:
    """Decide on one mention of `clause`. `carried` is the assertion that reaches in from the clause before."""
    if mention.kind == "absent":
        return Verdict("absent")
    following = min((m.start for m in mentions if m.start >= mention.end), default=len(clause))
    listed = _list_end(clause, mention, mentions)
    resolved = any(c.kind == "resolved" and mention.end <= c.start and _reaches(listed, c.start, cues) for c in cues)
    if resolved:
        return Verdict("absent", resolved=True)
    ahead = _governing(mention, cues)
    if ahead == "negation":
        return Verdict("absent")
    if any(c.kind == "negation_before" and mention.end <= c.start and _reaches(listed, c.start, cues) for c in cues):
        return Verdict("absent")
    hedged = ahead in {"hedge", "hedge_after"} or any(
        _hedges_back(c, clause, mention, listed, following, cues) for c in cues
    )
    if hedged or mention.kind == "uncertain":
        return Verdict("uncertain")
    if ahead is None and carried is not None:
        return Verdict(carried)
    return Verdict("present")


def carries_over(
    clause: str, *, mentions: list[Mention], cues: list[Cue], before: Assertion | None
) -> Assertion | None:
    """Return the assertion that would reach from this clause into a following list."""
    for cue in reversed(cues):
        if cue.kind == "negation":
            return "absent"
        if cue.kind in {"hedge", "hedge_after"} and any(m.start >= cue.end for m in mentions):
            return "uncertain"
        if cue.kind == "end":
            return None
    return before if mentions else None


def continues_list(clause: str, *, mentions: list[Mention]) -> bool:
    """Whether a cue of the clause before reaches into this one."""
    if not mentions:
        return False
    if _CONTINUES.match(clause):
        return True
    rest = clause
    for mention in reversed(mentions):
        rest = rest[: mention.start] + rest[mention.end :]
    return not _FILLER.sub("", rest)


def _governing(mention: Mention, cues: list[Cue]) -> CueKind | None:
    """The forward cue that reaches the mention: a negation before a hedge; none beyond an ending word."""
    found: CueKind | None = None
    for cue in cues:
        if cue.start >= mention.end or (cue.end > mention.end):
            break
        if cue.kind == "end" and cue.start < mention.start:
            found = None
        elif cue.kind == "negation" or (cue.kind in {"hedge", "hedge_after"} and found is None):
            found = cue.kind
    return found


def _list_end(clause: str, mention: Mention, mentions: list[Mention]) -> int:
    """The end of the enumeration the mention belongs to: a word after the list speaks of all its members."""
    end = mention.end
    for other in mentions:
        if other.start >= end and re.fullmatch(
            r"(?:影|的|征)*[、和及或与](?:[^,。;见]{0,6})", clause[end : other.start]
        ):
            end = other.end
    return end


def _reaches(listed: int, position: int, cues: list[Cue]) -> bool:
    """Whether a backward cue at `position` still speaks of a list that ends at `listed`."""
    if position < listed:
        return False
    return not any(cue.kind == "end" and listed <= cue.start < position for cue in cues) and position - listed <= 12


def _hedges_back(cue: Cue, clause: str, mention: Mention, listed: int, following: int, cues: list[Cue]) -> bool:
    if cue.kind not in {"hedge", "hedge_before"} or cue.start < mention.end or not _reaches(listed, cue.start, cues):
        return False
    if cue.kind == "hedge_before":
        return True
    rest = clause[cue.end :].strip("。;!?) ")
    return not rest and following >= cue.start
