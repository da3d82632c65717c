"""Protocols from YAML files."""

import pytest

from app.protocol.load import preset, preset_names, read_protocol
from xray.errors import ConfigError

SMALL = """
name: small
title: {zh: 小, en: Small}
instruction: {zh: 看, en: Look}
"""


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_a_protocol_of_its_files_name(name: str):
    assert preset(name).name == name


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("preference: true", "preference needs at least two reports"),
        ("reports: 2\nsentences: true", "one report at a time"),
        ("reference: among", "suggestions: false"),
        ("colour: red", "colour"),
        ("title: [", "line 5: this is no YAML"),
        ("questions: [{name: q, kind: choice, text: {zh: 问, en: Ask}}]", "no choices"),
    ],
)
def test_what_does_not_fit_is_said_with_its_file(added: str, said: str):
    with pytest.raises(ConfigError, match=r"mine\.yaml") as caught:
        read_protocol(SMALL + added, where="mine.yaml")
    assert said in str(caught.value)


def test_a_name_of_no_preset_lists_those_that_there_are():
    with pytest.raises(ConfigError, match="open_review"):
        preset("missing")
