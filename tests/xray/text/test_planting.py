"""Errors planted into reports: always another meaning, and only the one asked for."""

import random

import pytest

from xray.text.frames import find
from xray.text.planting import PLANTED, plant

REPORT = "右侧胸腔少量积液，心影不大，未见气胸。左肺下野见斑片状密度增高影。"


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_error_changes_what_the_report_states(kind: str):
    changed = plant(REPORT, kind=kind, rng=random.Random(1))
    assert changed is not None
    meaning = [
        [(one.concept, one.assertion, one.laterality, one.severity) for one in find(text)] for text in (REPORT, changed)
    ]
    assert meaning[0] != meaning[1]
    assert plant(REPORT, kind=kind, rng=random.Random(1)) == changed


def test_a_report_without_a_place_for_an_error_gets_none():
    assert plant("心影不大。", kind="side", rng=random.Random(1)) is None
    assert plant("双肺野清晰。", kind="dropped", rng=random.Random(1)) is None
