"""Protocols from YAML files."""

import json

import pytest

from app.protocol.load import frozen, preset, preset_names, read_protocol, thawed
from app.protocol.model import Protocol
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
        ("reference: never", "suggestions: false"),
        ("suggestions: false\nreference: never\nfilms: false", "need a reference beside them"),
        ("errors: by_sentence", "sentences: true"),
        ("categories: [haste]", "categories.0"),
        ("adjudicate: [score=s1]", "there is no question score"),
        ("questions: [{name: q, kind: yes_no, text: {zh: 问, en: Ask}}]\nadjudicate: [q=maybe]", "yes, no"),
        ("questions: &q [*q]", "no plain YAML"),
        (f"questions: {'x' * 100_001}", "at most 100000 characters"),
    ],
)
def test_what_does_not_fit_is_said_with_its_file(added: str, said: str):
    with pytest.raises(ConfigError, match=r"mine\.yaml") as caught:
        read_protocol(SMALL + added, where="mine.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", preset_names())
def test_a_study_keeps_its_protocol_whole(name: str):
    assert thawed(frozen(preset(name))) == preset(name)
    assert set(json.loads(frozen(preset(name)))) == set(Protocol.model_fields)


@pytest.mark.parametrize(
    "name", ["rexval6", "flamingo_pref", "flamingo_fix", "radpeer", "likert_ed", "edit_free", "gt_audit"]
)
def test_no_preset_of_a_study_anchors_its_reader_by_the_programs_own_comparison(name: str):
    assert not preset(name).suggestions


def test_a_name_of_no_preset_lists_those_that_there_are():
    with pytest.raises(ConfigError, match="open_review"):
        preset("missing")
