import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from xray.metrics.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    icc,
    kendall_tau,
    krippendorff_alpha,
    ratings_table,
)

NONE = np.nan
# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C: four observers, twelve units.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
).T
# Shrout and Fleiss 1979, Psychol. Bull. 86:420, table 2: six targets, four judges.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)
COEFFICIENTS = [cohen_kappa, fleiss_kappa, gwet_ac1, krippendorff_alpha, icc]


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_published_example(level: str, published: float) -> None:
    found = krippendorff_alpha(KRIPPENDORFF, level=level)
    assert found.value == pytest.approx(published, abs=5e-4)
    assert (found.units, found.readers) == (11, 4)


@pytest.mark.parametrize(("form", "published"), [("A,1", 0.29), ("C,1", 0.71)])
def test_the_intraclass_correlation_is_that_of_the_published_example(form: str, published: float) -> None:
    assert icc(SHROUT_FLEISS, form=form).value == pytest.approx(published, abs=5e-3)


def test_two_readers_of_a_textbook_table_have_its_kappa() -> None:
    rows = [[1, 1]] * 20 + [[1, 0]] * 5 + [[0, 1]] * 10 + [[0, 0]] * 15
    found = cohen_kappa(np.array(rows, dtype=float))
    assert found.value == pytest.approx(0.4)
    assert found.raw == pytest.approx(0.7)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.int64, st.tuples(st.integers(2, 20), st.just(2)), elements=st.integers(0, 3)),
    st.sampled_from(["none", "linear", "quadratic"]),
)
def test_kappa_equals_scikit_learns_or_says_why_it_is_undefined(ratings: np.ndarray, weights: str) -> None:
    found = cohen_kappa(ratings.astype(float), weights=weights)
    if len(np.unique(ratings)) < 2:
        assert found.reason == "one_category"
        return
    # scikit-learn weighs by the place among the categories in use, as we do.
    expected = cohen_kappa_score(ratings[:, 0], ratings[:, 1], weights=None if weights == "none" else weights)
    assert found.value == pytest.approx(expected, abs=1e-9)


def test_ac1_stays_high_where_kappa_falls_at_high_prevalence() -> None:
    ratings = np.array([[1, 1]] * 95 + [[1, 0]] * 3 + [[0, 1]] * 2, dtype=float)
    kappa, ac1 = fleiss_kappa(ratings), gwet_ac1(ratings)
    assert kappa.value is not None
    assert kappa.value < 0.0
    assert ac1.value is not None
    assert ac1.value > 0.94
    assert kappa.raw == ac1.raw == pytest.approx(0.95)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_readers_who_always_agree_reach_one(coefficient) -> None:
    ratings = np.repeat(np.array([[0.0], [1], [1], [0], [2]]), 2, axis=1)
    assert coefficient(ratings).value == pytest.approx(1.0)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_one_category_in_use_gives_a_reason_and_no_number(coefficient) -> None:
    found = coefficient(np.ones((6, 2)))
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.reason in {"one_category", "no_variance"}
    assert found.raw == 1.0


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        (np.empty((0, 2)), "too_few_readers"),
        (np.full((3, 2), NONE), "too_few_readers"),
        (np.array([[1, NONE], [NONE, 0]]), "too_few_readers"),
        (np.array([[1.0, 0.0]]), "too_few_units"),
    ],
)
def test_too_little_to_compare_gives_a_reason_and_no_error(coefficient, ratings: np.ndarray, reason: str) -> None:
    found = coefficient(ratings)
    assert found.value is None
    assert found.reason == reason


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(0, 8), st.integers(2, 4)),
        elements=st.sampled_from([0.0, 1.0, 2.0, NONE]),
    )
)
def test_whatever_the_ratings_no_coefficient_is_nan_or_above_one(ratings: np.ndarray) -> None:
    for coefficient in COEFFICIENTS[1:]:
        found = coefficient(ratings)
        assert (found.value is None) == (found.reason is not None)
        assert found.value is None or found.value <= 1 + 1e-9


def test_the_order_of_readers_and_units_changes_nothing() -> None:
    turned = KRIPPENDORFF[::-1, ::-1]
    for coefficient in (fleiss_kappa, gwet_ac1, krippendorff_alpha):
        assert coefficient(turned).value == pytest.approx(coefficient(KRIPPENDORFF).value)


def test_a_metric_that_ranks_as_the_readers_do_has_tau_one() -> None:
    scores = np.array([0.1, 0.4, 0.2, 0.9, NONE])
    found = kendall_tau(scores, np.array([1.0, 3, 2, 7, 5]))
    assert found.value == pytest.approx(1.0)
    assert found.units == 4
    assert kendall_tau(scores, np.ones(5)).reason == "no_variance"
    assert kendall_tau(scores[:1], np.ones(1)).reason == "too_few_units"


def test_rows_of_ratings_become_a_table_with_gaps() -> None:
    table = ratings_table([("b", "li", 1), ("a", "wu", 0), ("a", "li", 2), ("b", "li", 0)])
    assert np.array_equal(table, np.array([[2.0, 0.0], [0.0, NONE]]), equal_nan=True)
