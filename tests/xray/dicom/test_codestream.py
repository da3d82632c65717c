import struct

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid

from tests.xray.dicom.every_syntax import LOSSLESS, LOSSY, compressed_film, textured, tiled_jpeg_2000
from xray.dicom.codestream import check_end, frame_size
from xray.dicom.decode import decode
from xray.errors import Rejected

EIGHT_BIT = (textured() >> 4).astype(np.uint8)
TILES = tiled_jpeg_2000(textured())
COMPRESSED = {syntax: encode for syntax, encode in (LOSSLESS | LOSSY).items() if syntax != uid.RLELossless}


def refusal_of(frame):
    with pytest.raises(Rejected) as refusal:
        check_end(frame, size=frame_size(frame))
    return refusal.value.code


def attempt(action):
    """The result, or the code of the refusal. Any other error fails the test."""
    try:
        return action()
    except Rejected as refusal:
        return refusal.code


@pytest.mark.parametrize("syntax", COMPRESSED, ids=lambda syntax: syntax.keyword)
def test_a_whole_frame_has_its_size_and_its_end(syntax):
    frame = COMPRESSED[syntax](textured())
    size = frame_size(frame)
    assert (size.rows, size.columns, size.samples) == (48, 40, 1)
    check_end(frame, size=size)
    check_end(frame + b"\0", size=size)


@given(
    frame=st.binary(max_size=80), start=st.sampled_from([b"", b"\xff\xd8", b"\xff\x4f\xff\x51", b"\xff\xd8\xff\xc0"])
)
@settings(max_examples=300, deadline=None)
def test_the_size_of_a_random_codestream_is_known_or_refused(frame, start):
    outcome = attempt(lambda: check_end(start + frame, size=frame_size(start + frame)))
    assert outcome in (None, "corrupt_pixels", "truncated", "multi_frame")


@given(
    cut=st.integers(0, 3000),
    changes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6),
    syntax=st.sampled_from([*COMPRESSED]),
)
@settings(max_examples=300, deadline=None)
def test_a_damaged_codestream_is_checked_or_refused(cut, changes, syntax):
    frame = bytearray(COMPRESSED[syntax](textured())[: cut or None])
    for place, byte in changes:
        frame[place % len(frame)] = byte
    outcome = attempt(lambda: check_end(bytes(frame), size=frame_size(bytes(frame))))
    assert outcome in (None, "corrupt_pixels", "truncated", "multi_frame")


def test_a_jpeg_announces_its_size_after_any_number_of_other_segments():
    comment = b"\xff\xfe\x00\x06abcd"
    frame_header = b"\xff\xc3\x00\x0b\x0c\x00\x30\x00\x28\x01\x00\x00\x00"
    size = frame_size(b"\xff\xd8" + comment * 3 + b"\xff" + frame_header)
    assert (size.rows, size.columns, size.samples, size.precision) == (48, 40, 1, 12)


def siz(*, right=140, tile=(40, 48), components=((0x80 | 11, 1, 1),)):
    """The start of a JPEG 2000 codestream: 48 rows from 100 on."""
    header = struct.pack(">HHHIIII", 0xFF51, 38 + 3 * len(components), 0, right, 148, 100, 100)
    header += struct.pack(">IIIIH", *tile, 100, 100, len(components))
    return b"\xff\x4f" + header + b"".join(bytes(component) for component in components)


def test_a_jpeg_2000_announces_its_size_less_its_offset():
    size = frame_size(siz())
    assert (size.rows, size.columns, size.samples, size.precision, size.signed) == (48, 40, 1, 12, True)
    assert size.tiles == 1


IMPOSSIBLE = {
    "no tile": {"tile": (0, 48)},
    "more tiles than there are numbers": {"right": 200_000, "tile": (1, 1)},
    "a component of half the size": {"components": ((11, 2, 2),)},
    "components of two depths": {"components": ((11, 1, 1), (7, 1, 1))},
    "no component": {"components": ()},
}


@pytest.mark.parametrize("change", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_jpeg_2000_of_impossible_parts_is_refused(change):
    with pytest.raises(Rejected, match="corrupt_pixels"):
        frame_size(siz(**change))


def tile_starts():
    return [at for at in range(len(TILES) - 4) if TILES[at : at + 4] == b"\xff\x90\x00\x0a"]


def test_a_tiled_jpeg_2000_is_whole_only_with_all_its_tiles():
    starts = tile_starts()
    assert len(starts) == frame_size(TILES).tiles == 9
    check_end(TILES, size=frame_size(TILES))
    assert refusal_of(TILES[: starts[4]] + TILES[starts[5] :]) == "truncated"
    assert refusal_of(TILES[: starts[-1]] + TILES[-2:]) == "truncated"
    assert refusal_of(TILES[: starts[-1] + 40]) == "truncated"


def test_a_tile_of_impossible_length_is_refused():
    at = tile_starts()[2] + 6
    assert refusal_of(TILES[:at] + struct.pack(">I", 5) + TILES[at + 4 :]) == "corrupt_pixels"


def test_a_second_frame_behind_the_end_is_not_lost_in_silence():
    frame = imagecodecs.jpeg_encode(EIGHT_BIT)
    assert refusal_of(frame + frame) == "multi_frame"
    assert refusal_of(TILES + b"\0\0" + TILES) == "multi_frame"


def test_a_few_bytes_that_announce_a_hundred_megabytes_are_not_decoded():
    bomb = LOSSLESS[uid.JPEG2000Lossless](np.zeros((48, 40), dtype=np.uint16))
    huge = struct.pack(">II", 8192, 8192)
    bomb = bomb[:8] + huge + bomb[16:24] + huge + bomb[32:]
    film = compressed_film(
        bomb, stored=np.zeros((1, 1), dtype=np.uint16), syntax=uid.JPEG2000Lossless, Rows=8192, Columns=8192
    )
    with pytest.raises(Rejected, match="too_large"):
        decode(film)
