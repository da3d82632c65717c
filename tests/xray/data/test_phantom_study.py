from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xray.data.phantom import BASE_CONCEPTS, DEMO_CONCEPTS, DrawnFinding, Style, labels, sample_studies
from xray.data.phantom.study import compatible
from xray.errors import ConfigError
from xray.text.labels import CLASSES

CONCEPTS = {Style.DEMO: DEMO_CONCEPTS, Style.BASE: BASE_CONCEPTS}
SIDED = set(DEMO_CONCEPTS) - {"cardiomegaly", "endotracheal_tube"}


@given(seed=st.integers(0, 2**32), count=st.integers(1, 40), style=st.sampled_from(Style))
@settings(max_examples=25, deadline=None)
def test_a_longer_set_begins_with_the_shorter_one(seed, count, style):
    assert sample_studies(count + 7, seed=seed, style=style)[:count] == sample_studies(count, seed=seed, style=style)


def test_another_seed_invents_other_studies():
    assert sample_studies(20, seed=1, style=Style.DEMO) != sample_studies(20, seed=2, style=Style.DEMO)


def test_an_empty_set_is_refused():
    with pytest.raises(ConfigError, match="at least 1"):
        sample_studies(0, seed=1, style=Style.DEMO)


@pytest.mark.parametrize("style", Style)
def test_every_finding_of_a_style_is_in_at_least_six_percent_of_the_studies(style):
    studies = sample_studies(4000, seed=5, style=style)
    counts = Counter(finding.concept for study in studies for finding in study.findings)
    assert set(counts) == set(CONCEPTS[style])
    assert min(counts.values()) >= 0.06 * len(studies)


def test_about_three_in_ten_demo_studies_are_normal_and_the_others_show_one_to_three_findings():
    counts = Counter(len(study.findings) for study in sample_studies(3000, seed=5, style=Style.DEMO))
    assert set(counts) == {0, 1, 2, 3}
    assert 0.24 < counts[0] / 3000 < 0.34


def test_the_other_hospital_does_not_know_three_findings():
    assert set(DEMO_CONCEPTS) - set(BASE_CONCEPTS) == {"pacemaker", "fracture", "pleural_thickening"}


@pytest.mark.parametrize("style", Style)
def test_findings_have_a_side_and_a_zone_where_the_anatomy_has_one(style):
    for study in sample_studies(500, seed=9, style=style):
        for finding in study.findings:
            assert (finding.laterality is not None) == (finding.concept in SIDED)
            assert (finding.zone is not None) == (finding.concept in {"opacity", "consolidation", "nodule", "mass"})


@pytest.mark.parametrize("style", Style)
def test_findings_of_one_study_never_hide_each_other(style):
    for study in sample_studies(500, seed=10, style=style):
        for number, finding in enumerate(study.findings):
            assert all(compatible(finding, other) for other in study.findings[number + 1 :])


def test_a_nodule_inside_a_consolidated_zone_is_incompatible_and_elsewhere_is_not():
    nodule = DrawnFinding(concept="nodule", laterality="left", zone="lower")
    assert not compatible(nodule, DrawnFinding(concept="consolidation", laterality="left", zone="lower"))
    assert compatible(nodule, DrawnFinding(concept="consolidation", laterality="right", zone="lower"))


def test_a_patients_studies_share_sex_and_anatomy_and_follow_in_time():
    visits = defaultdict(list)
    for study in sample_studies(800, seed=3, style=Style.DEMO):
        visits[study.patient_number].append(study)
    assert 1.4 < 800 / len(visits) < 1.8
    for studies in visits.values():
        assert len({(study.sex, study.patient_seed) for study in studies}) == 1
        days = [study.day for study in studies]
        assert days == sorted(set(days))


def test_a_pacemaker_stays_with_its_patient():
    studies = sample_studies(1500, seed=4, style=Style.DEMO)
    followed = [
        (before, after)
        for before, after in pairwise(studies)
        if before.patient_number == after.patient_number and before.get("pacemaker")
    ]
    assert followed
    assert all(before.get("pacemaker") == after.get("pacemaker") for before, after in followed)


def test_labels_name_exactly_the_classes_of_what_was_drawn():
    study = next(s for s in sample_studies(500, seed=6, style=Style.DEMO) if s.get("mass") and s.get("pneumothorax"))
    values = labels(study)
    assert tuple(values) == CLASSES
    assert values["Lung Lesion"] == values["Pneumothorax"] == 1
    assert values["No Finding"] == 0
    assert sum(values.values()) <= len(study.findings)


def test_no_finding_means_no_disease_and_allows_a_device():
    studies = sample_studies(500, seed=6, style=Style.DEMO)
    normal = next(study for study in studies if not study.findings)
    assert [name for name, value in labels(normal).items() if value] == ["No Finding"]
    device = next(s for s in studies if [f.concept for f in s.findings] == ["central_line"])
    assert [name for name, value in labels(device).items() if value] == ["No Finding", "Support Devices"]
