"""Who reads what: what holds of every plan, whatever the design."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.protocol.assignment import REFERENCE, Design, Reading, Source, StudyCase, make_plan
from app.protocol.load import preset
from xray.errors import ConfigError

PREFERENCE = preset("flamingo_pref")
SOURCES = (
    Source(run_id="run", system="adapter"),
    Source(run_id="other", system="adapter"),
    Source(run_id="run", system=REFERENCE),
)
REFERENCE_TEXT = "右侧胸腔少量积液，心影不大，未见气胸。左肺下野见斑片状密度增高影。"


def study_cases(count: int, *, sources: int = 2, abnormal: int = 0) -> list[StudyCase]:
    return [
        StudyCase(
            case_id=f"case-{number:03d}",
            texts=tuple(f"第{number}例来源{source}。" for source in range(sources)),
            reference=REFERENCE_TEXT,
            stratum="abnormal" if number < abnormal else "normal",
        )
        for number in range(count)
    ]


def design(**changes: object) -> Design:
    fields: dict[str, object] = {
        "study_id": "s1",
        "run_id": "run",
        "protocol": PREFERENCE,
        "sources": SOURCES[:2],
        "readers": ("chen", "li", "wang"),
        "overlap": 2,
        "seed": 7,
    }
    return Design(**{**fields, **changes})


@st.composite
def designs(draw: st.DrawFn) -> tuple[Design, list[StudyCase]]:
    readers = draw(st.integers(1, 6))
    reports = draw(st.integers(1, 3))
    sources = draw(st.integers(reports, 3))
    cases = draw(st.integers(1, 30))
    made = design(
        protocol=PREFERENCE.model_copy(update={"reports": reports, "preference": reports > 1}),
        sources=SOURCES[:sources],
        readers=tuple(f"reader{number}" for number in range(readers)),
        overlap=draw(st.integers(1, readers)),
        seed=draw(st.integers(0, 2**31)),
        repeats=draw(st.sampled_from((0.0, 0.1, 0.3, 0.5))),
        sentinels=draw(st.sampled_from((0.0, 0.1, 0.3))),
    )
    return made, study_cases(cases, sources=sources, abnormal=draw(st.integers(0, cases)))


def by_reader(plan: tuple[Reading, ...]) -> dict[str, list[Reading]]:
    found = defaultdict(list)
    for reading in plan:
        found[reading.assignment.reader].append(reading)
    return found


@settings(max_examples=60, deadline=None)
@given(designs())
def test_every_case_is_read_by_so_many_different_readers_and_the_loads_differ_by_at_most_one(
    made: tuple[Design, list[StudyCase]],
):
    asked, cases = made
    plan = make_plan(asked, cases)
    readers = defaultdict(list)
    for reading in plan:
        if reading.purpose == "study":
            readers[reading.assignment.case_id].append(reading.assignment.reader)
    planted = {reading.assignment.case_id for reading in plan if reading.purpose == "sentinel"}
    assert {case.case_id for case in cases} - planted == set(readers)
    for who in readers.values():
        assert len(who) == len(set(who)) == asked.overlap
    loads = [len(own) for own in by_reader(plan).values()]
    assert max(loads) - min(loads) <= 1


@settings(max_examples=60, deadline=None)
@given(designs())
def test_no_reader_has_a_case_twice_but_those_that_come_back_half_an_order_later_under_other_labels(
    made: tuple[Design, list[StudyCase]],
):
    asked, cases = made
    for own in by_reader(make_plan(asked, cases)).values():
        assert [reading.assignment.position for reading in own] == list(range(len(own)))
        shown: dict[str, Reading] = {}
        for reading in own:
            earlier = shown.setdefault(reading.assignment.case_id, reading)
            if earlier is reading:
                assert reading.purpose != "repeat"
                continue
            assert (earlier.purpose, reading.purpose) == ("study", "repeat")
            assert reading.assignment.position - earlier.assignment.position >= len(own) // 2
            assert {arm.text for arm in earlier.arms} == {arm.text for arm in reading.arms}
            if asked.protocol.reports > 1:
                assert all(one.text != other.text for one, other in zip(earlier.arms, reading.arms, strict=True))


@settings(max_examples=40, deadline=None)
@given(designs())
def test_the_same_seed_gives_the_same_plan_in_whatever_order_cases_and_readers_come(
    made: tuple[Design, list[StudyCase]],
):
    asked, cases = made
    turned = replace(asked, readers=asked.readers[::-1])
    assert make_plan(asked, cases) == make_plan(turned, cases[::-1])


@settings(max_examples=40, deadline=None)
@given(designs())
def test_labels_are_shared_out_between_two_sources_as_evenly_as_can_be_for_every_reader(
    made: tuple[Design, list[StudyCase]],
):
    asked, cases = made
    if len(asked.sources) != 2 or asked.protocol.reports != 2:
        return
    for own in by_reader(make_plan(asked, cases)).values():
        first = Counter(reading.arms[0].source_run for reading in own if reading.purpose == "study")
        assert abs(first["run"] - first["other"]) <= 1


def test_a_label_tells_nothing_of_the_source_nor_does_the_place_in_the_order():
    plan = make_plan(design(readers=tuple("abcdef"), overlap=3), study_cases(120))
    own = next(iter(by_reader(plan).values()))
    sides = [reading.arms[0].source_run == "run" for reading in own]
    assert 0.3 < sum(one != other for one, other in pairwise(sides)) / len(sides) < 0.7
    halves = sum(sides[: len(sides) // 2]) / (len(sides) // 2)
    assert 0.25 < halves < 0.75
    of_case = defaultdict(set)
    for reading in plan:
        of_case[reading.assignment.case_id].add(reading.arms[0].source_run)
    assert sum(len(seen) == 2 for seen in of_case.values()) > 90  # most cases are seen both ways round


def test_every_pair_of_readers_has_cases_together_so_that_their_agreement_can_be_measured():
    plan = make_plan(design(readers=tuple("abcd"), overlap=2), study_cases(60))
    together = defaultdict(set)
    for reading in plan:
        together[reading.assignment.case_id].add(reading.assignment.reader)
    counts = Counter(frozenset(pair) for pair in together.values())
    assert len(counts) == 6
    assert max(counts.values()) - min(counts.values()) <= 3


def test_strata_are_shared_out_as_evenly_as_the_cases():
    plan = make_plan(design(readers=tuple("abcd"), overlap=2), study_cases(50, abnormal=17))
    counts = Counter((reading.assignment.reader, reading.stratum) for reading in plan)
    for stratum in ("normal", "abnormal"):
        of_readers = [counts[reader, stratum] for reader in "abcd"]
        assert max(of_readers) - min(of_readers) <= 1


def test_more_sources_than_reports_take_turns_among_the_readers_of_a_case():
    protocol = preset("likert_ed")
    plan = make_plan(
        design(protocol=protocol, sources=SOURCES, readers=tuple("abc"), overlap=3, repeats=0),
        study_cases(20, sources=3),
    )
    seen = defaultdict(Counter)
    for reading in plan:
        (arm,) = reading.arms
        seen[reading.assignment.case_id][arm.source_run, arm.source_system] += 1
    assert all(len(sources) == 3 for sources in seen.values())


@pytest.mark.parametrize(
    ("protocol", "sources"), [("likert_ed", 1), ("likert_ed", 2), ("likert_ed", 3), ("flamingo_pref", 2)]
)
def test_a_design_tells_whether_its_plan_lets_two_readers_judge_the_same_texts(protocol: str, sources: int):
    made = design(protocol=preset(protocol), sources=SOURCES[:sources], overlap=2, repeats=0)
    texts = Counter(
        (reading.assignment.case_id, frozenset((arm.source_run, arm.source_system) for arm in reading.arms))
        for reading in make_plan(made, study_cases(20, sources=sources))
    )
    assert made.has_common_texts is (max(texts.values()) > 1)


def test_sentinels_are_the_same_for_all_readers_and_hold_one_known_good_and_one_planted_report():
    plan = make_plan(design(sentinels=0.2), study_cases(30))
    of_reader = {
        reader: {reading.assignment.case_id: reading for reading in own if reading.purpose == "sentinel"}
        for reader, own in by_reader(plan).items()
    }
    first, *others = of_reader.values()
    assert len(first) == 4
    assert all(set(other) == set(first) for other in others)
    for reading in first.values():
        systems = {arm.source_system: arm.text for arm in reading.arms}
        good = systems.pop("known_good")
        ((kind, planted),) = systems.items()
        assert kind.startswith("planted:")
        assert planted != good
        assert {arm.purpose for arm in reading.arms} == {"sentinel"}


def test_cases_that_carry_no_planted_error_stay_in_the_study():
    cases = [replace(case, reference="") for case in study_cases(10)]
    plan = make_plan(design(protocol=preset("radpeer"), sources=SOURCES[:1], sentinels=0.5), cases)
    assert {reading.purpose for reading in plan} == {"study"}


def test_assignment_ids_are_different_and_tell_nothing_of_case_or_source():
    plan = make_plan(design(sentinels=0.1, repeats=0.2), study_cases(40))
    ids = {reading.assignment.id for reading in plan}
    assert len(ids) == len(plan)
    assert not any(word in name for name in ids for word in ("run", "case", "adapter", "chen"))


@pytest.mark.parametrize(
    ("changes", "cases", "said"),
    [
        ({"overlap": 4}, study_cases(3), "4 readers a case"),
        ({"readers": ()}, study_cases(3), "needs readers"),
        ({"readers": ("li", "li")}, study_cases(3), "each of them once"),
        ({"sources": SOURCES[:1]}, study_cases(3), "2 reports of different sources"),
        ({}, [], "No case is left"),
        ({}, study_cases(1) * 2, "there twice"),
    ],
)
def test_a_design_that_cannot_be_carried_out_is_refused_with_what_to_change(
    changes: dict[str, object], cases: list[StudyCase], said: str
):
    with pytest.raises(ConfigError, match=said):
        make_plan(design(**changes), cases)
