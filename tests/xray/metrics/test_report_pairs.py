"""The table of report pairs is whole; whether a matcher counts as it says is tested where the matcher is."""

from collections import Counter
from pathlib import Path

import yaml

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
