"""Names of patients, relatives, doctors and nurses, by where they stand: Chinese and Latin ones."""

import re
from collections.abc import Callable, Collection, Iterator

from xray.text.identifiers.dates import WHEN
from xray.text.identifiers.draft import Rule, fold

_COMMON = (
    "王李张刘陈杨赵吴徐孙朱马胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖潘袁董蒋蔡余杜苏魏程吕丁沈姚卢姜崔钟谭陆汪范廖"
    "贾韦邹熊孟秦阎薛侯雷龙段郝孔邵毛万顾赖康贺严尹钱施牛洪龚汤陶黎樊阮俞"
)
_OTHER = (
    "于周黄高田任夏石戴方金白江史温常安武乔易章鲁葛倪庞兰殷齐申聂管焦柳邢路岳梅庄辛欧甘祝游阳裴席卫"
    "屈鲍霍翁隋景甄尚舒柯阙燕詹闫项祁耿牟卜商尤喻褚娄窦岑滕华伍凌盛童关单左成平宁蓝米骆费符文靳"
    "桂苗卞饶佟缪冉房束柴瞿巩花麦冷宗明谷车奚郁封储古闵丛洛池桑党甯仇艾鄢晏付代萧邱"
)
_DOUBLE = "欧阳|上官|诸葛|司马|司徒|皇甫|尉迟|公孙|慕容|令狐|夏侯|东方|南宫|宇文|长孙|端木|轩辕|百里|呼延"
_NEVER_GIVEN = (
    "热烧龄血压疸密度属色膏肺侧位片影像症状诊断查治疗术后前者史部胸腹头颈肢体骨折炎肿瘤结节积液气管道心肝脾肾胃肠呼吸"
    "咳嗽痰痛喘闷晕吐泻悸癌病变规见有无未不性质量级年月日时分资科室院床班住责任主副师医护士生门急诊报告审核记录签名"
    "请会阅示提及与和或在于是为的了及其由被向从到至对比较化脓纹粗乱增多减少大小低高危险重轻中上下左右双两侧缘角"
    "区叶段肋膈纵隔骨支架管脉瓣线丝体周围边身正常异面清晰楚糊则整齐光滑续显确信号声型期距径宽厚薄硬软实虚该此本各"
    "建议复随观察考虑可能疑似咨询排除外伤进行处置入出转诉因男女岁余次第个条块处斑点条索状粟粒棉尘肉眼食物异石灰瓷卧扫片"
)
_NOT_NAMES = (
    "安静|平静|平稳|平卧|平时|平素|白天|白班|明显|明确|时间|方向|周末|成人|成年|全程|全家|单独|关于|应用|应该|何时|何种|"
    "万一|马上|许多|高能|高清|高分|温和|常用|金黄|黄染|石膏|管床|管理|管路|管腔|路径|应激|从而|查体|查房|左手|时而|文献|古典"
)
_HAN = "[\u4e00-\u9fff]"
_GIVEN = rf"(?:(?![{_NEVER_GIVEN}]){_HAN})"
_SURNAME = rf"(?!{_NOT_NAMES})(?:{_DOUBLE}|[{_COMMON}{_OTHER}])"
_MASK = r"(?:某某?|[*×＊]{1,3}|[xX]{2}(?![xX]))"
_FULL = rf"{_SURNAME}(?:{_MASK}|{_GIVEN}{{1,2}})"
_TITLE = (
    "(?:住院|主治|副主任|主任|上级|值班|放射科?|影像科?|经治|责任)*(?:医生|医师|大夫|护士长|护士|护师|技师|技士)|(?:副?主任)(?!动脉|支)|"
    "副?教授|院长|老师|先生|女士|小姐|博士|同志|阿姨|大爷|大妈"
)
_ASKED = "[请由经与和及向给找问知系告嘱遵让同跟被为是示送叫]"
_ROLE = (
    "(?:报告|审核|审阅|书写|检查|诊断|主治|记录|影像|复核|签发|上级|主任|住院|值班|阅片|放射科?|影像科?|经治|经管|主管|管床|责任|"
    "申请|送检|开单|操作|摄片|摄影|技术|登记|会诊|麻醉|手术|初审|终审|复审|审定|审签|科室|副|接诊|首诊|临床)"
)
_LABEL = (
    f"{_ROLE}{{0,3}}(?:医[生师]|大夫|技[师士]|护士)(?:签[名字章])?|{_ROLE}{{1,3}}(?:者|人员?)(?:签[名字章])?|(?:电子)?签[名字章]|"
    "(?:患者|病人|患儿|产妇|受检者|亲属|家属|联系人|监护人)?姓名|联系人|监护人|家属|患者|病人|曾用名|"
    "(?:报告|审核|审阅|初审|终审|复审|书写|诊断|检查|医[师生]|主任|签发|复核)"
)
_LATIN = r"[A-Z][A-Za-z.'’-]*(?:(?:,[ ]?|[ ]|\^)[A-Z][A-Za-z.'’-]*){0,3}"
_NEXT = rf"(?=$|[^\u4e00-\u9fff]|{_ROLE}{{0,3}}(?:医[生师]|者|日期|时间|:)|审核|报告|签|男|女|性别|年龄|科)"
_VALUE = rf"(?:{_HAN}(?:[ ]{_HAN}{{1,2}}){_NEXT}|{_HAN}{{1,6}}(?:·{_HAN}{{1,6}})+|{_HAN}{{2,4}}?{_NEXT}|{_FULL}|{_SURNAME}(?={_TITLE})|{_LATIN}|{_HAN}[*×]{{1,3}})"
_VALUES = rf"{_VALUE}(?:[ ]?(?:{_TITLE}))?(?:[ ]*[/、,&|和][ ]*{_FULL}{_NEXT}|[ ]+{_FULL}(?=$|[ \n。;,/]))*"
_NO_NAME = "(?![ ]*(?:见|无|未|不|正常|胸|双|两|左|右|肺|心|气|纵|膈|骨|考虑|请|建议|同意|同前|如|以|待|另|详))"
_SIGNED = rf"{_FULL}(?:[ ]*[/、,][ ]*{_FULL}|[ ]+{_FULL}){{0,2}}"
_SIGNED_AT = rf"(?:[ ,]*{WHEN})?"
_AFTER = "[因于的为诉在行系自来入出住曾既以未无有已,]"
_PERSON = (
    "患者|病人|患儿|产妇|伤者|病员|受检者|家属|联系人|其[子女妻夫父母]|(?:患者)?(?:儿子|女儿|妻子|丈夫|父亲|母亲|配偶)"
)
_DOCTOR = (
    rf"(?:\b[Dd]r\.?|\bDoctor|\bDRS?\.)[ ]+(?!X+\b)(?:[A-Z]\.[ ]?)*[A-Z][A-Za-z'’-]+(?:[ ][A-Z][A-Za-z.'’-]*){{0,2}}"
)
_DEGREE = r"(?:M\.?D\.?|D\.?O\.?|Ph\.?D\.?|R\.?T\.?|R\.?N\.?|FRCR|MBBS)"
_BY = (
    r"(?i:(?:electronically )?(?:signed|dictated|reported|reviewed|verified|approved|interpreted|transcribed|authenticated|read|"
    r"performed|referred|ordered|attending)(?: and (?:signed|reviewed|approved))?(?: by)[ ]*:?[ ]*|"
    r"(?:radiologist|attending|resident|technologist|referring physician|ordering physician|physician|signature|reporter)[ ]*:[ ]*|"
    r"(?:patient(?:'s)? )?name[ ]*:[ ]*)"
)


def _role_of(role: str) -> Callable[[re.Match[str]], str]:
    """Return what writes a role instead of a name, with a capital letter where a sentence starts."""

    def write(match: re.Match[str]) -> str:
        before = match.string[: match.start()].rstrip(" ")
        return role if before and before[-1] not in ".!?\n" else role.capitalize()

    return write


NAME_RULES: tuple[Rule, ...] = (
    Rule("name", re.compile(rf"(?m)(?:(?<!{_HAN})|(?<=[。;,]))(?:{_LABEL})[ ]*:[ ]*{_NO_NAME}{_VALUES}{_SIGNED_AT}")),
    Rule(
        "name",
        re.compile(
            rf"(?:{_ROLE}{{1,3}}(?:医[生师]|者|人|技师)(?:签[名字章])?|签[名字章]|姓名)[ ]*:[ ]*{_NO_NAME}{_VALUES}{_SIGNED_AT}"
        ),
    ),
    Rule(
        "name",
        re.compile(
            rf"(?:{_ROLE}{{1,3}}(?:医[生师]|者|技师)(?:签[名字章])?|签[名字章]|姓名)[ ]+{_FULL}{_NEXT}(?:[ ]*[/、,][ ]*{_FULL}{_NEXT})*{_SIGNED_AT}"
        ),
    ),
    Rule("name", re.compile(rf"(?m)(?:^|(?<=[。;!]))[ ]*{_SIGNED}(?:[ ,]*{WHEN})?[ ]*\Z")),
    Rule("name", re.compile(rf"(?m)^[ ]*{_SIGNED}(?:[ ,]*{WHEN})?[ ]*$")),
    Rule(
        "name",
        re.compile(
            rf"(?:(?<=患者)|(?<=病人)|(?<=家属)|(?<=患儿)|(?<!{_HAN}))(?!患者|病人|患儿|家属){_HAN}{{1,6}}(?:[·•]{_HAN}{{1,6}}?)+(?={_AFTER}|{_TITLE}|[^\u4e00-\u9fff]|$)"
        ),
    ),
    Rule(
        "name",
        re.compile(
            rf"(?:(?<=^)|(?<!{_HAN})|(?<={_ASKED}))(?P<cut>{_SURNAME}(?:{_MASK}|{_GIVEN}{{0,2}}?))(?=[ ]?(?:{_TITLE}))"
        ),
    ),
    Rule(
        "name",
        re.compile(
            rf"(?P<cut>(?:(?!{_NOT_NAMES})[{_COMMON}]|{_DOUBLE})(?:{_MASK}|{_GIVEN}{{0,2}}?))(?=[ ]?(?:{_TITLE}))"
        ),
    ),
    Rule(
        "name",
        re.compile(
            rf"(?:{_PERSON})(?:[ ]?[:,(]?[ ]?)(?P<cut>{_SURNAME}(?:{_MASK}|{_GIVEN}{{2}}|{_GIVEN}))(?=$|[^\u4e00-\u9fff]|男|女|{_AFTER})"
        ),
    ),
    Rule("name", re.compile(rf"(?:(?<!{_HAN})|(?<={_ASKED}))(?P<cut>{_SURNAME}(?:某某?{_HAN}?|[*×]{{1,3}}))")),
    Rule(
        "name",
        re.compile(
            rf"{_BY}(?!X+\b){_LATIN}(?:,?[ ]*{_DEGREE})*(?:[ ]*/[ ]*{_LATIN})*(?:[ ,]*(?:(?i:on|at)[ ])?{WHEN})?"
        ),
    ),
    Rule("name", re.compile(_DOCTOR + rf"(?:,?[ ]*{_DEGREE})*"), _role_of("the physician")),
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


def known_rules(known: Collection[str]) -> Iterator[Rule]:
    """Yield a rule for each known name or id, the longest first, so that no part of a longer one is left."""
    for text in sorted({fold(one.strip()) for one in known}, key=lambda one: (-len(one), one)):
        if len(text) < 2:
            continue
        pieces = [re.escape(piece) for piece in re.split(r"[\s^,]+", text) if piece]
        pattern = r"[ ,^]*".join(pieces) if re.search(_HAN, text) else r"[ ,^]+".join(pieces)
        start, end = (
            r"(?<![A-Za-z0-9])" if text[0].isascii() else "",
            r"(?![A-Za-z0-9])" if text[-1].isascii() else "",
        )
        yield Rule("known", re.compile(start + pattern + end, re.IGNORECASE))
