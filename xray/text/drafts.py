"""Findings under construction: taken apart by side, given sizes and collapses, and finished."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from xray.text import attributes, places
from xray.text.assertion import Verdict
from xray.text.lexicon import Lexicon
from xray.text.mentions import Clause, Mention
from xray.types import Change, Finding, Laterality, Severity

_STOP = re.compile("[,:?]")
_SENTENCE_END = re.compile("[。;!\n]")


@dataclass(slots=True)
class Draft:
    """A finding under construction; positions count from the start of its sentence, or of its section."""

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
    dominant: Laterality | None = None
    collapse: Severity | None = None

    @property
    def words(self) -> str:
        """The stating words."""
        return self.clause.text[self.mention.start : self.mention.end]

    @property
    def start(self) -> int:
        """Where the stating words begin."""
        return self.offset + self.mention.start

    @property
    def end(self) -> int:
        """Where the stating words end."""
        return self.offset + self.mention.end


def divided(draft: Draft, parts: Sequence[places.Part]) -> list[Draft]:
    """Make one finding for each side of which a list says something else, or leave the one."""
    graded = any(part.severity for part in parts)
    placed = any(part.zones for part in parts)
    return [
        replace(
            draft,
            laterality=part.side,
            zones=part.zones if placed else draft.zones,
            severity=part.severity if graded else draft.severity,
            dominant=None,
        )
        for part in parts
    ] or [draft]


def same_mention(drafts: list[Draft], one: Draft) -> list[Draft]:
    """Return the parts of a finding that was taken apart, or the finding alone."""
    return [draft for draft in drafts if draft.start == one.start]


def at_side(side: Laterality, drafts: list[Draft], one: Draft) -> Draft:
    """Return the part of a finding at a side: what is on both is taken apart, what is on the other side is added."""
    parts = same_mention(drafts, one)
    for part in parts:
        if part.laterality in (side, None):
            part.laterality = side
            return part
    whole = next((part for part in parts if part.laterality == "bilateral"), None)
    if whole is not None:
        drafts.append(replace(whole, laterality="left" if side == "right" else "right", dominant=None))
        whole.laterality, whole.dominant = side, None
        return whole
    added = replace(one, laterality=side, severity=None, size_mm=None, zones=(), change=None)
    drafts.append(added)
    return added


def attach_sizes(sentence: str, drafts: list[Draft], *, lexicon: Lexicon) -> None:
    """Give each size to the measurable finding it stands directly before, else to the last one before it."""
    measured = [d for d in drafts if lexicon.concepts[d.mention.concept].measured and d.verdict.assertion != "absent"]
    for size in attributes.sizes(sentence):
        ahead = [d for d in measured if 0 <= d.start - size.end <= 4 and not _STOP.search(sentence, size.end, d.start)]
        behind = [d for d in measured if d.end <= size.start]
        owners = same_mention(measured, (ahead or behind[-1:])[0]) if ahead or behind else []
        owner = next((d for d in owners if d.size_mm is None), None)
        if owner is not None:
            owner.size_mm = size.millimetres
            owner.change = owner.change or size.change


def attach_collapses(text: str, drafts: list[Draft]) -> None:
    """Give each 肺组织压缩约30% to the pneumothorax that was named last before it, else to the next one."""
    for start, side, severity in attributes.collapses(text):
        air = [d for d in drafts if d.verdict.assertion != "absent" and "pneumothorax" in _names(d)]
        fitting = [d for d in air if side in (None, d.laterality) or d.laterality in (None, "bilateral")]
        before = [d for d in fitting if d.end <= start]
        ahead = [d for d in fitting if d.start >= start and not _SENTENCE_END.search(text, start, d.start)]
        owner = before[-1] if before else ahead[0] if ahead else None
        if owner is not None:
            part = at_side(side, drafts, owner) if side else owner
            part.collapse = severity


def finish(draft: Draft, span: tuple[int, int]) -> Iterator[Finding]:
    """Turn a draft into its findings: one, or one per joined concept (液气胸 is air and fluid)."""
    stated = draft.verdict.assertion != "absent"
    for name in _names(draft):
        yield Finding(
            concept=name,
            assertion=draft.verdict.assertion,
            span=span,
            laterality=draft.laterality,
            zones=draft.zones,
            severity=_severity(draft, name) if stated else None,
            size_mm=draft.size_mm,
            change=draft.change if stated or draft.verdict.resolved else None,
            misplaced=draft.misplaced and stated,
            dominant=draft.dominant if stated else None,
        )


def _names(draft: Draft) -> tuple[str, ...]:
    return draft.clause.lexicon.concepts[draft.mention.concept].joins or (draft.mention.concept,)


def _severity(draft: Draft, name: str) -> Severity | None:
    """Return the degree: the word, but how far the lung has collapsed where there is none or the two contradict."""
    if name != "pneumothorax" or draft.collapse is None:
        return draft.severity
    contradict = {draft.severity, draft.collapse} == {"mild", "severe"}
    return draft.collapse if contradict else draft.severity or draft.collapse
