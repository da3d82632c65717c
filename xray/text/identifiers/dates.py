"""Days, times and ages: a date becomes its distance from the day of the study, an age of 90 or more becomes 90."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from xray.text.identifiers.draft import Rule

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OLDEST = 90
_YEAR, _MONTH, _DAY = r"(?:19|20)\d{2}", r"(?:1[0-2]|0?[1-9])", r"(?:3[01]|[12]\d|0?[1-9])"
_NAME = rf"(?i:(?:{'|'.join(_MONTHS)})[a-z]*)\.?"
_FORMS = (
    rf"{_YEAR}[ ]?[-/.][ ]?{_MONTH}[ ]?[-/.][ ]?{_DAY}",
    rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])",
    rf"{_YEAR}[ ]?年[ ]?{_MONTH}[ ]?月(?:[ ]?{_DAY}[ ]?[日号])?",
    rf"{_MONTH}/{_DAY}/(?:{_YEAR}|\d{{2}})",
    rf"{_NAME}[ ]{_DAY}(?:st|nd|rd|th)?,?[ ]{_YEAR}",
    rf"{_DAY}[ ]{_NAME},?[ ]{_YEAR}",
    rf"{_NAME}[ ]{_YEAR}",
    rf"{_MONTH}[ ]?月[ ]?{_DAY}[ ]?[日号]",
    rf"{_MONTH}\.{_DAY}[日号]",
    rf"\d{{2}}[-.]{_MONTH}[-.]{_DAY}(?=[日号]?\)?[ ]?(?:[老旧前平胸]?片(?!状)|CT|DR))",
    rf"\d{{2}}年{_MONTH}月{_DAY}[日号]",
    rf"{_YEAR}[-/.](?:1[0-2]|0[1-9]|[1-9])(?![ ]?[a-z%])",
    rf"{_YEAR}[ ]?年(?![ ]?\d)",
)
_DATE = rf"(?<![\d./-])(?<!\d年)(?:{'|'.join(_FORMS)})(?!\d|[./-]\d)"
_CLOCK = (
    r"(?:(?:上午|下午|中午|晚上?|凌晨|早上?|夜间)?[ ]*(?:"
    r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:[ ]?[AaPp]\.?[Mm]\.?)?|"
    r"(?:[01]?\d|2[0-3])[时点](?:[0-5]?\d分?|整|半|许)?))"
)
WHEN = rf"{_DATE}(?:[ ,T]*{_CLOCK})?"
_LABELS = (
    "(?:检查|摄片|拍片|报告|审核|申请|打印|登记|出生|送检|采集|签发|签名|就诊|完成)(?:日期|时间)|"
    "出生年月日?|生日|日期|时间"
)
_ENGLISH_LABELS = r"(?i:(?<![a-z])(?:dob|(?:exam |report |study )?(?:date|time)|birth ?date|date of [a-z]+)[ ]*:[ ]*)"
_TO_COME = re.compile(r"[^\n。;,]{0,6}?(?:复查|随访|复诊|再次|拟)")
_EARLIER = re.compile(r"[^\n。;,]{0,2}?(?:前片|旧片|老片|既往|前次)")
_HAN = re.compile("[\u4e00-\u9fff]")


def date_rules(study_day: int | None) -> Iterator[Rule]:
    """Yield the rules for dates, times and ages. `study_day` is `date.toordinal` of the study, None if unknown."""
    yield Rule(
        "date", re.compile(rf"(?:{_LABELS})[ ]*:?[ ]*(?:{WHEN}|{_CLOCK})(?:[ ]*[至到~-][ ]*(?:{WHEN}|{_CLOCK}))?")
    )
    yield Rule("date", re.compile(rf"{_ENGLISH_LABELS}(?:{WHEN}|{_CLOCK})"))
    yield Rule("date", re.compile(rf"{_DATE}出?生(?=[^\u4e00-\u9fff]|$)|出?生于{_DATE}"))
    offset = _Offset(study_day=study_day)
    yield Rule(
        "date", re.compile(rf"(?P<at>[于在]|(?i:\b(?:on|dated|of|from) ))?(?P<date>{_DATE})(?:[ ,T]*{_CLOCK})?"), offset
    )
    yield Rule("time", re.compile(rf"[于在]?(?<![\d:.])(?:[上下中]午|晚上?|凌晨|早上?|夜间)[ ]*(?=\d){_CLOCK}"))
    yield Rule(
        "time",
        re.compile(
            r"(?:[于在]|\bat )?(?<![\d:.比约])(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:[ ]?[AaPp][Mm]\b)?(?![\d:])"
        ),
    )
    yield Rule("time", re.compile(r"[于在]?(?<![\d.])(?:[01]?\d|2[0-3])[时点][0-5]?\d分"))
    over = f"{_OLDEST}岁以上"
    yield Rule("age", re.compile(r"(?<![\d.-])(?:9\d|1[0-4]\d)[ ]?周?岁(?:[余多])?(?!以[上下])"), over)
    yield Rule(
        "age",
        re.compile(r"(?:九十[一二三四五六七八九]?|一百[零〇一二三四五六七八九十]{0,3})[ ]?周?岁(?!以[上下])"),
        over,
    )
    years = r"(?<![\d.])(?P<cut>9\d|1[0-4]\d)(?=[ -]?(?:years?[ -]old|y/?o(?![A-Za-z])|yrs?[ -]old))"
    yield Rule("age", re.compile(years, re.I), f"over-{_OLDEST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offset:
    """Writes how far a date lies from the day of the study, or in general words where that is unknown."""

    study_day: int | None

    def __call__(self, match: re.Match[str]) -> str:
        chinese = _HAN.search(match.string) is not None
        at, after = match["at"] or "", match.string[match.end() :]
        if self.study_day is not None:
            distance = _distance(match["date"], study_day=self.study_day)
            if distance is not None:
                return (at if at in "于在" else "") + (distance.in_chinese if chinese else distance.in_english)
        if not chinese:
            return "earlier"
        if _TO_COME.match(after):
            return "择期"
        return "" if _EARLIER.match(after) else "既往"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Distance:
    """So many units before the study; after it if negative. `unit` is day, month or year."""

    count: int
    unit: str

    @property
    def in_chinese(self) -> str:
        if self.count == 0:
            return {"day": "当日", "month": "当月", "year": "当年"}[self.unit]
        measure = {"day": "天", "month": "个月", "year": "年"}[self.unit]
        return f"{abs(self.count)}{measure}{'前' if self.count > 0 else '后'}"

    @property
    def in_english(self) -> str:
        if self.count == 0:
            return f"the same {self.unit}"
        plural = "" if abs(self.count) == 1 else "s"
        return f"{abs(self.count)} {self.unit}{plural} {'earlier' if self.count > 0 else 'later'}"


def _distance(text: str, *, study_day: int) -> _Distance | None:
    """Return how far back a written date lies; None for a day that no calendar has."""
    year, month, day = _parts(text)
    study = date.fromordinal(study_day)
    try:
        if year is None:  # the nearest such day, so that December is before January
            assert month is not None
            assert day is not None
            days = [date(study.year + shift, month, day).toordinal() for shift in (-1, 0, 1)]
            return _Distance(count=study_day - min(days, key=lambda one: abs(one - study_day)), unit="day")
        if month is None:
            return _Distance(count=study.year - year, unit="year")
        if day is None:
            return _Distance(count=12 * (study.year - year) + study.month - month, unit="month")
        return _Distance(count=study_day - date(year, month, day).toordinal(), unit="day")
    except ValueError:
        return None


def _parts(text: str) -> tuple[int | None, int | None, int | None]:
    """Read year, month and day, each None where the date does not have it."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if re.match(r"\d{2}[年.-]\d+[月.-]\d", text):
        numbers[0] += 2000 if numbers[0] < 50 else 1900
    name = re.search("[A-Za-z]{3}", text)
    if name and name[0].lower() in _MONTHS:
        day = numbers[0] if len(numbers) > 1 else None
        return numbers[-1], _MONTHS.index(name[0].lower()) + 1, day
    if len(numbers) == 1 and numbers[0] > 9999:
        return numbers[0] // 10000, numbers[0] // 100 % 100, numbers[0] % 100
    if numbers[0] > 31:
        rest = (*numbers[1:], None, None)
        return numbers[0], rest[0], rest[1]
    if len(numbers) == 3:
        return numbers[2] + (2000 if numbers[2] < 100 else 0), numbers[0], numbers[1]
    return None, numbers[0], numbers[1]
