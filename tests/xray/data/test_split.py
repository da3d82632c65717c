"""Splits by patient."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.fingerprint import FingerprintLine, fingerprint
from xray.data.split import SplitMember, SplitSettings, leakage, split_patients
from xray.errors import ConfigError, DataError

data_sets = st.dictionaries(st.text(min_size=1, max_size=6), st.sampled_from([f"p{n}" for n in range(30)]), max_size=60)
settings_drawn = st.builds(
    SplitSettings, val=st.sampled_from([0.0, 0.1, 0.4]), test=st.sampled_from([0.0, 0.1, 0.5]), seed=st.integers(0, 9)
)


def enough(patient_of: dict[str, str]) -> bool:
    return len(set(patient_of.values())) >= 3


@given(patient_of=data_sets.filter(enough), settings=settings_drawn)
def test_no_patient_is_in_two_splits_and_every_study_is_in_one(patient_of: dict[str, str], settings: SplitSettings):
    split_of = split_patients(patient_of, settings=settings)
    assert split_of.keys() == patient_of.keys()
    for patient in set(patient_of.values()):
        assert len({split_of[study] for study, owner in patient_of.items() if owner == patient}) == 1


@given(patient_of=data_sets.filter(enough), settings=settings_drawn)
def test_every_split_that_is_asked_for_has_a_patient_and_no_other_split_has(
    patient_of: dict[str, str], settings: SplitSettings
):
    asked = {"train"} | ({"val"} if settings.val else set()) | ({"test"} if settings.test else set())
    assert set(split_patients(patient_of, settings=settings).values()) == asked


@given(patient_of=data_sets.filter(enough), settings=settings_drawn, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_studies_does_not_matter(
    patient_of: dict[str, str], settings: SplitSettings, shuffle: random.Random
):
    items = list(patient_of.items())
    shuffle.shuffle(items)
    assert split_patients(dict(items), settings=settings) == split_patients(patient_of, settings=settings)


@given(data=st.data())
def test_linked_studies_stay_together_also_through_others(data: st.DataObject):
    patient_of = {f"s{n}": f"p{n}" for n in range(12)}
    linked = data.draw(st.lists(st.sets(st.sampled_from(sorted(patient_of)), min_size=2, max_size=3), max_size=4))
    split_of = split_patients(patient_of, settings=SplitSettings(val=0.3, test=0.3), linked=linked)
    for studies in linked:
        assert len({split_of[study] for study in studies}) == 1


def test_patients_keep_their_split_when_the_data_set_grows():
    small = {f"s{n}": f"p{n}" for n in range(200)}
    large = small | {f"t{n}": f"q{n}" for n in range(500)}
    settings = SplitSettings(val=0.2, test=0.2)
    before, after = split_patients(small, settings=settings), split_patients(large, settings=settings)
    assert before == {study: after[study] for study in small}


def test_the_shares_are_met_on_average():
    split_of = split_patients({f"s{n}": f"p{n}" for n in range(5000)}, settings=SplitSettings(val=0.1, test=0.2))
    counts = {name: list(split_of.values()).count(name) / 5000 for name in ("val", "test")}
    assert counts == pytest.approx({"val": 0.1, "test": 0.2}, abs=0.02)


def test_another_seed_is_another_split():
    patient_of = {f"s{n}": f"p{n}" for n in range(50)}
    first, second = (split_patients(patient_of, settings=SplitSettings(val=0.3, seed=seed)) for seed in (0, 1))
    assert first != second


def test_too_few_patients_are_refused_with_the_way_out():
    with pytest.raises(DataError, match=r"2 unrelated patients .*Add studies of other patients"):
        split_patients({"a": "p", "b": "q", "c": "q"}, settings=SplitSettings())
    assert set(split_patients({"a": "p"}, settings=SplitSettings(val=0, test=0)).values()) == {"train"}


@pytest.mark.parametrize(("val", "test"), [(-0.1, 0.1), (0.5, 0.5), (1.0, 0.0), (float("nan"), 0.1)])
def test_shares_that_leave_nothing_to_train_on_are_refused(val: float, test: float):
    with pytest.raises(ConfigError, match="split"):
        SplitSettings(val=val, test=test)


def test_the_leakage_report_counts_what_stands_on_two_sides():
    members = [
        SplitMember(study="s1", patient="p1", split="train", text="正常", images=("a", "b")),
        SplitMember(study="s2", patient="p1", split="test", text="正常", images=("b",)),
        SplitMember(study="s3", patient="p3", split="train", text="气胸", images=("c",)),
    ]
    found = leakage(members)
    assert (found.patients, found.studies, found.images, found.reports) == (1, 0, 1, 1)


LINES = [
    FingerprintLine(example_id="e1", images=("a", "b"), target="é", split="train"),
    FingerprintLine(example_id="e2", images=("c",), target="心影不大", split="test"),
]


def test_the_fingerprint_does_not_depend_on_order_or_unicode_form():
    decomposed = FingerprintLine(example_id="e1", images=("a", "b"), target="e\u0301", split="train")
    assert fingerprint(LINES) == fingerprint([LINES[1], decomposed])


@pytest.mark.parametrize("change", [{"images": ("b", "a")}, {"target": "e"}, {"split": "val"}, {"example_id": "e3"}])
def test_the_fingerprint_changes_with_any_film_text_split_or_study(change: dict[str, object]):
    first = {"example_id": "e1", "images": ("a", "b"), "target": "é", "split": "train"} | change
    assert fingerprint([FingerprintLine(**first), LINES[1]]) != fingerprint(LINES)
