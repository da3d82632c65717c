"""File names from other systems, in words and on a terminal."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.file_names import decoded, printable
from xray.records import is_encodable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("胸片/a.dcm".encode(), "胸片/a.dcm"),
        ("王某".encode("gbk") + b"/a.dcm", "王某/a.dcm"),
        ("胸片".encode() + b"/" + "侧位.dcm".encode("gb18030"), "胸片/侧位.dcm"),
        (b"r\xe9sum\xe9.dcm", "r\\xe9sum\\xe9.dcm"),
        (b"a\x1b[2J\n.dcm", "a\\x1b[2J\\n.dcm"),
    ],
)
def test_a_name_is_shown_as_people_read_it_and_never_controls_the_terminal(name: bytes, shown: str):
    assert printable(os.fsdecode(name)) == shown


@given(data=st.binary(max_size=40))
def test_any_file_name_can_be_written(data: bytes):
    name = os.fsdecode(data)
    assert is_encodable(decoded(name))
    assert "\n" not in printable(name)


def test_half_a_character_that_stands_for_no_byte_is_spelled_out():
    assert printable("a\ud83d.dcm") == "a\\ud83d.dcm"
