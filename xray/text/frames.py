"""Text to findings: what a report states, where, how sure, how large, with the words that say so."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from xray.text import attributes, places
from xray.text.assertion import Cue, Verdict, carries_over, continues_list, exception_spans, find_cues, judge
from xray.text.drafts import Draft, at_side, attach_collapses, attach_sizes, divided, finish, same_mention
from xray.text.lexicon import Profile, load
from xray.text.mentions import Clause, Mention, find_mentions
from xray.text.normalize import align
from xray.text.sections import locate_sections
from xray.types import Assertion, Change, Finding, Laterality

__all__ = ["Profile", "find"]

_ITEM = r"(?<=[\u4e00-\u9fff,)])(?<![第约为至到前后])\d{1,2}[、.](?!\d)"
_SPAN = rf"(?:[^。;!\n\d]|(?!{_ITEM})\d){{1,3000}}"
_SENTENCE = re.compile(rf"(?:\d{{1,2}}[、.])?(?:{_SPAN}(?:[。;!\n]|$|(?=\d)|(?<=,))|{_SPAN})")
"""Up to a full stop, or to the number of the next item of a list.

What is longer than any sentence ends at a comma: the sizes and findings of a sentence are compared each with each.
"""
_SAME = re.compile("[原现]?病[灶变]")
_ANSWER = r":(?=\(?(?:无|未见|没有|有|否|阴性|阳性|[-—–−+±]+)\)?(?:[,。;!\n]|$))"
_ONE_LIST = (
    "(?:(?<=[左右]侧[少中大微]量)|(?<=[左右]侧中等量)|(?<=[左右]侧[轻中重]度)),"
    r"(?=[左右]侧(?:[少中大微]量|中等量|[轻中重]度)[^,。;!?\n]{0,6}(?:[积胸]液|胸水|气胸|积气))"
)
_CLAUSE = re.compile(rf"(?:[^,:?]|(?<=\d)[,:](?=\d)|{_ANSWER}|{_ONE_LIST}){{1,300}}[,:?]*|[,:?]+")
"""Up to a comma, or a colon unless an answer follows it, as in 气胸:无; the comma of 左侧少量,右侧中量积液 ends none.

No radiologist writes 300 characters without one; a model that repeats itself does.
"""


@dataclass(slots=True)
class _Context:
    """What earlier clauses of a sentence say to later ones.

    exceptions: [start, end) of 除…外. carried: the assertion that reaches on. listing: the clause before named
    findings. side, zones: the place named last; parts: where it is another one on each side. compared: an earlier film
    was named. named: a finding was. advice: [start, end) of what asks for something. devices: the parts of those that
    were named.
    """

    exceptions: list[tuple[int, int]]
    advice: list[tuple[int, int]]
    devices: dict[str, re.Pattern[str]] = field(default_factory=dict)
    carried: Assertion | None = None
    listing: bool = False
    side: Laterality | None = None
    zones: tuple[str, ...] = ()
    parts: tuple[places.Part, ...] = ()
    compared: bool = False
    named: bool = False


def find(text: str, *, profile: Profile = "standard") -> tuple[Finding, ...]:
    """Return the findings a report states, in the order of the text.

    Present, absent and uncertain ones are returned, normal statements such as 心影不大 as absent; what the sections
    for indication and comparison say is not. `span` is the [start, end) of the stating words in `text` as given.
    `profile` chooses the lexicon: `standard` for native reports, `mt` for machine-translated ones.
    """
    found: list[Finding] = []
    for section in locate_sections(text):
        if section.name in {"findings", "impression"}:
            aligned = align(text[section.start : section.end])
            drafts: list[Draft] = []
            for sentence in _SENTENCE.finditer(aligned.text):
                read = _read_sentence(sentence.group(), profile)
                named = [draft for draft in read if not ((found or drafts) and _is_same(draft.clause, draft.mention))]
                drafts += [replace(draft, offset=sentence.start() + draft.offset) for draft in named]
            attach_collapses(aligned.text, drafts)
            for draft in sorted(drafts, key=lambda draft: draft.start):
                start, end = aligned.original_span(draft.start, draft.end)
                found.extend(finish(draft, (section.start + start, section.start + end)))
    return tuple(found)


@lru_cache(maxsize=4096)
def _read_sentence(sentence: str, profile: Profile) -> tuple[Draft, ...]:
    """Return what a sentence states. Sentences return in a corpus, and in a text that repeats itself: they are kept."""
    lexicon = load(profile)
    drafts: list[Draft] = []
    advice = [match.span() for match in lexicon.advice.finditer(sentence)]
    context = _Context(exceptions=exception_spans(sentence), advice=advice)
    for part in _CLAUSE.finditer(sentence):
        clause, cues = _parse(part.group(), profile)
        clause = _stating(clause, part.start(), context)
        if drafts and not clause.mentions:
            _read_on(clause, drafts, cues=cues)
        read = _read_clause(clause, part.start(), context, cues=cues)
        _settle(drafts, read)
        drafts += read
    attach_sizes(sentence, drafts, lexicon=lexicon)
    return tuple(drafts)


@lru_cache(maxsize=4096)
def _parse(text: str, profile: Profile) -> tuple[Clause, tuple[Cue, ...]]:
    """Return a clause with its mentions, and its cue words. Many clauses return in a corpus: a parse is kept."""
    lexicon = load(profile)
    clause = Clause(text, tuple(find_mentions(text, lexicon=lexicon)), lexicon)
    return clause, tuple(find_cues(clause))


def _stating(clause: Clause, offset: int, context: _Context) -> Clause:
    """Return a clause without what states nothing new: advice, parts of a device named before, 病灶 after a finding."""
    kept: list[Mention] = []
    for mention in clause.mentions:
        advised = any(start <= offset + mention.start < end for start, end in context.advice)
        part = any(p.fullmatch(clause.text, mention.start, mention.end) for p in context.devices.values())
        again = context.named and _is_same(clause, mention)
        if not advised and not part and not again:
            context.named = True
            kept.append(mention)
            if mention.concept in clause.lexicon.parts:
                context.devices[mention.concept] = clause.lexicon.parts[mention.concept]
    return replace(clause, mentions=tuple(kept))


def _is_same(clause: Clause, mention: Mention) -> bool:
    """Whether a clause opens with a word for what was named before, as 病灶吸收 does."""
    return mention.start == 0 and _SAME.fullmatch(clause.text, 0, mention.end) is not None


def _settle(earlier: Sequence[Draft], later: Sequence[Draft]) -> None:
    """Take back what a sentence stated before it says that it is gone: 左侧气胸,引流后气胸消失."""
    for gone in later:
        if gone.verdict.resolved:
            for draft in earlier:
                same = draft.mention.concept == gone.mention.concept and draft.words.endswith(gone.words)
                if same and gone.laterality in (None, draft.laterality) and draft.verdict.assertion == "present":
                    draft.verdict, draft.change = gone.verdict, "resolved"


def _read_clause(clause: Clause, offset: int, context: _Context, *, cues: Sequence[Cue]) -> list[Draft]:
    """Read one clause, and leave in `context` what reaches into the next."""
    carried = context.carried if continues_list(clause, after_mention=context.listing) else None
    context.compared = context.compared or bool(clause.lexicon.comparison.search(clause.text))
    drafts: list[Draft] = []
    for mention in clause.mentions:
        verdict = judge(clause, mention, cues=cues, carried=carried)
        if any(start <= offset + mention.start < end for start, end in context.exceptions):
            verdict = Verdict("present")
        draft = _draft(clause, mention, verdict, offset=offset, cues=cues, context=context)
        drafts += divided(draft, _parts(clause, mention, draft, context=context))
    if not drafts or any(draft.verdict.assertion != "absent" for draft in drafts):
        side = None if places.degrees(clause) else attributes.last_side(clause)
        context.parts = places.parts(clause) or (() if side else context.parts)
        context.side = side or context.side
        context.zones = attributes.zones(clause) or (() if side else context.zones)
    context.carried = carries_over(clause, cues=cues, carried=carried)
    context.listing = any(mention.kind != "absent" for mention in clause.mentions)
    return drafts


def _draft(
    clause: Clause, mention: Mention, verdict: Verdict, *, offset: int, cues: Sequence[Cue], context: _Context
) -> Draft:
    concept = clause.lexicon.concepts[mention.concept]
    stated = verdict.assertion != "absent"
    change: Change | None = "resolved" if verdict.resolved else None
    if stated:
        unchanged = any(cue.kind == "unchanged" and cue.end <= mention.start for cue in cues)
        change = "stable" if unchanged else attributes.change(clause, mention)
        if change is None and context.compared:
            change = attributes.compared(clause, mention)
    side = attributes.laterality(clause, mention) if concept.sided else None
    zones = attributes.zones(clause, mention) if concept.places else ()
    if concept.places == "zones" and not zones and not side and attributes.concludes(clause):
        zones = context.zones
    if concept.sided:
        side = side or attributes.inherited(clause, context.side)
    elif concept.directed:
        side = places.direction(clause, mention, context.side)
    dominant = places.dominant(clause, mention) if concept.sided and side in (None, "bilateral") else None
    return Draft(
        mention=mention,
        offset=offset,
        clause=clause,
        verdict=verdict,
        laterality="bilateral" if dominant else side,
        change=change,
        zones=zones,
        severity=attributes.severity(clause, mention) if stated else None,
        misplaced=stated and attributes.misplaced(clause, mention.concept, mention.end, denials=_denials(cues)),
        dominant=dominant,
    )


def _parts(clause: Clause, mention: Mention, draft: Draft, *, context: _Context) -> tuple[places.Part, ...]:
    """Return what a list says of each side of a finding; a conclusion without a place has those of its signs."""
    kind = clause.lexicon.concepts[mention.concept].places
    if draft.verdict.assertion == "absent" or kind is None:
        return ()
    if kind == "zones" and attributes.concludes(clause) and not attributes.last_side(clause):
        return tuple(replace(part, severity=None) for part in context.parts)
    return places.parts(clause, mention)


def _denials(cues: Sequence[Cue]) -> list[int]:
    return [cue.start for cue in cues if cue.kind in {"negation", "course"}]


def _read_on(clause: Clause, drafts: list[Draft], *, cues: Sequence[Cue]) -> None:
    """Read what a clause without a finding says of the one before it: course, place, amount, or that it is gone."""
    last = drafts[-1]
    concept = clause.lexicon.concepts[last.mention.concept]
    if concept.sided and last.verdict.assertion != "absent":
        _read_sides(clause, drafts, last)
    side = attributes.side(clause) if concept.sided else None
    for draft in same_mention(drafts, last):
        if side in (None, "bilateral", draft.laterality) or draft.laterality in (None, "bilateral"):
            draft.change = draft.change or attributes.change(clause)
            draft.severity = draft.severity or attributes.severity(clause)
    if concept.sided and clause.lexicon.position.match(clause.text):
        last.laterality = last.laterality or attributes.side(clause)
        last.zones = last.zones or (attributes.zones(clause) if concept.places == "zones" else ())
    if clause.lexicon.gone.match(clause.text):
        for draft in drafts:
            if draft.offset == last.offset and draft.verdict.assertion != "absent":
                draft.verdict, draft.change = Verdict("absent", resolved=True), "resolved"
    if attributes.misplaced(clause, last.mention.concept, 0, denials=_denials(cues)):
        last.misplaced = True


def _read_sides(clause: Clause, drafts: list[Draft], last: Draft) -> None:
    """Read what a clause without a finding says of either side of the one before it."""
    alone = len(same_mention(drafts, last)) == 1
    dominant = places.dominant(clause)
    if dominant and last.laterality in (None, "bilateral"):
        last.laterality, last.dominant = "bilateral", dominant
    elif listed := places.degrees(clause):
        for part in listed:
            at_side(part.side, drafts, last).severity = part.severity
    elif clause.lexicon.position.match(clause.text) and (listed := places.parts(clause)):
        if alone and last.laterality in (None, "bilateral") and not last.zones:
            drafts.remove(last)
            drafts += divided(last, listed)
    elif attributes.change(clause) and last.laterality == "bilateral":
        side = attributes.side(clause)
        if side in ("left", "right"):
            at_side(side, drafts, last)
