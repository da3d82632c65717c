from collections import Counter
from pathlib import Path

import pytest
import yaml

from xray.data.data_card import read_data_card
from xray.data.phantom import Style, sample_studies
from xray.errors import ConfigError

CARDS = sorted((Path(__file__).parents[1] / "data_cards").glob("*.yaml"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_answers_every_question(path: Path) -> None:
    card = read_data_card(path)
    assert card.id == path.stem
    assert all(str(answer).strip() for answer in card.model_dump().values())


def test_a_card_without_an_answer_is_refused_by_its_name(tmp_path: Path) -> None:
    content = yaml.safe_load(CARDS[0].read_text(encoding="utf-8"))
    del content["third_party_interfaces"]
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError, match="third_party_interfaces"):
        read_data_card(path)
    with pytest.raises(ConfigError, match="no data card"):
        read_data_card(tmp_path / "none.yaml")


def test_the_facts_of_the_demo_card_are_what_is_drawn() -> None:
    facts = yaml.safe_load((CARDS[0].parent / "demo.yaml").read_text(encoding="utf-8"))["facts"]
    studies = sample_studies(facts["studies"], seed=0, style=Style.DEMO)
    assert facts["patients"] == len({study.patient_number for study in studies})
    assert facts["studies_with_a_lateral"] == sum(study.has_lateral for study in studies)
    assert facts["studies_without_a_finding"] == sum(not study.findings for study in studies)
    assert facts["findings"] == Counter(finding.concept for study in studies for finding in study.findings)
