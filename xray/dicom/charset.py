"""Header text from its bytes, also where SpecificCharacterSet (0008,0005) is absent or names another encoding.

Chinese systems write GBK under `ISO_IR 100`, UTF-8 under `GB18030`, or spell the term `ISO_IR_192`. The bytes tell:
UTF-8 is hard to hit by chance, and what is really Chinese consists mostly of the 3,755 characters of GB 2312, level 1.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydicom.charset import decode_bytes
from pydicom.valuerep import TEXT_VR_DELIMS

from xray.han import HAN

_ESCAPE = re.compile(r"\x1b[ -/]+[0-~]")  # an ISO 2022 designation; decoders leave `ESC $ ) A` of ISO 2022 IR 58 behind
_ESCAPE_BYTES = re.compile(rb"\x1b[ -/]+[0-~]")
_EUROPEAN = re.compile(r"[\x00-\u024f]*")
_HIGH = re.compile(r"[\x80-\xff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Text without escape sequences. `repaired`: the declared character set was not the one of the bytes."""

    text: str
    repaired: bool


def decode(raw: bytes, *, encodings: Sequence[str]) -> Decoded:
    """Decode the bytes of a text value.

    `encodings` are Python's names of the declared character sets in their order, as pydicom's `original_character_set`
    has them. The declared decoding holds unless it fails, gives Latin letters where there are Chinese ones, or gives
    fewer common Chinese characters than UTF-8 does. A text is only called repaired when the result is Chinese; bytes
    that nothing fits come back with U+FFFD, as declared. Never raises.
    """
    declared = _ESCAPE.sub("", _decode_as_declared(raw, encodings=encodings))
    if raw.isascii():
        return Decoded(text=declared, repaired=False)
    plain = _ESCAPE_BYTES.sub(b"", raw)
    utf8, gb18030 = _strict(plain, encoding="utf-8"), _strict(plain, encoding="gb18030")
    failed = "\ufffd" in declared
    if utf8 and (utf8 == declared or _EUROPEAN.fullmatch(utf8)):
        return Decoded(text=declared, repaired=False)
    if utf8 and HAN.search(utf8) and (failed or _is_more_chinese(utf8, declared)):
        return Decoded(text=utf8, repaired=utf8 != declared)
    latin = not HAN.search(declared) and _HIGH.search(declared)
    if gb18030 and ((failed and _is_chinese_alone(gb18030)) or ((failed or latin) and _common_share(gb18030) >= 0.5)):
        return Decoded(text=gb18030, repaired=gb18030 != declared)
    return Decoded(text=declared, repaired=False)


def _decode_as_declared(raw: bytes, *, encodings: Sequence[str]) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return decode_bytes(raw, list(encodings) or ["iso8859"], TEXT_VR_DELIMS)
        except (LookupError, ValueError):
            return raw.decode("ascii", errors="replace")


def _strict(raw: bytes, *, encoding: Literal["utf-8", "gb18030"]) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_chinese_alone(text: str) -> bool:
    """Tell Chinese in rare characters from a European word, of which two letters may look like one such character."""
    return bool(HAN.search(text)) and not re.search("[A-Za-z]", text)


def _is_more_chinese(text: str, other: str) -> bool:
    return _common_share(text) > _common_share(other)


def _common_share(text: str) -> float:
    """Return the share of common Chinese characters among all Chinese ones, 0 where there are none."""
    found = HAN.findall(text)
    return sum(_is_common(character) for character in found) / len(found) if found else 0.0


def _is_common(character: str) -> bool:
    """Tell whether a character is of GB 2312-1980 level 1, the rows 16 to 55."""
    row = character.encode("gb2312", errors="ignore")[:1]
    return b"\xb0" <= row <= b"\xd7"
