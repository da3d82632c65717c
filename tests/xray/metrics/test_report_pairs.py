"""Pairs of reports and the errors a radiologist counts: the table is whole, and the comparison counts the same."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from xray.metrics.compare import compare_findings
from xray.text.frames import find

CATEGORIES = {"false_finding", "omission", "location", "severity", "comparison_added", "comparison_omitted"}
PAIRS = yaml.safe_load((Path(__file__).parent / "report_pairs.yaml").read_text(encoding="utf-8"))


def test_each_pair_has_a_name_two_texts_counts_and_a_reason():
    assert len(PAIRS) == len({pair["id"] for pair in PAIRS}) >= 60
    for pair in PAIRS:
        assert set(pair) == {"id", "reference", "candidate", "expected", "why"}
        assert set(pair["expected"]) <= CATEGORIES
        assert all(count > 0 for count in pair["expected"].values())
        assert pair["why"]


def test_each_category_and_no_error_at_all_are_covered():
    categories = Counter(category for pair in PAIRS for category in pair["expected"])
    assert set(categories) == CATEGORIES
    assert min(categories.values()) >= 3
    assert sum(not pair["expected"] for pair in PAIRS) >= 20


def test_the_lexicon_reads_a_finding_in_every_text_that_has_an_error():
    for pair in PAIRS:
        if set(pair["expected"]) & {"omission", "location", "severity", "comparison_omitted"}:
            assert any(f.assertion != "absent" for f in find(pair["reference"])), pair["id"]
        if set(pair["expected"]) & {"false_finding", "location", "severity", "comparison_added"}:
            assert any(f.assertion != "absent" for f in find(pair["candidate"])), pair["id"]


NAMES = {"false": "false_finding", "added_comparison": "comparison_added", "omitted_comparison": "comparison_omitted"}


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["id"] for pair in PAIRS])
def test_the_comparison_counts_the_errors_that_a_radiologist_counts(pair):
    errors = compare_findings(pair["candidate"], pair["reference"]).errors
    assert {NAMES.get(kind, kind): count for kind, count in errors.items() if count} == pair["expected"]
