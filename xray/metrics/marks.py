"""Findings of two reports, marked in their texts: agreed, false, omitted, at another side, place or degree."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from xray.metrics.compare import Comparison, Match, compare_findings
from xray.metrics.reasons import Reason, reasons
from xray.text.lexicon import Profile
from xray.types import Finding, Laterality

Kind = Literal["agree", "false", "omitted", "side", "place", "degree"]
KINDS: tuple[Kind, ...] = ("agree", "false", "omitted", "side", "place", "degree")
# Where two findings share characters, the one a reviewer must not miss is shown.
_PRIORITY: dict[Kind, int] = {"agree": 0, "degree": 1, "place": 2, "omitted": 3, "false": 4, "side": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One finding in one text: characters [start, end), its side, and how the other report relates to it."""

    kind: Kind
    start: int
    end: int
    concept: str
    side: Laterality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a report; `kind` is None where no finding is. Segments joined give the text back unchanged."""

    text: str
    kind: Kind | None = None
    concept: str | None = None
    side: Laterality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedReports:
    """Both reports of a case in segments, the findings behind the marks, one entry per finding pair, and each error."""

    generated: tuple[Segment, ...]
    reference: tuple[Segment, ...]
    findings: tuple[tuple[Kind, str], ...]
    reasons: tuple[Reason, ...] = ()

    def concepts(self, kind: Kind) -> tuple[str, ...]:
        """Concepts marked as `kind`, in reading order, each once."""
        return tuple(dict.fromkeys(concept for found, concept in self.findings if found == kind))

    @property
    def disagreements(self) -> tuple[Kind, ...]:
        """The kinds other than `agree` that occur in this case."""
        return tuple(kind for kind in KINDS if kind != "agree" and self.concepts(kind))


def mark_reports(generated: str, *, reference: str, profile: Profile) -> MarkedReports:
    """Compare two reports with the scores' own rules and mark the findings in both texts."""
    comparison = compare_findings(generated, reference, profile=profile)
    left, right = _marks(comparison)
    only_right = [mark for mark in right if mark.kind == "omitted"]
    return MarkedReports(
        generated=split_marks(generated, left),
        reference=split_marks(reference, right),
        findings=tuple((mark.kind, mark.concept) for mark in (*left, *only_right)),
        reasons=reasons(comparison),
    )


def mark_reference(reference: str, *, generated: Iterable[str], profile: Profile) -> tuple[Segment, ...]:
    """Mark the findings of a reference; where several generated reports answer it, the most serious answer shows."""
    comparisons = (compare_findings(text, reference, profile=profile) for text in generated)
    return split_marks(reference, [mark for comparison in comparisons for mark in _marks(comparison)[1]])


def _marks(comparison: Comparison) -> tuple[list[Mark], list[Mark]]:
    """Return the marks of the candidate and those of the reference."""
    left: list[Mark] = []
    right: list[Mark] = []
    for match in comparison.matches:
        for pair in match.pairs:
            left.append(_mark(pair.candidate, _kind(match)))
            right.append(_mark(pair.reference, _kind(match)))
    left.extend(_mark(finding, "false") for one in comparison.false for finding in one.mentions)
    right.extend(_mark(finding, "omitted") for one in comparison.omitted for finding in one.mentions)
    return left, right


def split_marks(text: str, marks: Iterable[Mark]) -> tuple[Segment, ...]:
    """Cut `text` at the borders of `marks`; every character gets the most serious mark that covers it."""
    usable = [mark for mark in marks if 0 <= mark.start < mark.end <= len(text)]
    borders = sorted({0, len(text), *(edge for mark in usable for edge in (mark.start, mark.end))})
    pieces: list[tuple[Mark | None, int, int]] = []
    for start, end in pairwise(borders):
        covering = [mark for mark in usable if mark.start <= start and end <= mark.end]
        top = max(covering, key=lambda mark: _PRIORITY[mark.kind], default=None)
        if pieces and pieces[-1][0] is top:
            pieces[-1] = (top, pieces[-1][1], end)
        else:
            pieces.append((top, start, end))
    return tuple(_segment(text[start:end], mark) for mark, start, end in pieces)


def _kind(match: Match) -> Kind:
    if match.differs("side"):
        return "side"
    if match.differs("zone", "position"):
        return "place"
    return "degree" if match.differs("degree", "size") else "agree"


def _segment(text: str, mark: Mark | None) -> Segment:
    if mark is None:
        return Segment(text=text)
    return Segment(text=text, kind=mark.kind, concept=mark.concept, side=mark.side)


def _mark(finding: Finding, kind: Kind) -> Mark:
    start, end = finding.span
    return Mark(kind=kind, start=start, end=end, concept=finding.concept, side=finding.laterality)
