import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xray.dicom.render import RenderSettings, fit, render_dataset
from xray.errors import ConfigError, Rejected

NATIVE = RenderSettings(size=None, square=False)
INPUTS = [[49, 50, 75, 99], [100, 149, 150, 255]]


def u8(rows):
    return np.array(rows, dtype=np.uint8)


def u16(rows):
    return np.array(rows, dtype=np.uint16)


def shown(film):
    return render_dataset(film, settings=NATIVE).pixels.tolist()


# Polarity, PS3.3 C.7.6.3.1.2 and C.8.11.3.1.2.


def test_monochrome1_shows_its_lowest_value_white(make_film):
    film = make_film(u8(INPUTS), photometric="MONOCHROME1", WindowCenter=100, WindowWidth=101)
    # 255 minus the unrounded grey level of MONOCHROME2
    assert shown(film) == [[255, 254, 190, 129], [126, 1, 0, 0]]


def test_monochrome1_with_inverse_is_inverted_once(make_film):
    film = make_film(u8(INPUTS), photometric="MONOCHROME1", WindowCenter=100, WindowWidth=101)
    plain = shown(film)
    film.PresentationLUTShape = "INVERSE"
    assert shown(film) == plain


@pytest.mark.parametrize(("photometric", "shape"), [("MONOCHROME2", "INVERSE"), ("MONOCHROME1", "IDENTITY")])
def test_contradicting_polarity_is_refused(make_film, photometric, shape):
    assert code_of(make_film(u8(INPUTS), photometric=photometric, PresentationLUTShape=shape)) == "polarity_conflict"


def test_a_photometric_interpretation_in_lower_case_with_a_blank_is_understood(make_film):
    film = make_film(u8(INPUTS), photometric="MONOCHROME1", WindowCenter=100, WindowWidth=101)
    expected = shown(film)
    film.add_new("PhotometricInterpretation", "LO", "monochrome1 ")
    assert shown(film) == expected


# Padding, PS3.3 C.7.5.1.1.2.


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_whatever_the_polarity(make_film, photometric):
    film = make_film(u8([[200, 0], [60, 140]]), photometric=photometric, WindowCenter=100, WindowWidth=101)
    film.add_new("PixelPaddingValue", "US", 200)
    assert shown(film)[0][0] == 0


def test_a_padding_range_may_be_written_in_either_order(make_film):
    film = make_film(u8([[200, 210], [99, 140]]), WindowCenter=100, WindowWidth=101)
    film.add_new("PixelPaddingValue", "US", 210)
    film.add_new("PixelPaddingRangeLimit", "US", 200)
    assert shown(film) == [[0, 0], [126, 231]]


def test_padding_does_not_move_the_automatic_window(make_film):
    film = make_film(u16([[100, 300], [4095, 4095]]), bits=12)
    film.add_new("PixelPaddingValue", "US", 4095)
    low_end = 100 + 0.005 * 200
    high_end = 300 - 0.005 * 200
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.window == (200, pytest.approx(high_end - low_end))
    assert rendered.pixels.tolist() == [[0, 255], [0, 0]]


def test_signed_padding_written_as_unsigned_is_understood(make_film):
    film = make_film(np.array([[-2000, 0], [60, 140]], dtype=np.int16), photometric="MONOCHROME1")
    film.WindowCenter, film.WindowWidth = 100, 101
    film.add_new("PixelPaddingValue", "US", 65536 - 2000)
    assert shown(film)[0] == [0, 255]


def test_an_image_of_padding_alone_is_refused(make_film):
    film = make_film(u8([[7, 7], [7, 7]]))
    film.add_new("PixelPaddingValue", "US", 7)
    assert code_of(film) == "all_padding"


def test_a_constant_image_is_refused(make_film):
    assert code_of(make_film(np.full((8, 8), 500, dtype=np.uint16), bits=12)) == "blank_after_voi"


# Colour.


def test_rgb_with_equal_channels_is_a_grey_image(make_film):
    grey = u8(INPUTS)
    assert shown(make_film(np.dstack([grey] * 3), photometric="RGB")) == INPUTS


def test_colour_is_refused(make_film):
    red = np.zeros((4, 4, 3), dtype=np.uint8)
    red[..., 0] = 200
    assert code_of(make_film(red, photometric="RGB")) == "not_grey"


def test_almost_equal_channels_are_averaged_and_flagged(make_film):
    colours = np.dstack([u8([[10, 200]]), u8([[12, 204]]), u8([[14, 202]])])
    rendered = render_dataset(make_film(colours, photometric="RGB"), settings=NATIVE)
    assert rendered.pixels.tolist() == [[12, 202]]
    assert rendered.flags == ("from_colour",)


# Bits.


def test_a_high_bit_above_bits_stored_is_flagged(make_film):
    film = make_film(u16([[0, 16], [1600, 65520]]), bits=12, high_bit=15, WindowCenter=100, WindowWidth=101)
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.flags == ("high_bit_fixed",)
    assert rendered.pixels.tolist() == [[0, 0], [129, 255]]


# Overlays, PS3.3 C.9.2 and PS3.5 8.1.2: names of patients are drawn there.


def test_overlays_are_never_burnt_in(make_film):
    values = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    plain = shown(make_film(values, bits=10, WindowCenter=500, WindowWidth=800))
    in_high_bits = make_film((values | 0xFC00).astype(np.uint16), bits=10, WindowCenter=500, WindowWidth=800)
    in_group = make_film(values, bits=10, WindowCenter=500, WindowWidth=800)
    for element, kind, value in (
        (0x60000010, "US", 32),
        (0x60000011, "US", 32),
        (0x60000040, "CS", "G"),
        (0x60000050, "SS", [1, 1]),
        (0x60000100, "US", 1),
        (0x60000102, "US", 0),
        (0x60003000, "OW", b"\xff" * 128),
    ):
        in_group.add_new(element, kind, value)
    assert shown(in_high_bits) == plain
    assert shown(in_group) == plain


# Size.


def test_a_large_film_is_reduced_by_area_averaging_and_padded_in_the_centre():
    film = np.repeat(np.repeat(u8([[0, 100, 200, 40], [255, 30, 60, 90]]), 2, axis=0), 2, axis=1)
    film[0, 0] = 40  # one of the four pixels that become the first one
    expected = [[0, 0, 0, 0], [10, 100, 200, 40], [255, 30, 60, 90], [0, 0, 0, 0]]
    assert fit(film, settings=RenderSettings(size=4)).tolist() == expected


def test_a_small_film_is_neither_enlarged_nor_padded_beyond_its_long_side():
    assert fit(u8([[7, 8]]), settings=RenderSettings(size=4)).tolist() == [[7, 8], [0, 0]]


def test_without_square_the_aspect_is_all_that_is_kept():
    assert fit(np.zeros((100, 50), np.uint8), settings=RenderSettings(size=20, square=False)).shape == (20, 10)


def test_native_size_and_square_pads_to_the_long_side():
    assert fit(u8([[7, 8]]), settings=RenderSettings(size=None)).tolist() == [[7, 8], [0, 0]]


@given(rows=st.integers(1, 90), columns=st.integers(1, 90), size=st.integers(1, 64))
@settings(max_examples=60, deadline=None)
def test_every_film_becomes_a_square_that_it_fills_on_its_long_side(rows, columns, size):
    square = fit(np.full((rows, columns), 9, np.uint8), settings=RenderSettings(size=size))
    side = min(size, max(rows, columns))
    assert square.shape == (side, side)
    assert square.any(axis=0).all() or square.any(axis=1).all()


def test_the_window_is_applied_before_the_size(make_film):
    film = make_film(u8([[0, 200], [0, 200]]), WindowCenter=150, WindowWidth=3)
    small = render_dataset(film, settings=RenderSettings(size=1)).pixels
    assert small.tolist() == [[128]]  # mean of black and white; the mean 100 lies below the window


def test_the_digest_follows_every_setting():
    digests = {RenderSettings(size=size, square=square).digest() for size in (None, 512) for square in (True, False)}
    assert len(digests) == 4
    assert RenderSettings(size=512).digest() == RenderSettings(size=512).digest()


def test_a_size_below_one_is_a_configuration_error():
    with pytest.raises(ConfigError, match="at least 1"):
        RenderSettings(size=0)


def test_settings_cannot_be_changed_after_their_digest_was_taken():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RenderSettings().size = 3


def code_of(film):
    with pytest.raises(Rejected) as refusal:
        render_dataset(film, settings=NATIVE)
    return refusal.value.code
