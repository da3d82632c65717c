"""Where a clause names a concept of the lexicon."""

import re
from dataclasses import dataclass

from xray.text.lexicon import Lexicon, TermKind

_HISTORY = re.compile("(?:疾?病)?史|[^,。;]{0,3}治疗后(?:复查|随访)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One expression of the lexicon in a clause: the concept, [start, end) and what kind of expression it is."""

    concept: str
    kind: TermKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of normalised text between two commas, with its mentions from left to right."""

    text: str
    mentions: tuple[Mention, ...]
    lexicon: Lexicon

    def neighbours(self, mention: Mention) -> tuple[int, int]:
        """Return the end of the mention before and the start of the mention after; else the ends of the clause."""
        before = max((other.end for other in self.mentions if other.end <= mention.start), default=0)
        after = min((other.start for other in self.mentions if other.start >= mention.end), default=len(self.text))
        return before, after


def find_mentions(clause: str, *, lexicon: Lexicon) -> list[Mention]:
    """Return the mentions of a normalised clause from left to right. Of overlapping expressions the longest wins.

    A history, as in 肺结核病史 or 肺炎治疗后复查, is no mention.
    """
    numbers = {number for character in {"", *clause} for number in lexicon.anchored.get(character, ())}
    candidates = [
        Mention(concept=name, kind=kind, start=match.start(), end=match.end())
        for name, kind, pattern in (lexicon.terms[number] for number in sorted(numbers))
        for match in pattern.finditer(clause)
        if match.end() > match.start()
    ]
    candidates.sort(key=lambda mention: (mention.start - mention.end, mention.start))
    taken = [False] * len(clause)
    chosen: list[Mention] = []
    for mention in candidates:
        if not any(taken[mention.start : mention.end]):
            taken[mention.start : mention.end] = [True] * (mention.end - mention.start)
            chosen.append(mention)
    stated = (mention for mention in chosen if not _HISTORY.match(clause, mention.end))
    return sorted(stated, key=lambda mention: mention.start)
