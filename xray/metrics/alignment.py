"""Sentences of a generated report beside those of its reference, by the findings that they share."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from xray.metrics.compare import Comparison, Match, compare_stated
from xray.metrics.differences import Aspect
from xray.metrics.stated import Stated, StatedReport, read_report
from xray.text.lexicon import Profile
from xray.text.normalize import normalize
from xray.types import Finding

SentenceKind = Literal["agree", "false", "omitted", "side", "place", "degree", "polarity"]
SENTENCE_KINDS: tuple[SentenceKind, ...] = ("agree", "false", "omitted", "side", "place", "degree", "polarity")
# Of what two sentences differ in, the one that a reviewer must not miss names the row.
_SERIOUS: tuple[SentenceKind, ...] = ("agree", "degree", "place", "omitted", "false", "side", "polarity")
# A full stop ends a sentence where it is no decimal point and no numbering of a list.
_END = re.compile(r"(?:[。！!？?；;\n]|(?<!\d)\.(?=\s|$))[。！!？?；;.”’」』）)\s]*")
_STOP = re.compile(r"[，,。！!？?；;：:\n]")
_WORD = re.compile(r"\w")
_FINDING = 10.0  # a finding that two sentences share counts more than all of their characters
_ALIKE = 0.5
_FREE = 1e-3  # of two sentences that say the same, the one without a partner comes first


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Characters [start, end) of a report. The sentences of a report joined give its text back unchanged."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """An aspect in which a finding is wrong and its values in both reports, as in `Finding`; none where unsaid."""

    aspect: Aspect
    generated: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A finding that decides the kind of a row, and the clauses that say it in either report, "" where none does."""

    kind: SentenceKind
    concept: str
    generated: str = ""
    reference: str = ""
    contrasts: tuple[Contrast, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A generated sentence and the reference sentences that answer it, as numbers from 0 in their reports.

    `generated` is None for a reference sentence that no generated one answers. `shared` are reference sentences that
    answer this one too and stand in another row. `kind` is None where there is nothing to compare: no finding on
    either side, and no sentence opposite.
    """

    generated: int | None = None
    reference: tuple[int, ...] = ()
    shared: tuple[int, ...] = ()
    kind: SentenceKind | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Two reports in sentences and rows: every sentence is in one row, the generated ones in their order."""

    generated: tuple[Sentence, ...]
    reference: tuple[Sentence, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A finding, and the sentences of either report that speak of it."""

    evidence: Evidence
    generated: frozenset[int] = frozenset()
    reference: frozenset[int] = frozenset()


def split_sentences(text: str) -> tuple[Sentence, ...]:
    """Split a report at its full stops, semicolons and line ends; marks without a word belong to their neighbour."""
    ends: list[int] = []
    start = 0
    for match in _END.finditer(text):
        if _WORD.search(text, start, match.end()):
            start = match.end()
            ends.append(start)
    if _WORD.search(text, start) or not ends:
        ends.append(len(text))
    ends[-1] = len(text)
    return tuple(
        Sentence(text=text[start:end], start=start, end=end) for start, end in pairwise((0, *ends)) if end > start
    )


def align_reports(generated: str, *, reference: str, profile: Profile) -> Alignment:
    """Align two reports sentence by sentence with the scores' own rules.

    Sentences belong together that speak of the same findings, present or denied; where they speak of none, those of
    the same words. A reference sentence stands in one row only, that of the sentence which answers it best.
    """
    ours, theirs = (read_report(text, profile=profile) for text in (generated, reference))
    left, right = split_sentences(generated), split_sentences(reference)
    links = tuple(_links(ours, theirs, left=left, right=right))
    partners = _partners(links, left=left, right=right)
    rows = [_row(number, links=links, partners=partners) for number in range(len(left))]
    alone = [_alone(number, links=links) for number, partner in enumerate(partners) if partner is None]
    return Alignment(generated=left, reference=right, rows=_placed(rows, alone))


def _links(
    ours: StatedReport, theirs: StatedReport, *, left: Sequence[Sentence], right: Sequence[Sentence]
) -> Iterator[_Link]:
    comparison = compare_stated(ours, theirs)

    def link(
        kind: SentenceKind,
        concept: str,
        one: Sequence[Finding],
        other: Sequence[Finding],
        contrasts: tuple[Contrast, ...] = (),
    ) -> _Link:
        said = {"generated": _words(ours.text, one), "reference": _words(theirs.text, other)}
        evidence = Evidence(kind=kind, concept=concept, contrasts=contrasts, **said)
        return _Link(evidence=evidence, generated=_places(one, left), reference=_places(other, right))

    for match in comparison.matches:
        for pair in match.pairs:
            kind, wrong = _kind(match), _contrasts(match)
            yield link(kind, match.reference.concept, [pair.candidate], [pair.reference], wrong)
    for one in comparison.false:
        denials = _denials(one, comparison=comparison, report=theirs)
        yield link("polarity" if denials else "false", one.concept, one.mentions, denials)
    for one in comparison.omitted:
        denials = _denials(one, comparison=comparison, report=ours)
        yield link("polarity" if denials else "omitted", one.concept, denials, one.mentions)
    for finding in ours.absent:
        others = [other for other in theirs.absent if other.concept == finding.concept]
        same_side = [other for other in others if other.laterality == finding.laterality]
        if others:
            yield link("agree", finding.concept, [finding], (same_side or others)[:1])


def _kind(match: Match) -> SentenceKind:
    """Name what is worst in a pair of findings; a course that differs counts with the degree."""
    if match.differs("side"):
        return "side"
    if match.differs("zone", "position"):
        return "place"
    return "degree" if match.differs("degree", "size", "course") else "agree"


def _contrasts(match: Match) -> tuple[Contrast, ...]:
    wrong = (difference.aspect for difference in match.differences if difference.error is not None)
    return tuple(
        Contrast(aspect=aspect, generated=_said(match.candidate, aspect), reference=_said(match.reference, aspect))
        for aspect in wrong
    )


def _said(one: Stated, aspect: Aspect) -> tuple[str, ...]:
    values: dict[Aspect, tuple[str | None, ...]] = {
        "side": (one.laterality,),
        "zone": one.zones,
        "position": ("misplaced",) if one.misplaced else (),
        "degree": (one.severity,),
        "size": (None if one.size_mm is None else f"{one.size_mm:g} mm",),
        "course": (one.change,),
    }
    return tuple(value for value in values.get(aspect, ()) if value is not None)


def _denials(one: Stated, *, comparison: Comparison, report: StatedReport) -> list[Finding]:
    """Return where the other report says that a finding is absent."""
    if one not in comparison.contradicted:
        return []
    return [finding for finding in report.absent if finding.concept == one.concept]


def _words(text: str, findings: Sequence[Finding]) -> str:
    """Quote the clauses in which findings stand, with what is said of them: 右侧胸腔少量积液, 未见气胸."""
    clauses = []
    for start, end in (finding.span for finding in findings):
        before = max((stop.end() for stop in _STOP.finditer(text, 0, start)), default=0)
        after = _STOP.search(text, end)
        clauses.append(text[before : after.start() if after else len(text)].strip())
    return "…".join(dict.fromkeys(clauses))


def _places(findings: Sequence[Finding], sentences: Sequence[Sentence]) -> frozenset[int]:
    starts = {finding.span[0] for finding in findings}
    return frozenset(
        number for number, one in enumerate(sentences) if any(one.start <= start < one.end for start in starts)
    )


def _partners(links: Sequence[_Link], *, left: Sequence[Sentence], right: Sequence[Sentence]) -> list[int | None]:
    """Return the generated sentence that each reference sentence stands beside; None where none answers it."""
    ours, theirs = ([_bigrams(one.text) for one in side] for side in (left, right))
    partners: list[int | None] = []
    for number, grams in enumerate(theirs):
        speaks = any(number in link.reference for link in links)
        values = [
            _FINDING * sum(place in link.generated and number in link.reference for link in links)
            + _alike(other, grams, speaks=speaks)
            + _FREE * (place not in partners)
            for place, other in enumerate(ours)
        ]
        best = max(values, default=0.0)
        partners.append(values.index(best) if best > _ALIKE + _FREE else None)
    return partners


def _alike(ours: Counter[str], theirs: Counter[str], *, speaks: bool) -> float:
    """Share of common pairs of characters (Dice 1945), in [0, 1]; where findings decide, it only breaks their ties."""
    value = 2 * (ours & theirs).total() / max(1, ours.total() + theirs.total())
    return value * _ALIKE if speaks and value < 1 else value


def _bigrams(text: str) -> Counter[str]:
    plain = f"^{''.join(_WORD.findall(normalize(text)))}$"
    return Counter(plain[place : place + 2] for place in range(len(plain) - 1))


def _row(number: int, *, links: Sequence[_Link], partners: Sequence[int | None]) -> Row:
    beside = tuple(place for place, partner in enumerate(partners) if partner == number)
    mine = [link for link in links if number in link.generated]
    left_out = [link for link in links if not link.generated and not link.reference.isdisjoint(beside)]
    answered = {place for link in mine for place in link.reference}
    return Row(
        generated=number,
        reference=beside,
        shared=tuple(sorted(answered - set(beside))),
        kind=_worst((*mine, *left_out)) or ("agree" if beside else None),
        evidence=_evidence((*mine, *left_out)),
    )


def _worst(links: Sequence[_Link]) -> SentenceKind | None:
    return max((link.evidence.kind for link in links), key=_SERIOUS.index, default=None)


def _alone(number: int, *, links: Sequence[_Link]) -> Row:
    mine = [link for link in links if number in link.reference]
    return Row(reference=(number,), kind=_worst(mine), evidence=_evidence(mine))


def _evidence(links: Sequence[_Link]) -> tuple[Evidence, ...]:
    found = dict.fromkeys(link.evidence for link in links)
    return tuple(sorted(found, key=lambda one: _SERIOUS.index(one.kind), reverse=True))


def _placed(rows: Sequence[Row], alone: Sequence[Row]) -> tuple[Row, ...]:
    """Put each reference sentence that stands alone behind the row of the one before it in its report."""
    placed = list(rows)
    for row in alone:
        before = row.reference[0] - 1
        holder = next((place for place, other in enumerate(placed) if before in other.reference), -1)
        placed.insert(holder + 1, row)
    return tuple(placed)
