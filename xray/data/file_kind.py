"""What a file is by its first bytes, because names lie: a PNG called `.dcm`, a web page that a download left behind."""

from pathlib import Path, PurePath
from typing import Literal

from xray.dicom.read import has_dicom_magic
from xray.errors import Rejected

FileKind = Literal["dicom", "bare_dicom", "png", "jpeg", "other", "empty"]
DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})

_HEAD_BYTES = 512
_PICTURES: dict[bytes, FileKind] = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
_BARE_DICOM = (b"\x02\x00\x00\x00UL\x04\x00", b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00")
_STRANGERS = {
    b"MZ": "a Windows program",
    b"\x7fELF": "a Linux program",
    b"#!": "a script",
    b"PK\x03\x04": "a zip file",
    b"PK\x05\x06": "an empty zip file",
    b"\x1f\x8b": "a gzip file",
    b"7z\xbc\xaf\x27\x1c": "a 7z file",
    b"Rar!": "a rar file",
    b"%PDF": "a PDF document",
    b"{\\rtf": "a text document (RTF)",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
    b"\x00\x00\x00\x0cjP": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
}
_MARKUP = {b"<!doctype html": "a web page", b"<html": "a web page", b"<?xml": "an XML file"}
_CONTROL = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")


def read_head(path: Path) -> bytes:
    """Return the first 512 bytes of a file.

    Raises Rejected("unreadable") for what is missing, is no regular file (opening a pipe would wait for ever) or may
    not be read.
    """
    try:
        if not path.exists():
            raise Rejected("unreadable", "There is no such file any more, or its link is broken.")
        if not path.is_file():
            raise Rejected("unreadable", "This is no regular file. Give the films themselves.")
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    except (OSError, ValueError) as error:
        raise unreadable(error) from None


def unreadable(error: OSError | ValueError) -> Rejected:
    """Return the refusal that says why the system does not give a file: no permission, a broken disk."""
    reason = (error.strerror if isinstance(error, OSError) else None) or "the system does not open it"
    return Rejected("unreadable", f"The file cannot be read ({reason.lower()}). Check who may read it, and the disk.")


def kind_of(head: bytes) -> FileKind:
    """Tell what a file is by its first bytes; `bare_dicom` is DICOM without its preamble and prefix (PS3.10 7.1)."""
    if not head:
        return "empty"
    if has_dicom_magic(head):
        return "dicom"
    if head.startswith(_BARE_DICOM):
        return "bare_dicom"
    return next((kind for magic, kind in _PICTURES.items() if head.startswith(magic)), "other")


def refusal_of(head: bytes, *, name: PurePath) -> Rejected | None:
    """Return why a file cannot be a film; None for DICOM, and for PNG and JPEG whose name does not say DICOM.

    Codes: `empty_file`; `not_dicom` (DICOM without its preamble); `wrong_name` (the name says DICOM, the content is
    something else, which the sentence names); `not_a_film` for the rest.
    """
    kind = kind_of(head)
    says_dicom = name.suffix.lower() in DICOM_SUFFIXES
    if kind == "empty":
        return Rejected("empty_file", "The file has no content. Copy or export it again.")
    if kind == "bare_dicom":
        return Rejected("not_dicom", "This is DICOM without preamble and prefix. Export it as a DICOM file (PS3.10).")
    if kind in ("png", "jpeg") and says_dicom:
        why = f"The name says DICOM, but this is a {kind.upper()} picture without a header. Export the DICOM file."
        return Rejected("wrong_name", why)
    if kind != "other":
        return None
    stranger = _stranger(head)
    if stranger and says_dicom:
        return Rejected("wrong_name", f"The name says DICOM, but this is {stranger}. Export the DICOM file.")
    return Rejected("not_a_film", "The file is neither DICOM nor PNG nor JPEG.")


def _stranger(head: bytes) -> str | None:
    """Name what a file is that is no film; None for bytes that say nothing."""
    for magic, name in _STRANGERS.items():
        if head.startswith(magic):
            return name
    words = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, name in _MARKUP.items():
        if words.startswith(magic):
            return name
    return None if _CONTROL.intersection(head) else "a text"
