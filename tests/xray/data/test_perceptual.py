"""The same film in another file is found, and another patient's film is not."""

from collections.abc import Mapping

import cv2
import numpy as np
import pytest

from tests.xray.data.drawn_films import VARIANTS, drawn_film
from xray.data.perceptual import MOST_BITS, HashedFilm, near_duplicates, perceptual_hash


def found(films: Mapping[str, np.ndarray], *, owner: str | None = None) -> list[tuple[str, str]]:
    hashed = [HashedFilm(key=key, hash=perceptual_hash(pixels), owner=owner or key) for key, pixels in films.items()]
    return near_duplicates(hashed, pixels=films.__getitem__)


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return (int(perceptual_hash(one), 16) ^ int(perceptual_hash(other), 16)).bit_count()


def test_a_hash_has_256_bits_of_which_the_first_is_never_set() -> None:
    for pixels in (drawn_film(0), np.zeros((5, 9), np.uint8), np.full((2000, 30), 255, np.uint8)):
        value = perceptual_hash(pixels)
        assert len(value) == 64
        assert int(value, 16) < 1 << 255


@pytest.mark.parametrize("change", VARIANTS)
def test_the_same_film_is_found_after(change: str) -> None:
    films = {f"{patient}": drawn_film(patient) for patient in range(4)}
    films |= {f"{patient} again": VARIANTS[change](film) for patient, film in list(films.items())}
    assert found(films) == [(f"{patient}", f"{patient} again") for patient in range(4)]


def test_films_of_different_patients_are_not_linked() -> None:
    assert found({f"{patient}": drawn_film(patient) for patient in range(60)}) == []


def test_films_that_the_hash_takes_for_one_are_told_apart_by_their_fine_pattern() -> None:
    grain = np.random.default_rng(1).normal(0, 40, (2, 256, 256))
    one, other = ((cv2.GaussianBlur(drawn_film(0), (0, 0), 4) + own).clip(0, 255).astype(np.uint8) for own in grain)
    assert distance(one, other) <= MOST_BITS
    assert found({"one": one, "other": other}) == []


def test_films_of_one_owner_are_not_compared() -> None:
    assert found({"a": drawn_film(0), "b": VARIANTS["compressed"](drawn_film(0))}, owner="p") == []


def test_the_order_of_the_films_does_not_matter() -> None:
    films = {f"{n}": VARIANTS[change](drawn_film(n % 3)) for n, change in enumerate(VARIANTS)}
    assert found(films) == found(dict(reversed(films.items())))
    assert len(found(films)) >= 3


def test_pixels_are_read_of_films_that_may_be_pairs_only() -> None:
    films = {f"{patient}": drawn_film(patient) for patient in range(30)}
    films["again"] = VARIANTS["half the size"](films["7"])
    read: list[str] = []
    hashed = [HashedFilm(key=key, hash=perceptual_hash(pixels), owner=key) for key, pixels in films.items()]

    def pixels(key: str) -> np.ndarray:
        read.append(key)
        return films[key]

    assert near_duplicates(hashed, pixels=pixels) == [("7", "again")]
    assert {"7", "again"} <= set(read)
    assert len(read) < 10


def test_no_films_are_no_pairs() -> None:
    assert found({}) == []
    assert found({"a": np.zeros((9, 9), np.uint8)}) == []
