"""What a reader of a PDF gets: the text of its pages by the fonts' own tables, without a package for it."""

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.S)
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\) Tj", re.S)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page of a document with one font, line by line."""
    streams = [_inflated(match[1]) for match in _STREAM.finditer(pdf)]
    (table,) = [stream for stream in streams if b"beginbfchar" in stream]
    pairs = re.findall(rb"^<([0-9A-F]{4})> <([0-9A-F]+)>$", table, re.M)
    letters = {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}
    return [
        "\n".join(_text(shown, letters=letters) for shown in _SHOWN.findall(stream))
        for stream in streams
        if b" Tj ET" in stream
    ]


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def _text(shown: bytes, *, letters: dict[int, str]) -> str:
    codes = re.sub(rb"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), shown, flags=re.S)
    return "".join(letters[int.from_bytes(codes[at : at + 2])] for at in range(0, len(codes), 2))
