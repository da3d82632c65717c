"""Whatever a header says about how to show its pixels, there is a film or a refusal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.xray.dicom.conftest import build_film
from xray.dicom.render import RenderSettings, render_dataset
from xray.errors import Rejected

NUMBERS = (
    "WindowCenter",
    "WindowWidth",
    "RescaleSlope",
    "RescaleIntercept",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "PixelAspectRatio",
    "ShutterLeftVerticalEdge",
    "ShutterRightVerticalEdge",
    "ShutterUpperHorizontalEdge",
    "ShutterLowerHorizontalEdge",
    "CenterOfCircularShutter",
    "RadiusOfCircularShutter",
    "VerticesOfThePolygonalShutter",
)
CODES = {
    "VOILUTFunction": ("LINEAR", "LINEAR_EXACT", "SIGMOID", "PARABOLA"),
    "PresentationLUTShape": ("IDENTITY", "INVERSE", "LIN OD"),
    "PhotometricInterpretation": ("MONOCHROME1", "MONOCHROME2"),
    "ShutterShape": ("RECTANGULAR", "CIRCULAR", "POLYGONAL", "RECTANGULAR\\CIRCULAR", "ROUND"),
}
REFUSALS = {"polarity_conflict", "bad_lut", "bad_tag", "all_padding", "blank_after_voi", "too_large"}
number = st.one_of(
    st.integers(-70000, 70000).map(str),
    st.floats(width=32).map(lambda value: f"{value:.6g}"),
    st.sampled_from(["", "0", "1", "1A", "nan", "-inf", "1e308", "9" * 16, " 12 ", "+5", "1,5"]),
)
numbers = st.lists(number, max_size=8).map("\\".join)
words = st.integers(-40000, 70000)


@st.composite
def tables(draw):
    item = Dataset()
    descriptor = draw(st.lists(words, max_size=4))
    item[0x00283002] = raw("LUTDescriptor", np.array(descriptor, dtype=np.int64).astype("<i2").tobytes(), vr="SS")
    item[0x00283006] = raw("LUTData", draw(st.binary(max_size=64)), vr="OW")
    return Sequence([item])


def raw(keyword, value, *, vr=None):
    tag = tag_for_keyword(keyword)
    return RawDataElement(tag, vr or dictionary_VR(tag), len(value), value, 0, False, True)


@st.composite
def films(draw):
    kind = draw(st.sampled_from([np.uint8, np.int8, np.uint16, np.int16]))
    bits = draw(st.integers(1, 8 * np.dtype(kind).itemsize))
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    limits = np.iinfo(kind)
    seed = draw(st.integers(0, 2**32 - 1))
    pixels = np.random.default_rng(seed).integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)
    high_bit = draw(st.integers(bits - 1, 8 * np.dtype(kind).itemsize - 1))
    film = build_film(pixels, bits=bits, high_bit=high_bit)
    for keyword in draw(st.sets(st.sampled_from(NUMBERS))):
        film[tag_for_keyword(keyword)] = raw(keyword, draw(numbers).encode())
    for keyword in draw(st.sets(st.sampled_from(sorted(CODES)))):
        film[tag_for_keyword(keyword)] = raw(keyword, draw(st.sampled_from(CODES[keyword])).encode())
    for keyword in draw(st.sets(st.sampled_from(["VOILUTSequence", "ModalityLUTSequence"]))):
        film.add_new(tag_for_keyword(keyword), "SQ", draw(tables()))
    for keyword in draw(st.sets(st.sampled_from(["PixelPaddingValue", "PixelPaddingRangeLimit"]))):
        film[tag_for_keyword(keyword)] = raw(keyword, np.int16(draw(st.integers(-32768, 32767))).tobytes(), vr="SS")
    return film


@pytest.mark.filterwarnings("ignore", "error::RuntimeWarning")
@given(film=films(), size=st.sampled_from([None, 1, 7]), profile=st.sampled_from(["viewer", "mimic_jpg"]))
@settings(max_examples=400, deadline=None)
def test_any_header_ends_in_a_film_or_in_a_refusal(film, size, profile):
    wanted = RenderSettings(size=size, profile=profile, deep=True)
    outcome = outcome_of(film, wanted)
    if isinstance(outcome, str):
        assert outcome in REFUSALS
        return
    assert outcome.pixels.dtype == np.uint8
    assert outcome.deep.dtype == np.uint16
    assert outcome.pixels.shape == outcome.deep.shape
    assert outcome.pixels.shape[0] == outcome.pixels.shape[1]
    assert len(outcome.flags) == len(set(outcome.flags))
    assert outcome.window is None or np.isfinite(outcome.window).all()


def outcome_of(film, wanted):
    try:
        return render_dataset(film, settings=wanted)
    except Rejected as refusal:
        return refusal.code
