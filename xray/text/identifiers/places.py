"""Where somebody lives and which hospital they were in."""

import re

from xray.text.identifiers.draft import Rule

_HAN = "[\u4e00-\u9fff]"
_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|"
    "陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_LONG_CITIES = (
    "石家庄|哈尔滨|呼和浩特|乌鲁木齐|秦皇岛|张家口|张家港|连云港|马鞍山|景德镇|牡丹江|佳木斯|齐齐哈尔|鄂尔多斯"
)
_STREET = rf"(?:{_HAN}{{1,8}}?(?:大道|路|街|巷|胡同|弄|里|村|镇|乡|庄|屯|小区|花园|社区))"
_HOUSE = r"(?:\d{1,5}(?:-\d{1,4})*(?:号楼|号院|号|弄|栋|幢|座|单元|室|楼|组|队))"
_RULE = "壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区"
_CITY = (
    rf"(?:(?:(?:{_PROVINCES})(?:省|市|{_RULE})?)?(?:(?:{_LONG_CITIES}|{_HAN}{{2}})(?:市|自治州|地区))|"
    rf"(?:{_PROVINCES})(?:省|市|{_RULE}))"
)
_DISTRICT = rf"(?:{_HAN}{{1,5}}?(?:自治县|区|县|旗|市))"
_UNLABELLED = (
    rf"{_CITY}{_DISTRICT}{_STREET}*{_HOUSE}*|{_CITY}{_STREET}*{_HOUSE}+|"
    rf"(?:{_DISTRICT})?{_HAN}{{2,6}}?(?:大道|路|街|巷|胡同|弄|小区|花园|社区|村)(?:第?{_HOUSE})+"
)
_KINDS = (
    "医院|卫生院|卫生服务中心|卫生服务站|卫生所|诊所|门诊部|体检中心|疾控中心|疾病预防控制中心|结核病防治所|妇幼保健院|"
    "医学中心|影像中心|附[一二三四]院"
)
_GENERIC = re.compile(
    "(?:[我本外该院我们他其两各某当地上级下级基层专科综合社区相关有关附近就近正规大型三甲级二一等别的多家及或和与的到在于至往去]|"
    "患者|病人|家属|已|现|自行|传染病|胸科|肿瘤|结核|专门|呼吸|进一步|建议|请|转|就诊|住|出|入|诊|疗|治)*"
)
_BEFORE = "(?:在|于|至|到|赴|往|从|由|经|自|送|转|与|(?<!协)和|及|前|后|示|向|被|去|因|曾)"
_BEFORE_ONE = "[在于至到赴往从由经自送转与和及前后示向被去因曾]"
_CAPITALS = r"(?:(?:St\.|[A-Z][\w'’-]*)(?:[ ](?:of|the|for|and|at|[A-Z][\w'’-]*))*[ ])"
_TITLE_LINE = (
    rf"(?m)^[ ]*[^\n。;,:]{{2,30}}?(?:{_KINDS})[^\n。;,:]{{0,14}}(?:报告单?|报告书|会诊单|申请单|科|中心)[ ]*$"
)


def _of_hospital(match: re.Match[str]) -> str | None:
    """Leave 上级医院, 我院 and the like; for a named hospital write 外院, after a verb or at the start of a phrase."""
    name = match["name"]
    return None if _GENERIC.fullmatch(name) else "外院"


_ADDRESS_LABEL = (
    "(?:家庭|现|联系|工作|户籍|单位)?(?:住址|地址)|籍贯|户籍(?:所在地)?|"
    rf"(?:工作|(?<!{_HAN}))单位|(?:现|家|居)住(?:于|在|地)?"
)
_NAMED = rf"(?:(?!{_BEFORE}{_HAN}{{2,}}?(?:{_KINDS})){_HAN}|[A-Za-z0-9]|\([^()]{{1,8}}\)){{1,24}}?"

PLACE_RULES: tuple[Rule, ...] = (
    Rule("address", re.compile(rf"(?:{_ADDRESS_LABEL})[ ]*:[ ]*[^\n。;,]+")),
    Rule("address", re.compile(rf"(?<=[住在自于])(?:{_UNLABELLED})"), "某地"),
    Rule("address", re.compile(r"(?i:(?<![a-z])(?:home )?address[ ]*:[ ]*)[^\n;]+")),
    Rule("address", re.compile(_UNLABELLED), "某地"),
    Rule(
        "institution",
        re.compile(r"(?:(?:检查|报告|送检|申请)?(?:医院|机构|单位)|医院名称|医疗机构)(?:名称)?[ ]*:[ ]*[^\n。;, ]+"),
    ),
    Rule("institution", re.compile(_TITLE_LINE)),
    Rule(
        "institution",
        re.compile(
            rf"(?:(?<={_BEFORE_ONE})|(?<!{_HAN}))(?P<cut>(?P<name>{_NAMED})(?:{_KINDS})(?!获得|感染|内|性|相关)"
            rf"(?:\([^)]{{1,8}}院区\)|{_HAN}{{1,4}}院区)?)"
        ),
        _of_hospital,
    ),
    Rule(
        "institution",
        re.compile(
            rf"(?P<cut>(?:[Tt]he )?{_CAPITALS}"
            r"(?:Hospital|Medical Center|Medical Centre|Clinic|Infirmary|Health Center)(?![a-z]))"
        ),
        "another hospital",
    ),
)
"""In this order: an address with its label, then one that is known by its form."""
