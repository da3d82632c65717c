import imagecodecs
import numpy as np
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder

from xray.dicom.decode import decode
from xray.errors import Rejected

TWELVE_BIT = ((np.add.outer(np.arange(48) * 85, np.arange(40) * 3)) % 4096).astype(np.uint16)


def compressed(make_film, stored, *, syntax, frame, bits=12, **elements):
    film = make_film(stored, bits=bits, syntax=syntax, **elements)
    film.PixelData = encapsulate([frame])
    film["PixelData"].is_undefined_length = True
    return film


def rle(stored):
    return get_encoder(uid.RLELossless).encode(
        stored.tobytes(),
        rows=stored.shape[0],
        columns=stored.shape[1],
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=16,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
        encoding_plugin="pydicom",
    )


LOSSLESS = {
    uid.RLELossless: rle,
    uid.JPEGLossless: lambda stored: imagecodecs.ljpeg_encode(stored, bitspersample=12),
    uid.JPEGLosslessSV1: lambda stored: imagecodecs.ljpeg_encode(stored, bitspersample=12),
    uid.JPEGLSLossless: imagecodecs.jpegls_encode,
    uid.JPEG2000Lossless: lambda stored: imagecodecs.jpeg2k_encode(stored, codecformat="j2k", level=0),
    uid.JPEG2000: lambda stored: imagecodecs.jpeg2k_encode(stored, codecformat="jp2", level=0),
}


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.keyword)
def test_a_lossless_codec_gives_back_every_stored_value(make_film, through_file, syntax):
    film = compressed(make_film, TWELVE_BIT, syntax=syntax, frame=LOSSLESS[syntax](TWELVE_BIT))
    np.testing.assert_array_equal(decode(through_file(film)), TWELVE_BIT)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless], ids=lambda s: s.keyword)
def test_signed_values_keep_their_sign_through_a_codec_that_knows_none(make_film, syntax):
    signed = TWELVE_BIT.astype(np.int16) - 2048
    frame = LOSSLESS[syntax]((signed & 0xFFF).astype(np.uint16))
    decoded = decode(compressed(make_film, signed, syntax=syntax, frame=frame))
    assert decoded.dtype == np.int16
    np.testing.assert_array_equal(decoded, signed)


@pytest.mark.parametrize(("syntax", "bits"), [(uid.JPEGBaseline8Bit, 8), (uid.JPEGExtended12Bit, 12)])
def test_lossy_jpeg_stays_close(make_film, syntax, bits):
    smooth = np.add.outer(np.arange(48), np.arange(40)).astype(np.uint8 if bits == 8 else np.uint16) << (bits - 8)
    frame = imagecodecs.jpeg_encode(smooth, level=95, bitspersample=bits)
    decoded = decode(compressed(make_film, smooth, syntax=syntax, frame=frame, bits=bits))
    assert decoded.dtype == smooth.dtype
    assert np.abs(decoded.astype(int) - smooth).max() <= 2 << (bits - 8)


@pytest.mark.parametrize(
    "syntax",
    [
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
    ],
    ids=lambda syntax: syntax.keyword,
)
def test_native_values_are_read_as_they_are(make_film, through_file, syntax):
    np.testing.assert_array_equal(decode(through_file(make_film(TWELVE_BIT, bits=12, syntax=syntax))), TWELVE_BIT)


def test_big_endian_values_come_out_in_the_order_of_the_machine(make_film):
    film = make_film(TWELVE_BIT, bits=12, syntax=uid.ExplicitVRBigEndian)
    film.PixelData = TWELVE_BIT.astype(">u2").tobytes()
    decoded = decode(film)
    assert decoded.dtype.isnative
    np.testing.assert_array_equal(decoded, TWELVE_BIT)


def test_big_endian_words_of_two_8_bit_pixels_are_swapped(make_film):
    film = make_film(np.array([[1, 2], [3, 4]], dtype=np.uint8), syntax=uid.ExplicitVRBigEndian)
    film.add_new("PixelData", "OW", bytes([2, 1, 4, 3]))
    assert decode(film).tolist() == [[1, 2], [3, 4]]


def test_a_high_bit_above_bits_stored_means_that_the_low_bits_are_unused(make_film):
    film = make_film((TWELVE_BIT << 4) | 0x5, bits=12, high_bit=15)
    np.testing.assert_array_equal(decode(film), TWELVE_BIT)


def test_a_shifted_signed_value_keeps_its_sign(make_film):
    film = make_film(np.array([[-2048 << 4, -1 << 4, 2047 << 4]], dtype=np.int16), bits=12, high_bit=15)
    assert decode(film).tolist() == [[-2048, -1, 2047]]


def test_overlays_in_the_unused_high_bits_are_cleared(make_film):
    np.testing.assert_array_equal(decode(make_film(TWELVE_BIT | 0xF000, bits=12)), TWELVE_BIT)


def test_an_odd_number_of_8_bit_pixels_with_its_pad_byte_is_read(make_film):
    film = make_film(np.array([[9]], dtype=np.uint8))
    film.PixelData = bytes([9, 0])
    assert decode(film).tolist() == [[9]]


def test_colour_planes_are_interleaved(make_film):
    film = make_film(np.zeros((1, 2, 3), dtype=np.uint8), photometric="RGB", PlanarConfiguration=1)
    film.PixelData = bytes([1, 2, 10, 20, 100, 200])
    assert decode(film).tolist() == [[[1, 10, 100], [2, 20, 200]]]


def test_a_palette_becomes_rgb(make_film):
    film = make_film(np.array([[0, 1]], dtype=np.uint8), photometric="PALETTE COLOR")
    for name, entries in (("Red", [5, 6]), ("Green", [7, 8]), ("Blue", [9, 10])):
        film.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [2, 0, 8])
        film.add_new(f"{name}PaletteColorLookupTableData", "OW", bytes(entries))
    assert decode(film).tolist() == [[[5, 7, 9], [6, 8, 10]]]


def rle_planes(colours):
    """One literal run a channel (PS3.5 G.3), of at most 127 pixels."""
    planes = [bytes([plane.size - 1]) + plane.tobytes() for plane in np.moveaxis(colours, -1, 0)]
    planes = [plane + bytes(len(plane) % 2) for plane in planes]
    offsets = np.cumsum([64, *map(len, planes[:-1])])
    return np.array([3, *offsets, *[0] * 12], dtype="<u4").tobytes() + b"".join(planes)


def test_ybr_in_rle_becomes_rgb(make_film):
    # By PS3.3 C.7.6.3.1.2: without chroma all three are Y, and red is 76, 85, 255.
    stored = np.array([[[0, 128, 128], [200, 128, 128], [76, 85, 255], [255, 128, 128]]], dtype=np.uint8)
    film = compressed(
        make_film, stored, syntax=uid.RLELossless, frame=rle_planes(stored), bits=8, photometric="YBR_FULL"
    )
    expected = np.array([[[0, 0, 0], [200, 200, 200], [254, 0, 0], [255, 255, 255]]])
    np.testing.assert_allclose(decode(film), expected, atol=1)


def test_rle_that_claims_subsampled_colour_is_refused(make_film):
    stored = np.zeros((1, 4, 3), dtype=np.uint8)
    film = compressed(
        make_film, stored, syntax=uid.RLELossless, frame=rle_planes(stored), bits=8, photometric="YBR_FULL_422"
    )
    with pytest.raises(Rejected, match="not_grey"):
        decode(film)


REFUSALS = {
    "missing rows": ({"Rows": None}, "missing_tag"),
    "missing bits": ({"BitsStored": None}, "missing_tag"),
    "missing sign": ({"PixelRepresentation": None}, "missing_tag"),
    "missing photometric": ({"PhotometricInterpretation": None}, "not_grey"),
    "no image": ({"Rows": None, "Columns": None}, "no_pixels"),
    "no pixel data": ({"PixelData": None}, "no_pixels"),
    "empty pixel data": ({"PixelData": b""}, "no_pixels"),
    "zero rows": ({"Rows": 0}, "bad_tag"),
    "more bits stored than allocated": ({"BitsStored": 17}, "bad_tag"),
    "high bit below bits stored": ({"HighBit": 3}, "bad_tag"),
    "high bit outside the cell": ({"HighBit": 16}, "bad_tag"),
    "32 bits": ({"BitsAllocated": 32}, "unsupported_bits"),
    "1 bit": ({"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0}, "unsupported_bits"),
    "three samples of grey": ({"SamplesPerPixel": 3}, "bad_tag"),
    "ten frames": ({"NumberOfFrames": 10}, "multi_frame"),
    "a frame short": ({"PixelData": b"\0" * 100}, "truncated"),
    "frames that nobody counted": ({"PixelData": TWELVE_BIT.tobytes() * 3}, "multi_frame"),
    "more than memory": ({"Rows": 65535, "Columns": 65535}, "too_large"),
}


@pytest.mark.parametrize(("elements", "code"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_decoded_is_refused_by_name(make_film, elements, code):
    with pytest.raises(Rejected) as refusal:
        decode(make_film(TWELVE_BIT, bits=12, **elements))
    assert refusal.value.code == code


def test_one_frame_may_be_counted(make_film):
    np.testing.assert_array_equal(decode(make_film(TWELVE_BIT, bits=12, NumberOfFrames=1)), TWELVE_BIT)


def test_a_number_that_is_none_is_refused_without_being_quoted(make_film):
    film = make_film(TWELVE_BIT, bits=12)
    film.add_new("NumberOfFrames", "LO", "CANARY")
    with pytest.raises(Rejected, match="bad_tag: NumberOfFrames") as refusal:
        decode(film)
    assert "CANARY" not in str(refusal.value)


@pytest.mark.parametrize(
    "syntax", [uid.JPEG2000Lossless, uid.JPEGLSLossless, uid.JPEGLosslessSV1], ids=lambda s: s.keyword
)
def test_a_codestream_of_another_size_than_the_tags_is_not_decoded(make_film, syntax):
    film = compressed(make_film, TWELVE_BIT, syntax=syntax, frame=LOSSLESS[syntax](TWELVE_BIT), Rows=96, Columns=20)
    with pytest.raises(Rejected, match="size_mismatch"):
        decode(film)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.keyword)
def test_a_cut_codestream_is_refused_and_never_shown_in_part(make_film, syntax):
    frame = LOSSLESS[syntax](TWELVE_BIT)
    for length in (1, 2, 11, 30, 60, len(frame) // 2, len(frame) - 20, len(frame) - 3):
        with pytest.raises(Rejected):
            decode(compressed(make_film, TWELVE_BIT, syntax=syntax, frame=frame[:length]))


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(
    ("syntax", "name"),
    [("1.2.840.10008.1.2.4.110", "JPEG XL"), ("1.2.840.10008.1.2.4.100", "MPEG2"), ("CANARY", "no valid UID")],
)
def test_a_transfer_syntax_without_a_decoder_is_named(make_film, syntax, name):
    with pytest.raises(Rejected, match="unsupported_transfer_syntax") as refusal:
        decode(make_film(TWELVE_BIT, bits=12, syntax=syntax))
    assert name in refusal.value.why
    assert "CANARY" not in refusal.value.why


def test_no_gpl_decoder_is_ever_asked():
    assert set(PLUGINS.values()) <= {"pylibjpeg", "pyjpegls"}
    assert not set(PLUGINS) & {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1}
