import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.metrics import score, statistics
from xray.metrics.statistics import bootstrap_sums, estimate, exchange_sums, holm, interval, paired_test


def _mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def _rows(values: np.ndarray) -> np.ndarray:
    return np.stack([values, np.ones_like(values)], axis=1)


def test_the_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(0).normal(size=400)
    keys = [str(i) for i in range(400)]
    drawn = bootstrap_sums(_rows(values), groups=keys, resamples=4000, rng=np.random.default_rng(1))
    low, high = interval(_mean(drawn))
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_reports_of_one_patient_that_repeat_widen_the_interval():
    rng = np.random.default_rng(2)
    patients = {f"p{i}": rng.random() < 0.5 for i in range(20)}
    references = {f"{patient}-{k}": "右侧胸腔积液。" for patient in patients for k in range(10)}
    predictions = {name: "右侧胸腔积液。" if patients[name.split("-")[0]] else "双肺清晰。" for name in references}
    groups = {name: name.split("-")[0] for name in references}
    by_report = score(predictions, references).metrics["finding_f1"]
    by_patient = score(predictions, references, groups=groups).metrics["finding_f1"]
    assert by_patient.value == by_report.value
    assert by_patient.high - by_patient.low > 2 * (by_report.high - by_report.low)


def test_the_description_says_what_was_resampled():
    texts = {"a": "右侧胸腔积液。", "b": "左侧气胸。", "c": "心影增大。"}
    grouped = score(texts, texts, groups={"a": "p", "b": "p", "c": "q"}, resamples=50, seed=3)
    assert grouped.bootstrap == "percentile bootstrap over 2 patients, 50 resamples, seed 3"
    assert score(texts, texts, resamples=50).bootstrap == "percentile bootstrap over 3 reports, 50 resamples, seed 0"


def test_one_patient_gives_a_value_and_no_interval():
    texts = {"a": "右侧胸腔积液。", "b": "左侧气胸。"}
    result = score(texts, texts, groups=dict.fromkeys(texts, "p")).metrics["finding_f1"]
    assert (result.value, result.low, result.high, result.n) == (1.0, None, None, 2)


def test_the_same_seed_draws_the_same_resamples_and_another_seed_others():
    rows, keys = _rows(np.arange(30.0)), [str(i % 7) for i in range(30)]
    first, again, other = (
        bootstrap_sums(rows, groups=keys, resamples=50, rng=np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_resample_draws_whole_patients():
    rows, keys = _rows(np.array([1.0, 1.0, 1.0, 0.0])), ["a", "a", "a", "b"]
    drawn = bootstrap_sums(rows, groups=keys, resamples=200, rng=np.random.default_rng(0))
    assert {tuple(pair) for pair in drawn} == {(6.0, 6.0), (3.0, 4.0), (0.0, 2.0)}


def test_an_undefined_statistic_is_none_and_undefined_resamples_are_left_out():
    def share(sums: np.ndarray) -> np.ndarray:
        return np.where(sums[..., 1] > 0, sums[..., 0] / np.maximum(sums[..., 1], 1), np.nan)

    nothing = estimate(share, sums=np.zeros((3, 2)), resampled=np.zeros((10, 2)))
    assert (nothing.value, nothing.low, nothing.high, nothing.n) == (None, None, None, 3)
    drawn = np.array([[0.0, 0.0], *[[1.0, 2.0]] * 4])
    most = estimate(share, sums=np.array([[1.0, 2.0]]), resampled=drawn)
    assert (most.value, most.low, most.high) == (0.5, 0.5, 0.5)
    fewer = estimate(share, sums=np.array([[1.0, 2.0]]), resampled=drawn[:4])
    assert (fewer.value, fewer.low, fewer.high) == (0.5, None, None)


def _paired(a: list[float], b: list[float], groups: list[str] | None = None, *, draws: int = 999, seed: int = 0):
    keys = groups or [f"r{i:03}" for i in range(len(a))]
    first, second = _rows(np.array(a)), _rows(np.array(b))
    exchanges = exchange_sums(first, second, groups=keys, draws=draws, rng=np.random.default_rng(seed))
    return paired_test(_mean, exchanges), exchanges


@pytest.mark.parametrize(
    ("a", "b", "p", "smallest"),
    [
        ([0, 0, 0], [1, 2, 3], 2 / 8, 2 / 8),
        ([0, 0, 0], [1, 2, -1], 6 / 8, 2 / 8),
        ([0, 0, 0, 0], [1, 1, 1, -1], 10 / 16, 2 / 16),
        ([0], [5], 1.0, 1.0),
        ([1, 2], [1, 2], 1.0, 1.0),
        ([0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1], 2 / 64, 2 / 64),
    ],
)
def test_a_small_case_has_the_p_that_is_counted_by_hand(a: list[float], b: list[float], p: float, smallest: float):
    outcome, exchanges = _paired(a, b)
    assert (outcome.p, outcome.smallest_p) == (p, smallest)
    assert exchanges.exact


def test_twelve_reports_that_differ_are_enumerated_and_thirteen_are_drawn():
    for number, exact in ((12, True), (13, False)):
        _, exchanges = _paired([0.0] * number, [1.0] * number, draws=500)
        assert exchanges.exact == exact
        assert len(exchanges.first) == (4096 if exact else 501)


def test_reports_that_are_alike_in_both_systems_neither_help_nor_harm():
    few, _ = _paired([0, 0, 0], [1, 2, 3])
    many, exchanges = _paired([0, 0, 0] + [7.0] * 40, [1, 2, 3] + [7.0] * 40)
    assert many == few
    assert (exchanges.units, exchanges.differing, exchanges.exact) == (43, 3, True)


def test_whole_patients_are_exchanged():
    a, b = [0.0] * 40, [1.0] * 40
    outcome, exchanges = _paired(a, b, ["p", "q"] * 20)
    assert exchanges.units == 2
    assert (outcome.p, outcome.smallest_p) == (0.5, 0.5)


def test_random_exchanges_agree_with_all_of_them(monkeypatch: pytest.MonkeyPatch):
    a, b = (list(np.random.default_rng(seed).normal(size=12)) for seed in (3, 4))
    exact, _ = _paired(a, b)
    monkeypatch.setattr(statistics, "EXACT_UNITS", 0)
    drawn, exchanges = _paired(a, b, draws=20_000)
    assert not exchanges.exact
    assert drawn.p == pytest.approx(exact.p, abs=0.015)
    assert drawn.smallest_p == pytest.approx(exact.smallest_p, abs=0.0006)


@pytest.mark.parametrize("seed", range(4))
def test_the_exact_p_is_that_of_scipy(seed: int):
    from scipy.stats import permutation_test

    a, b = np.random.default_rng(seed).normal(size=(2, 9))
    theirs = permutation_test(
        (a, b), lambda x, y, axis: (y - x).mean(axis=axis), permutation_type="samples", vectorized=True
    )
    assert _paired(list(a), list(b))[0].p == pytest.approx(theirs.pvalue)


def test_under_the_null_p_is_uniform():
    rng = np.random.default_rng(11)
    found = []
    for number in range(600):
        a, b = rng.normal(size=(2, 20)) + rng.normal(size=20)
        found.append(_paired(list(a), list(b), draws=199, seed=number)[0].p)
    for level in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9):
        share = np.mean(np.array(found) <= level)
        assert share == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 600))


def test_patients_with_many_alike_reports_do_not_make_a_false_difference():
    rng = np.random.default_rng(12)
    keys = [f"p{i:02}" for i in range(15) for _ in range(8)]
    by_patient, by_report = [], []
    for number in range(200):
        a, b = (list(np.repeat(rng.normal(size=15), 8)) for _ in range(2))
        by_patient.append(_paired(a, b, keys, draws=199, seed=number)[0].p)
        by_report.append(_paired(a, b, draws=199, seed=number)[0].p)
    assert np.mean(np.array(by_patient) <= 0.05) < 0.1
    assert np.mean(np.array(by_report) <= 0.05) > 0.3


def test_a_clear_difference_is_found_with_the_smallest_p_there_is():
    rng = np.random.default_rng(13)
    a = rng.normal(size=60)
    outcome, _ = _paired(list(a), list(a + 1 + 0.2 * rng.normal(size=60)), draws=10_000)
    assert outcome.p == outcome.smallest_p == 1 / 10_001


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("pqrst")), min_size=1, max_size=20))
def test_p_is_never_zero_nor_below_the_smallest_and_the_order_and_the_sides_do_not_matter(cases: list):
    a, b, keys = ([case[i] for case in cases] for i in range(3))
    outcome, _ = _paired(a, b, keys)
    assert 0 < outcome.smallest_p <= outcome.p <= 1
    assert _paired(a[::-1], b[::-1], keys[::-1])[0] == outcome
    assert _paired(b, a, keys)[0] == outcome


def test_an_undefined_difference_is_not_tested_and_undefined_exchanges_count_against_it():
    def share(sums: np.ndarray) -> np.ndarray:
        return np.where(sums[..., 1] > 0, sums[..., 0] / np.maximum(sums[..., 1], 1), np.nan)

    nothing, something = np.zeros((2, 2)), np.array([[1.0, 2.0], [0.0, 1.0]])
    rng = np.random.default_rng(0)
    never = exchange_sums(nothing, something, groups=["a", "b"], draws=9, rng=rng)
    assert paired_test(share, never).p is None
    crossed = exchange_sums(
        np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 1.0]]), groups=["a", "b"], draws=9, rng=rng
    )
    assert paired_test(share, crossed).p == 1.0


def test_rows_of_other_reports_are_refused():
    with pytest.raises(ValueError, match="not the same reports"):
        exchange_sums(np.zeros((2, 3)), np.zeros((3, 3)), groups=["a"], draws=1, rng=np.random.default_rng(0))


def test_holms_correction_is_that_of_the_textbook():
    corrected = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "none": None})
    assert corrected == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02, "none": None})
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}
    assert holm({"a": 0.03}) == {"a": 0.03}
    assert holm({}) == {}


@given(st.dictionaries(st.text(max_size=3), st.floats(0.0001, 1), max_size=8))
def test_holms_correction_keeps_the_order_and_never_lowers_a_p(values: dict[str, float]):
    corrected = holm(values)
    assert all(values[name] <= corrected[name] <= 1 for name in values)
    ranked = sorted(values, key=lambda name: values[name])
    assert [corrected[name] for name in ranked] == sorted(corrected.values())
