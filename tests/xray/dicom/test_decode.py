import imagecodecs
import numpy as np
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate

from tests.xray.dicom.every_syntax import LOSSLESS, LOSSY, compressed_film, textured
from xray.dicom.decode import decode, decode_stored
from xray.errors import Rejected

TWELVE_BIT = textured()


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda syntax: syntax.keyword)
def test_a_lossless_codec_gives_back_every_stored_value(through_file, syntax):
    film = compressed_film(LOSSLESS[syntax](TWELVE_BIT), stored=TWELVE_BIT, syntax=syntax)
    np.testing.assert_array_equal(decode(through_file(film)), TWELVE_BIT)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless], ids=lambda s: s.keyword)
def test_signed_values_keep_their_sign_through_a_codec_that_knows_none(syntax):
    signed = TWELVE_BIT.astype(np.int16) - 2048
    frame = LOSSLESS[syntax]((signed & 0xFFF).astype(np.uint16))
    decoded = decode(compressed_film(frame, stored=signed, syntax=syntax))
    assert decoded.dtype == np.int16
    np.testing.assert_array_equal(decoded, signed)


@pytest.mark.parametrize(("syntax", "bits"), [(uid.JPEGBaseline8Bit, 8), (uid.JPEGExtended12Bit, 12)])
def test_lossy_jpeg_stays_close(syntax, bits):
    smooth = np.add.outer(np.arange(48), np.arange(40)).astype(np.uint8 if bits == 8 else np.uint16) << (bits - 8)
    frame = imagecodecs.jpeg_encode(smooth, level=95, bitspersample=bits)
    decoded = decode(compressed_film(frame, stored=smooth, syntax=syntax, bits=bits))
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


def test_ybr_in_rle_becomes_rgb():
    # By PS3.3 C.7.6.3.1.2: without chroma all three are Y, and red is 76, 85, 255.
    stored = np.array([[[0, 128, 128], [200, 128, 128], [76, 85, 255], [255, 128, 128]]], dtype=np.uint8)
    film = compressed_film(rle_planes(stored), stored=stored, syntax=uid.RLELossless, bits=8, photometric="YBR_FULL")
    expected = np.array([[[0, 0, 0], [200, 200, 200], [254, 0, 0], [255, 255, 255]]])
    np.testing.assert_allclose(decode(film), expected, atol=1)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGLSLossless], ids=lambda syntax: syntax.keyword)
def test_a_codec_that_claims_subsampled_colour_is_refused(syntax):
    stored = np.zeros((1, 4, 3), dtype=np.uint8)
    frame = rle_planes(stored) if syntax == uid.RLELossless else imagecodecs.jpegls_encode(stored)
    film = compressed_film(frame, stored=stored, syntax=syntax, bits=8, photometric="YBR_FULL_422")
    with pytest.raises(Rejected, match="not_grey"):
        decode(film)


def test_two_native_pixels_may_share_their_chroma(make_film):
    film = make_film(np.zeros((1, 2, 3), dtype=np.uint8), photometric="YBR_FULL_422")
    film.PixelData = bytes([10, 200, 128, 128])
    assert decode(film).tolist() == [[[10, 10, 10], [200, 200, 200]]]


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422"])
def test_a_colour_jpeg_becomes_rgb_whatever_its_header_says(photometric):
    grey = np.repeat((TWELVE_BIT >> 4).astype(np.uint8)[..., None], 3, axis=2)
    frame = imagecodecs.jpeg_encode(grey, level=98)  # with a JFIF header, so YBR
    decoded = decode(compressed_film(frame, stored=grey, syntax=uid.JPEGBaseline8Bit, bits=8, photometric=photometric))
    assert np.abs(decoded.astype(int) - grey).max() <= 12


def test_what_a_lossy_codec_overshoots_is_clipped_to_the_stored_bits():
    frame = imagecodecs.jpegls_encode(np.full((8, 8), 4100, dtype=np.uint16))
    film = compressed_film(frame, stored=np.zeros((8, 8), dtype=np.uint16), syntax=uid.JPEGLSNearLossless)
    assert decode(film).max() == 4095


def test_what_a_lossless_codec_carries_above_the_stored_bits_is_cut():
    frame = imagecodecs.jpegls_encode(TWELVE_BIT | 0x8000)
    film = compressed_film(frame, stored=TWELVE_BIT, syntax=uid.JPEGLSLossless)
    np.testing.assert_array_equal(decode(film), TWELVE_BIT)


def test_the_tags_decide_about_the_sign_of_jpeg_2000():
    signed = TWELVE_BIT.astype(np.int16) - 2048
    as_unsigned = LOSSLESS[uid.JPEG2000Lossless]((signed & 0xFFF).astype(np.uint16))
    film = compressed_film(as_unsigned, stored=signed, syntax=uid.JPEG2000Lossless)
    np.testing.assert_array_equal(decode(film), signed)


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
    "a side of more than 8192": ({"Rows": 8193, "Columns": 8}, "too_large"),
    "a sign that is none": ({"PixelRepresentation": 2}, "bad_tag"),
    "billions of frames": ({"NumberOfFrames": 2**31 - 1}, "multi_frame"),
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


@pytest.mark.parametrize("syntax", [*LOSSLESS][1:], ids=lambda syntax: syntax.keyword)
def test_a_codestream_of_another_size_than_the_tags_is_not_decoded(syntax):
    film = compressed_film(LOSSLESS[syntax](TWELVE_BIT), stored=TWELVE_BIT, syntax=syntax, Rows=96, Columns=20)
    with pytest.raises(Rejected, match="size_mismatch"):
        decode(film)


CODECS = LOSSLESS | LOSSY


@pytest.mark.parametrize("syntax", CODECS, ids=lambda syntax: syntax.keyword)
def test_a_cut_codestream_is_refused_and_never_shown_in_part(syntax):
    frame = CODECS[syntax](TWELVE_BIT)
    stored = TWELVE_BIT >> 4 if syntax == uid.JPEGBaseline8Bit else TWELVE_BIT
    for length in (1, 2, 11, 30, 60, len(frame) // 2, len(frame) * 9 // 10, len(frame) - 20, len(frame) - 3):
        with pytest.raises(Rejected, match=r"truncated|corrupt_pixels"):
            decode(compressed_film(frame[:length], stored=stored, syntax=syntax))


@pytest.mark.parametrize("syntax", CODECS, ids=lambda syntax: syntax.keyword)
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_codestream_that_lost_its_last_part_but_not_its_end_is_refused(syntax, kept):
    flat = np.where(TWELVE_BIT > 2000, 1000, TWELVE_BIT)
    frame = CODECS[syntax](flat)
    film = compressed_film(frame[: int(len(frame) * kept)] + frame[-2:], stored=flat, syntax=syntax)
    with pytest.raises(Rejected, match=r"truncated|corrupt_pixels|size_mismatch"):
        decode(film)


def test_a_black_border_is_no_missing_part():
    framed = TWELVE_BIT.copy()
    framed[-12:] = 0
    for syntax in (uid.JPEGLosslessSV1, uid.JPEGExtended12Bit):
        decoded = decode(compressed_film(CODECS[syntax](framed), stored=framed, syntax=syntax))
        assert np.abs(decoded.astype(int) - framed).max() <= 40


UNSUPPORTED = {
    "1.2.840.10008.1.2.4.51.1": "standard does not list",
    "1.2.840.10008.1.2.4.94": "JPIP Referenced",
    "1.2.840.10008.1.2.4.100": "MPEG2",
    "1.2.840.10008.1.2.4.102": "MPEG-4 AVC/H.264",
    "1.2.840.10008.1.2.4.107": "HEVC/H.265",
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.7.1": "SMPTE ST 2110-20",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame",
    "CANARY": "no valid UID",
}


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(("syntax", "name"), UNSUPPORTED.items(), ids=UNSUPPORTED)
def test_a_transfer_syntax_without_a_decoder_is_named(make_film, syntax, name):
    with pytest.raises(Rejected, match="unsupported_transfer_syntax") as refusal:
        decode(make_film(TWELVE_BIT, bits=12, syntax=syntax))
    assert name in refusal.value.why
    assert "CANARY" not in refusal.value.why


def test_no_plugin_of_pydicom_decodes_a_film(monkeypatch):
    def asked(*_arguments, **_options):
        raise AssertionError

    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.as_array", asked)
    for syntax, encode in CODECS.items():
        stored = TWELVE_BIT >> 4 if syntax == uid.JPEGBaseline8Bit else TWELVE_BIT
        assert decode(compressed_film(encode(TWELVE_BIT), stored=stored, syntax=syntax)).shape == TWELVE_BIT.shape


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGLSLossless, uid.HTJ2KLossless], ids=lambda s: s.keyword)
def test_all_frames_of_a_compressed_image_are_given_as_they_are_stored(through_file, syntax):
    frames = np.stack([TWELVE_BIT, TWELVE_BIT[::-1]])
    film = compressed_film(b"\0\0", stored=TWELVE_BIT, syntax=syntax, NumberOfFrames=2)
    film.PixelData = encapsulate([LOSSLESS[syntax](frame) for frame in frames])
    film["PixelData"].is_undefined_length = True
    np.testing.assert_array_equal(decode_stored(through_file(film)), frames)


def test_frames_together_may_not_exceed_memory(make_film):
    with pytest.raises(Rejected, match="too_large"):
        decode_stored(make_film(TWELVE_BIT, bits=12, NumberOfFrames=2**31 - 1))
