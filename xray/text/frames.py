"""Text to findings: what a report states, where, how sure, how large, with the words that say so."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from xray.text import attributes
from xray.text.assertion import Cue, Verdict, carries_over, continues_list, exception_spans, find_cues, judge
from xray.text.lexicon import Lexicon, Profile, load
from xray.text.mentions import Clause, Mention, find_mentions
from xray.text.normalize import align
from xray.text.sections import locate_sections
from xray.types import Assertion, Change, Finding, Laterality, Severity

__all__ = ["Profile", "find"]

_ITEM = r"(?<=[\u4e00-\u9fff,)])(?<![第约为至到前后])\d{1,2}[、.](?!\d)"
_SPAN = rf"(?:[^。;!\n\d]|(?!{_ITEM})\d){{1,3000}}"
_SENTENCE = re.compile(rf"(?:\d{{1,2}}[、.])?(?:{_SPAN}(?:[。;!\n]|$|(?=\d)|(?<=,))|{_SPAN})")
"""Up to a full stop, or to the number of the next item of a list.

What is longer than any sentence ends at a comma: the sizes and findings of a sentence are compared each with each.
"""
_ANSWER = r":(?=\(?(?:无|未见|没有|有|否|阴性|阳性|[-—–−+±]+)\)?(?:[,。;!\n]|$))"
_CLAUSE = re.compile(rf"(?:[^,:?]|(?<=\d)[,:](?=\d)|{_ANSWER}){{1,300}}[,:?]*|[,:?]+")
"""Up to a comma, or a colon unless an answer follows it, as in 气胸:无.

No radiologist writes 300 characters without one; a model that repeats itself does.
"""
_STOP = re.compile("[,:?]")


@dataclass(slots=True)
class _Draft:
    """A finding under construction; positions count from the start of its sentence."""

    mention: Mention
    offset: int
    clause: Clause
    verdict: Verdict
    laterality: Laterality | None
    change: Change | None
    zones: tuple[str, ...]
    severity: Severity | None
    misplaced: bool
    size_mm: float | None = None

    @property
    def words(self) -> str:
        return self.clause.text[self.mention.start : self.mention.end]

    @property
    def start(self) -> int:
        return self.offset + self.mention.start

    @property
    def end(self) -> int:
        return self.offset + self.mention.end


@dataclass(slots=True)
class _Context:
    """What earlier clauses of a sentence say to later ones.

    exceptions: [start, end) of 除…外. carried: the assertion that reaches on. listing: the clause before named
    findings. side, zones: the place named last. compared: an earlier film
    was named. advice: [start, end) of what asks for something. parts: of the devices that were named.
    """

    exceptions: list[tuple[int, int]]
    advice: list[tuple[int, int]]
    parts: dict[str, re.Pattern[str]] = field(default_factory=dict)
    carried: Assertion | None = None
    listing: bool = False
    side: Laterality | None = None
    zones: tuple[str, ...] = ()
    compared: bool = False


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
            for sentence in _SENTENCE.finditer(aligned.text):
                for draft in _read_sentence(sentence.group(), profile):
                    start, end = aligned.original_span(sentence.start() + draft.start, sentence.start() + draft.end)
                    found.extend(_finish(draft, (section.start + start, section.start + end)))
    return tuple(found)


@lru_cache(maxsize=4096)
def _read_sentence(sentence: str, profile: Profile) -> tuple[_Draft, ...]:
    """Return what a sentence states. Sentences return in a corpus, and in a text that repeats itself: they are kept."""
    lexicon = load(profile)
    drafts: list[_Draft] = []
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
    _attach_sizes(sentence, drafts, lexicon=lexicon)
    return tuple(drafts)


@lru_cache(maxsize=4096)
def _parse(text: str, profile: Profile) -> tuple[Clause, tuple[Cue, ...]]:
    """Return a clause with its mentions, and its cue words. Many clauses return in a corpus: a parse is kept."""
    lexicon = load(profile)
    clause = Clause(text, tuple(find_mentions(text, lexicon=lexicon)), lexicon)
    return clause, tuple(find_cues(clause))


def _stating(clause: Clause, offset: int, context: _Context) -> Clause:
    """Return a clause without the mentions that state nothing: inside advice, or a part of a device named before."""
    kept: list[Mention] = []
    for mention in clause.mentions:
        advised = any(start <= offset + mention.start < end for start, end in context.advice)
        part = any(p.fullmatch(clause.text, mention.start, mention.end) for p in context.parts.values())
        if not advised and not part:
            kept.append(mention)
            if mention.concept in clause.lexicon.parts:
                context.parts[mention.concept] = clause.lexicon.parts[mention.concept]
    return replace(clause, mentions=tuple(kept))


def _settle(earlier: Sequence[_Draft], later: Sequence[_Draft]) -> None:
    """Take back what a sentence stated before it says that it is gone: 左侧气胸,引流后气胸消失."""
    for gone in later:
        if gone.verdict.resolved:
            for draft in earlier:
                same = draft.mention.concept == gone.mention.concept and draft.words.endswith(gone.words)
                if same and gone.laterality in (None, draft.laterality) and draft.verdict.assertion == "present":
                    draft.verdict, draft.change = gone.verdict, "resolved"


def _read_clause(clause: Clause, offset: int, context: _Context, *, cues: Sequence[Cue]) -> list[_Draft]:
    """Read one clause, and leave in `context` what reaches into the next."""
    carried = context.carried if continues_list(clause, after_mention=context.listing) else None
    context.compared = context.compared or bool(clause.lexicon.comparison.search(clause.text))
    drafts: list[_Draft] = []
    for mention in clause.mentions:
        verdict = judge(clause, mention, cues=cues, carried=carried)
        if any(start <= offset + mention.start < end for start, end in context.exceptions):
            verdict = Verdict("present")
        drafts.append(_draft(clause, mention, verdict, offset=offset, cues=cues, context=context))
    if not drafts or any(draft.verdict.assertion != "absent" for draft in drafts):
        context.side = attributes.last_side(clause) or context.side
        context.zones = attributes.zones(clause) or context.zones
    context.carried = carries_over(clause, cues=cues, carried=carried)
    context.listing = any(mention.kind != "absent" for mention in clause.mentions)
    return drafts


def _draft(
    clause: Clause, mention: Mention, verdict: Verdict, *, offset: int, cues: Sequence[Cue], context: _Context
) -> _Draft:
    concept = clause.lexicon.concepts[mention.concept]
    stated = verdict.assertion != "absent"
    change: Change | None = "resolved" if verdict.resolved else None
    if stated:
        unchanged = any(cue.kind == "unchanged" and cue.end <= mention.start for cue in cues)
        change = "stable" if unchanged else attributes.change(clause, mention)
        if change is None and context.compared:
            change = attributes.compared(clause, mention)
    side = attributes.laterality(clause, mention) if concept.sided else None
    zones = attributes.zones(clause, mention) if concept.zoned else ()
    if concept.zoned and not zones and not side and attributes.concludes(clause):
        zones = context.zones
    return _Draft(
        mention=mention,
        offset=offset,
        clause=clause,
        verdict=verdict,
        laterality=(side or attributes.inherited(clause, context.side)) if concept.sided else None,
        change=change,
        zones=zones,
        severity=attributes.severity(clause, mention) if stated else None,
        misplaced=stated and attributes.misplaced(clause, mention.concept, mention.end, denials=_denials(cues)),
    )


def _denials(cues: Sequence[Cue]) -> list[int]:
    return [cue.start for cue in cues if cue.kind in {"negation", "course"}]


def _read_on(clause: Clause, drafts: list[_Draft], *, cues: Sequence[Cue]) -> None:
    """Read what a clause without a finding says of the one before it: course, place, amount, or that it is gone."""
    last = drafts[-1]
    concept = clause.lexicon.concepts[last.mention.concept]
    last.change = last.change or attributes.change(clause)
    last.severity = last.severity or attributes.severity(clause)
    if concept.sided and clause.lexicon.position.match(clause.text):
        last.laterality = last.laterality or attributes.side(clause)
        last.zones = last.zones or (attributes.zones(clause) if concept.zoned else ())
    if clause.lexicon.gone.match(clause.text):
        for draft in drafts:
            if draft.offset == last.offset and draft.verdict.assertion != "absent":
                draft.verdict, draft.change = Verdict("absent", resolved=True), "resolved"
    if attributes.misplaced(clause, last.mention.concept, 0, denials=_denials(cues)):
        last.misplaced = True


def _attach_sizes(sentence: str, drafts: list[_Draft], *, lexicon: Lexicon) -> None:
    """Give each size to the measurable finding it stands directly before, else to the last one before it."""
    measured = [d for d in drafts if lexicon.concepts[d.mention.concept].measured and d.verdict.assertion != "absent"]
    for start, end, millimetres in attributes.sizes(sentence):
        ahead = [d for d in measured if 0 <= d.start - end <= 4 and not _STOP.search(sentence, end, d.start)]
        behind = [d for d in measured if d.end <= start]
        owner = ahead[0] if ahead else behind[-1] if behind else None
        if owner is not None and owner.size_mm is None:
            owner.size_mm = millimetres


def _finish(draft: _Draft, span: tuple[int, int]) -> Iterator[Finding]:
    """Turn a draft into its findings: one, or one per joined concept (液气胸 is air and fluid)."""
    concept = draft.clause.lexicon.concepts[draft.mention.concept]
    stated = draft.verdict.assertion != "absent"
    for name in concept.joins or (draft.mention.concept,):
        yield Finding(
            concept=name,
            assertion=draft.verdict.assertion,
            span=span,
            laterality=draft.laterality,
            zones=draft.zones,
            severity=draft.severity if stated else None,
            size_mm=draft.size_mm,
            change=draft.change if stated or draft.verdict.resolved else None,
            misplaced=draft.misplaced and stated,
        )
