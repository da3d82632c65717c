"""The sections of a MIMIC-CXR report: plain text, hard-wrapped, with headers in capitals that nobody enforced.

Johnson et al., MIMIC-CXR (PhysioNet, doi:10.13026/4jqj-jw95). `___` stands for what was taken out to hide the patient.
"""

import re
from dataclasses import dataclass
from typing import Literal

_Section = Literal["findings", "impression", "indication", "comparison", "other", "addendum", "draft", "unnamed"]

_Part = tuple[_Section, list[str]]  # a section and its paragraphs

_HEADER = re.compile(r"^[ \t]*([A-Z][A-Z0-9 ,/&()'\-_.]{2,79}?)[ \t]*:", re.MULTILINE)
_TITLE = re.compile(
    r"^[ \t]*((?:FINAL REPORT|FINAL ADDENDUM|ADDENDUM|WET READ)(?=[ \t]*$)|ADDENDUM(?=[ \t]{2})|Addendum(?=[ \t]*:))",
    re.MULTILINE,
)
_RULE = re.compile(r"^[ \t]*_{4,}[ \t]*$", re.MULTILINE)
_WORDS: tuple[tuple[_Section, tuple[str, ...]], ...] = (
    ("draft", ("WET READ", "PRELIMINARY")),
    ("addendum", ("ADDENDUM",)),
    ("findings", ("FINDING",)),  # also FINDINGS AND IMPRESSION
    ("impression", ("IMPRESSION", "CONCLUSION", "SUMMARY", "OPINION")),
    ("comparison", ("COMPARISON", "COMPARED")),
    ("indication", ("INDICATION", "HISTORY", "REASON", "CLINICAL", "SYMPTOM")),
    ("other", ("TECHNIQUE", "EXAM", "STUDY", "PROCEDURE", "NOTIFICATION", "RECOMMENDATION", "DOSE", "DATE", "TYPE")),
)
_ASIDES: tuple[_Section, ...] = ("draft", "addendum")
_VIEW = re.compile(
    r"\b(?:CHEST|VIEWS?|RADIOGRAPHS?|PORTABLE|FRONTAL|LATERAL|PA|AP|LUNGS?|HEART|CARDIAC|BONES?|PLEURA)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MimicSections:
    """The text of each section, its wrapped lines joined; None where the report has none.

    `is_draft` tells that only a wet read is there, `has_addendum` that a later remark was left out.
    """

    findings: str | None
    impression: str | None
    indication: str | None
    comparison: str | None
    is_draft: bool = False
    has_addendum: bool = False


def split_mimic_report(text: str) -> MimicSections:
    """Split a report at its headers in capitals.

    The final report counts, not a wet read above it, unless there is nothing else. Addenda are left out whole.
    A section that occurs twice is joined. Where FINDINGS has no header, they are the paragraphs below the one that
    COMPARISON, TECHNIQUE or the like take, else the text above the first header or under one such as `PA AND LATERAL
    CHEST`, but for a title.
    """
    parts = _parts(text.replace("\r\n", "\n").replace("\r", "\n"))
    final = _with_findings([part for part in parts if part[0] not in ("draft", "addendum")])
    is_draft = not _of("findings", final) and not _of("impression", final)
    if is_draft:
        final = [("findings" if section == "draft" else section, body) for section, body in parts]
    return MimicSections(
        findings=_of("findings", final),
        impression=_of("impression", final),
        indication=_of("indication", final),
        comparison=_of("comparison", final),
        is_draft=is_draft,
        has_addendum=_of("addendum", parts) is not None,
    )


def _parts(text: str) -> list[_Part]:
    """Cut the text into sections, each with its paragraphs.

    An addendum or a wet read above the title of the final report, or below a report, may have sections of its own.
    """
    marks = sorted([*_TITLE.finditer(text), *_HEADER.finditer(text)], key=lambda mark: mark.start())
    title = max((index for index, mark in enumerate(marks) if mark[1] == "FINAL REPORT"), default=-1)
    parts: list[_Part] = []
    name: _Section = "unnamed"
    start = 0
    for index, mark in enumerate(marks):
        parts.append((name, _paragraphs(text[start : mark.start()])))
        start = mark.end()
        kind = _kind(mark[1].upper(), within=name)
        is_aside = name in _ASIDES and (index < title or _of("findings", parts) or _of("impression", parts))
        name = name if is_aside and kind not in _ASIDES and mark[1] != "FINAL REPORT" else kind
    parts.append((name, _paragraphs(text[start:])))
    return parts


def _kind(header: str, *, within: _Section) -> _Section:
    if header == "FINAL REPORT":
        return "unnamed"
    known = next((section for section, words in _WORDS if any(word in header for word in words)), None)
    if known is not None:
        return known
    if within in ("draft", "addendum", "impression", "findings"):
        return within  # LUNGS, NOTE: words in capitals within it, no section of the report
    return "unnamed" if _VIEW.search(header) else "other"


def _with_findings(parts: list[_Part]) -> list[_Part]:
    """Name the findings of a report that does not name them itself."""
    if _of("findings", parts):
        return parts
    below = [piece for section, body in parts for piece in _split_introduction(section, body)]
    if _of("findings", below):
        return below
    sentences_only = _of("impression", parts) is not None
    return [
        ("findings", [line for line in body if not _is_title(line, sentences_only=sentences_only)])
        if section == "unnamed"
        else (section, body)
        for section, body in parts
    ]


def _split_introduction(section: _Section, body: list[str]) -> list[_Part]:
    """Take what follows the first paragraph of an introduction for findings."""
    if section not in ("comparison", "indication", "other"):
        return [(section, body)]
    return [(section, body[:1]), ("findings", body[1:])]


def _paragraphs(body: str) -> list[str]:
    blocks = re.split(r"\n[ \t]*\n", _RULE.sub("\n\n", body))
    return [line for block in blocks if (line := re.sub(r"\s+", " ", block).strip())]


def _is_title(line: str, *, sentences_only: bool) -> bool:
    """`PORTABLE CHEST, ___ AT 05:30`: capitals throughout and no full stop, or only the latter beside an impression."""
    return not line.endswith(".") and (sentences_only or line == line.upper())


def _of(section: _Section, parts: list[_Part]) -> str | None:
    lines = [line for name, body in parts if name == section for line in body]
    return "\n".join(dict.fromkeys(lines)) or None
