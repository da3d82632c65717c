"""Splits by patient: nothing that belongs together is parted, and nobody moves."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.assignments import Assigned
from xray.data.fingerprint import FingerprintLine, fingerprint
from xray.data.groups import SplitFilm, SplitStudy
from xray.data.split import SplitResult, split_studies
from xray.data.split_settings import SplitSettings
from xray.errors import ConfigError, DataError
from xray.types import Split

TEXTS = [
    "",
    "双肺纹理清晰，心影不大。",
    "右肺下野见斑片状密度增高影，边缘模糊，右侧肋膈角变钝，心影增大，主动脉结突出，左侧第五肋骨陈旧性骨折，请结合临床。",
    "右肺下野见斑片状密度增高影，边缘模糊，右侧肋膈角变钝，心影增大，主动脉结突出，左侧第六肋骨陈旧性骨折，请结合临床。",
    "左肺上野见结节影，直径约一点五厘米，边缘可见毛刺，邻近胸膜牵拉，纵隔居中，膈面光整，双侧肋膈角锐利，胸廓骨质完整。",
]
HALVES = SplitSettings(val=0.3, test=0.3)


def study(name: str, *, patient: str, film: str | None = None, text: str = "", also: str | None = None) -> SplitStudy:
    return SplitStudy(
        study=name,
        patients=(patient,) if also is None else (patient, also),
        text=text,
        films=() if film is None else (SplitFilm(pixels_sha256=film, perceptual_hash="0" * 64),),
    )


@st.composite
def data_sets(draw: st.DrawFn) -> list[SplitStudy]:
    """At most 40 studies; few films and texts are shared, so that there are groups and singles."""
    number = draw(st.integers(4, 40))
    patients, films = st.sampled_from([f"p{n}" for n in range(30)]), st.sampled_from([f"f{n}" for n in range(60)])
    return [
        study(
            f"s{n}",
            patient=draw(patients),
            film=draw(films | st.none()),
            text=draw(st.sampled_from(TEXTS)),
            also=draw(st.none() | patients) if draw(st.integers(0, 9)) == 0 else None,
        )
        for n in range(number)
    ]


settings_drawn = st.builds(
    SplitSettings, val=st.sampled_from([0.0, 0.1, 0.4]), test=st.sampled_from([0.0, 0.1, 0.5]), seed=st.integers(0, 9)
)


def split(studies: Sequence[SplitStudy], *, settings: SplitSettings = HALVES, earlier: Sequence[Assigned] = ()):
    try:
        return split_studies(studies, settings=settings, earlier=earlier)
    except DataError as error:
        if "unrelated patients" not in str(error):
            raise
        return None


def assigned(studies: Sequence[SplitStudy], result: SplitResult) -> list[Assigned]:
    return [
        Assigned(study=study.study, patient=study.patients[0], split=result.split_of[study.study])
        for study in studies
        if study.study in result.split_of
    ]


def singles(number: int, *, name: str = "s") -> list[SplitStudy]:
    return [study(f"{name}{n}", patient=f"patient {name}{n}") for n in range(number)]


@given(studies=data_sets(), settings=settings_drawn)
def test_every_study_has_a_split_and_nothing_that_is_shared_crosses(studies, settings) -> None:
    if (result := split(studies, settings=settings)) is None:
        return
    assert result.split_of.keys() == {study.study for study in studies}
    for key in ("p0", "p1", "p2", "f0", "f1", "f2", *[f"p{n}" for n in range(3, 30)]):
        sharing = [s for s in studies if key in s.patients or key in {film.pixels_sha256 for film in s.films}]
        assert len({result.split_of[s.study] for s in sharing}) <= 1
    counts = result.leakage.counts()
    assert {name: number for name, number in counts.items() if number and name not in ("templates", "held_out")} == {}


@given(studies=data_sets(), settings=settings_drawn)
def test_every_split_that_is_asked_for_has_a_study_and_no_other_split_has(studies, settings) -> None:
    if (result := split(studies, settings=settings)) is not None:
        assert set(result.split_of.values()) == set(settings.asked())


@given(studies=data_sets(), settings=settings_drawn, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_studies_does_not_matter(studies, settings, shuffle: random.Random) -> None:
    shuffled = studies[:]
    shuffle.shuffle(shuffled)
    first, second = split(studies, settings=settings), split(shuffled, settings=settings)
    assert (first and first.split_of) == (second and second.split_of)


@given(studies=data_sets(), cut=st.integers(1, 40), settings=settings_drawn)
def test_with_the_earlier_splits_nobody_moves_and_newcomers_never_make_a_leak(studies, cut: int, settings) -> None:
    before = split(studies[:cut], settings=settings)
    if before is None:
        return
    after = split(studies, settings=settings, earlier=assigned(studies[:cut], before))
    assert after is not None
    assert {name: after.split_of[name] for name in before.split_of} == before.split_of
    assert after.refused.keys() | after.split_of.keys() == {study.study for study in studies}
    assert {rejected.code for rejected in after.refused.values()} <= {"joins_splits"}
    by_patient = {entry.patient: entry.split for entry in assigned(studies[:cut], before)}
    for entry in studies:
        if entry.study in after.split_of and entry.patients[0] in by_patient:
            assert after.split_of[entry.study] == by_patient[entry.patients[0]]


@given(studies=data_sets(), cut=st.integers(1, 40), shuffle=st.randoms(use_true_random=False))
def test_what_becomes_of_newcomers_does_not_depend_on_their_order(studies, cut: int, shuffle: random.Random) -> None:
    before = split(studies[:cut])
    if before is None:
        return
    earlier = assigned(studies[:cut], before)
    shuffled = studies[:]
    shuffle.shuffle(shuffled)
    first, second = split(studies, earlier=earlier), split(shuffled, earlier=earlier[::-1])
    assert first is not None
    assert second is not None
    assert (first.split_of, first.refused.keys()) == (second.split_of, second.refused.keys())


def test_unrelated_patients_keep_their_split_when_the_data_set_grows() -> None:
    small, large = singles(200), singles(200) + singles(500, name="t")
    before, after = split(small), split(large)
    assert before.split_of == {name: after.split_of[name] for name in before.split_of}


def test_a_newcomer_follows_the_group_it_joins() -> None:
    studies = singles(60)
    result = split(studies)
    for old in studies:
        newcomer = study("new", patient="somebody else", also=old.patients[0])
        grown = split([*studies, newcomer], earlier=assigned(studies, result))
        assert grown.split_of["new"] == result.split_of[old.study]


def film_of(number: int) -> str:
    return f"film {number}"


def test_a_newcomer_that_is_tied_to_two_splits_is_refused_and_the_rest_stays() -> None:
    studies = [study(f"s{n}", patient=f"p{n}", film=film_of(n)) for n in range(60)]
    result = split(studies)
    inside, outside = (
        next(n for n in range(60) if result.split_of[f"s{n}"] == split_name) for split_name in ("train", "test")
    )
    films = tuple(SplitFilm(pixels_sha256=film_of(n), perceptual_hash="0" * 64) for n in (inside, outside))
    bridge = SplitStudy(study="bridge", patients=("new",), text="", films=films)
    innocent = study("innocent", patient="new")
    grown = split([*studies, bridge, innocent], earlier=assigned(studies, result))
    assert set(grown.refused) == {"bridge"}
    assert "innocent" in grown.split_of
    assert {name: grown.split_of[name] for name in result.split_of} == result.split_of


def test_newcomers_that_join_two_splits_through_each_other_are_refused_together() -> None:
    studies = [study(f"s{n}", patient=f"p{n}") for n in range(60)]
    result = split(studies)
    inside, outside = (
        next(f"p{n}" for n in range(60) if result.split_of[f"s{n}"] == name) for name in ("train", "val")
    )
    chain = [study("one", patient=inside, film="shared"), study("two", patient=outside, film="shared")]
    grown = split([*studies, *chain], earlier=assigned(studies, result))
    assert set(grown.refused) == {"one", "two"}


@pytest.mark.parametrize("kept", ["train", "val", "test"])
def test_an_earlier_patient_whose_studies_are_gone_keeps_its_split(kept: Split) -> None:
    before = Assigned(study="gone", patient="p", split=kept)
    for also in (None, "p"):
        again = study("again", patient="q" if also else "p", also=also)
        assert split([*singles(60), again], earlier=[before]).split_of["again"] == kept


def test_a_tied_group_stays_when_it_grows_by_a_patient_with_a_greater_key() -> None:
    for number in range(30):
        studies = [study(f"m{number}", patient=f"key {number}", film="f"), *singles(30)]
        grown = [*studies, study(f"a{number}", patient=f"key {number} and more", film="f")]
        before, after = split(studies).split_of, split(grown).split_of
        assert before[f"m{number}"] == after[f"m{number}"] == after[f"a{number}"]


def test_earlier_splits_that_leak_are_refused() -> None:
    studies = [study("a", patient="p"), study("b", patient="p"), *singles(20)]
    earlier = [
        Assigned(study="a", patient="p", split="train"),
        Assigned(study="b", patient="p", split="test"),
    ]
    with pytest.raises(DataError, match="1 patients"):
        split_studies(studies, settings=HALVES, earlier=earlier)


def test_declared_splits_are_taken_over() -> None:
    studies = singles(9)
    declared: dict[str, Split] = {s.study: ("train", "val", "test")[n % 3] for n, s in enumerate(studies)}
    assert split_studies(studies, settings=HALVES, declared=declared).split_of == declared


def test_declared_splits_that_part_a_patient_or_leave_a_study_out_are_refused() -> None:
    studies = [study("a", patient="p"), study("b", patient="p"), study("c", patient="q")]
    with pytest.raises(DataError, match=r"1 patients stand in more than one .*leave the declared splits out"):
        split_studies(studies, settings=HALVES, declared={"a": "train", "b": "test", "c": "val"})
    with pytest.raises(DataError, match="2 of 3 studies have no declared split"):
        split_studies(studies, settings=HALVES, declared={"a": "train"})


def test_the_shares_are_met_on_average() -> None:
    result = split(singles(5000), settings=SplitSettings(val=0.1, test=0.2))
    counts = {name: list(result.split_of.values()).count(name) / 5000 for name in ("val", "test")}
    assert counts == pytest.approx({"val": 0.1, "test": 0.2}, abs=0.02)


def test_another_seed_is_another_split() -> None:
    first, second = (split(singles(50), settings=SplitSettings(val=0.3, seed=seed)) for seed in (0, 1))
    assert first.split_of != second.split_of


def test_too_few_patients_are_refused_with_the_way_out() -> None:
    studies = [study("a", patient="p"), study("b", patient="q"), study("c", patient="q")]
    with pytest.raises(DataError, match=r"2 unrelated patients .*Add studies of other patients"):
        split_studies(studies, settings=SplitSettings())
    result = split_studies(studies[:1], settings=SplitSettings(val=0, test=0))
    assert set(result.split_of.values()) == {"train"}


@pytest.mark.parametrize(("val", "test"), [(-0.1, 0.1), (0.5, 0.5), (1.0, 0.0), (float("nan"), 0.1)])
def test_shares_that_leave_nothing_to_train_on_are_refused(val: float, test: float) -> None:
    with pytest.raises(ConfigError, match="split"):
        SplitSettings(val=val, test=test)


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
