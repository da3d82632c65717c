import logging.handlers
import os
import struct
import tracemalloc
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from xray.dicom import tags
from xray.dicom.read import read_dataset, read_tags
from xray.dicom.render import RenderSettings, render_dataset
from xray.errors import Rejected

PIXELS = (np.arange(64, dtype=np.uint16) * 60).reshape(8, 8)
CANARIES = ("CANARY", "王小明")


@pytest.fixture
def write(tmp_path, to_bytes):
    def _write(content):
        path = tmp_path / "film.dcm"
        path.write_bytes(content if isinstance(content, bytes) else to_bytes(content))
        return path

    return _write


def refusal_of(function, *arguments, **named):
    with pytest.raises(Rejected) as refusal:
        function(*arguments, **named)
    assert not any(canary in str(refusal.value) for canary in CANARIES)
    return refusal.value.code


def test_a_film_is_read_with_its_pixels(make_film, write):
    film = read_dataset(write(make_film(PIXELS, bits=12)))
    assert film.PixelData == PIXELS.tobytes()


def test_tags_are_read_without_pixels_and_without_an_image(make_film, write):
    assert "PixelData" not in read_tags(write(make_film(PIXELS, bits=12)))
    assert read_tags(write(make_film(PIXELS, bits=12, Rows=None, Columns=None, PixelData=None))).Modality == "CR"


def test_a_missing_file_a_folder_and_a_pipe_are_unreadable(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nothing", tmp_path, tmp_path / "pipe"):
        assert refusal_of(read_dataset, path) == "unreadable"


@pytest.mark.parametrize("content", [b"", b"DICM", b"\x89PNG\r\n\x1a\n" + bytes(200), bytes(128), bytes(4000)])
def test_what_does_not_start_like_dicom_is_not_dicom(write, content):
    assert refusal_of(read_dataset, write(content)) == "not_dicom"


def test_a_program_in_the_preamble_is_refused(make_film, write, to_bytes):
    content = to_bytes(make_film(PIXELS, bits=12))
    assert refusal_of(read_dataset, write(b"MZ" + content[2:])) == "executable_preamble"


def test_a_header_is_refused_before_its_pixels_are_read(make_film, write, to_bytes, monkeypatch):
    content = to_bytes(make_film(PIXELS, bits=12, NumberOfFrames=7))
    passes = []
    monkeypatch.setattr(
        "xray.dicom.read.dcmread",
        lambda stream, stop_before_pixels: passes.append(stop_before_pixels) or dcmread(stream),
    )
    assert refusal_of(read_dataset, write(content)) == "multi_frame"
    assert passes == [True]


def test_a_missing_transfer_syntax_is_refused(make_film, write, to_bytes):
    content = to_bytes(make_film(PIXELS, bits=12))
    syntax = b"\x02\x00\x10\x00UI"
    at = content.index(syntax)
    length = struct.unpack_from("<H", content, at + 6)[0]
    cut = content[:at] + content[at + 8 + length :]
    group_length = struct.unpack_from("<I", content, 140)[0] - 8 - length
    assert refusal_of(read_dataset, write(cut[:140] + struct.pack("<I", group_length) + cut[144:])) == "missing_tag"


def test_sequences_nested_without_end_are_refused(make_film, write):
    item = Dataset()
    item.CodeValue = "1"
    for _ in range(60):
        outer = Dataset()
        outer.ViewCodeSequence = Sequence([item])
        item = outer
    assert read_dataset(write(make_film(PIXELS, bits=12, ViewCodeSequence=Sequence([item])))).Rows == 8
    element = b"\x54\x00\x20\x02SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    film = make_film(PIXELS, bits=12)
    content = BytesIO()
    film.save_as(content, enforce_file_format=True)
    start = content.getvalue().index(b"\xe0\x7f\x10\x00")
    deep = content.getvalue()[:start] + element * 5000
    assert refusal_of(read_dataset, write(deep)) == "nested_too_deep"


def test_a_deflated_file_that_unpacks_to_gigabytes_is_refused(make_film, write, to_bytes, monkeypatch):
    monkeypatch.setattr("xray.dicom.read._MAX_INFLATED_BYTES", 100_000)
    content = to_bytes(make_film(PIXELS, bits=12, syntax=uid.DeflatedExplicitVRLittleEndian))
    assert read_dataset(write(content)).Rows == 8
    meta_end = 144 + struct.unpack_from("<I", content, 140)[0]
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = deflater.compress(bytes(200_000)) + deflater.flush()
    assert refusal_of(read_dataset, write(content[:meta_end] + bomb)) == "too_large"


def test_a_header_of_countless_elements_is_refused_wherever_they_stand(make_film, write, to_bytes, monkeypatch):
    monkeypatch.setattr("xray.dicom.read._MAX_HEADER_READS", 2000)
    film = to_bytes(make_film(PIXELS, bits=12))
    data_set = film.index(struct.pack("<HH", 0x0008, 0x0016))
    for group in (0x0002, 0x0009):
        many = b"".join(struct.pack("<HH2sH", group, 0x1000 + number, b"LO", 0) for number in range(2000))
        assert refusal_of(read_tags, write(film[:data_set] + many + film[data_set:])) == "header_too_large"


def test_a_header_of_half_a_file_is_refused(make_film, write, monkeypatch):
    monkeypatch.setattr("xray.dicom.read._MAX_HEADER_BYTES", 10_000)
    assert refusal_of(read_tags, write(make_film(PIXELS, bits=12, ICCProfile=bytes(20_000)))) == "header_too_large"
    read_dataset(write(make_film(np.zeros((200, 200), np.uint16), bits=12)))


def test_a_sequence_of_countless_items_and_a_vast_value_are_not_converted(make_film, write, monkeypatch):
    monkeypatch.setattr("xray.dicom.tags._MOST_ITEMS", 10)
    monkeypatch.setattr("xray.dicom.tags._MOST_BYTES", 100)
    for number, found in ((10, 10), (11, 0)):
        film = read_tags(write(make_film(PIXELS, bits=12, ViewCodeSequence=Sequence([Dataset()] * number))))
        assert len(tags.items(film, "ViewCodeSequence")) == found
    film = read_tags(write(make_film(PIXELS, bits=12, WindowCenter=[1.5] * 50)))
    assert tags.numbers(film, "WindowCenter") == ()


def test_a_file_larger_than_the_limit_is_not_opened(make_film, write, monkeypatch):
    monkeypatch.setattr("xray.dicom.read.MAX_FILE_BYTES", 100)
    assert refusal_of(read_dataset, write(make_film(PIXELS, bits=12))) == "too_large"


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.RLELossless, uid.DeflatedExplicitVRLittleEndian])
def test_a_film_cut_at_any_place_is_refused_and_never_shown_in_part(make_film, write, to_bytes, syntax):
    film = make_film(PIXELS, bits=12, syntax=uid.ExplicitVRLittleEndian if syntax == uid.RLELossless else syntax)
    if syntax == uid.RLELossless:
        film.compress(syntax, encoding_plugin="pydicom")
    content = to_bytes(film)
    for length in range(0, len(content), 7):
        path = write(content[:length])
        with pytest.raises(Rejected):
            render_dataset(read_dataset(path), settings=RenderSettings(size=8))


def test_a_film_cut_within_its_compressed_pixels_is_called_truncated(make_film, write, to_bytes):
    film = make_film(PIXELS, bits=12, syntax=uid.ExplicitVRLittleEndian)
    film.compress(uid.RLELossless, encoding_plugin="pydicom")
    assert refusal_of(read_dataset, write(to_bytes(film)[:-20])) == "truncated"


def test_a_deflated_film_is_cut_within_its_data_is_called_truncated(make_film, write, to_bytes):
    content = to_bytes(make_film(PIXELS, bits=12, syntax=uid.DeflatedExplicitVRLittleEndian))
    assert refusal_of(read_dataset, write(content[:-30])) == "truncated"


def test_a_length_of_gigabytes_reserves_no_memory(make_film, write, to_bytes):
    content = bytearray(to_bytes(make_film(PIXELS, bits=12)))
    at = content.index(b"LO", content.index(b"\x10\x00\x20\x00"))  # PatientID becomes UN with a 32-bit length
    content[at : at + 4] = b"UN\0\0"
    content[at + 4 : at + 8] = struct.pack("<I", 0x7FFFFFFE)
    path = write(bytes(content))
    tracemalloc.start()
    assert refusal_of(read_dataset, path) in {"no_pixels", "corrupt_header", "missing_tag"}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


@pytest.mark.parametrize("depth", [50, 200, 2000])
def test_nested_sequences_are_read_or_refused(make_film, write, to_bytes, depth):
    element = b"\x54\x00\x20\x02SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    content = to_bytes(make_film(PIXELS, bits=12))
    at = content.index(b"\xe0\x7f\x10\x00")
    dataset, refusal = attempt(lambda: read_dataset(write(content[:at] + element * depth + end * depth + content[at:])))
    assert dataset.Rows == 8 if depth == 50 else dataset or refusal.code == "nested_too_deep"


def test_little_endian_bytes_that_are_called_big_endian_are_refused(make_film, write, to_bytes):
    content = to_bytes(make_film(PIXELS, bits=12)).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0")
    assert refusal_of(read_dataset, write(content)) in {"corrupt_header", "no_pixels"}


def test_a_film_with_bytes_behind_its_pixels_is_read(make_film, write, to_bytes):
    film = make_film(PIXELS, bits=12, PixelData=PIXELS.tobytes() + bytes(60))
    assert render_dataset(read_dataset(write(film)), settings=RenderSettings(size=8)).pixels.shape == (8, 8)


def test_a_multi_frame_image_is_read_only_where_any_is_asked_for(make_film, write):
    path = write(make_film(PIXELS, bits=12, NumberOfFrames=2, PixelData=PIXELS.tobytes() * 2))
    assert refusal_of(read_dataset, path) == "multi_frame"
    assert read_dataset(path, frames="any").NumberOfFrames == 2


def test_damaged_values_neither_warn_nor_log_nor_name_the_patient(make_film, write, to_bytes, recwarn, capfd):
    film = make_film(PIXELS, bits=12, WindowCenter=7654, WindowWidth=2000)
    content = to_bytes(film).replace(b"7654", b"CAN.")
    content = content.replace(b"ISO_IR 192", b"ISO_CANARY")
    collected = logging.handlers.BufferingHandler(capacity=1000)
    logging.getLogger().addHandler(collected)
    try:
        rendered = render_dataset(read_dataset(write(content)), settings=RenderSettings(size=8))
    finally:
        logging.getLogger().removeHandler(collected)
    assert rendered.flags == ("window_ignored", "auto_window")
    assert [*collected.buffer, *recwarn.list] == []
    assert capfd.readouterr() == ("", "")


def attempt(action):
    """The result and None, or None and the refusal. Any other error fails the test."""
    try:
        return action(), None
    except Rejected as refusal:
        return None, refusal


BYTE_CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12)


@given(changes=BYTE_CHANGES, compressed=st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_rendered_or_refused_and_nothing_else(make_film, to_bytes, tmp_path, changes, compressed):
    film = make_film(PIXELS, bits=12, WindowCenter=1000, WindowWidth=2000, RescaleSlope=1, RescaleIntercept=0)
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4, 0, 12])
    item.add_new("LUTData", "OW", bytes(8))
    film.VOILUTSequence = Sequence([item])
    if compressed:
        film.compress(uid.RLELossless, encoding_plugin="pydicom")
    content = bytearray(to_bytes(film))
    for place, byte in changes:
        content[132 + int(place * (len(content) - 132))] = byte
    path = tmp_path / "film.dcm"
    path.write_bytes(bytes(content))
    rendered, refusal = attempt(lambda: render_dataset(read_dataset(path), settings=RenderSettings(size=8)))
    if refusal:
        assert not any(canary in str(refusal) for canary in CANARIES)
    else:
        assert rendered.pixels.shape == (8, 8)
        assert rendered.pixels.dtype == np.uint8
