"""What is wrong with the words of reports: chat, priors that are not there, wrong terms, copies, contradictions.

A model repeats what it was trained on. `lint_text` marks the words of one report, generated or written; `lint_reports`
says what share of a corpus each rule concerns. The expressions are `lexicon/lint.yaml`, the wrong terms those of
`xray.text.terminology`; the sides are read by `xray.text.frames`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from xray.records import Record
from xray.text.contradiction import denied_in_words
from xray.text.frames import find
from xray.text.labels import concept_class
from xray.text.lexicon import Profile
from xray.text.sections import empty_sections, locate_sections
from xray.text.similarity import content, near_texts
from xray.text.terminology import repair
from xray.types import Finding

Kind = Literal["chatty", "prior", "duplicate", "term", "form", "contradiction"]
FEWEST_CHARACTERS, MOST_CHARACTERS = 10, 600
"""Letters, digits and Chinese characters of a report that is neither cut off nor a story."""

_OWN_RULES: dict[str, Kind] = {
    "duplicate": "duplicate",
    "near_duplicate": "duplicate",
    "wrong_term": "term",
    "too_short": "form",
    "too_long": "form",
    "empty_section": "form",
    "contradicted_side": "contradiction",
    "contradicted_finding": "contradiction",
    "unsupported_impression": "contradiction",
}
_EXAMPLES = 3
_CONCLUSION = re.compile("总(?:的来说|体来说|体而言|而言之|之)|综上所述|印象(?:是|中|表明|显示|提示)|结论是")
"""Where a text without headers comes to its conclusion."""
_WORDS = re.compile(r"\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class LintHit:
    """Words [start, end) of a report and the rule that they break."""

    rule: str
    start: int
    end: int


class RuleShare(Record):
    """How many reports break a rule, or any rule of a kind: a count, its share in [0, 1] and the ids of the first."""

    rule: str
    kind: Kind
    count: int
    share: float
    examples: tuple[str, ...]


class LintReport(Record):
    """The lint of a corpus: `clean` reports break no rule. No text of a report is in it."""

    reports: int
    clean: int
    kinds: tuple[RuleShare, ...]
    rules: tuple[RuleShare, ...]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    find: str


def lint_text(text: str, *, profile: Profile = "standard") -> tuple[LintHit, ...]:
    """Return what is wrong with one Chinese report, in order of appearance. `profile` is the lexicon for the sides."""
    hits = [
        LintHit(rule=name, start=match.start(), end=match.end())
        for name, pattern in _patterns().items()
        for match in pattern.finditer(text)
    ]
    hits += [
        LintHit(rule="wrong_term", start=change.start, end=change.start + len(change.found))
        for change in repair(text).changes
    ]
    hits += _form(text)
    hits += _contradictions(text, profile=profile)
    return tuple(sorted(hits, key=lambda hit: (hit.start, hit.end, hit.rule)))


def lint_reports(texts: Mapping[str, str], *, profile: Profile = "standard") -> LintReport:
    """Lint a corpus of Chinese reports by id, in the order of the ids given.

    `duplicate` is a report whose words an earlier one has, `near_duplicate` one whose 3-grams of characters overlap an
    earlier one's by a Jaccard similarity of at least 0.8. 10,000 reports take about fifteen seconds.
    """
    broken = {key: {hit.rule for hit in lint_text(text, profile=profile)} for key, text in texts.items()}
    for key, rule in _copies(texts):
        broken[key].add(rule)
    kinds = rule_kinds()
    return LintReport(
        reports=len(texts),
        clean=sum(not rules for rules in broken.values()),
        kinds=tuple(
            _share(
                kind,
                kind,
                [key for key, rules in broken.items() if kind in {kinds[rule] for rule in rules}],
                len(texts),
            )
            for kind in dict.fromkeys(kinds.values())
        ),
        rules=tuple(
            _share(rule, kind, [key for key, rules in broken.items() if rule in rules], len(texts))
            for rule, kind in kinds.items()
        ),
    )


def rule_kinds() -> dict[str, Kind]:
    """Return the kind of every rule."""
    return {name: rule.kind for name, rule in _rules().items()} | _OWN_RULES


def _share(rule: str, kind: Kind, keys: list[str], total: int) -> RuleShare:
    share = len(keys) / total if total else 0.0
    return RuleShare(rule=rule, kind=kind, count=len(keys), share=share, examples=tuple(keys[:_EXAMPLES]))


def _form(text: str) -> Iterator[LintHit]:
    length = len(_WORDS.findall(text))
    if length < FEWEST_CHARACTERS:
        yield LintHit(rule="too_short", start=0, end=len(text))
    if length > MOST_CHARACTERS:
        yield LintHit(rule="too_long", start=0, end=len(text))
    for section in empty_sections(text):
        yield LintHit(rule="empty_section", start=section.start, end=section.end)


def _contradictions(text: str, *, profile: Profile) -> Iterator[LintHit]:
    """Find what is stated and denied, and compare the conclusion with the findings: other sides, what only it names."""
    findings = find(text, profile=profile)
    for finding in denied_in_words(text, findings):
        yield LintHit(rule="contradicted_finding", start=finding.span[0], end=finding.span[1])
    border = _conclusion(text)
    if border is None:
        return
    stated = [finding for finding in findings if finding.assertion != "absent" and _is_disease(finding)]
    before = [finding for finding in stated if finding.span[0] < border]
    after = [finding for finding in stated if finding.span[0] >= border and finding.assertion == "present"]
    for finding in after:
        sides = {other.laterality for other in before if other.concept == finding.concept}
        if _opposite(finding) in sides and sides <= {_opposite(finding), None}:
            yield LintHit(rule="contradicted_side", start=finding.span[0], end=finding.span[1])
    if after and not before and text[:border].strip():
        yield LintHit(rule="unsupported_impression", start=after[0].span[0], end=after[0].span[1])


def _is_disease(finding: Finding) -> bool:
    return concept_class(finding.concept) != "Support Devices"


def _opposite(finding: Finding) -> str:
    """Return the other side of a one-sided finding, else a word that is no side."""
    return {"left": "right", "right": "left"}.get(finding.laterality or "", "none")


def _conclusion(text: str) -> int | None:
    """Return where the conclusion starts, after findings; None where nothing says so."""
    sections = locate_sections(text)
    findings = [section for section in sections if section.name == "findings"]
    impressions = [section for section in sections if section.name == "impression"]
    if impressions:
        return impressions[0].start if findings and findings[0].start < impressions[0].start else None
    found = [match.start() for match in _CONCLUSION.finditer(text) if match.start()]
    return found[-1] if found else None


def _copies(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (id, rule) of every report that repeats an earlier one."""
    first: dict[str, tuple[int, str]] = {}
    for place, (key, text) in enumerate(texts.items()):
        words = content(text)
        if words in first:
            yield key, "duplicate"
        first.setdefault(words, (place, key))
    for one, other in near_texts(first):
        yield max(first[one], first[other])[1], "near_duplicate"


@cache
def _rules() -> dict[str, _Rule]:
    raw = yaml.safe_load((files("xray.text.lexicon") / "lint.yaml").read_text("utf-8"))
    return TypeAdapter(dict[str, _Rule]).validate_python(raw)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {name: re.compile("".join(rule.find.split())) for name, rule in _rules().items()}
