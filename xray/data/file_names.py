"""File names that are not UTF-8: what an archive from a Chinese Windows leaves behind when it is unpacked on Linux.

Python keeps such bytes as lone surrogates (PEP 383). They open the file, but no text file and no terminal takes them.
"""

import re
import unicodedata

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_WIDE = [code for code in range(0xFF10, 0xFF5B) if chr(code).isalnum()] + [0xFF0D, 0xFF0E, 0xFF3F]
_HALFWIDTH = {code: code - 0xFEE0 for code in _WIDE}  # letters, digits, hyphen, full stop, underscore


def halfwidth(name: str) -> str:
    """Write the letters and digits that a Chinese keyboard made full-width as plain ones: `Ｐ－０１` is `P-01`."""
    return name.translate(_HALFWIDTH)


def decoded(path: str) -> str:
    r"""Return a path as people spell it: parts that are no UTF-8 are read as GB18030, the rest is left as it is.

    A part that gives no Chinese is no GB18030 either; its odd bytes are spelled out (`\xd6`).
    """
    return "/".join(_decoded_part(part) for part in path.split("/"))


def printable(path: str) -> str:
    r"""Return `decoded(path)` for a line of output: control characters, which could forge one, are spelled out."""
    return "".join(_visible(character) for character in decoded(path))


def _decoded_part(part: str) -> str:
    try:
        data = part.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a character, which stands for no byte
        return part.encode("utf-8", "backslashreplace").decode()
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    return text if _CHINESE.search(text) else data.decode("utf-8", "backslashreplace")


def _visible(character: str) -> str:
    if unicodedata.category(character)[0] == "C" or character in "\u2028\u2029":
        return character.encode("unicode_escape").decode()
    return character
