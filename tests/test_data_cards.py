from collections import Counter
from pathlib import Path

import pytest
import yaml

from xray.data.phantom import Style, sample_studies

CARDS = sorted((Path(__file__).parents[1] / "data_cards").glob("*.yaml"))
ASKED = {
    "id",
    "version",
    "title",
    "made_by",
    "licence",
    "language",
    "people",
    "intended_use",
    "out_of_scope",
    "reports",
    "splits",
}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_answers_every_question(path: Path) -> None:
    card = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert card["id"] == path.stem
    assert {*ASKED, "facts"} == set(card)
    assert all(str(card[question]).strip() for question in ASKED)


def test_the_facts_of_the_demo_card_are_what_is_drawn() -> None:
    facts = yaml.safe_load((CARDS[0].parent / "demo.yaml").read_text(encoding="utf-8"))["facts"]
    studies = sample_studies(facts["studies"], seed=0, style=Style.DEMO)
    assert facts["patients"] == len({study.patient_number for study in studies})
    assert facts["studies_with_a_lateral"] == sum(study.has_lateral for study in studies)
    assert facts["studies_without_a_finding"] == sum(not study.findings for study in studies)
    assert facts["findings"] == Counter(finding.concept for study in studies for finding in study.findings)
