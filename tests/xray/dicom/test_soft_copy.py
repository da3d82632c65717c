"""A soft copy under its own window is the picture that the renderer makes; other windows are the film's own too."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from xray.dicom.render import RenderSettings, render_dataset
from xray.dicom.soft_copy import SoftCopy, reduced, soft_copy, soft_copy_of_picture
from xray.dicom.spacing import spacing_of
from xray.dicom.voi import Window

NATIVE = RenderSettings(size=None, square=False)
RAMP = (np.arange(1024, dtype=np.uint16).reshape(32, 32) * 4 + 3).astype(np.uint16)


def lut(*, first: int, bits: int, entries: list[int]) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "OW", np.array(entries, dtype="<u2").tobytes())
    return Sequence([item])


def shown(copy: SoftCopy, *, look: int = 0) -> np.ndarray:
    """The film on a screen: window, then polarity, and what is hidden black."""
    chosen = copy.looks[look]
    values = np.arange(int(copy.values.max()) + 1, dtype=np.float64)
    inputs = values * copy.slope + copy.intercept
    if chosen.by_curve:
        assert copy.curve is not None
        inputs = copy.curve / 65535
    levels = Window(center=chosen.center, width=chosen.width, function=chosen.function)(inputs)
    levels = 1 - levels if copy.inverted else levels
    levels[0] = 0
    return np.floor(levels[copy.values] * 255 + 0.5).astype(np.uint8)


CASES = {
    "a linear window": {"WindowCenter": 2000, "WindowWidth": 3000},
    "a window that is exact": {"WindowCenter": 2000, "WindowWidth": 3000, "VOILUTFunction": "LINEAR_EXACT"},
    "a sigmoid": {"WindowCenter": 2000, "WindowWidth": 1500, "VOILUTFunction": "SIGMOID"},
    "no window": {},
    "black and white changed": {"photometric": "MONOCHROME1", "WindowCenter": 2000, "WindowWidth": 3000},
    "a rescale that falls": {"RescaleSlope": -2, "RescaleIntercept": 8000, "WindowCenter": 4000, "WindowWidth": 6000},
    "a fraction as slope": {"RescaleSlope": 0.25, "RescaleIntercept": -7.5, "WindowCenter": 500, "WindowWidth": 700},
    "padding": {"PixelPaddingValue": 3, "PixelPaddingRangeLimit": 403, "photometric": "MONOCHROME1"},
    "a shutter": {
        "ShutterShape": "RECTANGULAR",
        "ShutterLeftVerticalEdge": 5,
        "ShutterRightVerticalEdge": 28,
        "ShutterUpperHorizontalEdge": 4,
        "ShutterLowerHorizontalEdge": 30,
        "photometric": "MONOCHROME1",
    },
    "a VOI LUT": {"VOILUTSequence": lut(first=0, bits=12, entries=[min(4095, n * n // 4000) for n in range(4096)])},
    "a modality LUT": {
        "ModalityLUTSequence": lut(first=0, bits=12, entries=[n // 2 + 100 for n in range(4096)]),
        "WindowCenter": 1000,
        "WindowWidth": 1500,
    },
}


@pytest.mark.parametrize("elements", CASES.values(), ids=CASES)
def test_the_whole_look_is_what_the_renderer_makes_of_the_film(make_film, elements):
    film = make_film(RAMP, bits=12, **elements)
    rendered = render_dataset(film, settings=NATIVE).pixels
    # A VOI LUT travels in steps of 1/65535, which may round to the next grey.
    most = 1 if "VOILUTSequence" in elements else 0
    assert np.abs(shown(soft_copy(film)).astype(int) - rendered).max() <= most


def test_signed_values_keep_their_meaning(make_film):
    film = make_film((RAMP.astype(np.int16) - 2000), bits=13, WindowCenter=0, WindowWidth=3000)
    copy = soft_copy(film)
    assert copy.intercept + copy.slope * int(copy.values[0, 0]) == -1997
    assert np.array_equal(shown(copy), render_dataset(film, settings=NATIVE).pixels)


def test_all_sixteen_bits_in_use_leave_zero_for_what_is_hidden(make_film):
    film = make_film(np.arange(65536, dtype=np.uint16).reshape(256, 256))
    values = soft_copy(film).values
    assert values[0, 0] == 1
    assert values[-1, -1] == values[-1, -2] == 65535


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_lungs_are_spread_at_the_dark_end_and_the_bones_above_whatever_the_polarity(make_film, photometric):
    grey = np.repeat(np.linspace(100, 4000, 1024).astype(np.uint16).reshape(32, 32), 2, axis=0)
    stored = grey if photometric == "MONOCHROME2" else (4095 - grey).astype(np.uint16)
    copy = soft_copy(make_film(stored, bits=12, photometric=photometric))
    names = [look.name for look in copy.looks]
    assert names == ["whole", "lungs", "mediastinum", "bones", "raw"]
    dark, bright = np.s_[4:8], np.s_[48:56]
    lungs, mediastinum, whole = (shown(copy, look=names.index(name)) for name in ("lungs", "mediastinum", "whole"))
    assert np.ptp(lungs[dark]) > np.ptp(whole[dark])
    assert np.ptp(mediastinum[bright]) > np.ptp(whole[bright])
    assert not mediastinum[dark].any()


def test_reducing_takes_means_and_mixes_nothing_with_what_is_hidden():
    values = np.full((8, 8), 1000, dtype=np.uint16)
    values[:, :3] = 0
    values[0, 4] = 1400
    small = reduced(values, size=4)
    assert small.tolist() == [[0, 1000, 1100, 1000], *[[0, 1000, 1000, 1000]] * 3]
    assert reduced(values, size=8) is values


def test_a_picture_of_eight_bits_is_shown_as_it_was_exported():
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(shown(soft_copy_of_picture(picture, bits=8)), picture)


@pytest.mark.parametrize(
    ("pixel", "kind", "imager", "expected"),
    [
        ([0.1, 0.2], "GEOMETRY", [0.3, 0.3], (0.1, 0.2, "geometry")),
        ([0.1, 0.2], "FIDUCIAL", None, (0.1, 0.2, "fiducial")),
        ([0.1, 0.2], None, [0.3, 0.4], (0.3, 0.4, "detector")),
        ([0.1, 0.2], None, None, None),
        (None, None, [0, -1], None),
        (None, None, None, None),
    ],
    ids=["geometry", "fiducial", "detector", "not said what", "impossible", "none"],
)
def test_millimetres_need_a_spacing_whose_plane_is_known(make_film, pixel, kind, imager, expected):
    film = make_film(RAMP, bits=12)
    said = {"PixelSpacing": pixel, "PixelSpacingCalibrationType": kind, "ImagerPixelSpacing": imager}
    for keyword, value in said.items():
        if value is not None:
            setattr(film, keyword, value)
    found = spacing_of(film)
    assert (found and (found.row_mm, found.column_mm, found.plane)) == expected
