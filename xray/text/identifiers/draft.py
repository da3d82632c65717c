"""A text while identifiers are taken out of it, and the punctuation that has to follow them."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Write = Callable[[re.Match[str]], str | None]

_TRADITIONAL = (
    "報審醫師閱書寫檢診斷記錄複發簽電話號碼證險門歷檔編術員護劉張陳黃吳趙鄭謝鄧許馮蕭葉楊孫馬羅蔣呂蘇盧鍾譚陸範賈韋鄒"
    "閻嚴錢湯龍萬顧賴賀龔韓於與讀時間歲單類體線點機構聯繫絡請問轉責樓區縣鄉鎮臺灣廣東國衛學劃約復較對後實習專訴歐陽諸齊龐喬鮑閔莊費攝見現臨結論徵別適應"
)
_SIMPLIFIED = (
    "报审医师阅书写检诊断记录复发签电话号码证险门历档编术员护刘张陈黄吴赵郑谢邓许冯萧叶杨孙马罗蒋吕苏卢钟谭陆范贾韦邹"
    "阎严钱汤龙万顾赖贺龚韩于与读时间岁单类体线点机构联系络请问转责楼区县乡镇台湾广东国卫学划约复较对后实习专诉欧阳诸齐庞乔鲍闵庄费摄见现临结论征别适应"
)
_FOLD = str.maketrans(_TRADITIONAL + "–‐", _SIMPLIFIED + "--")
_PRIVATE = range(0xE000, 0xF8FF)


@dataclass(frozen=True, slots=True)
class Rule:
    """What to look for and what to write in its place.

    `pattern` sees the text with compatibility forms folded (：is :) and traditional characters simplified. If it has a
    group `cut`, only that is replaced, else the whole match. `write` is the new text, empty for nothing, or makes it of
    the match, None to leave the match as it is.
    """

    kind: str
    pattern: re.Pattern[str]
    write: str | Write = ""


@dataclass(slots=True, kw_only=True)
class Draft:
    """The text so far; `removed` are the kinds of what was taken out, `_gap` marks where nothing replaced it."""

    text: str
    removed: list[str] = field(default_factory=list)
    _gap: str = field(init=False)

    def __post_init__(self) -> None:
        """Choose a mark that does not occur in the text."""
        self._gap = next(chr(code) for code in _PRIVATE if chr(code) not in self.text)

    def apply(self, rules: Iterable[Rule]) -> None:
        """Apply rules, one after the other."""
        for rule in rules:
            self._apply(rule)

    def _apply(self, rule: Rule) -> None:
        parts: list[str] = []
        done = 0
        for match in rule.pattern.finditer(fold(self.text)):
            written = rule.write if isinstance(rule.write, str) else rule.write(match)
            start, end = match.span("cut" if "cut" in rule.pattern.groupindex else 0)
            if written is None or start < done or start == end:
                continue
            parts += [self.text[done:start], written or self._gap]
            done = end
            self.removed.append(rule.kind)
        self.text = "".join(parts) + self.text[done:]

    def finished(self) -> str:
        """Return the text without gaps, and without the brackets, separators and blank lines around them."""
        gap, text = self._gap, self.text
        if gap not in text:
            return text
        before = ""
        while text != before:  # each step takes something away
            before = text
            for pattern, written in _TIDY:
                text = re.sub(pattern.replace("G", gap), written.replace("G", gap), text)
        return text.replace(gap, "")


def fold(text: str) -> str:
    """Return the text with each character in its plain form; positions stay the same."""
    return "".join(map(_plain, text)).translate(_FOLD) if not text.isascii() else text


def _plain(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


_SEPARATOR = "[，,、；;/|｜]"
_STOP = "[。！!？?]"
_TIDY: tuple[tuple[str, str], ...] = (
    (r"G[ \t　]*G", "G"),
    (r"\s*G\s*\Z", ""),
    (r"[（(\[【「“《][ \t　]*G[ \t　]*[）)\]】」”》]", "G"),
    (r"([（(])[ \t　]*G[ \t　]*[，,、；;：:][ \t　]*", r"\1"),
    (r"[，,、；;：:]?[ \t　]*G[ \t　]*(?=[）)])", ""),
    (rf"{_SEPARATOR}[ \t　]*G[ \t　]*(?={_SEPARATOR}|{_STOP}|$)", "G"),
    (rf"(?m)(^|[。！!？?；;：:])[ \t　]*G[ \t　]*(?:{_SEPARATOR}|{_STOP}|[：:])[ \t　]*", r"\1G"),
    (r"G[ \t　]*\r?\n[ \t　]*G", "G"),
    (r"(?m)^[ \t　]*G[ \t　]*\r?\n", ""),
    (r"(?m)[ \t　]+G[ \t　]*$", "G"),
    (r"(?m)^[ \t　]*G[ \t　]+", "G"),
    (r"([ \t　])G[ \t　]+", r"\1"),
)
"""G is a gap. Only what touches one is changed, so that the rest of a report keeps its own punctuation."""
