import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from xray.dicom.geometry import fit_film, pixel_aspect
from xray.dicom.render import RenderSettings, render_dataset
from xray.errors import Rejected

NATIVE = RenderSettings(size=None, square=False)
SQUARE = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)


def header(**elements):
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


# Which element tells the shape of a pixel, PS3.3 C.7.6.3.1.7 and 10.7.1.3.


def test_pixels_are_square_where_nothing_is_said():
    assert pixel_aspect(Dataset()) == 1.0


@pytest.mark.parametrize("keyword", ["PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"])
def test_spacing_names_the_height_of_a_pixel_first(keyword):
    assert pixel_aspect(header(**{keyword: [0.4, 0.2]})) == 2.0


def test_the_aspect_ratio_names_the_height_of_a_pixel_first():
    assert pixel_aspect(header(PixelAspectRatio=[1, 2])) == 0.5


def test_a_spacing_goes_before_the_ratio_and_the_patient_before_the_detector():
    assert pixel_aspect(header(PixelSpacing=[0.2, 0.2], ImagerPixelSpacing=[0.4, 0.2], PixelAspectRatio=[3, 1])) == 1
    assert pixel_aspect(header(ImagerPixelSpacing=[0.4, 0.2], PixelAspectRatio=[3, 1])) == 2


def test_a_difference_below_one_percent_counts_as_square():
    assert pixel_aspect(header(PixelSpacing=[0.1435, 0.143])) == 1.0


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_spacing_that_is_no_pair_of_lengths_is_passed_over():
    assert pixel_aspect(header(PixelSpacing=[0, 0.2], PixelAspectRatio=[2, 1])) == 2
    assert pixel_aspect(header(PixelSpacing=["NaN", "0.2"])) == 1
    assert pixel_aspect(header(PixelSpacing="0.2")) == 1


def test_pixels_more_than_ten_times_as_long_as_wide_are_refused():
    with pytest.raises(Rejected, match="bad_tag"):
        pixel_aspect(header(PixelSpacing=[0.14, 14]))


# Resampling.


def test_at_native_size_the_coarser_axis_grows_to_the_finer_one(make_film):
    wide = render_dataset(make_film(SQUARE, bits=12, PixelSpacing=[0.1, 0.2]), settings=NATIVE)
    assert wide.pixels.shape == (64, 128)
    assert "aspect_resampled" in wide.flags
    assert np.abs(wide.pixels[:, ::2].astype(int) - wide.pixels[:, 1::2]).max() <= 1
    tall = render_dataset(make_film(SQUARE, bits=12, PixelAspectRatio=[3, 1]), settings=NATIVE)
    assert tall.pixels.shape == (192, 64)


def test_with_a_size_the_long_side_is_the_long_side_of_the_film_not_of_the_pixels(make_film):
    film = make_film(np.arange(80 * 60, dtype=np.uint16).reshape(80, 60), bits=13, PixelSpacing=[0.1, 0.2])
    shown = render_dataset(film, settings=RenderSettings(size=60, square=False)).pixels
    assert shown.shape == (40, 60)  # 80 x 120 square pixels, halved


def test_square_pixels_are_left_alone(make_film):
    film = make_film(SQUARE, bits=12)
    plain = render_dataset(film, settings=NATIVE)
    film.PixelSpacing = [0.2, 0.2]
    spaced = render_dataset(film, settings=NATIVE)
    assert (spaced.pixels == plain.pixels).all()
    assert "aspect_resampled" not in spaced.flags


def test_a_disc_on_pixels_that_are_not_square_is_round_on_the_film(make_film):
    rows, columns = np.mgrid[:100, :200]
    disc = (np.hypot((rows - 49.5) * 2, columns - 99.5) < 80).astype(np.uint16) * 4000
    shown = render_dataset(make_film(disc, bits=12, PixelSpacing=[0.4, 0.2]), settings=NATIVE).pixels > 127
    height, width = shown.any(axis=1).sum(), shown.any(axis=0).sum()
    assert abs(int(height) - int(width)) <= 2


def test_square_pixels_that_would_not_fit_into_memory_are_refused():
    with pytest.raises(Rejected, match="too_large"):
        fit_film(np.zeros((1, 60_000), dtype=np.uint8), size=None, square=False, aspect=5000.0)


@given(
    rows=st.integers(1, 80),
    columns=st.integers(1, 80),
    size=st.none() | st.integers(1, 64),
    aspect=st.floats(0.1, 10),
    deep=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_a_uniform_film_stays_uniform_and_never_exceeds_its_size(rows, columns, size, aspect, deep):
    film = np.full((rows, columns), 200, dtype=np.uint16 if deep else np.uint8)
    fitted = fit_film(film, size=size, square=False, aspect=aspect)
    assert (fitted == 200).all()
    assert fitted.dtype == film.dtype
    if size is not None:
        assert max(fitted.shape) <= size
