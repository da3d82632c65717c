"""Sentences as radiologists write them, and what they state: the tables in `sentences/`, one file per theme.

A row is [sentence, findings] or [sentence, findings, why the rules cannot read it yet]. Findings are separated by `;`,
each written `concept sign attributes`. Signs: + present, - absent, ? uncertain. Attributes are a side, a zone or a rib
(`rib5`), a degree, a course, a size (`15mm`), `misplaced`, or `more-left` where more of it is on the left, and
`no-side`, `no-zone`, `no-severity`, `no-change`, `no-size`, `in-place`, `no-more` where nothing may be read. The
concepts and signs of a sentence are complete.
"""

from pathlib import Path

import pytest
import yaml

from xray.text.frames import find
from xray.types import Finding

SIGNS = {"present": "+", "absent": "-", "uncertain": "?"}
TABLES = sorted((Path(__file__).parent / "sentences").glob("*.yaml"))
ROWS = [(table.stem, *row) for table in TABLES for row in yaml.safe_load(table.read_text(encoding="utf-8"))]
SENTENCES = [(text, expected) for _, text, expected, *_ in ROWS]


def _cases() -> list[object]:
    return [
        pytest.param(
            text,
            expected,
            id=f"{theme}-{text}",
            marks=[pytest.mark.xfail(strict=True, reason=reason[0])] if reason else [],
        )
        for theme, text, expected, *reason in ROWS
    ]


def _parse(expected: str) -> set[tuple[str, str]]:
    return {(concept, sign) for concept, sign, *_ in map(str.split, filter(str.strip, expected.split(";")))}


def _attributes(finding: Finding) -> set[str]:
    size = f"{finding.size_mm:g}mm" if finding.size_mm else "no-size"
    return {
        finding.laterality or "no-side",
        finding.severity or "no-severity",
        finding.change or "no-change",
        "misplaced" if finding.misplaced else "in-place",
        size,
        f"more-{finding.dominant}" if finding.dominant else "no-more",
        *(finding.zones or ("no-zone",)),
    }


@pytest.mark.parametrize(("text", "expected"), _cases())
def test_a_sentence_states_these_findings_and_no_others(text: str, expected: str):
    findings = find(text)
    assert {(f.concept, SIGNS[f.assertion]) for f in findings} == _parse(expected)
    for item in filter(str.strip, expected.split(";")):
        concept, sign, *attributes = item.split()
        stated = [f for f in findings if (f.concept, SIGNS[f.assertion]) == (concept, sign)]
        assert any(set(attributes) <= _attributes(f) for f in stated), [_attributes(f) for f in stated]


def test_the_tables_are_large_enough_to_mean_something():
    texts = [text for text, _ in SENTENCES]
    assert len(texts) == len(set(texts)) >= 860
    signs = [sign for _, expected in SENTENCES for _, sign in _parse(expected)]
    assert min(signs.count(sign) for sign in "+-?") >= 60


def test_few_sentences_are_left_to_do():
    assert sum(len(row) > 3 for row in ROWS) <= 10
