"""Pseudonyms repeat under one key, differ under another, and are what the standard asks of them."""

import uuid

import pytest

from xray.data.pseudonym import SITE_KEY_VARIABLE, Pseudonyms
from xray.errors import ConfigError

OURS = Pseudonyms(key="ours", is_secret=True)
THEIRS = Pseudonyms(key="theirs", is_secret=True)


def test_a_uid_becomes_a_uid_that_is_a_uuid():
    made = OURS.uid("1.2.840.113619.2.5")
    root, number = made.rsplit(".", 1)
    assert root == "2.25"
    assert len(made) <= 64
    assert uuid.UUID(int=int(number)).version == 8
    assert uuid.UUID(int=int(number)).variant == uuid.RFC_4122


def test_the_same_uid_gets_the_same_pseudonym_under_one_key_only():
    assert OURS.uid("1.2.3") == OURS.uid(" 1.2.3 ")
    assert OURS.uid("1.2.3") != OURS.uid("1.2.4")
    assert OURS.uid("1.2.3") != THEIRS.uid("1.2.3")


def test_the_days_of_a_patient_are_always_moved_and_by_at_most_ten_years():
    moved = [OURS.days_back(f"P{number}") for number in range(300)]
    assert min(moved) >= 1
    assert max(moved) <= 3652
    assert len(set(moved)) > 250
    assert OURS.days_back("P1") == OURS.days_back("P1") != THEIRS.days_back("P1")


def test_one_id_gets_different_pseudonyms_as_patient_study_and_place():
    made = {OURS.patient("7"), OURS.study("7"), OURS.place("7"), OURS.uid("7")}
    assert len(made) == 4


def test_the_key_is_in_no_repr(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SITE_KEY_VARIABLE, "a secret of the site")
    assert "secret of" not in repr(Pseudonyms.of_site())
    assert Pseudonyms.of_site().is_secret


def test_a_key_that_can_be_tried_out_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SITE_KEY_VARIABLE, "ward7")
    with pytest.raises(ConfigError, match="openssl rand"):
        Pseudonyms.of_site()


def test_keys_are_told_apart_by_their_fingerprints_alone():
    assert OURS.fingerprint == Pseudonyms(key="ours", is_secret=True).fingerprint != THEIRS.fingerprint
    assert "ours" not in OURS.fingerprint
