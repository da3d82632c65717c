"""Files of every transfer syntax, damaged in many ways, are an image or a refusal. `bench/fuzz_films.py` runs more."""

from pathlib import Path

import numpy as np
import pytest

from tests.xray.dicom.every_syntax import EVERY, film_file
from tests.xray.dicom.mutations import mutate
from xray.dicom.decode import decode_stored
from xray.dicom.layout import MAX_DECODED_BYTES
from xray.dicom.read import read_dataset
from xray.dicom.render import RenderSettings, render_dataset
from xray.errors import Rejected

COUNT = 40


def outcome_of(path: Path) -> str:
    """`image` or the code of the refusal; anything else is raised. Both readers see the file."""
    try:
        stored = decode_stored(read_dataset(path, frames="any"))
        assert 0 < stored.nbytes <= 2 * MAX_DECODED_BYTES
    except Rejected as refusal:
        check_words(refusal)
    try:
        rendered = render_dataset(read_dataset(path), settings=RenderSettings(size=64))
    except Rejected as refusal:
        check_words(refusal)
        return refusal.code
    assert rendered.pixels.ndim == 2
    assert 1 <= max(rendered.pixels.shape) <= 64
    assert rendered.pixels.dtype == np.uint8
    return "image"


def check_words(refusal):
    assert refusal.code.isidentifier()
    assert refusal.code.islower()
    assert len(refusal.why) > 20
    assert not any(canary in str(refusal) for canary in ("CANARY", "王小明", ".dcm"))


@pytest.mark.parametrize("syntax", EVERY, ids=lambda syntax: syntax.keyword)
def test_a_whole_film_is_an_image(tmp_path, syntax):
    path = tmp_path / "film.dcm"
    path.write_bytes(film_file(syntax))
    assert outcome_of(path) == "image"


@pytest.mark.parametrize("syntax", EVERY, ids=lambda syntax: syntax.keyword)
def test_a_damaged_film_is_an_image_or_a_refusal(tmp_path, syntax):
    path = tmp_path / "film.dcm"
    outcomes = set()
    for seed in range(COUNT):
        path.write_bytes(mutate(film_file(syntax), rng=np.random.default_rng([seed, EVERY.index(syntax)])))
        outcomes.add(outcome_of(path))
    assert len(outcomes) > 2
