"""Numbers that name a person or a document: phones, identity cards, hospital and insurance numbers, accounts."""

import re

from xray.text.identifiers.draft import Rule

_IS = r"[ ]*(?:[:=#]|为|是)?[ ]*"
_NUMBER = r"(?=[A-Za-z_/-]*\d)[A-Za-z0-9](?:[A-Za-z0-9_/*-]|\.(?=\d))*"
_CARD_18 = r"\d{6}[ -]?(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ -]?\d{3}[\dXx]"
_CARD_15 = r"\d{8}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}"
_MOBILE = r"(?:\+?86[- ]?)?1[3-9]\d[- ]?[\d*]{4}[- ]?\d{4}"
_LANDLINE = r"(?:\(0\d{2,3}\)[- ]?|0\d{2,3}[- ])\d{7,8}(?:[-转]\d{1,6})?|[48]00[- ]?\d{3}[- ]?\d{4}"
_AMERICAN = r"(?:\+?1[- .])?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}"
_HOSPITAL = (
    "住院|门诊|急诊|检查单?|内镜|影像|病历|病案|登记|就诊卡?|诊疗卡?|X线|X光|CT|MRI?|DR|CR|放射|拍片|摄片|胸片|X?片|"
    "申请单?|条码|条形码|标本|流水|序列|设备|报告单?|病理|超声|患者|病人|档案|体检|健康卡|工|学|床|车牌|编"
)
_INSURANCE = "医保卡?|社保卡?|社会保障卡?|医疗保险|保险单?|保单"
_PASS = "护照|通行证|军官证|士兵证|驾驶证|居住证|银行卡|就诊卡|诊疗卡"
_ENGLISH = (
    r"(?:MRN|SSN|accession|medical record|patient|study|exam|case|record|visit|order|room|bed)"
    r"(?:[ ]*(?:number|num|no\.?|id|#))"
)


def _labelled(labels: str, *, value: str = _NUMBER) -> str:
    return rf"(?:{labels}){_IS}{value}"


NUMBER_RULES: tuple[Rule, ...] = (
    Rule("email", re.compile(r"(?:(?:电子)?邮[箱件](?:地址)?|e-?mail)?[ ]*:?[ ]*[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.I)),
    Rule("url", re.compile(r"(?:https?://|www\.)[\w./?=&%#:~-]+", re.I)),
    Rule(
        "id_card",
        re.compile(_labelled("(?:居民)?身份证(?:号码?|编号)?|公民身份号码", value=r"[\dXx][\dXx* -]{5,}[\dXx]")),
    ),
    Rule("id_card", re.compile(rf"(?<![\dA-Za-z.])(?:{_CARD_18}|{_CARD_15})(?![\dA-Za-z])")),
    Rule("account", re.compile(_labelled("QQ(?:号码?)?", value=r"\d{5,12}"), re.I)),
    Rule("account", re.compile(r"(?:微信(?:号码?)?|wechat)[ ]*[:为是]?[ ]*[A-Za-z0-9][\w-]{4,19}", re.I)),
    Rule(
        "phone",
        re.compile(
            r"(?:(?:联系|家庭|办公|单位|家属|科室)?(?:电话|手机)(?:号码?)?|(?<![A-Za-z])(?:tel|phone|mobile|fax)\.?)"
            r"[ ]*[:为是]?[ ]*\(?\+?\d[\d() -]{5,}\d(?:转\d{1,6})?",
            re.I,
        ),
    ),
    Rule("phone", re.compile(rf"(?<![\d.])(?:{_MOBILE}|{_LANDLINE}|{_AMERICAN})(?![\d.]*\d)")),
    Rule(
        "phone", re.compile(r"(?<![第一二三四五六七八九零〇幺])[一二三四五六七八九零〇幺]{7,}+(?![^\n。;,]{0,4}[肋椎])")
    ),
    Rule("insurance_number", re.compile(_labelled(rf"(?:{_INSURANCE})(?:号码?|编号|证号)?"))),
    Rule("insurance_number", re.compile(_labelled(r"(?:insurance|policy)[ ]*(?:number|no\.?|id|#)"), re.I)),
    Rule("pass_number", re.compile(_labelled(rf"(?:港澳|台湾)?(?:{_PASS})(?:号码?|编号)?"))),
    Rule("hospital_number", re.compile(_labelled(rf"(?:{_HOSPITAL})(?:号码|编号|号|ID)"), re.I)),
    Rule("hospital_number", re.compile(_labelled(r"(?<![A-Za-z])(?:MRN|SSN|P?ID)号?(?![A-Za-z])|工号|编号"))),
    Rule("hospital_number", re.compile(_labelled(rf"(?<![A-Za-z]){_ENGLISH}"), re.I)),
    Rule("hospital_number", re.compile(r"(?<![\dA-Za-z.])\d{3}-\d{2}-\d{4}(?![\dA-Za-z])")),
    Rule("post_code", re.compile(_labelled("邮(?:政编码|编)", value=r"\d{6}"))),
    Rule(
        "plate",
        re.compile("[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][A-Z0-9]{5,6}(?![A-Za-z0-9])"),
    ),
    Rule("number", re.compile(r"(?<![\d.])(?=[\d.]*\d{3})\d+(?:\.\d+){4,}(?![\d.])")),  # a UID, not 3.4.5.6.7肋
    Rule("number", re.compile(r"(?<![\dA-Za-z])[A-Za-z]{1,4}[-_]?\d{6,}(?![\dA-Za-z])")),
)

_GROUPS = re.compile(r"(?<![\d.])\d+(?:[ -]\d+)*(?!\.?\d)")
_UNIT = re.compile(r"[ ]?(?:[mc]m|毫米|厘米|HU|kV|mA|ml|次|层|[^\n。;,]{0,2}[肋椎])", re.I)
_FEWEST_DIGITS = 7


def _long_number(match: re.Match[str]) -> str | None:
    """Leave ribs, vertebrae, years and series of measurements, whose groups of digits are short: 3-4-5-6-7-8-9肋."""
    groups = re.findall(r"\d+", match[0])
    lengths = [len(group) for group in groups]
    if sum(lengths) < _FEWEST_DIGITS or re.fullmatch(r"(?:19|20)\d{2}-(?:19|20)\d{2}", match[0]):
        return None
    if max(lengths) > 3:
        return ""
    spelled = len(groups) == 11 and groups[0] == "1"  # a mobile phone, digit by digit
    blocks = len(groups) > 2 and set(lengths[:-1]) == {3}
    return "" if (spelled or blocks) and not _UNIT.match(match.string, match.end()) else None


LONG_NUMBER_RULES: tuple[Rule, ...] = (Rule("number", _GROUPS, _long_number),)
"""Any number of seven digits: no measurement has so many. Dates have been read before."""
