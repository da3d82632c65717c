import io
import os
import zipfile
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.xray.data.chest_film import GREY, write_film
from xray.data.file_kind import kind_of, read_head, refusal_of
from xray.errors import Rejected


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, format=kind)
    return stream.getvalue()


def packed() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.dcm", b"film")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (picture("PNG"), "PNG"),
        (picture("JPEG"), "JPEG"),
        (picture("BMP"), "BMP"),
        (picture("TIFF"), "TIFF"),
        (picture("GIF"), "GIF"),
        (picture("JPEG2000"), "JPEG 2000"),
        (packed(), "zip"),
        (b"<!DOCTYPE html><title>Login</title>", "web page"),
        (b"\xef\xbb\xbf\n <html><body>404</body></html>", "web page"),
        (b'<?xml version="1.0"?><a/>', "XML"),
        (b"MZ" + bytes(300), "Windows program"),
        (b"\x7fELF" + bytes(300), "Linux program"),
        (b"#!/bin/sh\nrm -rf x\n", "script"),
        (b"%PDF-1.7\n", "PDF"),
        ("检查所见：双肺野清晰。".encode("gb18030"), "a text"),
        (b"words\n", "a text"),
    ],
)
def test_a_file_called_dcm_that_is_something_else_is_named_as_what_it_is(content: bytes, says: str):
    rejected = refusal_of(content[:512], name=PurePath("a.DCM"))
    assert rejected is not None
    assert rejected.code == "wrong_name"
    assert says in rejected.why


@pytest.mark.parametrize("name", ["a.png", "a", "a.jpg"])
def test_the_same_content_under_another_name_is_a_picture_or_no_film(name: str):
    assert refusal_of(picture("PNG"), name=PurePath(name)) is None
    assert refusal_of(picture("JPEG"), name=PurePath(name)) is None
    rejected = refusal_of(b"words", name=PurePath(name))
    assert rejected is not None
    assert rejected.code == "not_a_film"


def test_dicom_is_taken_under_every_name_but_not_without_its_preamble(tmp_path: Path):
    content = write_film(tmp_path / "film").read_bytes()
    assert refusal_of(content, name=PurePath("a.png")) is None
    for bare in (content[132:], b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100", b"\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 100"):
        rejected = refusal_of(bare, name=PurePath("a.dcm"))
        assert rejected is not None
        assert rejected.code == "not_dicom"


def test_a_file_of_0_bytes_is_called_empty(tmp_path: Path):
    (tmp_path / "a.dcm").touch()
    rejected = refusal_of(read_head(tmp_path / "a.dcm"), name=PurePath("a.dcm"))
    assert rejected is not None
    assert rejected.code == "empty_file"


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_film(tmp_path / "film")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Rejected, match="permission denied") as refusal:
        read_head(path)
    assert refusal.value.code == "unreadable"
    assert str(tmp_path) not in refusal.value.why


def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Rejected, match="unreadable"):
        read_head(tmp_path / "pipe")


@given(head=st.binary(max_size=200))
def test_any_bytes_are_of_some_kind_and_refused_by_a_known_code(head: bytes):
    rejected = refusal_of(head, name=PurePath("a.dcm"))
    if kind_of(head) == "dicom":
        assert rejected is None
    else:
        assert rejected is not None
        assert rejected.code in {"wrong_name", "not_a_film", "not_dicom", "empty_file"}
