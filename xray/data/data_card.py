"""A data card: what a data set is, where it comes from, and what may be done with it. One YAML per data set."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from xray.errors import ConfigError
from xray.records import Record


class DataCard(Record):
    """`data_cards/<id>.yaml`. `facts` are numbers that can be counted again.

    `third_party_interfaces`: whether films of this data set may be sent to somebody else's model. `forbidden` wherever
    nobody has looked: PhysioNet, for one, forbids it for MIMIC.
    """

    id: str
    version: str
    title: str
    made_by: str
    licence: str
    language: str
    people: str
    intended_use: str
    out_of_scope: str
    reports: str
    splits: str
    third_party_interfaces: Literal["allowed", "forbidden"]
    facts: dict[str, object]


def read_data_card(path: Path) -> DataCard:
    """Read a data card. Raises ConfigError when it is missing, no YAML, or lacks an answer."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise ConfigError(f"{path} is no data card that can be read. Name one such as data_cards/demo.yaml.") from None
    try:
        return DataCard.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the card"
        raise ConfigError(f"{path}: {place}: {problem['msg']}. Correct the data card.") from None
