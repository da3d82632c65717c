"""The reports of a case in sentences, and in rows with what the program makes of them where the protocol shows that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from app.lexicon import concept_name
from app.markup import SIGNS
from app.words.workbench import WorkbenchWords
from app.workbench.bench import Badge, Bench, ShownReport
from xray.metrics.alignment import Alignment, Contrast, Evidence, Row, align_reports, split_sentences
from xray.metrics.alignment import Sentence as Part
from xray.metrics.marks import MarkedReports, Segment, mark_reports
from xray.text.lexicon import Profile

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Characters of a sentence; `kind`, its sign and word, and the finding's name are "" outside of marks."""

    text: str
    kind: str = ""
    tag: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A report in sentences; `note` stands for a text that is missing or blank."""

    label: str
    heading: str
    badges: tuple[Badge, ...]
    note: str
    sentences: tuple[tuple[Piece, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A finding that decides a row, in words."""

    kind: str
    finding: str
    generated: str
    reference: str
    contrasts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row: numbers of sentences as in `xray.metrics.alignment.Row`, the kind ("" for none), and its grounds."""

    generated: int | None
    reference: tuple[int, ...]
    shared: tuple[int, ...]
    kind: str
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """All of a case's texts. Without `rows` the sentences of both reports stand in columns of their own."""

    reports: tuple[Text, ...] = ()
    reference: Text | None = None
    rows: tuple[Line, ...] = ()


def texts_of(bench: Bench, *, given: bool, words: WorkbenchWords, language: Language) -> Texts:
    """Return the texts that the protocol shows; `given` tells whether the review was submitted before."""
    shows = bench.protocol.reference == "beside" or (bench.protocol.reference == "after" and given)
    reference = bench.reference if shows else None
    one = bench.reports[0].text if len(bench.reports) == 1 else None
    if reference is None or reference.text is None or one is None or not bench.protocol.suggestions:
        return Texts(
            reports=tuple(_plain(report, badges=_badges(bench, words), words=words) for report in bench.reports),
            reference=None if reference is None else _plain(reference, badges=(), words=words),
        )
    alignment, marked = _compared(one, reference.text, bench.profile)
    opposed = frozenset(one.concept for row in alignment.rows for one in row.evidence if one.kind == "polarity")
    namer = _Namer(words=words, language=language, opposed=opposed)
    ours, theirs = (
        tuple(tuple(map(namer.piece, pieces)) for pieces in _by_sentence(segments, sentences))
        for segments, sentences in ((marked.generated, alignment.generated), (marked.reference, alignment.reference))
    )
    return Texts(
        reports=(_text(bench.reports[0], ours, badges=_badges(bench, words), words=words),),
        reference=_text(reference, theirs, badges=(), words=words),
        rows=tuple(map(namer.line, alignment.rows)),
    )


@lru_cache(maxsize=2000)
def _compared(generated: str, reference: str, profile: Profile) -> tuple[Alignment, MarkedReports]:
    return (
        align_reports(generated, reference=reference, profile=profile),
        mark_reports(generated, reference=reference, profile=profile),
    )


def _badges(bench: Bench, words: WorkbenchWords) -> tuple[Badge, ...]:
    """Say that reports are generated, or may be: a badge on some of them would tell which are not."""
    told = {"generated": words.generated_badge, "either": words.generated_among_badge}.get(bench.protocol.judged)
    return (("ai", told),) if told else ()


def _plain(report: ShownReport, *, badges: tuple[Badge, ...], words: WorkbenchWords) -> Text:
    sentences = tuple((Piece(text=sentence.text),) for sentence in split_sentences(report.text or ""))
    return _text(report, sentences, badges=badges, words=words)


def _text(
    report: ShownReport, sentences: tuple[tuple[Piece, ...], ...], *, badges: tuple[Badge, ...], words: WorkbenchWords
) -> Text:
    blank = words.no_report if report.text is None else words.empty_report
    is_blank = not (report.text or "").strip()
    return Text(
        label=report.label,
        heading=report.heading,
        badges=(*badges, *report.badges),
        note=blank if is_blank else "",
        sentences=() if is_blank else sentences,
    )


def _by_sentence(segments: Sequence[Segment], sentences: Sequence[Part]) -> Iterator[tuple[Segment, ...]]:
    """Cut the marked segments of a report at the borders of its sentences."""
    for sentence in sentences:
        cut: list[Segment] = []
        at = 0
        for segment in segments:
            start, end = max(at, sentence.start), min(at + len(segment.text), sentence.end)
            if start < end:
                text = segment.text[start - at : end - at]
                cut.append(Segment(text=text, kind=segment.kind, concept=segment.concept, side=segment.side))
            at += len(segment.text)
        yield tuple(cut)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Namer:
    """Puts findings and their differences into the reader's language; `opposed` are those that one report denies."""

    words: WorkbenchWords
    language: Language
    opposed: frozenset[str]

    def piece(self, segment: Segment) -> Piece:
        if segment.kind is None:
            return Piece(text=segment.text)
        kind = "polarity" if segment.kind in ("false", "omitted") and segment.concept in self.opposed else segment.kind
        tag = SIGNS[kind] + ("" if kind == "agree" else self.words.kinds[kind])
        if kind == "side":  # the side is often said outside the marked words
            tag += f"·{self.words.values.get(segment.side or '', self.words.unsaid)}"
        name = self._concept(segment.concept) if segment.concept else ""
        return Piece(text=segment.text, kind=kind, tag=tag, title=f"{self.words.kinds[kind]} {name}".rstrip())

    def line(self, row: Row) -> Line:
        return Line(
            generated=row.generated,
            reference=row.reference,
            shared=row.shared,
            kind=row.kind or "",
            grounds=tuple(map(self._ground, row.evidence)),
        )

    def _ground(self, evidence: Evidence) -> Ground:
        return Ground(
            kind=evidence.kind,
            finding=self._concept(evidence.concept),
            generated=evidence.generated,
            reference=evidence.reference,
            contrasts=tuple(map(self._contrast, evidence.contrasts)),
        )

    def _contrast(self, contrast: Contrast) -> str:
        ours, theirs = (
            "、".join(map(self._value, values)) or self.words.unsaid
            for values in (contrast.generated, contrast.reference)
        )
        return self.words.contrast.format(aspect=self.words.aspects[contrast.aspect], generated=ours, reference=theirs)

    def _value(self, value: str) -> str:
        if value.startswith("rib"):
            return self.words.rib.format(number=value.removeprefix("rib"))
        return self.words.values.get(value, value)

    def _concept(self, key: str) -> str:
        return concept_name(key, language=self.language)
