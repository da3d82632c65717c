import numpy as np
import pytest

from xray.metrics import score
from xray.metrics.statistics import bootstrap_sums, estimate, interval


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
    half = estimate(share, sums=np.array([[1.0, 2.0]]), resampled=np.array([[0.0, 0.0], [1.0, 2.0], [1.0, 2.0]]))
    assert (half.value, half.low, half.high) == (0.5, 0.5, 0.5)
