import struct

import numpy as np
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate

from xray.dicom.decode import decode
from xray.errors import Rejected


def rle_frame(*segments):
    offsets = np.cumsum([64, *[len(segment) for segment in segments[:-1]]])
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def decoded(make_film, frame, *, pixels):
    film = make_film(pixels, syntax=uid.RLELossless)
    film.PixelData = encapsulate([frame])
    film["PixelData"].is_undefined_length = True
    return decode(film).tolist()


TWO_BY_TWO = np.zeros((2, 2), dtype=np.uint16)


def test_the_high_bytes_come_first(make_film):
    frame = rle_frame(bytes([3, 1, 2, 3, 4]), bytes([253, 7]))  # four literal bytes, one byte repeated four times
    assert decoded(make_film, frame, pixels=TWO_BY_TWO) == [[0x0107, 0x0207], [0x0307, 0x0407]]


def test_a_zero_byte_that_pads_a_segment_is_no_run(make_film):
    frame = rle_frame(bytes([3, 1, 2, 3, 4, 0]), bytes([253, 7]))
    assert decoded(make_film, frame, pixels=TWO_BY_TWO) == [[0x0107, 0x0207], [0x0307, 0x0407]]


def test_colour_has_a_segment_for_each_channel(make_film):
    frame = rle_frame(bytes([1, 1, 2]), bytes([255, 9]), bytes([1, 5, 6]))
    film = make_film(np.zeros((1, 2, 3), dtype=np.uint8), photometric="RGB", syntax=uid.RLELossless)
    film.PixelData = encapsulate([frame])
    assert decode(film).tolist() == [[[1, 9, 5], [2, 9, 6]]]


BROKEN = {
    "no header": b"\2\0\0\0",
    "one segment of two": rle_frame(bytes([253, 7])),
    "a short segment": rle_frame(bytes([253, 7]), bytes([254, 7])),
    "a segment of gigabytes": rle_frame(bytes([253, 7]), bytes([129, 7]) * 100_000),
    "an offset into the header": struct.pack("<16I", 2, 0, 66, *[0] * 13) + bytes([253, 7, 253, 7]),
    "an offset behind the end": struct.pack("<16I", 2, 64, 2**31, *[0] * 13) + bytes([253, 7, 253, 7]),
    "offsets that fall": struct.pack("<16I", 2, 66, 64, *[0] * 13) + bytes([253, 7, 253, 7]),
}


@pytest.mark.parametrize("frame", BROKEN.values(), ids=BROKEN)
def test_a_damaged_frame_is_refused(make_film, frame):
    with pytest.raises(Rejected, match="corrupt_pixels"):
        decoded(make_film, frame, pixels=TWO_BY_TWO)
