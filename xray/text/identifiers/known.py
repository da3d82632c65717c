"""Names and numbers that are known of a study, wherever they stand, unless a Chinese name is a word of the report.

A patient called 张力 must not turn 张力性气胸 into 性气胸, nor a doctor called 向平 cut 方向平行. A name that is part
of a report's words, or shares a character with one, goes only from where names stand: a name left in is a leak, a word
cut is a damaged report, and hardly any word stands in such places.
"""

import re
from collections.abc import Collection, Iterator

from xray.text.identifiers.dates import WHEN
from xray.text.identifiers.draft import Rule, fold
from xray.text.identifiers.names import ASKED, BARE_LABEL, PERSON, PERSON_LABEL, TITLE
from xray.text.identifiers.report_words import LONGEST_WORD, REPORT_WORDS
from xray.text.identifiers.surnames import COMMON, OTHER

_HAN = "[\u4e00-\u9fff]"
_DOTS = "·•・‧∙⋅."
_LABEL = rf"[【\[]?(?:{PERSON_LABEL}|{BARE_LABEL})(?:[】\]][ ]*:?|[ ]*:)[ ]*"
_LABELLED = re.compile(
    rf"(?:{_LABEL}(?:{_HAN}{{2,4}}[ ]?[ /、][ ]*)?|"
    rf"(?:{PERSON_LABEL}|{PERSON}|{TITLE}|[通告]知|联系|请|嘱)[ ]*[:(]?[ ]*)\Z"
)
_DATED = rf"(?:[ ,]*{WHEN}(?=[ ]*(?:\n|\Z)))?"
_LED = re.compile(rf"(?:\A|[^\u4e00-\u9fff]|{ASKED})\Z")
_BOUND = re.compile(rf"\Z|[^\u4e00-\u9fff]|[男女因于诉在行系自来入出住曾既以已签审报]|{TITLE}")
_TITLED = re.compile(rf"[ ]?(?:{TITLE})")
_DESCRIBED = re.compile(r"[ ,(]{0,2}(?:男|女|性别|\d{1,3}岁)|[自主]?[诉述]|[来入出住离]院|就诊")
_STARTS = re.compile(r"[\n。;!][ ]*\Z")
_ENDS = re.compile(rf"[ ,]*(?:{WHEN})?[ \n]*\Z")
_FARTHEST = 24  # characters that a label and a second name before it may take


def known_rules(known: Collection[str]) -> Iterator[Rule]:
    """Yield a rule for each known name or id, the longest first, so that no part of a longer one is left."""
    for text in sorted({fold(one.strip()) for one in known}, key=lambda one: (-len(one), one)):
        if len(text) < 2 or not text[0].isalnum():
            continue
        is_han = re.search(_HAN, text) is not None
        start = r"(?<![A-Za-z0-9])" if text[0].isascii() else ""
        end = r"(?![A-Za-z0-9])" if text[-1].isascii() else ""
        name = f"{start}{_spelled(text, is_han=is_han)}{end}"
        if is_han:
            yield Rule("known", re.compile(f"(?:{_LABEL})?(?P<known>{name}){_DATED}", re.IGNORECASE), _unless_a_word)
        else:
            yield Rule("known", re.compile(name, re.IGNORECASE))


def _spelled(text: str, *, is_han: bool) -> str:
    """Return an expression for a name however it is spaced: 张 三; Zhang, San; 买买提·吐尔逊 with any dot or none."""
    if not is_han:
        return "[ ,^]+".join(map(re.escape, re.findall(r"[^\s^,]+", text)))
    dots = _DOTS if any(dot in text for dot in _DOTS) else ""
    return f"[ ^{dots}]*".join(map(re.escape, re.findall(rf"{_HAN}|[^\s^,{_DOTS}\u4e00-\u9fff]+", text)))


def _unless_a_word(match: re.Match[str]) -> str | None:
    """Write nothing in place of a name, with its label; None where it is most likely a word or the ends of two."""
    text, (start, end) = match.string, match.span("known")
    words = list(_words_over(text, start, end))
    inside = any(first <= start and end <= last for first, last in words)
    if not words or (end - start > 2 and not inside) or _is_place_of_name(text, start, end):
        return ""
    if inside:
        return None
    before = text[max(0, start - _FARTHEST) : start]
    leads = _LED.search(before) and all(first >= start for first, _ in words)
    return "" if leads or _LABELLED.search(before) else None


def _words_over(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the [start, end) of each ordinary word that holds the stretch or reaches beyond it."""
    for first in range(max(0, start - LONGEST_WORD + 1), end):
        for last in range(max(first + 2, start + 1), min(len(text), first + LONGEST_WORD) + 1):
            reaches_out = first < start or last > end or (first, last) == (start, end)
            if reaches_out and text[first:last] in REPORT_WORDS:
                yield first, last


def _is_place_of_name(text: str, start: int, end: int) -> bool:
    """Whether a name is surely meant: after a label and with an end, before a title or an age, as the last line."""
    before, after = text[max(0, start - _FARTHEST) : start], text[end:]
    if _TITLED.match(after) or (_LABELLED.search(before) and _BOUND.match(after)):
        return True
    if _DESCRIBED.match(after) and not re.search(rf"{_HAN}\Z", before):
        return True
    return text[start] in COMMON + OTHER and bool(_STARTS.search(before) and _ENDS.match(after))
