"""A report's sections: what was seen, what it means, why it was asked, what it was compared with.

Chinese reports are plain text with headers such as 检查所见： or 【影像诊断】. Names of the people who wrote or checked
the report (报告医生, 审核医生) end a section and belong to none.
"""

import re
from dataclasses import dataclass
from typing import Literal

SectionName = Literal["findings", "impression", "indication", "comparison", "other", "note"]

_HEADERS: dict[SectionName, tuple[str, ...]] = {
    "findings": (
        "(?:检查|影像学?|放射学?|X线(?:胸片)?|胸片|摄片)(?:所见|表现|描述)",
        "所见",
        "表现",
        "描述",
        "(?i:findings?)",
    ),
    "impression": (
        "(?:影像学?|放射学?|X线|胸片|检查|报告)(?:诊断|印象|结论|提示)(?:意见|印象)?",
        "诊断(?:意见|印象|结论)",
        "印象",
        "结论",
        "意见",
        "诊断",
        "提示",
        "(?i:impression|conclusion)",
    ),
    "indication": (
        "临床(?:诊断|资料|病史|信息|表现|症状|印象|提示)",
        "(?:简要|现|主要)?病史(?:摘要)?",
        "主诉",
        "检查(?:目的|原因|适应证|适应症)",
        "适应[证症]",
        "(?i:indication|history)",
    ),
    "comparison": (
        "(?:对比|对照|比较)(?:检查|资料|片|影像)?",
        "既往(?:检查|影像|胸片)",
        "(?i:comparison)",
    ),
    "other": (
        "(?:报告|审核|审阅|书写|检查|诊断|主治|记录|申请|影像|复核|签发|上级)(?:医生|医师|者|人|技师)(?:签[名字])?",
        "签[名字]",
    ),
    "note": (
        "(?:患者)?姓名",
        "性别",
        "年龄",
        "科[室别]",
        "床号",
        "(?:住院|门诊|检查|影像|病案|病历|登记|X线)号",
        "(?:检查|报告|审核|申请|打印|登记)(?:日期|时间)",
        "(?:检查|摄片)?(?:部位|项目|方法|技术|设备|体位)(?:及体位)?",
        "备注",
    ),
}
_SIGNATURE = "(?:报告|审核|审阅|书写|检查|诊断|主治|复核|签发)(?:医生|医师|者)(?:签[名字])?"
_NUMBERING = r"(?:[一二三四五六七八九十]{1,2}[、.．]|[(（][一二三四五六七八九十\d]{1,2}[)）]|\d{1,2}[、.．](?!\d))?"
_NAMES = "|".join(f"(?P<{section}>{'|'.join(forms)})" for section, forms in _HEADERS.items())
_SPACE = "[ \\t　]{0,8}"
_BOUNDARY = r"(?:(?<=[\s。；;！!])|^)"
_HEADER = re.compile(
    rf"{_NUMBERING}[【\[［〖](?:{_NAMES.replace('?P<', '?P<b_')})[】\]］〗][:：]?"
    rf"|{_BOUNDARY}{_NUMBERING}{_SPACE}(?:{_NAMES.replace('?P<', '?P<c_')}){_SPACE}(?:[:：]|(?=[\r\n]))"
    rf"|(?P<signature>{_SIGNATURE}{_SPACE}[:：]|(?<=[\s。；;]){_SIGNATURE}(?=[ \t　]))",
    re.MULTILINE,
)
_LINE = re.compile(r"[^\r\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section: its kind, and the [start, end) of its text without the header."""

    name: SectionName
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """The text of each section, stripped; None where the report has none. A text without headers is all findings."""

    findings: str | None = None
    impression: str | None = None
    indication: str | None = None
    comparison: str | None = None


def locate_sections(text: str) -> tuple[Section, ...]:
    """Return the sections in order of appearance. Text before the first header counts as findings.

    `other` holds signatures, up to the next header. A `note` is one line of administration (姓名, 检查部位, 报告日期);
    the section before it goes on after the line.
    """
    sections: list[Section] = []
    name: SectionName = "findings"
    start = 0
    for header in _HEADER.finditer(text):
        sections.append(Section(name=name, start=start, end=header.start()))
        start = header.end()
        if _kind(header) != "note":
            name = _kind(header)
            continue
        rest = _LINE.match(text, start)
        end = min(rest.end() if rest else start, _next_header(text, start))
        sections.append(Section(name="note", start=start, end=end))
        start = end
    sections.append(Section(name=name, start=start, end=len(text)))
    return tuple(section for section in sections if text[section.start : section.end].strip())


def split_sections(text: str) -> Sections:
    """Split a report at its headers. Repeated sections are joined by a line break. Names and dates are left out."""
    parts: dict[SectionName, list[str]] = {}
    for section in locate_sections(text):
        parts.setdefault(section.name, []).append(text[section.start : section.end].strip())
    joined = {name: "\n".join(texts) for name, texts in parts.items()}
    return Sections(
        findings=joined.get("findings"),
        impression=joined.get("impression"),
        indication=joined.get("indication"),
        comparison=joined.get("comparison"),
    )


def _next_header(text: str, start: int) -> int:
    header = _HEADER.search(text, start)
    return header.start() if header else len(text)


def _kind(header: re.Match[str]) -> SectionName:
    for name in _HEADERS:
        if any(header.group(f"{prefix}_{name}") is not None for prefix in "bc"):
            return name
    return "other"  # a signature, which needs neither a line of its own nor a colon
