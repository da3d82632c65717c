"""Report texts in one dress, so that nothing but what they say tells one author from another."""

import re
from functools import lru_cache

from xray.text.normalize import normalize
from xray.text.sections import locate_sections

_SHOWN = ("findings", "impression")
_HAN = re.compile("[\u4e00-\u9fff]")
_LIST_MARK = re.compile(
    r"^[ \t]*(?:(?:[#>*•·●○■□◆-]+|\d{1,2}[、.)](?!\d)|[(（]\d{1,2}[)）]|[①-⑳]|[一二三四五六七八九十]{1,2}、)[ \t]*)+",
    re.MULTILINE,
)
_INNER_ITEM = re.compile(r"(?<=[。;；])[ \t]*(?:\d{1,2}[、.)](?!\d)|[(（]\d{1,2}[)）]|[①-⑳])[ \t]*")
_EMPHASIS = re.compile(r"\*\*|__|`+")
_FULL_WIDTH = str.maketrans({",": "，", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）"})
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[,:](?=\d)")
_KEPT = {",": "\ue000", ":": "\ue001"}  # private characters stand for the marks of 1,000 and 3:2 meanwhile
_DOT = re.compile(
    r"(?<![\d\s.])\.+(?=$|[^\d\w.])|(?<=[\u4e00-\u9fff）])\.+|\.+(?=[\u4e00-\u9fff])|(?<=\d)\.+$", re.MULTILINE
)
_STOPS = re.compile(r"[\s，、；;。]*[。；;\n][\s，、；;。]*")


@lru_cache(maxsize=20_000)
def neutral_text(text: str) -> str:
    """Return a report without the habits of its author: what it states, in the same words and order.

    Findings and impression follow each other as one paragraph without headings, list marks or emphasis. Chinese text
    has full-width punctuation, simplified characters and no blanks between them; every statement ends with 。. What
    says nothing of the film (names, dates, indication, technique, what it was compared with) is left out. A text that
    has nothing else keeps all of it.
    """
    plain = _EMPHASIS.sub("", text)
    parts = [plain[part.start : part.end] for part in locate_sections(plain) if part.name in _SHOWN]
    unmarked = _INNER_ITEM.sub("", _LIST_MARK.sub("", "\n".join(parts) or plain))
    return _chinese(normalize(unmarked)) if _HAN.search(unmarked) else _latin(unmarked)


def _chinese(text: str) -> str:
    guarded = _BETWEEN_DIGITS.sub(lambda found: _KEPT[found.group()], _DOT.sub("。", text))
    wide = guarded.translate(_FULL_WIDTH)
    for mark, stand_in in _KEPT.items():
        wide = wide.replace(stand_in, mark)
    return _STOPS.sub("。", f"{wide}\n").lstrip("。")


def _latin(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return " ".join(line if line.endswith((".", "!", "?")) else f"{line}." for line in lines if line)
