import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from xray.dicom.native import swap_pairs
from xray.dicom.render import RenderSettings, render_dataset
from xray.errors import Rejected

NATIVE = RenderSettings(size=None, square=False)
INPUTS = [[49, 50, 75, 99], [100, 149, 150, 255]]


def u8(rows):
    return np.array(rows, dtype=np.uint8)


def u16(rows):
    return np.array(rows, dtype=np.uint16)


def lut(*, first, bits, entries, vr="US", data_vr="OW"):
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries), first, bits])
    data = np.array(entries, dtype="<u2").tobytes() if data_vr == "OW" else list(entries)
    item.add_new("LUTData", data_vr, data)
    return Sequence([item])


def shown(film):
    return render_dataset(film, settings=NATIVE).pixels.tolist()


# Windows, PS3.3 C.11.2.1.2 and C.11.2.1.3: expected values are worked out by hand from the formulas.


def test_a_linear_window_is_half_a_value_off_centre_and_one_value_narrower(make_film):
    film = make_film(u8(INPUTS), WindowCenter=100, WindowWidth=101)
    # ((x - 99.5) / 100 + 0.5) * 255
    assert shown(film) == [[0, 1, 65, 126], [129, 254, 255, 255]]


def test_a_linear_exact_window_is_what_it_says_and_rounds_half_up(make_film):
    film = make_film(u8([[50, 75], [100, 125]]), WindowCenter=100, WindowWidth=100, VOILUTFunction="LINEAR_EXACT")
    assert shown(film) == [[0, 64], [128, 191]]


def test_a_sigmoid_window_never_reaches_black_or_white_at_its_edges(make_film):
    film = make_film(u8([[0, 100], [125, 200]]), WindowCenter=100, WindowWidth=100, VOILUTFunction="SIGMOID")
    # 255 / (1 + exp(-4 (x - 100) / 100))
    assert shown(film) == [[5, 128], [186, 250]]


def test_a_linear_window_of_width_one_is_a_threshold(make_film):
    film = make_film(u8([[99, 100], [100, 99]]), WindowCenter=100, WindowWidth=1)
    assert shown(film) == [[0, 255], [255, 0]]


def test_an_unknown_function_is_read_as_linear_and_flagged(make_film):
    film = make_film(u8(INPUTS), WindowCenter=100, WindowWidth=101, VOILUTFunction="PARABOLIC")
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.pixels.tolist() == [[0, 1, 65, 126], [129, 254, 255, 255]]
    assert rendered.flags == ("voi_function_ignored",)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize("width", [0, -4, "NaN", "inf"])
def test_the_first_valid_window_is_used_when_earlier_ones_are_not(make_film, width):
    film = make_film(u8(INPUTS))
    film.add_new("WindowCenter", "DS", ["7", "100"])
    film.add_new("WindowWidth", "DS", [str(width), "101"])
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.window == (100, 101)
    assert rendered.flags == ("window_ignored",)
    assert rendered.pixels.tolist() == [[0, 1, 65, 126], [129, 254, 255, 255]]


def test_of_several_valid_windows_the_first_is_used(make_film):
    film = make_film(u8(INPUTS), WindowCenter=[100, 20], WindowWidth=[101, 5])
    assert render_dataset(film, settings=NATIVE).window == (100, 101)


def test_a_window_that_shows_nothing_gives_way_to_the_automatic_one(make_film):
    film = make_film(u16([[10, 20], [30, 40]]), bits=12, WindowCenter=3000, WindowWidth=10)
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.flags == ("window_ignored", "auto_window")
    assert rendered.pixels.tolist()[0][0] == 0
    assert rendered.pixels.tolist()[1][1] == 255


def test_without_a_window_the_percentiles_become_black_and_white(make_film):
    film = make_film(np.arange(1001, dtype=np.uint16).reshape(7, 143), bits=12)
    rendered = render_dataset(film, settings=NATIVE)
    # of 1001 pixels 0..1000 the 0.5 percentile is 5 and the 99.5 percentile 995
    assert rendered.window == (500, 990)
    assert rendered.flags == ("auto_window",)
    assert rendered.pixels.ravel()[[0, 5, 500, 995, 1000]].tolist() == [0, 0, 128, 255, 255]


# Modality transformation, PS3.3 C.11.1.


def test_slope_and_intercept_come_before_the_window(make_film):
    film = make_film(u8([[0, 50], [75, 100]]), RescaleSlope=2, RescaleIntercept=-50)
    film.WindowCenter, film.WindowWidth, film.VOILUTFunction = 50, 200, "LINEAR_EXACT"
    # -50, 50, 100, 150 in a window from -50 to 150
    assert shown(film) == [[0, 128], [191, 255]]


def test_a_negative_slope_turns_the_greys_round(make_film):
    film = make_film(u8([[0, 51], [204, 255]]), RescaleSlope=-1, RescaleIntercept=255)
    film.WindowCenter, film.WindowWidth, film.VOILUTFunction = "127.5", 255, "LINEAR_EXACT"
    assert shown(film) == [[255, 204], [51, 0]]


def test_a_slope_of_zero_counts_as_one(make_film):
    film = make_film(u8(INPUTS), RescaleSlope=0, RescaleIntercept=0, WindowCenter=100, WindowWidth=101)
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.pixels.tolist() == [[0, 1, 65, 126], [129, 254, 255, 255]]
    assert rendered.flags == ("slope_fixed",)


def test_a_modality_lut_replaces_the_rescale(make_film):
    film = make_film(u8([[0, 1], [2, 9]]), RescaleSlope=100, RescaleIntercept=7)
    film.ModalityLUTSequence = lut(first=1, bits=12, entries=[0, 1000, 4000])
    film.WindowCenter, film.WindowWidth, film.VOILUTFunction = 2000, 4000, "LINEAR_EXACT"
    assert shown(film) == [[0, 0], [64, 255]]


def test_a_damaged_modality_lut_is_refused(make_film):
    film = make_film(u8(INPUTS))
    film.ModalityLUTSequence = lut(first=0, bits=12, entries=[0, 1, 2])
    film.ModalityLUTSequence[0].LUTData = b"\0\0"
    with pytest.raises(Rejected, match="bad_lut"):
        shown(film)


# VOI LUT, PS3.3 C.11.2.1.1.


def test_a_voi_lut_holds_its_end_entries_outside_its_inputs(make_film):
    film = make_film(u8([[0, 10, 11], [12, 13, 200]]))
    film.VOILUTSequence = lut(first=10, bits=8, entries=[0, 100, 200, 255])
    assert shown(film) == [[0, 0, 100], [200, 255, 255]]


def test_a_voi_lut_goes_before_a_window(make_film):
    film = make_film(u8([[0, 1], [2, 3]]), WindowCenter=100, WindowWidth=101)
    film.VOILUTSequence = lut(first=0, bits=12, entries=[0, 1000, 2000, 4095])
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.pixels.tolist() == [[0, 62], [125, 255]]
    assert rendered.window is None


def test_a_voi_lut_that_declares_16_bits_and_uses_12_is_not_shown_dark(make_film):
    film = make_film(u8([[0, 1], [2, 3]]))
    film.VOILUTSequence = lut(first=0, bits=16, entries=[0, 1000, 2000, 4095])
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.pixels.tolist() == [[0, 62], [125, 255]]
    assert rendered.flags == ("voi_bits_fixed",)


def test_a_voi_lut_with_more_bits_than_declared_is_not_cut_off(make_film):
    film = make_film(u8([[0, 1], [2, 3]]))
    film.VOILUTSequence = lut(first=0, bits=8, entries=[0, 1000, 2000, 4095])
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.pixels.tolist() == [[0, 62], [125, 255]]
    assert rendered.flags == ("voi_bits_fixed",)


def test_a_voi_lut_of_signed_values_may_start_below_zero(make_film):
    film = make_film(np.array([[-100, -2], [-1, 0]], dtype=np.int16), bits=12)
    film.VOILUTSequence = lut(first=-2, bits=8, entries=[0, 128, 255], vr="SS")
    assert shown(film) == [[0, 0], [128, 255]]


def test_a_voi_lut_whose_signed_start_was_written_unsigned_is_understood(make_film):
    film = make_film(np.array([[-100, -2], [-1, 0]], dtype=np.int16), bits=12)
    film.VOILUTSequence = lut(first=65534, bits=8, entries=[0, 128, 255], vr="US")
    assert shown(film) == [[0, 0], [128, 255]]


def test_packed_8_bit_entries_are_read_low_byte_first(make_film):
    film = make_film(u8([[0, 1], [2, 3]]))
    film.VOILUTSequence = lut(first=0, bits=8, entries=[0, 100, 200, 255])
    film.VOILUTSequence[0].LUTData = bytes([0, 100, 200, 255])
    assert shown(film) == [[0, 100], [200, 255]]


def test_a_damaged_voi_lut_gives_way_to_the_window(make_film):
    film = make_film(u8(INPUTS), WindowCenter=100, WindowWidth=101)
    film.VOILUTSequence = lut(first=0, bits=8, entries=[0, 100, 200])
    film.VOILUTSequence[0].LUTData = b"\0\0"
    rendered = render_dataset(film, settings=NATIVE)
    assert rendered.pixels.tolist() == [[0, 1, 65, 126], [129, 254, 255, 255]]
    assert rendered.flags == ("voi_lut_ignored",)


def test_tables_mean_the_same_in_an_implicit_vr_file(make_film, through_file):
    film = make_film(u8([[0, 1], [2, 3]]), syntax=ImplicitVRLittleEndian)
    film.VOILUTSequence = lut(first=0, bits=12, entries=[0, 1000, 2000, 4095], data_vr="US")
    assert shown(through_file(film)) == [[0, 62], [125, 255]]


def test_the_words_of_a_table_in_a_big_endian_file_are_read_high_byte_first(make_film, through_file):
    film = make_film(
        u8([[0, 1], [2, 3]]),
        syntax=ExplicitVRBigEndian,
        ModalityLUTSequence=lut(first=0, bits=12, entries=[5, 6, 7, 8]),
    )
    film.VOILUTSequence = lut(first=5, bits=12, entries=[0, 1000, 2000, 4095])
    for sequence in (film.ModalityLUTSequence, film.VOILUTSequence):
        sequence[0].LUTData = swap_pairs(sequence[0].LUTData)
    assert shown(through_file(film)) == [[0, 62], [125, 255]]


@given(entries=st.lists(st.integers(0, 4095), min_size=2, max_size=64).filter(lambda e: max(e) - min(e) > 2000))
@settings(max_examples=50, deadline=None)
def test_a_rising_voi_lut_keeps_the_order_of_brightness(make_film, entries):
    film = make_film(np.arange(len(entries), dtype=np.uint16).reshape(1, -1), bits=12)
    film.VOILUTSequence = lut(first=0, bits=12, entries=sorted(entries))
    assert (np.diff(render_dataset(film, settings=NATIVE).pixels[0].astype(int)) >= 0).all()
