"""The view check on drawn films that it was not trained on, and on pictures that are no films."""

import time

import numpy as np
import pytest

from xray.data.phantom import Style, draw, sample_studies
from xray.dicom.view_check import check_view, view_features

STUDIES = [(style, study) for style in Style for study in sample_studies(8, seed=2026, style=style)]


def films(view):
    """Drawn films, uint8, by another seed than the training's."""
    return [np.rint(255 * draw(study, view=view, style=style, size=320)).astype(np.uint8) for style, study in STUDIES]


@pytest.fixture(scope="module")
def frontal():
    return films("frontal")


@pytest.fixture(scope="module")
def lateral():
    return films("lateral")


def turned(film, degrees):
    """Turn clockwise."""
    return np.ascontiguousarray(np.rot90(film, -degrees // 90))


def padded(film):
    side = max(film.shape) + 40
    canvas = np.zeros((side, side), np.uint8)
    canvas[20 : 20 + film.shape[0], 20 : 20 + film.shape[1]] = film
    return canvas


def test_upright_frontal_films_are_frontal_and_never_turned(frontal):
    guesses = [check_view(film) for film in frontal]
    assert {guess.view for guess in guesses} == {"frontal"}
    assert {guess.turned_degrees for guess in guesses} == {0}
    assert all(0.6 <= guess.confidence <= 1 for guess in guesses)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_frontal_film_is_recognised_with_its_angle_and_has_no_view(frontal, degrees):
    guesses = [check_view(turned(film, degrees)) for film in frontal]
    assert {(guess.view, guess.turned_degrees) for guess in guesses} == {("unknown", degrees)}


def test_lateral_films_are_lateral_whichever_way_the_patient_faces(lateral):
    for film in lateral:
        assert check_view(film).view == check_view(np.ascontiguousarray(film[:, ::-1])).view == "lateral"


def test_a_mirrored_frontal_film_is_not_called_anything_else(frontal):
    assert {check_view(np.ascontiguousarray(film[:, ::-1])).view for film in frontal} == {"frontal"}


def test_padding_and_size_do_not_change_the_view(frontal, lateral):
    assert {check_view(padded(film)).view for film in frontal} == {"frontal"}
    assert {check_view(np.repeat(np.repeat(film, 3, 0), 3, 1)).view for film in lateral} == {"lateral"}


def test_an_inverted_film_has_no_view(frontal):
    guesses = [check_view(255 - film) for film in frontal]
    assert {(guess.view, guess.turned_degrees) for guess in guesses} == {("unknown", 0)}


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((400, 300), np.uint8),
        np.full((64, 64), 255, np.uint8),
        np.zeros((1, 1), np.uint8),
        np.random.default_rng(1).integers(0, 256, (300, 2000), np.uint8),
        np.tile(np.arange(256, dtype=np.uint8), (256, 1)),
        np.indices((256, 256)).sum(0).astype(np.uint8) // 32 % 2 * 200,
    ],
    ids=["black", "white", "one pixel", "noise", "ramp", "bands"],
)
def test_what_is_no_film_is_unknown(pixels):
    guess = check_view(np.asarray(pixels, np.uint8))
    assert (guess.view, guess.turned_degrees) == ("unknown", 0)


def test_the_features_are_finite_and_the_same_for_the_same_picture(frontal):
    found = view_features(frontal[0])
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, view_features(frontal[0].copy()))


def test_a_film_is_judged_in_a_few_milliseconds(frontal):
    film = np.repeat(np.repeat(frontal[0], 3, 0), 3, 1)
    check_view(film)
    started = time.process_time()
    for _ in range(20):
        check_view(film)
    assert (time.process_time() - started) / 20 < 0.03
