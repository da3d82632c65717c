"""Names of patients, relatives, doctors and nurses, by where they stand: Chinese and Latin ones."""

import re
from collections.abc import Callable

from xray.text.identifiers.dates import WHEN
from xray.text.identifiers.draft import Rule
from xray.text.identifiers.surnames import (
    ALSO_VERBS,
    COMMON,
    DOUBLE,
    NEVER_BEGINS,
    NEVER_GIVEN,
    NOT_NAMES,
    OTHER,
    TYPICAL,
)

_HAN = "[\u4e00-\u9fff]"
_GIVEN = rf"(?:(?![{NEVER_GIVEN}]|{NEVER_BEGINS}){_HAN})"
_SURNAME = rf"(?!{NOT_NAMES})(?:{DOUBLE}|[{COMMON}{OTHER}])"
_MASK = r"(?:某某?|[*×＊]{1,3}|[xX]{2}(?![xX]))"
_FULL = rf"{_SURNAME}(?:{_MASK}|{_GIVEN}{{1,2}})"
TITLE = (
    "(?:住院|主治|副主任|主任|上级|值班|放射科?|影像科?|经治|责任)*(?:医生|医师|大夫|护士长|护士|护师|技师|技士)|"
    "(?:副?主任)(?!动脉|支)|副?教授|院长|老师|先生|女士|小姐|博士|同志|阿姨|大爷|大妈"
)
ASKED = "[请由经与和及向给找问知系告嘱遵让同跟被为是示送叫]"
_ROLE = (
    "(?:报告|审核|审阅|书写|检查|诊断|主治|记录|影像|复核|签发|上级|主任|住院|值班|阅片|放射科?|影像科?|经治|经管|主管|管床|"
    "责任|申请|送检|开单|操作|摄片|摄影|技术|登记|会诊|麻醉|手术|初审|终审|复审|审定|审签|科室|副|接诊|首诊|临床|覆核|投照)"
)
_DOCTOR = f"{_ROLE}{{0,3}}(?:医[生师]|大夫|技[师士]|护士)"
PERSON_LABEL = (
    f"(?:{_DOCTOR}|{_ROLE}{{1,3}}(?:者|人员?))(?:签[名字章]|\\(签[名字章]\\))?|(?:电子)?签[名字章]|"
    "(?:患者|病人|患儿|产妇|受检者|亲属|家属|联系人|监护人)?姓[ ]*名(?:拼音)?|联系人|监护人|曾用名|"
    "(?:报[ ]*告|审[ ]*核|诊[ ]*断|书[ ]*写)[ ]*(?:医[ ]*[生师]|人|者)"
)
BARE_LABEL = (
    "报告|审核|审阅|初审|终审|复审|书写|签发|复核|覆核|记录|登记|摄片|投照|录入|校对|管床|(?:住院|主治|主管|经管)医|"
    "主任|家属|患者|病人|患儿"
)
_LATIN = r"[A-Z][A-Za-z.'’-]*(?:(?:,[ ]?|[ ]|\^)[A-Z][A-Za-z.'’-]*){0,3}"
_NEXT = rf"(?=$|[^\u4e00-\u9fff]|{_ROLE}{{0,3}}(?:医[生师]|者|日期|时间|:)|审核|报告|签|男|女|性别|年龄|科)"
_VALUE = (
    rf"(?:{_HAN}[ ]{_HAN}[ ]?{_HAN}?{_NEXT}|{_HAN}{{1,6}}(?:[·•]{_HAN}{{1,6}})+|{_HAN}{{2,4}}?{_NEXT}|{_FULL}|"
    rf"{_SURNAME}(?={TITLE})|{_LATIN}|{_HAN}[*×]{{1,3}})"
)
_MORE = (
    rf"(?:[ ]?(?:{TITLE}))?(?:[ ]*[/、,&|和][ ]*{_FULL}{_NEXT}|[ ]+{_FULL}(?=$|[ \n。;,/]))*"
    rf"(?:[ ]*\([^()]{{1,8}}\))?(?:[ ,]*{WHEN})?"
)
_NO_NAME = "(?![ ]*(?:[见无未不胸双两左右肺心气纵膈骨请如以待另详同已均]|正常|考虑|建议))"
_SIGNED = rf"{_FULL}(?:[ ]*[/、,][ ]*{_FULL}|[ ]+{_FULL}){{0,2}}"
_AFTER = "[因于的为诉在行系自来入出住曾既以未无有已,]"
_RUNNING = rf"(?:(?![{ALSO_VERBS}]){_SURNAME}(?:{_MASK}|{_GIVEN}{{1,2}}?)|{_SURNAME}(?:{_MASK}|[{TYPICAL}]{{1,2}}?))"
_BED = "(?:[+加]?\\d{1,3}|[一二三四五六七八九十]{1,3})号?床"
PERSON = (
    "患者|病人|患儿|产妇|伤者|病员|受检者|家属|联系人|[其之][子女妻夫父母]|"
    "(?:患者)?(?:儿子|女儿|妻子|丈夫|父亲|母亲|配偶)"
)
_PHYSICIAN = (
    r"(?:\b[Dd]r\.?|\bDoctor|\bDRS?\.)[ ]+(?!X+\b)(?:[A-Z]\.[ ]?)*[A-Z][A-Za-z'’-]+(?:[ ][A-Z][A-Za-z.'’-]*){0,2}"
)
_DEGREE = r"(?:M\.?D\.?|D\.?O\.?|Ph\.?D\.?|R\.?T\.?|R\.?N\.?|FRCR|MBBS)"
_BY = (
    r"(?i:(?:electronically )?(?:signed|dictated|reported|reviewed|verified|approved|interpreted|transcribed|read|"
    r"authenticated|performed|referred|ordered)(?: and (?:signed|reviewed|approved))? by[ ]*:?[ ]*|"
    r"(?:radiologist|attending|resident|technologist|"
    r"(?:(?:referring|ordering) )?(?:physician|md)|signature|reporter)[ ]*:[ ]*|"
    r"(?:patient(?:'s)? )?name[ ]*:[ ]*|patient[ ]*:[ ]*(?=[a-z'’-]+,?[ ][a-z'’-]+(?:[,;(\n]|$)))"
)


def _role_of(role: str) -> Callable[[re.Match[str]], str]:
    """Return what writes a role instead of a name, with a capital letter where a sentence starts."""

    def write(match: re.Match[str]) -> str:
        before = match.string[: match.start()].rstrip(" ")
        return role if before and before[-1] not in ".!?\n" else role.capitalize()

    return write


NAME_RULES: tuple[Rule, ...] = (
    Rule(
        "name",
        re.compile(
            rf"(?m)(?:(?<!{_HAN})|(?<=[。;,]))[【\[]?(?:{PERSON_LABEL})(?:[】\]]|[ ]*:)[ :]*{_NO_NAME}{_VALUE}{_MORE}"
        ),
    ),
    Rule(
        "name", re.compile(rf"(?:{_ROLE}{{1,3}}(?:医[生师]|技师|者)|签[名字章]|姓名)[ ]*:[ ]*{_NO_NAME}{_VALUE}{_MORE}")
    ),
    Rule("name", re.compile(rf"(?m)(?:(?<!{_HAN})|(?<=[。;,]))(?:{BARE_LABEL})[ ]*:[ ]*{_FULL}{_NEXT}{_MORE}")),
    Rule("name", re.compile(rf"(?m)(?:{PERSON_LABEL})[ ]+{_FULL}{_NEXT}{_MORE}")),
    Rule("name", re.compile(rf"(?:^|(?<=[。;!\n]))[ ]*(?:{_SIGNED}|\({_SIGNED}\))(?:[ ,]*{WHEN})?[ \n]*\Z")),
    Rule("name", re.compile(rf"(?m)^[ ]*{_SIGNED}(?:[ ,]*{WHEN})?[ ]*$")),
    Rule(
        "name",
        re.compile(
            rf"(?:(?<=患者)|(?<=病人)|(?<=家属)|(?<=患儿)|(?<!{_HAN}))(?!患者|病人|患儿|家属)"
            rf"{_HAN}{{1,6}}(?:[·•]{_HAN}{{1,6}}?)+(?={_AFTER}|{TITLE}|[^\u4e00-\u9fff]|$)"
        ),
    ),
    Rule(
        "name",
        re.compile(rf"(?:(?<!{_HAN})|(?<={ASKED}))(?P<cut>{_SURNAME}(?:{_MASK}|{_GIVEN}{{0,2}}?))(?=[ ]?(?:{TITLE}))"),
    ),
    Rule(
        "name",
        re.compile(rf"(?P<cut>(?:(?!{NOT_NAMES})[{COMMON}]|{DOUBLE})(?:{_MASK}|{_GIVEN}{{0,2}}?))(?=[ ]?(?:{TITLE}))"),
    ),
    Rule(
        "name",
        re.compile(
            rf"(?:{PERSON})[ ]?[:,(]?[ ]?"
            rf"(?P<cut>{_RUNNING})"
            rf"(?=$|[^\u4e00-\u9fff]|男|女|{_AFTER})"
        ),
    ),
    Rule(
        "name",
        re.compile(
            rf"(?:{PERSON})[ ]?[:,(]?[ ]?(?P<cut>{_SURNAME}{_GIVEN}{{1,2}}?)"
            r"(?=[ ,(]{0,2}(?:男|女|性别|\d{1,3}岁))"
        ),
    ),
    Rule(
        "name",
        re.compile(rf"(?:{_HAN}{{0,4}}(?:医[生师]|技师|护士|[员人者])|(?i:\bname))[ ]*:[ ]*{_FULL}{_NEXT}{_MORE}"),
    ),
    Rule(
        "name", re.compile(rf"(?:(?<!{_HAN})|(?<=患儿)|(?<=产妇)|(?<=患者)){_SURNAME}{_GIVEN}{{0,2}}之[子女婴](?!宫)")
    ),
    Rule("name", re.compile(rf"(?:{PERSON})(?P<cut>[小老][{COMMON}])(?=$|[^\u4e00-\u9fff]|男|女|{_AFTER})")),
    Rule("name", re.compile(rf"(?<=由)(?P<cut>{_RUNNING})(?=[拍摄]片|书写|操作|完成|阅片|检查)")),
    Rule("name", re.compile(rf"(?:{_DOCTOR}|护士长?)(?P<cut>{_RUNNING})(?=$|[^\u4e00-\u9fff]|{_AFTER}|[陪签和与及])")),
    Rule(
        "name",
        re.compile(
            rf"(?<!{_HAN})(?P<cut>{_SURNAME}{_GIVEN}{{1,2}}?)(?=[ ,(]{{0,2}}[男女]性?[ ,]{{0,2}}\d{{1,3}}[ ]?岁)"
        ),
    ),
    Rule("name", re.compile(rf"{_BED}[ ]?(?P<cut>{_SURNAME}{_GIVEN}{{1,2}}?)(?=$|[ ,。;:(]|男|女)")),
    Rule("bed", re.compile(rf"床号[ ]*:?[ ]*[+加]?\d{{1,4}}床?|第?{_BED}(?![旁边头上下位])")),
    Rule("name", re.compile(rf"(?:(?<!{_HAN})|(?<={ASKED}))(?P<cut>{_SURNAME}(?:某某?{_HAN}?|[*×]{{1,3}}))")),
    Rule(
        "name",
        re.compile(
            rf"{_BY}(?!X+\b){_LATIN}(?:,?[ ]*{_DEGREE})*(?:[ ]*/[ ]*{_LATIN})*(?:[ ,]*(?:(?i:on|at)[ ])?{WHEN})?"
        ),
    ),
    Rule("name", re.compile(rf"{_PHYSICIAN}(?:,?[ ]*{_DEGREE})*"), _role_of("the physician")),
    Rule(
        "name",
        re.compile(r"\b(?:Mr|Mrs|Ms|Miss)\.?[ ]+(?!X+\b)[A-Z][A-Za-z'’-]+(?:[ ][A-Z][A-Za-z'’-]+)?"),
        _role_of("the patient"),
    ),
    Rule(
        "name",
        re.compile(rf"\b(?!X+\b)[A-Z][a-z'’-]+(?:[ ][A-Z]\.?)?(?:[ ][A-Z][a-z'’-]+){{1,2}},[ ]*{_DEGREE}(?![A-Za-z])"),
    ),
)
"""From the surest places to the least sure ones."""
