"""Findings that a report states and denies in the same words: 左侧气胸 … 未见气胸."""

import re
from collections import defaultdict
from collections.abc import Iterable

from xray.text.normalize import normalize
from xray.types import Finding, Laterality

_ONLY_SOME = re.compile("[余他它新再急活]|大量|大片|复发|陈旧|其中")
"""Words ahead of a denied finding that leave room for one: 余肋骨未见骨折, 未见大量积液."""
_AHEAD = 12
_SENTENCE_END = re.compile("[。;；!！\n]")
_Place = tuple[Laterality | None, tuple[str, ...]]


def denied_in_words(text: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the present findings of `text` that it denies at the same place, in the same or in more general words.

    No contradiction is what is old or gone, what is denied of the rest (余), and what is denied as new or large only.
    """
    known = tuple(findings)
    denials: dict[str, set[tuple[str, _Place]]] = defaultdict(set)
    for one in known:
        if one.assertion == "absent" and one.change != "resolved" and not _ONLY_SOME.search(_ahead(text, one)):
            denials[one.concept].add((_words(text, one), (one.laterality, one.zones)))
    return tuple(
        one
        for one in known
        if one.assertion == "present"
        and one.change != "old"
        and any(words in _words(text, one) and _meets(one, place) for words, place in denials[one.concept])
    )


def _words(text: str, finding: Finding) -> str:
    return normalize(text[slice(*finding.span)])


def _meets(one: Finding, place: _Place) -> bool:
    side, zones = place
    apart = one.zones and zones and not set(one.zones) & set(zones)
    return not apart and (side in (None, "bilateral", one.laterality) or one.laterality in (None, "bilateral"))


def _ahead(text: str, finding: Finding) -> str:
    """Return what stands before a finding in its sentence, as far as it may speak of it."""
    start = finding.span[0]
    return _SENTENCE_END.split(text[max(0, start - _AHEAD) : start])[-1]
