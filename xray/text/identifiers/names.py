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
_NEVER_GIVEN = (  # characters that hardly any given name has and many words of a report
    "热烧龄血压疸密度属色膏肺侧位片影像症状诊断查治疗术后前者史部胸腹头颈肢体骨折炎肿瘤结节积液气管道肝脾肾胃肠呼吸"
    "咳嗽痰痛喘闷晕吐泻悸癌病变规见有无未不性质量级年月日时分资科室院床班住责任副医护生门急诊报告审核记录签名"
    "请会阅示提及与和或在于是为的了及其由被向从到至对比较脓纹粗乱增多减低危险轻左右双两侧缘角"
    "区叶段肋膈纵隔架脉瓣线丝周围边身异面楚糊则整滑声期距径宽薄硬虚该此"
    "议复随观察考虑可能疑似咨询排除外伤处置入出转诉因男女岁余个块处斑点索状粟粒棉尘肉眼食物异灰瓷卧扫"
)
_NEVER_BEGINS = (
    "正常|清晰|信号|进行|进展|确定|确诊|显示|显著|续|实变|实性|软组织|厚度|重度|大小|大量|少量|"
    "中度|中等|上级|化验|第|次"
)
_NO_SURNAME_BEFORE = {  # where a surname's character begins an ordinary word
    "黄": "疸染色痰连芪柏绿韧斑素芩精皮体尿药腻苔褐白骨鳝",
    "白": "内细加痴果喉带蛋癜芷霜色肺斑血膜质线苔天昼班痰沫介虎药化",
    "高": "热烧龄血压氧氟密危分清位枕弓低能频速足渗钙磷脂糖信回大化度耸良",
    "石": "蜡棉膏骨淋化英灰榴斛细肺",
    "金": "属黄葡匮银霉标",
    "安": "眠乐神慰胎静全睡装定坦排置抚息稳放痛",
    "毛": "发囊玻糙刺细毯痣根球霉",
    "游": "离走泳",
    "成": "活人年形熟功像分立骨角",
    "平": "流衡静稳卧面片均素时坦扫直滑行躺板滑",
    "方": "向法式剂形案便面",
    "单": "侧纯发位个双核心房次独侧肺支一",
    "温": "和度凉热水经觉",
    "冷": "敷藏却冻觉汗休厥",
    "明": "显确日天",
    "文": "献字眉",
    "关": "节于闭系键注",
    "马": "上尾蹄氏尿兜",
    "牛": "皮奶乳痘肉角",
    "龙": "胆骨",
    "张": "力口",
    "程": "度序",
    "范": "围",
    "严": "重密格",
    "万": "一古托",
    "许": "多可",
    "顾": "虑及",
    "何": "种时处首",
    "曾": "经行因有患在于用作做接受",
    "常": "规见有用伴态",
    "周": "围边身末期径细",
    "时": "间有常而",
    "江": "水",
    "梅": "毒",
    "巩": "膜固",
    "舒": "张适",
    "焦": "痂虑油",
    "郁": "滞闷金血",
    "甘": "露油氨",
    "华": "法支",
    "钟": "乳摆罩",
    "项": "韧目链部",
    "丁": "卡酚",
    "林": "格可巴",
    "阳": "性痿",
    "童": "年",
    "夏": "季天",
    "苏": "醒打",
    "车": "祸",
    "路": "径中",
    "房": "颤间室",
    "管": "床理路腔型壁足",
    "古": "典",
    "花": "环斑生粉",
    "桂": "枝",
    "麦": "芽氏",
    "尚": "可佳好清未不属有",
    "左": "手心房室肺侧",
    "陈": "旧",
    "段": "上中下落",
    "洪": "亮脉",
    "齐": "全",
    "唐": "氏",
    "康": "复",
    "贾": "第",
    "易": "感碎误见于",
    "柴": "油胡",
    "郎": "格飞",
    "司": "机",
    "席": "卷汉",
    "乐": "观",
    "党": "参",
    "章": "动",
    "葛": "根",
    "代": "谢偿替",
    "付": "费",
    "封": "闭堵口",
}
_NOT_NAMES = "|".join(f"{surname}[{words}]" for surname, words in _NO_SURNAME_BEFORE.items())
_ALSO_VERBS = "曾常成平于时单全应安方关左冷温易尚章阳游代付封明童夏"
_HAN = "[\u4e00-\u9fff]"
_GIVEN = rf"(?:(?![{_NEVER_GIVEN}]|{_NEVER_BEGINS}){_HAN})"
_SURNAME = rf"(?!{_NOT_NAMES})(?:{_DOUBLE}|[{_COMMON}{_OTHER}])"
_MASK = r"(?:某某?|[*×＊]{1,3}|[xX]{2}(?![xX]))"
_FULL = rf"{_SURNAME}(?:{_MASK}|{_GIVEN}{{1,2}})"
_TITLE = (
    "(?:住院|主治|副主任|主任|上级|值班|放射科?|影像科?|经治|责任)*(?:医生|医师|大夫|护士长|护士|护师|技师|技士)|"
    "(?:副?主任)(?!动脉|支)|副?教授|院长|老师|先生|女士|小姐|博士|同志|阿姨|大爷|大妈"
)
_ASKED = "[请由经与和及向给找问知系告嘱遵让同跟被为是示送叫]"
_ROLE = (
    "(?:报告|审核|审阅|书写|检查|诊断|主治|记录|影像|复核|签发|上级|主任|住院|值班|阅片|放射科?|影像科?|经治|经管|主管|管床|"
    "责任|申请|送检|开单|操作|摄片|摄影|技术|登记|会诊|麻醉|手术|初审|终审|复审|审定|审签|科室|副|接诊|首诊|临床)"
)
_DOCTOR = f"{_ROLE}{{0,3}}(?:医[生师]|大夫|技[师士]|护士)"
_PERSON_LABEL = (
    f"(?:{_DOCTOR}|{_ROLE}{{1,3}}(?:者|人员?))(?:签[名字章])?|(?:电子)?签[名字章]|"
    "(?:患者|病人|患儿|产妇|受检者|亲属|家属|联系人|监护人)?姓名|联系人|监护人|曾用名"
)
_BARE_LABEL = "报告|审核|审阅|初审|终审|复审|书写|签发|复核|主任|家属|患者|病人|患儿"
_LATIN = r"[A-Z][A-Za-z.'’-]*(?:(?:,[ ]?|[ ]|\^)[A-Z][A-Za-z.'’-]*){0,3}"
_NEXT = rf"(?=$|[^\u4e00-\u9fff]|{_ROLE}{{0,3}}(?:医[生师]|者|日期|时间|:)|审核|报告|签|男|女|性别|年龄|科)"
_VALUE = (
    rf"(?:{_HAN}[ ]{_HAN}{{1,2}}{_NEXT}|{_HAN}{{1,6}}(?:[·•]{_HAN}{{1,6}})+|{_HAN}{{2,4}}?{_NEXT}|{_FULL}|"
    rf"{_SURNAME}(?={_TITLE})|{_LATIN}|{_HAN}[*×]{{1,3}})"
)
_MORE = (
    rf"(?:[ ]?(?:{_TITLE}))?(?:[ ]*[/、,&|和][ ]*{_FULL}{_NEXT}|[ ]+{_FULL}(?=$|[ \n。;,/]))*"
    rf"(?:[ ]*\([^()]{{1,8}}\))?(?:[ ,]*{WHEN})?"
)
_NO_NAME = "(?![ ]*(?:[见无未不胸双两左右肺心气纵膈骨请如以待另详同已均]|正常|考虑|建议))"
_SIGNED = rf"{_FULL}(?:[ ]*[/、,][ ]*{_FULL}|[ ]+{_FULL}){{0,2}}"
_AFTER = "[因于的为诉在行系自来入出住曾既以未无有已,]"
_PERSON = (
    "患者|病人|患儿|产妇|伤者|病员|受检者|家属|联系人|其[子女妻夫父母]|(?:患者)?(?:儿子|女儿|妻子|丈夫|父亲|母亲|配偶)"
)
_PHYSICIAN = (
    r"(?:\b[Dd]r\.?|\bDoctor|\bDRS?\.)[ ]+(?!X+\b)(?:[A-Z]\.[ ]?)*[A-Z][A-Za-z'’-]+(?:[ ][A-Z][A-Za-z.'’-]*){0,2}"
)
_DEGREE = r"(?:M\.?D\.?|D\.?O\.?|Ph\.?D\.?|R\.?T\.?|R\.?N\.?|FRCR|MBBS)"
_BY = (
    r"(?i:(?:electronically )?(?:signed|dictated|reported|reviewed|verified|approved|interpreted|transcribed|read|"
    r"authenticated|performed|referred|ordered)(?: and (?:signed|reviewed|approved))? by[ ]*:?[ ]*|"
    r"(?:radiologist|attending|resident|technologist|"
    r"(?:(?:referring|ordering) )?physician|signature|reporter)[ ]*:[ ]*|"
    r"(?:patient(?:'s)? )?name[ ]*:[ ]*)"
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
            rf"(?m)(?:(?<!{_HAN})|(?<=[。;,]))[【\[]?(?:{_PERSON_LABEL})(?:[】\]]|[ ]*:)[ :]*{_NO_NAME}{_VALUE}{_MORE}"
        ),
    ),
    Rule(
        "name", re.compile(rf"(?:{_ROLE}{{1,3}}(?:医[生师]|技师|者)|签[名字章]|姓名)[ ]*:[ ]*{_NO_NAME}{_VALUE}{_MORE}")
    ),
    Rule("name", re.compile(rf"(?m)(?:(?<!{_HAN})|(?<=[。;,]))(?:{_BARE_LABEL})[ ]*:[ ]*{_FULL}{_NEXT}{_MORE}")),
    Rule("name", re.compile(rf"(?m)(?:{_PERSON_LABEL})[ ]+{_FULL}{_NEXT}{_MORE}")),
    Rule("name", re.compile(rf"(?:^|(?<=[。;!\n]))[ ]*{_SIGNED}(?:[ ,]*{WHEN})?[ \n]*\Z")),
    Rule("name", re.compile(rf"(?m)^[ ]*{_SIGNED}(?:[ ,]*{WHEN})?[ ]*$")),
    Rule(
        "name",
        re.compile(
            rf"(?:(?<=患者)|(?<=病人)|(?<=家属)|(?<=患儿)|(?<!{_HAN}))(?!患者|病人|患儿|家属)"
            rf"{_HAN}{{1,6}}(?:[·•]{_HAN}{{1,6}}?)+(?={_AFTER}|{_TITLE}|[^\u4e00-\u9fff]|$)"
        ),
    ),
    Rule(
        "name",
        re.compile(
            rf"(?:(?<!{_HAN})|(?<={_ASKED}))(?P<cut>{_SURNAME}(?:{_MASK}|{_GIVEN}{{0,2}}?))(?=[ ]?(?:{_TITLE}))"
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
            rf"(?:{_PERSON})[ ]?[:,(]?[ ]?(?P<cut>(?![{_ALSO_VERBS}]){_SURNAME}(?:{_MASK}|{_GIVEN}{{1,2}}?))"
            rf"(?=$|[^\u4e00-\u9fff]|男|女|{_AFTER})"
        ),
        Rule(
            "name",
            re.compile(
                rf"(?:{_PERSON})[ ]?[:,(]?[ ]?(?P<cut>{_SURNAME}{_GIVEN}{{1,2}}?)(?=[ ,(]{{0,2}}(?:男|女|性别|\d{{1,3}}岁))"
            ),
        ),
    ),
    Rule("name", re.compile(rf"(?:(?<!{_HAN})|(?<={_ASKED}))(?P<cut>{_SURNAME}(?:某某?{_HAN}?|[*×]{{1,3}}))")),
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


def known_rules(known: Collection[str]) -> Iterator[Rule]:
    """Yield a rule for each known name or id, the longest first, so that no part of a longer one is left."""
    for text in sorted({fold(one.strip()) for one in known}, key=lambda one: (-len(one), one)):
        if len(text) < 2 or not text[0].isalnum():
            continue
        parts = re.findall(r"[\u4e00-\u9fff]|[^\s^,\u4e00-\u9fff]+", text)
        pattern = ("[ ,^]*" if re.search(_HAN, text) else "[ ,^]+").join(map(re.escape, parts))
        start, end = (
            r"(?<![A-Za-z0-9])" if text[0].isascii() else "",
            r"(?![A-Za-z0-9])" if text[-1].isascii() else "",
        )
        yield Rule("known", re.compile(start + pattern + end, re.IGNORECASE))
