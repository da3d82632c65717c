import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.errors import DataError
from xray.metrics import constant_normal, film_features, nearest_neighbour, random_reports
from xray.metrics.baselines import NORMAL_REPORT
from xray.text.labels import label

NORMAL = "双肺清晰，心影不大。"
REPORTS = ["右侧胸腔积液。", "右侧胸腔积液。", "右侧胸腔积液。", NORMAL, NORMAL, "未见气胸。", "气管插管在位。"]


def test_the_constant_report_is_the_most_frequent_normal_one():
    assert constant_normal(REPORTS) == NORMAL


def test_the_constant_report_does_not_depend_on_the_order_of_training():
    assert constant_normal(["未见气胸。", NORMAL]) == constant_normal([NORMAL, "未见气胸。"])


def test_a_report_that_suspects_something_or_names_a_device_is_not_normal():
    assert constant_normal(["气管插管在位。", "考虑肺炎。", " "]) == NORMAL_REPORT


def test_our_own_normal_report_states_nothing_abnormal():
    assert label(NORMAL_REPORT).labels["No Finding"] == 1
    assert all(finding.assertion == "absent" for finding in label(NORMAL_REPORT).findings)


@given(st.lists(st.text("abc123", min_size=1), unique=True, min_size=1), st.integers(0, 99))
def test_a_random_report_depends_on_the_seed_and_the_id_alone(ids: list[str], seed: int):
    together = random_reports(REPORTS, ids, seed=seed)
    assert together == {name: random_reports(REPORTS, [name], seed=seed)[name] for name in reversed(ids)}


def test_random_reports_use_the_whole_training_set():
    reports = [str(i) for i in range(10)]
    assert set(random_reports(reports, [f"s{i}" for i in range(500)], seed=0).values()) == set(reports)


def test_another_seed_draws_other_reports():
    ids = [f"s{i}" for i in range(50)]
    assert random_reports(REPORTS, ids, seed=0) != random_reports(REPORTS, ids, seed=1)


def test_no_training_report_is_an_error():
    with pytest.raises(DataError):
        random_reports([], ["a"], seed=0)


def test_the_nearest_neighbour_lends_its_report():
    train = np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32)
    test = np.array([[0.9, 0.1], [0.1, 0.8]], dtype=np.float32)
    assert nearest_neighbour(train, ["a", "b", "c"], test) == ["b", "c"]
    assert nearest_neighbour(train, ["a", "b", "c"], test[:0]) == []


@pytest.mark.parametrize("reports", [[], ["a"]])
def test_films_without_reports_are_an_error(reports: list[str]):
    with pytest.raises(DataError):
        nearest_neighbour(np.zeros((2 if reports else 0, 4), dtype=np.float32), reports, np.zeros((1, 4), np.float32))


def test_a_film_is_nearest_to_itself_at_another_exposure():
    rng = np.random.default_rng(0)
    films = [rng.integers(0, 200, size=(90, 70), dtype=np.uint8) for _ in range(5)]
    brighter = [(film // 2 + 60).astype(np.uint8) for film in films]
    train = np.stack([film_features(film) for film in films])
    test = np.stack([film_features(film) for film in brighter])
    assert nearest_neighbour(train, list("abcde"), test) == list("abcde")


def test_film_features_are_standardised_and_finite():
    film = np.random.default_rng(1).integers(0, 255, size=(64, 48), dtype=np.uint8)
    feature = film_features(film)
    assert feature.dtype == np.float32
    assert feature.shape == (1024,)
    assert feature.mean() == pytest.approx(0, abs=1e-5)
    assert feature.std() == pytest.approx(1, abs=1e-4)
    assert not film_features(np.full((40, 40), 7, dtype=np.uint8)).any()
