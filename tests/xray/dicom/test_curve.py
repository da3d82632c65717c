"""When a header's window is not believed, the film of MIMIC-CXR-JPG, and the 16-bit master."""

import cv2
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from xray.dicom.render import RenderSettings, render_dataset, render_picture
from xray.errors import ConfigError, Rejected

NATIVE = RenderSettings(size=None, square=False)
DEEP = RenderSettings(size=None, square=False, deep=True)
MIMIC = RenderSettings(size=None, square=False, profile="mimic_jpg")
RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def film_like(seed=0):
    """Noise around a mean, as 12-bit values, with none of them outside 0..4095."""
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(2000, 500, (96, 80)), 1, 4000).astype(np.uint16)


# Saturation.


def test_a_window_that_saturates_most_of_the_film_gives_way_to_the_automatic_one(make_film):
    film = make_film(RAMP, bits=12, WindowCenter=2048, WindowWidth=1600)
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.flags == ("window_ignored", "auto_window")
    assert rendered.window[1] > 4000


def test_a_narrow_window_on_a_section_is_obeyed(make_film):
    film = make_film(RAMP, bits=12, WindowCenter=2048, WindowWidth=400, Modality="CT")
    assert render_dataset(film, settings=NATIVE).flags == ()


def test_a_window_that_saturates_half_of_the_film_is_obeyed(make_film):
    film = make_film(RAMP, bits=12, WindowCenter=2048, WindowWidth=2048)
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.flags == ()
    assert rendered.window == (2048, 2048)


@pytest.mark.parametrize("frame", [0, 4095])
def test_a_collimated_film_keeps_its_window_however_large_the_frame_is(make_film, frame):
    values = np.full((200, 200), frame, dtype=np.uint16)
    values[80:120, 80:120] = np.linspace(1000, 3000, 1600).reshape(40, 40)
    film = make_film(values, bits=12, WindowCenter=2000, WindowWidth=1800)
    assert render_dataset(film, settings=NATIVE).flags == ()


def test_a_table_that_saturates_most_of_the_film_gives_way_to_the_automatic_window(make_film):
    film = make_film(RAMP, bits=12)
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 12])
    item.add_new("LUTData", "OW", np.clip((np.arange(4096) - 3500) * 10, 0, 4095).astype("<u2").tobytes())
    film.VOILUTSequence = Sequence([item])
    assert render_dataset(film, settings=NATIVE).flags == ("voi_lut_ignored", "auto_window")


def test_a_film_of_two_values_keeps_its_window_because_no_other_shows_more(make_film):
    film = make_film(np.where(RAMP % 2, 900, 100).astype(np.uint16), bits=12, WindowCenter=500, WindowWidth=10)
    assert render_dataset(film, settings=NATIVE).flags == ()


# MIMIC-CXR-JPG.


def mimic(values, *, inverted=False):
    """The recipe, on whole images and with OpenCV's own equalisation."""
    grey = ((values - values.min()) / (values.max() - values.min()) * 255).astype(np.uint8)
    return cv2.equalizeHist(255 - grey if inverted else grey)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("seed", [0, 1])
def test_mimic_jpg_stretches_then_inverts_then_equalises(make_film, photometric, seed):
    values = film_like(seed)
    film = make_film(values, bits=12, photometric=photometric, WindowCenter=100, WindowWidth=50)
    rendered = render_dataset(film, settings=MIMIC)
    expected = mimic(values.astype(np.float64), inverted=photometric == "MONOCHROME1")
    assert (rendered.pixels == expected).all()
    assert rendered.window is None
    assert rendered.flags == ()


def test_mimic_jpg_leaves_padding_out_of_its_counts_and_black(make_film):
    values = film_like()
    padded = np.vstack([values, np.full_like(values, 4095)])
    film = make_film(padded, bits=12, PixelPaddingValue=4095)
    shown = render_dataset(film, settings=MIMIC).pixels
    assert (shown[:96] == mimic(values.astype(np.float64))).all()
    assert not shown[96:].any()


def test_mimic_jpg_refuses_a_constant_image(make_film):
    with pytest.raises(Rejected, match="blank_after_voi"):
        render_dataset(make_film(np.full((8, 8), 7, dtype=np.uint16), bits=12), settings=MIMIC)


def test_a_picture_is_equalised_too():
    values = film_like()
    assert (render_picture(values, settings=MIMIC).pixels == mimic(values.astype(np.float64))).all()


def test_the_digest_follows_profile_and_depth():
    digests = {settings.digest() for settings in (NATIVE, DEEP, MIMIC)}
    assert len(digests) == 3


def test_an_unknown_profile_is_a_configuration_error():
    with pytest.raises(ConfigError, match="viewer or mimic_jpg"):
        RenderSettings(profile="pretty")


# The 16-bit master.


def levels_of(deep):
    return deep / 65535 * 2 - 0.5


def test_the_master_is_only_made_when_asked_for(make_film):
    assert render_dataset(make_film(RAMP, bits=12), settings=NATIVE).deep is None


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_another_window_can_be_had_from_the_master(make_film, photometric):
    film = make_film(RAMP, bits=12, photometric=photometric, WindowCenter=2048, WindowWidth=2400)
    film.VOILUTFunction = "LINEAR_EXACT"
    master = levels_of(render_dataset(film, settings=DEEP).deep)
    film.WindowCenter, film.WindowWidth = 2300, 3000
    other = render_dataset(film, settings=NATIVE).pixels
    shift = (2300 - 2048) / 2400 * (-1 if photometric == "MONOCHROME1" else 1)
    derived = np.clip((master - 0.5 - shift) * (2400 / 3000) + 0.5, 0, 1) * 255
    assert np.abs(derived - other).max() <= 0.51


def test_the_master_ends_half_a_window_beyond_black_and_white(make_film):
    film = make_film(RAMP, bits=12, WindowCenter=2048, WindowWidth=1800, VOILUTFunction="LINEAR_EXACT")
    deep = render_dataset(film, settings=DEEP).deep
    assert deep[0, 0] == 0
    assert deep[-1, -1] == 65535
    assert levels_of(deep).ravel()[2048] == pytest.approx(0.5, abs=1e-4)
    assert levels_of(deep).ravel()[2048 + 1300] == pytest.approx(0.5 + 1300 / 1800, abs=1e-4)


@pytest.mark.parametrize("settings", [DEEP, RenderSettings(size=None, square=False, deep=True, profile="mimic_jpg")])
def test_where_nothing_lies_beyond_the_master_stays_between_black_and_white(make_film, settings):
    film = make_film(RAMP, bits=12, WindowCenter=2048, WindowWidth=1500, VOILUTFunction="SIGMOID")
    levels = levels_of(render_dataset(film, settings=settings).deep)
    assert levels.min() >= -1e-4
    assert levels.max() <= 1 + 1e-4


def test_padding_is_zero_in_the_master(make_film):
    film = make_film(RAMP, bits=12, photometric="MONOCHROME1", PixelPaddingValue=0)
    film.PixelPaddingRangeLimit = 99
    deep = render_dataset(film, settings=DEEP).deep
    assert not deep.ravel()[:100].any()
    assert deep.ravel()[100] > 32768


def test_the_master_has_the_geometry_of_the_film(make_film):
    film = make_film(film_like(), bits=12, PixelSpacing=[0.1, 0.2])
    rendered = render_dataset(film, settings=RenderSettings(size=40, deep=True))
    assert rendered.deep.shape == rendered.pixels.shape == (40, 40)
    assert rendered.deep.dtype == np.uint16
    inside = (rendered.pixels > 0) & (rendered.pixels < 255)
    assert np.abs(levels_of(rendered.deep) * 255 - rendered.pixels)[inside].mean() < 3


# Pictures without a header.


def test_an_eight_bit_picture_is_taken_as_it_is():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    rendered = render_picture(values, settings=DEEP)
    assert (rendered.pixels == values).all()
    assert rendered.flags == ()
    assert np.abs(levels_of(rendered.deep) * 255 - values).max() < 0.01


def test_a_sixteen_bit_picture_gets_the_automatic_window():
    rendered = render_picture((RAMP * 16).astype(np.uint16), settings=NATIVE)
    assert rendered.flags == ("auto_window",)
    assert (rendered.pixels.min(), rendered.pixels.max()) == (0, 255)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_picture_that_shows_nothing_is_refused(kind):
    with pytest.raises(Rejected, match="blank_after_voi"):
        render_picture(np.full((9, 9), 100, dtype=kind), settings=NATIVE)
