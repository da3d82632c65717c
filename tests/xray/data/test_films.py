import hashlib
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from xray.data.films import check_chest_film, is_film_file, load_film, read_header
from xray.dicom.render import RenderSettings
from xray.errors import Rejected

NATIVE = RenderSettings(size=None, square=False)
GREY = np.add.outer(np.arange(80), np.arange(70)).astype(np.uint8)
CHEST = {
    "Modality": "DX",
    "BodyPartExamined": "CHEST",
    "PresentationIntentType": "FOR PRESENTATION",
    "ViewPosition": "PA",
    "StudyInstanceUID": "1.2.3",
    "SeriesInstanceUID": "1.2.3.4",
    "PatientID": "CANARY-7",
    "PatientName": "CANARY^王小明",
    "PatientAge": "018M",
    "PatientSex": "F",
    "ImagerPixelSpacing": [0.2, 0.3],
}


def write_film(path, pixels=GREY, **elements):
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    film.SpecificCharacterSet = "ISO_IR 192"
    film.Rows, film.Columns = pixels.shape
    film.SamplesPerPixel, film.PixelRepresentation = 1, 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 8, 8, 7
    film.PhotometricInterpretation = "MONOCHROME2"
    film.add_new("PixelData", "OB", pixels.tobytes())
    for keyword, value in {**CHEST, **elements}.items():
        if value is not None:
            setattr(film, keyword, value)
    film.save_as(path, enforce_file_format=True)
    return path


def write_picture(path, image, **options):
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


def refusal_of(path):
    with pytest.raises(Rejected) as refusal:
        load_film(path, settings=NATIVE)
    assert path.name not in str(refusal.value)
    return refusal.value.code


# DICOM.


def test_a_header_says_what_the_film_is_without_decoding_it(tmp_path):
    header = read_header(write_film(tmp_path / "film", pixels=GREY))
    assert header.is_dicom
    assert (header.rows, header.columns, header.bits_stored) == (80, 70, 8)
    assert (header.study_uid, header.sop_instance_uid) == ("1.2.3", "1.2.3.4.5")
    assert (header.modality, header.body_part, header.view, header.view_position) == ("DX", "CHEST", "frontal", "PA")
    assert (header.age_years, header.sex, header.pixel_spacing_mm) == (1.5, "F", (0.2, 0.3))
    assert header.patient_id == "CANARY-7"
    assert "CANARY" not in repr(header)


@pytest.mark.parametrize(
    ("elements", "age"),
    [
        ({"PatientAge": "045Y"}, 45),
        ({"PatientAge": "026W"}, 0.5),
        ({"PatientAge": "999Y"}, None),
        ({"PatientAge": None, "PatientBirthDate": "19800101", "StudyDate": "20200101"}, 40),
        ({"PatientAge": None, "PatientBirthDate": "20210101", "StudyDate": "20200101"}, None),
        ({"PatientAge": None}, None),
    ],
)
def test_the_age_comes_from_the_header_or_from_two_dates(tmp_path, elements, age):
    assert read_header(write_film(tmp_path / "film", **elements)).age_years == age


def test_a_film_carries_its_reference_and_its_flags(tmp_path):
    path = write_film(tmp_path / "film.png")  # named like a picture, and DICOM all the same
    film = load_film(path, settings=RenderSettings(size=64))
    assert film.pixels.shape == (64, 64)
    assert film.flags == ("auto_window",)
    assert film.ref.path == path
    assert film.ref.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (film.ref.rows, film.ref.columns, film.ref.view) == (80, 70, "frontal")
    assert film.ref.photometric_interpretation == "MONOCHROME2"


@pytest.mark.parametrize(
    "elements", [{}, {"BodyPartExamined": "PORT CHEST"}, {"BodyPartExamined": None}, {"Modality": "CR"}]
)
def test_a_chest_film_is_accepted(tmp_path, elements):
    assert check_chest_film(read_header(write_film(tmp_path / "film", **elements))) is None


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"Modality": "CT"}, "not_chest_film"),
        ({"Modality": None}, "not_chest_film"),
        ({"BodyPartExamined": "HAND"}, "not_chest_film"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "for_processing"),
        ({"BurnedInAnnotation": "YES"}, "burned_in_annotation"),
        ({"pixels": GREY[:63]}, "too_small"),
    ],
)
def test_what_is_no_chest_film_is_refused_by_name(tmp_path, elements, code):
    header = read_header(write_film(tmp_path / "film", **elements))
    with pytest.raises(Rejected) as refusal:
        check_chest_film(header)
    assert refusal.value.code == code


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(
    "elements",
    [
        {"PatientOrientation": ["L", "F"]},
        {"PatientOrientation": ["LA", "FP"]},
        {"PatientOrientation": None},
        {"PatientOrientation": ""},
        {"PatientOrientation": ["Left", "Foot"]},  # no legal values: they say nothing
        {"PatientOrientation": ["RL", "F"]},
        {"PatientOrientation": ["R"]},
        {"PatientOrientation": ["A", "F"], "ViewPosition": "LL"},
        {"PatientOrientation": ["P", "F"], "ViewPosition": "LL"},
        {"PatientOrientation": ["P", "F"], "ViewPosition": None},
        {"PatientOrientation": ["L", "F"], "ViewPosition": None},
    ],
)
def test_an_upright_film_and_one_that_does_not_say_how_it_lies_are_accepted(tmp_path, elements):
    assert check_chest_film(read_header(write_film(tmp_path / "film", **elements))) is None


@pytest.mark.parametrize("view", ["PA", "AP", None])
@pytest.mark.parametrize("orientation", [["R", "F"], ["L", "H"], ["R", "H"], ["F", "R"], ["H", "L"], ["RA", "F"]])
def test_a_film_that_its_header_calls_mirrored_or_turned_is_refused(tmp_path, view, orientation):
    header = read_header(write_film(tmp_path / "film", ViewPosition=view, PatientOrientation=orientation))
    with pytest.raises(Rejected, match="turned_film"):
        check_chest_film(header)


def test_a_frontal_film_that_lies_like_a_lateral_one_is_refused(tmp_path):
    header = read_header(write_film(tmp_path / "film", PatientOrientation=["P", "F"]))
    with pytest.raises(Rejected, match="turned_film"):
        check_chest_film(header)


def test_a_placeholder_is_nobodys_patient_id(tmp_path):
    assert read_header(write_film(tmp_path / "film", PatientID="ANONYMOUS")).patient_id is None


# PNG and JPEG.


def test_an_8_bit_picture_is_taken_as_it_is(tmp_path):
    film = load_film(write_picture(tmp_path / "film.png", GREY), settings=NATIVE)
    np.testing.assert_array_equal(film.pixels, GREY)
    assert film.flags == ()
    assert (film.ref.bits_stored, film.ref.sop_instance_uid, film.ref.view) == (8, None, "unknown")


def test_a_16_bit_picture_is_stretched_between_its_percentiles(tmp_path):
    deep = np.arange(10_000, 11_001, dtype=np.uint16).reshape(7, 143)
    film = load_film(write_picture(tmp_path / "film.png", deep), settings=NATIVE)
    # of 1001 pixels the percentiles are 10005 and 10995
    assert film.pixels.ravel()[[0, 5, 500, 995, 1000]].tolist() == [0, 0, 128, 255, 255]
    assert film.flags == ("auto_window",)
    assert film.ref.bits_stored == 16


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_grey_is_found_in_every_way_to_store_it(tmp_path, mode):
    film = load_film(write_picture(tmp_path / "film.png", Image.fromarray(GREY).convert(mode)), settings=NATIVE)
    np.testing.assert_array_equal(film.pixels, GREY)


def test_a_jpeg_is_recognised_by_its_content(tmp_path):
    path = write_picture(tmp_path / "film.dcm", GREY, format="JPEG", quality=95)
    assert np.abs(load_film(path, settings=NATIVE).pixels.astype(int) - GREY).max() <= 8
    header = read_header(path)
    assert (header.is_dicom, header.rows, header.columns, header.modality) == (False, 80, 70, None)
    check_chest_film(header)


def exif(orientation):
    tag = Image.Exif()
    tag[0x0112] = orientation
    return tag


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_picture_that_asks_to_be_turned_is_refused(tmp_path, ending):
    path = tmp_path / f"film.{ending}"
    assert load_film(write_picture(path, GREY, exif=exif(1)), settings=NATIVE).pixels.shape == (80, 70)
    assert refusal_of(write_picture(path, GREY, exif=exif(6))) == "exif_orientation"


def test_colour_transparency_and_emptiness_are_refused(tmp_path):
    path = tmp_path / "film.png"
    assert refusal_of(write_picture(path, np.dstack([GREY, GREY, 255 - GREY]))) == "not_grey"
    assert refusal_of(write_picture(path, np.dstack([GREY, GREY, GREY, GREY]))) == "transparent"
    assert refusal_of(write_picture(path, np.full((80, 80), 17, np.uint8))) == "blank_after_voi"
    assert refusal_of(write_picture(path, np.full((80, 80), 17, np.uint16))) == "blank_after_voi"


def test_bilevel_cmyk_and_animated_pictures_are_refused(tmp_path):
    film = Image.fromarray(GREY)
    assert refusal_of(write_picture(tmp_path / "a.png", film.convert("1"))) == "unsupported_bits"
    assert refusal_of(write_picture(tmp_path / "a.jpg", film.convert("CMYK"))) == "unsupported_bits"
    frames = [Image.fromarray(255 - GREY)]
    assert refusal_of(write_picture(tmp_path / "b.png", film, save_all=True, append_images=frames)) == "multi_frame"


def png_header(width, height):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    data = b"IDAT" + zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


def test_a_picture_that_announces_gigabytes_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "film.png"
    path.write_bytes(png_header(17_000, 17_000))
    assert refusal_of(path) == "too_large"


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_cut_picture_is_refused_and_never_shown_in_part(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 255, (80, 70), dtype=np.uint8)
    content = write_picture(tmp_path / f"film.{ending}", noise).read_bytes()
    path = tmp_path / "cut"
    for length in range(20, len(content) - 20, len(content) // 11):
        path.write_bytes(content[:length])
        assert refusal_of(path) == "corrupt_pixels"


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(300), b"film,report\n1,2\n"])
def test_other_files_are_no_films(tmp_path, content):
    path = tmp_path / "film.png"
    path.write_bytes(content)
    assert not is_film_file(path)
    assert refusal_of(path) == "not_a_film"


def test_films_are_told_from_other_files_by_their_first_bytes(tmp_path):
    assert is_film_file(write_film(tmp_path / "a"))
    assert is_film_file(write_picture(tmp_path / "b", GREY, format="PNG"))
    assert is_film_file(write_picture(tmp_path / "c", GREY, format="JPEG"))
    assert not is_film_file(tmp_path)
    assert not is_film_file(tmp_path / "nothing")
    assert refusal_of(tmp_path / "nothing") == "unreadable"


def as_picture(kind):
    stream = BytesIO()
    Image.fromarray(GREY).save(stream, format=kind)
    return stream.getvalue()


@given(
    kind=st.sampled_from(["PNG", "JPEG"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_picture_is_loaded_or_refused_and_nothing_else(tmp_path, kind, changes):
    content = bytearray(as_picture(kind))
    for place, byte in changes:
        content[int(place * len(content))] = byte
    path = tmp_path / "film"
    path.write_bytes(bytes(content))
    try:
        pixels = load_film(path, settings=RenderSettings(size=32)).pixels
    except Rejected:
        return
    assert pixels.shape == (32, 32)
