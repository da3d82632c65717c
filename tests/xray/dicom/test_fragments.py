"""Encapsulated pixels (PS3.5 A.4) as devices write them: fragments, and tables that do not fit them."""

import struct

import numpy as np
import pytest
from pydicom import uid

from tests.xray.dicom.conftest import build_film
from tests.xray.dicom.every_syntax import LOSSLESS, textured
from xray.dicom.decode import decode, decode_stored
from xray.errors import Rejected

STORED = textured()
LOSSLESS_JPEG = LOSSLESS[uid.JPEGLosslessSV1]


def items(*fragments, table=b""):
    padded = (table, *(fragment + b"\0" * (len(fragment) % 2) for fragment in fragments))
    return b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(part)) + part for part in padded)


def film_of(*fragments, table=b"", syntax=uid.JPEGLosslessSV1, **elements):
    film = build_film(STORED, bits=12, syntax=syntax, **elements)
    film.add_new("PixelData", "OB", items(*fragments, table=table))
    film["PixelData"].is_undefined_length = True
    return film


def halves(frame):
    middle = len(frame) // 4 * 2
    return frame[:middle], frame[middle:]


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.keyword)
@pytest.mark.parametrize("offsets", [(), (0,), (0, 8), (8,), (2**32 - 1,)], ids=str)
def test_the_fragments_of_one_frame_are_joined_whatever_the_offset_table_counts(through_file, syntax, offsets):
    first, second = halves(LOSSLESS[syntax](STORED))
    table = struct.pack(f"<{len(offsets)}L", *offsets)
    film = through_file(film_of(first, second, table=table, syntax=syntax))
    np.testing.assert_array_equal(decode(film), STORED)
    np.testing.assert_array_equal(decode_stored(film), STORED)


@pytest.mark.parametrize(("offset", "missing"), [(0, 0), (5, 0), (0, 100)])
def test_an_extended_offset_table_of_one_frame_changes_nothing(through_file, offset, missing):
    frame = LOSSLESS_JPEG(STORED)
    film = film_of(*halves(frame))
    film.ExtendedOffsetTable = struct.pack("<Q", offset)
    film.ExtendedOffsetTableLengths = struct.pack("<Q", len(frame) - missing)
    np.testing.assert_array_equal(decode(through_file(film)), STORED)


def test_a_second_frame_that_only_the_offset_table_counts_is_not_left_out_in_silence(through_file):
    frame = LOSSLESS_JPEG(STORED)
    table = struct.pack("<2L", 0, len(frame) + len(frame) % 2 + 8)
    with pytest.raises(Rejected, match="multi_frame"):
        decode(through_file(film_of(frame, frame, table=table)))


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian], ids=lambda s: s.keyword)
def test_compressed_pixels_under_a_native_transfer_syntax_are_refused_and_not_shown_as_noise(through_file, syntax):
    film = through_file(film_of(bytes(2 * STORED.nbytes - 100)))
    film.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(Rejected, match="corrupt_pixels: The pixels are compressed"):
        decode(film)


def test_fragments_that_are_none_are_refused(make_film):
    film = make_film(STORED, bits=12, syntax=uid.JPEGLosslessSV1)
    with pytest.raises(Rejected, match="corrupt_pixels"):
        decode(film)
