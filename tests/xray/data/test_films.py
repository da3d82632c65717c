import hashlib
import os
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread
from pydicom.uid import RLELossless

from tests.xray.data.chest_film import GREY, texture, write_film
from xray.data.films import check_chest_film, check_upright, load_film, read_header, stored_sha256
from xray.data.phantom import Style, draw, sample_studies
from xray.dicom.render import RenderSettings, render_dataset
from xray.errors import Rejected

NATIVE = RenderSettings(size=None, square=False)


def write_picture(path, image, **options):
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


def refusal_of(path):
    with pytest.raises(Rejected) as refusal:
        load_film(path, settings=NATIVE)
    assert path.name not in str(refusal.value)
    return refusal.value.code


def test_a_film_carries_its_reference_and_its_flags(tmp_path):
    path = write_film(tmp_path / "film.png")  # named like a picture, and DICOM all the same
    film = load_film(path, settings=RenderSettings(size=64))
    assert film.pixels.shape == (64, 64)
    assert film.flags == ("auto_window",)
    assert film.ref.path == path
    assert film.ref.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (film.ref.rows, film.ref.columns, film.ref.view) == (80, 70, "frontal")
    assert film.ref.photometric_interpretation == "MONOCHROME2"


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
    path = write_picture(tmp_path / "film.bin", GREY, format="JPEG", quality=95)
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


def test_a_film_that_is_gone_a_folder_and_a_pipe_are_unreadable(tmp_path):
    assert refusal_of(tmp_path / "nothing") == "unreadable"
    assert refusal_of(tmp_path) == "unreadable"
    os.mkfifo(tmp_path / "pipe.dcm")
    assert refusal_of(tmp_path / "pipe.dcm") == "unreadable"
    (tmp_path / "loop.dcm").symlink_to(tmp_path / "loop.dcm")
    assert refusal_of(tmp_path / "loop.dcm") == "unreadable"


def test_a_film_that_is_written_to_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = write_film(tmp_path / "film", Rows=80)

    def slowly(dataset, *, settings):
        rendered = render_dataset(dataset, settings=settings)
        with path.open("ab") as stream:
            stream.write(b"more")
        return rendered

    monkeypatch.setattr("xray.data.films.render_dataset", slowly)
    assert refusal_of(path) == "file_changed"


def test_what_a_film_stores_is_the_same_in_every_encoding_and_under_every_name(tmp_path):
    first = stored_sha256(write_film(tmp_path / "a", PatientID="P-1"))
    assert stored_sha256(write_film(tmp_path / "b", PatientID="P-2", SOPInstanceUID="1.2.3")) == first
    dataset = dcmread(tmp_path / "a")
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(tmp_path / "c")
    assert stored_sha256(tmp_path / "c") == first
    assert stored_sha256(write_film(tmp_path / "d", texture(1))) != first
    inverse = write_film(tmp_path / "e", PhotometricInterpretation="MONOCHROME1")
    assert stored_sha256(inverse) != first


def test_the_16_bit_master_is_there_for_16_bits_only_and_when_it_is_asked_for(tmp_path):
    values = np.arange(10_000, 11_001, dtype=np.uint16).reshape(7, 143)
    path = write_picture(tmp_path / "film.png", values)
    assert load_film(path, settings=NATIVE).deep is None
    deep = load_film(path, settings=RenderSettings(size=None, square=False, deep=True)).deep
    assert (deep.dtype, deep.shape) == (np.uint16, (7, 143))
    assert 0 < deep.min() < 65535 // 4 < 65535 * 3 // 4 < deep.max() < 65535  # beyond black and white, not at the end
    settings = RenderSettings(size=64, deep=True)
    assert load_film(write_picture(tmp_path / "film.png", GREY), settings=settings).deep is None
    assert load_film(write_film(tmp_path / "film"), settings=settings).deep.shape == (64, 64)


# The view and the way the film lies, by its picture.


def drawn(view, number=0):
    """A drawn chest film, uint8 [H, W]."""
    study = sample_studies(number + 1, seed=5, style=Style.DEMO)[number]
    return (draw(study, view=view, style=Style.DEMO, size=256) * 255).astype(np.uint8)


@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_a_film_that_does_not_say_its_view_gets_it_from_the_picture(tmp_path, view):
    for path in (
        write_picture(tmp_path / "film.png", drawn(view)),
        write_film(tmp_path / "film", drawn(view), ViewPosition=None),
    ):
        film = load_film(path, settings=RenderSettings())
        assert film.ref.view == view
        assert "view_by_image" in film.flags


@pytest.mark.parametrize(("view", "stated"), [("lateral", "PA"), ("frontal", "LL")])
def test_a_film_whose_header_says_the_other_view_has_none(tmp_path, view, stated):
    film = load_film(write_film(tmp_path / "film", drawn(view), ViewPosition=stated), settings=RenderSettings())
    assert film.ref.view == "unknown"
    assert "view_conflict" in film.flags


def test_a_film_whose_header_is_right_keeps_its_view_without_a_flag(tmp_path):
    film = load_film(write_film(tmp_path / "film", drawn("lateral"), ViewPosition="LL"), settings=RenderSettings())
    assert film.ref.view == "lateral"
    assert not {"view_by_image", "view_conflict"} & set(film.flags)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_chest_film_that_does_not_lie_upright_is_shown_and_belongs_into_no_data_set(tmp_path, quarters):
    turned = np.ascontiguousarray(np.rot90(drawn("frontal"), quarters))
    for path in (write_film(tmp_path / "lies", turned), write_picture(tmp_path / "lies.png", turned)):
        film = load_film(path, settings=RenderSettings())
        assert film.turned_degrees == 360 - 90 * quarters
        with pytest.raises(Rejected, match="turned_film"):
            check_upright(film)


def test_films_of_other_parts_are_shown_as_they_lie(tmp_path):
    turned = np.ascontiguousarray(np.rot90(drawn("frontal")))
    film = load_film(write_film(tmp_path / "film", turned, BodyPartExamined="HAND"), settings=RenderSettings())
    assert film.flags == ("auto_window",)


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
