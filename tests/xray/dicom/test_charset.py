"""Header text from real bytes, under right, wrong and absent character sets."""

import warnings
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.charset import convert_encodings
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from xray.dicom import tags
from xray.dicom.charset import decode
from xray.dicom.view import view_of

CHEST = "胸部正位"


def element(tag, vr, value):
    """An element in Explicit VR Little Endian; `value` gets its padding."""
    value += b" " * (len(value) % 2)
    return tag + vr + len(value).to_bytes(2, "little") + value


def implicit_element(tag, value):
    value += b" " * (len(value) % 2)
    return tag + len(value).to_bytes(4, "little") + value


def header(raw, *, declared=None, tag=b"\x08\x00\x3e\x10", vr=b"LO"):
    """A header with SpecificCharacterSet as declared and the raw bytes as one text element, SeriesDescription."""
    syntax = element(b"\x02\x00\x10\x00", b"UI", ExplicitVRLittleEndian.encode().ljust(20, b"\0"))
    group_length = element(b"\x02\x00\x00\x00", b"UL", len(syntax).to_bytes(4, "little"))
    body = b"" if declared is None else element(b"\x08\x00\x05\x00", b"CS", declared.encode("ascii"))
    return dcmread(BytesIO(bytes(128) + b"DICM" + group_length + syntax + body + element(tag, vr, raw)))


def implicit_header(raw, *, declared):
    syntax = element(b"\x02\x00\x10\x00", b"UI", ImplicitVRLittleEndian.encode().ljust(18, b"\0"))
    group_length = element(b"\x02\x00\x00\x00", b"UL", len(syntax).to_bytes(4, "little"))
    body = implicit_element(b"\x08\x00\x05\x00", declared.encode("ascii")) + implicit_element(b"\x08\x00\x3e\x10", raw)
    return dcmread(BytesIO(bytes(128) + b"DICM" + group_length + syntax + body))


def read(raw, *, declared):
    found = header(raw, declared=declared)
    return tags.text(found, "SeriesDescription"), tags.charset_repaired(found, "SeriesDescription")


@pytest.mark.filterwarnings("ignore:Unknown encoding")
@pytest.mark.parametrize(
    ("declared", "encoding", "repaired"),
    [
        ("GB18030", "gb18030", False),
        ("GBK", "gbk", False),
        ("GB2312", "gb18030", False),  # no defined term, but understood
        ("gb18030", "gb18030", False),
        ("ISO_IR 192", "utf-8", False),
        ("ISO_IR 192", "gb18030", True),
        ("GB18030", "utf-8", True),
        ("GBK", "utf-8", True),
        ("GB2312", "utf-8", True),
        ("ISO_IR 100", "gb18030", True),
        ("ISO_IR 100", "utf-8", True),
        (None, "gb18030", True),
        (None, "utf-8", True),
        ("ISO_IR_192", "utf-8", True),
        ("ISO_IR 6", "gb18030", True),
        ("\\ISO 2022 IR 58", "gb2312", True),  # without its escape sequence
        ("ISO 2022 IR 6\\ISO 2022 IR 58", "utf-8", True),
        ("NONSENSE", "gb18030", True),
    ],
)
def test_chinese_is_read_whatever_the_header_declares(declared, encoding, repaired):
    text, flag = read(CHEST.encode(encoding), declared=declared)
    assert text == CHEST
    assert flag == repaired


@pytest.mark.parametrize("declared", ["\\ISO 2022 IR 58", "ISO_IR 100", None, "ISO_IR 192", "GB18030"])
def test_no_escape_sequence_is_left_in_the_text(declared):
    text, _ = read(b"\x1b$)A" + CHEST.encode("gb2312"), declared=declared)
    assert text == CHEST


def test_the_example_of_the_standard_for_gb2312_is_read():
    """PS3.5 annex K.3: Latin and ideographic name, each component with its designation."""
    raw = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="
    found = header(raw, declared="\\ISO 2022 IR 58", tag=b"\x10\x00\x10\x00", vr=b"PN")
    assert tags.text(found, "PatientName") == "Zhang^XiaoDong=张^小东="
    assert not tags.charset_repaired(found, "PatientName")


@pytest.mark.parametrize("name", ["王䶮", "𠮷野家", "张𠮷", "㐂"])
@pytest.mark.parametrize(("declared", "encoding"), [("GB18030", "gb18030"), ("ISO_IR 192", "utf-8")])
def test_rare_characters_of_four_bytes_survive(name, declared, encoding):
    assert read(name.encode(encoding), declared=declared) == (name, False)


@pytest.mark.parametrize("name", ["王䶮", "张𠮷"])
def test_rare_characters_survive_a_wrong_declaration(name):
    assert read(name.encode("gb18030"), declared="ISO_IR 100") == (name, True)
    assert read(name.encode("gb18030"), declared="ISO_IR 192") == (name, True)
    assert read(name.encode("utf-8"), declared="ISO_IR 100") == (name, True)


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("ISO_IR 100", "latin-1", "Thorax Übersicht, Größe, äußere Lunge"),
        ("ISO_IR 100", "latin-1", "poitrine de face, côté créée à l'hôpital"),
        ("ISO_IR 101", "iso8859-2", "klatka piersiowa, płuca, zdjęcie przeglądowe"),
        ("ISO_IR 144", "iso8859-5", "Грудная клетка"),
        ("ISO_IR 192", "utf-8", "Thorax Übersicht Größe 胸"),
        ("ISO_IR 192", "utf-8", "Größe"),
        ("ISO_IR 192", "utf-8", "á"),
        ("ISO_IR 13", "shift_jis", "ﾔﾏﾀﾞ"),
        ("GB18030", "gb18030", "锟斤拷的历史"),
    ],
)
def test_a_right_declaration_is_believed(declared, encoding, text):
    assert read(text.encode(encoding), declared=declared) == (text, False)


@pytest.mark.parametrize(
    ("declared", "raw", "text"),
    [
        ("\\ISO 2022 IR 149", b"\x1b$)C\xb1\xe8^\x1b$)C\xc8\xf1\xc1\xdf", "김^희중"),
        ("\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "山田^太郎"),
    ],
)
def test_japanese_and_korean_by_code_extension_are_read(declared, raw, text):
    found = header(raw, declared=declared, tag=b"\x10\x00\x10\x00", vr=b"PN")
    assert tags.text(found, "PatientName") == text


def test_a_chinese_character_whose_second_byte_is_a_backslash_is_not_cut():
    assert b"\\" in "刓".encode("gbk")
    assert read("胸部刓片\\二".encode("gbk"), declared="GBK") == ("胸部刓片", False)


def test_european_letters_under_a_wrong_declaration_do_not_become_chinese():
    text, repaired = read("Größe".encode("latin-1"), declared="ISO_IR 192")
    assert text == "Gr\ufffd\ufffde"
    assert not repaired


def test_only_the_first_value_is_returned_and_long_text_has_one_value():
    assert read(b"one\\two", declared=None) == ("one", False)
    found = header(b"one\\two", tag=b"\x20\x00\x00\x40", vr=b"LT")
    assert tags.text(found, "ImageComments") == "one\\two"


def test_a_chinese_body_part_is_read_although_codes_should_be_ascii():
    found = header("胸部".encode("gbk"), tag=b"\x18\x00\x15\x00", vr=b"CS")
    assert tags.code(found, "BodyPartExamined") == "胸部"
    assert tags.charset_repaired(found, "BodyPartExamined")


@pytest.mark.filterwarnings("ignore:Unknown encoding")
def test_the_view_is_found_in_a_description_with_a_wrong_character_set():
    assert view_of(header("胸部侧位".encode("gbk"), declared="ISO_IR 100")) == "lateral"
    assert view_of(header("胸部正位".encode(), declared="ISO_IR_192")) == "frontal"


def test_implicit_value_representations_are_read_the_same():
    found = implicit_header(CHEST.encode("gb18030"), declared="ISO_IR 100")
    assert tags.text(found, "SeriesDescription") == CHEST
    assert tags.charset_repaired(found, "SeriesDescription")


def test_reading_a_text_twice_gives_the_same():
    found = header(CHEST.encode("gb18030"), declared="ISO_IR 100")
    assert tags.text(found, "SeriesDescription") == tags.text(found, "SeriesDescription") == CHEST


def test_a_sequence_item_inherits_the_character_set():
    item = element(b"\x08\x00\x04\x01", b"LO", CHEST.encode("gb18030"))
    delimited = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    sequence = b"\x54\x00\x20\x02SQ\0\0" + len(delimited).to_bytes(4, "little") + delimited
    syntax = element(b"\x02\x00\x10\x00", b"UI", ExplicitVRLittleEndian.encode().ljust(20, b"\0"))
    group_length = element(b"\x02\x00\x00\x00", b"UL", len(syntax).to_bytes(4, "little"))
    body = element(b"\x08\x00\x05\x00", b"CS", b"GB18030") + sequence
    found = dcmread(BytesIO(bytes(128) + b"DICM" + group_length + syntax + body))
    (view_code,) = tags.items(found, "ViewCodeSequence")
    assert tags.text(view_code, "CodeMeaning") == CHEST
    assert not tags.charset_repaired(view_code, "CodeMeaning")
    assert view_of(found) == "frontal"


@given(st.text(st.characters(categories=["L", "N", "Zs"]), max_size=20))
def test_utf8_that_is_declared_always_comes_back(text):
    assert decode(text.encode(), encodings=convert_encodings("ISO_IR 192")).text == text


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=20))
def test_gb18030_under_a_declaration_of_utf8_comes_back_or_was_valid_utf8(text):
    raw = text.encode("gb18030")
    found = decode(raw, encodings=["UTF8"])
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        assert (found.text, found.repaired) == (text, True)


@given(
    st.binary(max_size=40), st.sampled_from(["", "GB18030", "ISO_IR 192", "ISO 2022 IR 58", "ISO 2022 IR 87", "GBK"])
)
def test_any_bytes_give_a_text_and_no_library_error(raw, declared):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = decode(raw, encodings=convert_encodings(["", declared] if "2022" in declared else declared))
    assert isinstance(found.text, str)
