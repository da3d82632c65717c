"""A report's sections: what was seen, what it means, why it was asked, what it was compared with.

Chinese reports are plain text with headers such as 检查所见： or 【影像诊断】. Names of the people who wrote or checked
the report (报告医生, 审核医生) belong to no section. Administration (姓名, 检查号, 检查方法) may stand on the line
of the findings, and takes no more of it than its value.
"""

import re
from dataclasses import dataclass
from typing import Literal

from xray.text.identifiers.draft import fold

SectionName = Literal["findings", "impression", "indication", "comparison", "other", "identity", "note"]

_ROLE = (
    "(?:报告|审核|审阅|书写|检查|诊断|主治|记录|影像|复核|签发|上级|主任|住院|值班|阅片|放射|"
    "(?:放射|影像)(?:诊断)?科){1,3}"
)


_FILM = "(?:胸部|X-?[线光]|[CD]R|[正侧]位|[平胸]?片|检查|影像学?|放射(?:学|诊断)?|摄片|报告){1,4}"


def _spaced(*names: str) -> str:
    """Return an expression for headers that a form letter stretches: 检 查 所 见."""
    return "|".join("[ \t　]{1,4}".join(name) for name in names)


_MARKED = r"(?=[ \t　]{0,8}[:：﹕︰∶】\]])"  # of words too short to be headers without a colon

_HEADERS: dict[SectionName, tuple[str, ...]] = {
    "findings": (
        f"{_FILM}(?:所见|表现|描述|征象)",
        _spaced("检查所见", "影像所见", "影像表现", "所见"),
        "所见",
        "表现",
        "描述",
        "(?i:findings?|finding\\(s\\))",
    ),
    "impression": (
        f"{_FILM}(?:诊断|印象|结论|提示|意见)(?:意见|印象|结果)?(?:[及与和或]?(?:建议|意见))?",
        "(?:初步诊断|诊断(?:意见|印象|结论|提示|结果))(?:[及与和或]?建议)?",
        "(?:诊断|印象|意见|结论)[及与和或/]?(?:建议|意见)",
        _spaced("诊断意见", "影像诊断", "诊断结论", "印象", "诊断", "结论"),
        "印象",
        "结论",
        "意见",
        "诊断",
        "提示",
        "(?i:impression|conclusion|opinion)",
    ),
    "indication": (
        "临床(?:初步|主要|拟)?(?:诊断|资料|病史|信息|表现|症状|印象|提示)",
        rf"(?:临床(?:拟诊|考虑|疑诊)?|申请单?|送检|会诊){_MARKED}",
        "(?:申请|门诊|急诊|入院|术前|送检|会诊)(?:单)?(?:诊断|目的|原因|内容|信息)",
        "(?:简要|现|主要)?病史(?:摘要)?",
        rf"(?:既往|手术|外伤|吸烟|接触|职业)史{_MARKED}",
        "主诉",
        "检查(?:目的|原因|适应证|适应症)",
        "适应[证症]",
        "(?i:(?:clinical )?(?:indication|history|information))",
    ),
    "comparison": (
        "(?:对比|对照|比较)(?:检查|资料|片|影像)?",
        "既往(?:检查|影像|胸片)",
        "(?i:comparison)",
    ),
    "other": (
        f"{_ROLE}(?:医生|医师|技师)(?:签[名字])?",
        r"(?!申请|送检)[^\s。；;:：，,【】\[\]]{0,8}(?:医师|医生|技师)(?:签[名字])?(?=[ \t　]{0,8}[:：】\]])",
        "(?:报告|审核|审阅|书写|检查|诊断|记录|影像|复核|签发)(?:者|人)(?:签[名字])?",
        "(?:审核|审阅|书写|复核|签发)(?=[ \t　]{0,8}[:：])",
        "报告(?=[ \t　]{0,8}[:：][ \t　]{0,8}[\u4e00-\u9fff]{2,4}[ \t　]+审)",
        "(?:电子)?签[名字]",
        "(?i:radiologist|(?:reported|reviewed|signed|verified) by)",
    ),
    "identity": (
        "(?:患者|病人)?姓名|(?:患者|病人)ID",
        "性别",
        "年龄",
        "(?:出生|检查|摄片|报告|审核|申请|打印|登记)(?:日期|时间)",
        "科[室别]",
        "病区",
        "床号",
        "(?:住院|门诊|检查|影像|病案|病历|登记|就诊|X线)(?:编?号|ID)",
        "(?:联系)?电话",
        "身份证号?码?",
        "(?:申请|送检)(?:科室|医生|医师|者|人)",
    ),
    "note": (
        "(?:检查|摄片)?(?:部位|项目|方法|技术|设备|体位)(?:及体位)?|检查名称",
        "备注",
        "(?i:technique|exam(?:ination)?)(?=[ ]{0,8}:)",
    ),
}
_NUMBERING = (
    r"(?:[■□●◆▲★•*#]{1,3}[ \t　]?)?"
    r"(?:[一二三四五六七八九十]{1,2}[、.．]|[(（][一二三四五六七八九十\d]{1,2}[)）]|\d{1,2}[、.．](?!\d))?"
)
_SIGNED = f"{_ROLE}(?:医生|医师|者)(?:签[名字])?"
_NAMES = "|".join(f"(?P<{section}>{'|'.join(forms)})" for section, forms in _HEADERS.items())
_INLINE = "|".join(
    f"(?P<d_{section}>{'|'.join(forms)})"
    for section, forms in (
        ("findings", _HEADERS["findings"][:1]),
        ("impression", _HEADERS["impression"][:2]),
        ("identity", _HEADERS["identity"]),
    )
)
"""Headers long enough to be none of the words of a sentence, which may follow a comma or an empty section's header."""
_SPACE = "[ \\t　]{0,8}"
_COLON = "[:：﹕︰∶]"
_LONG = "|".join(
    f"(?P<e_{section}>{'|'.join(forms)})"
    for section, forms in (("findings", _HEADERS["findings"][:1]), ("impression", _HEADERS["impression"][:2]))
)
"""Headers that need no colon where a line or a sentence starts with them and a blank follows."""
_BOUNDARY = r"(?:(?<=[\s。；;！!？?])|^)"
_OPEN, _CLOSE = r"(?:[【\[［〖〔《〈<＜「]|\*\*)", r"(?:[】\]］〗〕》〉>＞」]|\*\*)"
_HEADER = re.compile(
    rf"{_NUMBERING}{_OPEN}(?:{_NAMES.replace('?P<', '?P<b_')}){_COLON}?{_CLOSE}{_COLON}?"
    rf"|{_BOUNDARY}{_NUMBERING}{_SPACE}(?:{_NAMES.replace('?P<', '?P<c_')}){_SPACE}(?:{_COLON}|(?=[\r\n]))"
    rf"|(?<=[，,、|:：])(?:{_INLINE}){_SPACE}{_COLON}"
    rf"|(?:^|(?<=[。；;！!？?])){_SPACE}{_NUMBERING}(?:{_LONG})[ \t　]+(?=\S)"
    rf"|^(?P<f_findings>所见)(?:\t|[ \t　]{{2,}})(?=\S)|^(?P<f_impression>印象|诊断|结论)(?:\t|[ \t　]{{2,}})(?=\S)"
    rf"|{_BOUNDARY}[(（](?:{_LONG.replace('?P<e_', '?P<g_')})[)）]{_COLON}?"
    r"|(?P<disclaimer>(?:[本此该]报告|本结果|本检查)[^\n。；;]{0,12}参考)"
    rf"|(?P<signature>(?:{_SIGNED}/?)*(?:{_SIGNED}|医[生师](?:签[名字])?){_SPACE}[:：]"
    rf"|(?<=[\s。；;]){_SIGNED}(?=[ \t　])|(?<![^\s。；;])医[生师][ \t　]{{1,8}}[\u4e00-\u9fff]{{2,4}}(?=\s*$))",
    re.MULTILINE,
)
_REPORT: frozenset[SectionName] = frozenset({"findings", "impression"})
_SENTENCE_MARK = re.compile("[。；;，,！!？?]")
_LINE = re.compile(r"[^\r\n]*")
_LINE_BELOW = re.compile(r"\s*[^\r\n]*")
_STOP = r"(?=[\s。；;，,、|]|$)"
_WORD = rf"{_SPACE}(?:[A-Za-z][A-Za-z.'^-]*(?:[ \t]+[A-Za-z.'^-]+)*{_STOP}|[^\s。；;，,、|]*)"
_DATE = r"\d[\d年月日时分秒岁:：./-]*"
_VALUE = re.compile(rf"{_WORD}(?:[ \t　]+(?:[\u4e00-\u9fff]|\w{{1,6}}[科床]|{_DATE}){_STOP})*[。；;，,、|]?")
"""One value: a name such as 张 三, a number, or a date and a time; a sex and an age may follow without headers."""
_PEOPLE = re.compile(rf"{_WORD}(?:[ \t　/、]+(?:[\u4e00-\u9fff]{{1,3}}|{_DATE}){_STOP})*[。；;，,、|]?")
"""One name or several, and a date."""
_NAME_BELOW = re.compile(r"[ \t　]*\r?\n[ \t　]*[\u4e00-\u9fff·]{2,4}[ \t　]*(?=[\r\n]|$)")
"""A name that stands alone on the line below its header."""
_VIEW = "床旁|[^\\s。；;，,]{0,12}(?:[正侧斜卧立坐前后]位片?|摄影|摄片|平片|胸片)"
_PHRASE = re.compile(rf"{_SPACE}[^\s。；;]*(?:[ \t　]+(?:[!-~]+|{_VIEW})(?=[\s。；;]|$))*[。；;]?")
"""One phrase, such as 胸部 后前位 or GE Definium 8000: after a blank only what can be said of a technique goes on."""


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

    `other` holds signatures, up to the next header. An `identity` (姓名, 检查号, 报告日期) is one value and a `note`
    (检查部位, 检查方法) one phrase; where no header for the findings is to come, an indication or a comparison ends at
    its line, and so does a signature above the report. After each of these the section before it goes on.
    """
    return tuple(section for section in _sections(text) if text[section.start : section.end].strip())


def empty_sections(text: str) -> tuple[Section, ...]:
    """Return the findings and impressions whose header has no text of their own anywhere in the report."""
    sections = _sections(text)
    told = {section.name for section in sections if text[section.start : section.end].strip()}
    return tuple(section for section in sections if section.name in _REPORT - told and section.start > 0)


def _sections(text: str) -> list[Section]:
    """Return all sections in order of appearance, the empty ones too."""
    headers = list(_HEADER.finditer(fold(text)))
    kinds = [_kind(header) for header in headers]
    last_findings = max((index for index, kind in enumerate(kinds) if kind == "findings"), default=-1)
    sections: list[Section] = []
    name: SectionName = "findings"
    start = 0
    told = False
    for index, (header, kind) in enumerate(zip(headers, kinds, strict=True)):
        sections.append(Section(name=name, start=start, end=header.start()))
        told = told or (name in _REPORT and _reports(text[start : header.start()], headed=name in kinds[:index]))
        start = header.end()
        extent = _extent(header, kind, told=told, awaited=index < last_findings)
        if extent is None:
            name = kind
            continue
        following = headers[index + 1].start() if index + 1 < len(headers) else len(text)
        end = min(extent.end(), following)
        sections.append(Section(name=kind, start=start, end=end))
        start = end
    sections.append(Section(name=name, start=start, end=len(text)))
    return sections


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


def _reports(body: str, *, headed: bool) -> bool:
    """Whether a text is part of the report: under a header of its own, or of sentences, unlike a hospital's name."""
    return bool(body.strip()) and (headed or _SENTENCE_MARK.search(body) is not None)


def _extent(header: re.Match[str], kind: SectionName, *, told: bool, awaited: bool) -> re.Match[str] | None:
    """Return the text of an aside, after which the section before it goes on; None for a section up to the next header.

    `told`: a part of the report stands before it. `awaited`: a header for the findings is to come.
    """
    pattern: re.Pattern[str] | None = None
    if kind == "identity":
        pattern = _VALUE
    elif kind == "note":
        pattern = _PHRASE
    elif kind == "other" and not told:
        pattern = _NAME_BELOW if _NAME_BELOW.match(header.string, header.end()) else _PEOPLE
    elif kind in {"indication", "comparison"} and not awaited:
        # A header on a line of its own has its text below it; one with a colon and nothing behind was left empty.
        pattern = _LINE if header.group()[-1] in ":：﹕︰∶" else _LINE_BELOW
    return pattern.match(header.string, header.end()) if pattern else None


def _kind(header: re.Match[str]) -> SectionName:
    found = header.groupdict()
    for name in _HEADERS:
        if any(found.get(f"{prefix}_{name}") is not None for prefix in "bcdefg"):
            return name
    return "other"  # a signature or a disclaimer, which need neither a line of their own nor a colon
