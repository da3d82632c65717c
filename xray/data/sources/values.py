"""Single values of a table: an id, an age, a sex, a view, a report's text."""

import re
import unicodedata
from datetime import datetime, timedelta

from xray.data.file_names import halfwidth
from xray.data.sources.markup import plain_text
from xray.errors import Rejected
from xray.records import is_encodable
from xray.text.sections import split_sections
from xray.types import Origin, Report, Split, View

MAX_REPORT_CHARACTERS = 4000
LOST_DIGITS = "an id was made a number, which keeps 15 digits, and it has more; export the column as text"
_YEARS_OF = {"Y": 1.0, "岁": 1.0, "M": 1 / 12, "月": 1 / 12, "个月": 1 / 12, "W": 7 / 365.25, "周": 7 / 365.25}
_YEARS_OF |= {"D": 1 / 365.25, "天": 1 / 365.25}
_AGE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(Y|M|W|D|岁|个月|月|周|天)?")
_SEXES = {"m": "M", "male": "M", "男": "M", "男性": "M", "f": "F", "female": "F", "女": "F", "女性": "F"}
_SEXES |= {"o": "O", "other": "O", "其他": "O"}
_VIEWS: dict[str, View] = {"pa": "frontal", "ap": "frontal", "frontal": "frontal", "正位": "frontal"}
_VIEWS |= {"后前位": "frontal", "前后位": "frontal", "lateral": "lateral", "lat": "lateral", "ll": "lateral"}
_VIEWS |= {"rl": "lateral", "侧位": "lateral", "左侧位": "lateral", "右侧位": "lateral"}
_SHEET_ERROR = re.compile(r"#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!)|#{2,}")
_ROUNDED = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
_WHOLE = re.compile(r"(\d+)\.0")
_FORMULA = re.compile(r'="([^"]*)"')
_UNSEEN = r"[\s\u200b-\u200f\u202a-\u202e\u2060\ufeff]+"
_AROUND = re.compile(f"^{_UNSEEN}|{_UNSEEN}$")
_NO_WORDS = {"", "null", "nan", "none", "nil", "na", "undefined", "无", "無", "空"}
_EXACT_DIGITS = 15
_SPLITS: dict[str, Split] = dict.fromkeys(("train", "training", "训练", "训练集"), "train")
_SPLITS |= dict.fromkeys(("val", "valid", "validate", "validation", "dev", "development", "验证", "验证集"), "val")
_SPLITS |= dict.fromkeys(("test", "testing", "holdout", "held-out", "测试", "测试集", "保留"), "test")
_MOMENT = re.compile(
    r"(?P<year>(?:19|2\d)\d\d)(?P<mark>[-/.年]?)(?P<month>\d{1,2})[-/.月]?(?P<day>\d{1,2})日?"
    r"(?:[\sT]*(?P<hour>\d{1,2})[:：时](?P<minute>\d{1,2})(?:[:：分](?P<second>\d{1,2}))?\S*)?"
)
_HALF_OF_DAY = re.compile(r"\s*(?:(?P<am>上午|AM)|(?P<pm>下午|PM))\s*", re.IGNORECASE)
_SERIAL = re.compile(r"[2-7]\d{4}(?:\.\d+)?")
_DAY_ZERO = datetime(1899, 12, 30)  # of Excel's calendar, from 1900-03-01 on
_CORRECTED = {"amended", "corrected", "addendum", "revised", "修正", "修正报告", "修订", "更正", "补充报告"}
_FINAL = {
    "final",
    "finalized",
    "finalised",
    "verified",
    "approved",
    "signed",
    "审核",
    "已审核",
    "审核后",
    "终稿",
    "最终",
}
_FINAL |= {"最终报告", "正式", "正式报告", "已签发", "签发", "已发布", "发布"}
_PRELIMINARY = {
    "preliminary",
    "prelim",
    "draft",
    "wetread",
    "unverified",
    "unsigned",
    "初步",
    "初步报告",
    "初稿",
    "草稿",
}
_PRELIMINARY |= {"未审核", "待审核", "暂存", "已书写", "审核前"}


def parse_id(text: str) -> str | None:
    """Return an id as it was typed, or None if there is none.

    Blanks around it, characters that nobody sees and full-width letters and digits make no difference, nor does what
    keeps a spreadsheet from taking it for a number: `'00123`, `="00123"`. `12345.0` is `12345` that became one.

    Raises Rejected: `mangled_id` for what a spreadsheet leaves of a long number, for example `1.2E+10` (different ids
    have become equal there, so no guess is made), `lost_digits` for a number that has more digits than a computer's
    numbers keep, `undecodable_id` for half a character.
    """
    stripped = _AROUND.sub("", halfwidth(text))
    if (formula := _FORMULA.fullmatch(stripped)) is not None:
        stripped = formula[1].strip()
    stripped = stripped.removeprefix("'").strip()
    if _ROUNDED.fullmatch(stripped) or _SHEET_ERROR.fullmatch(stripped):
        raise Rejected(
            "mangled_id", "an id was rounded or lost by a spreadsheet; export the column as text, not as a number"
        )
    if not is_encodable(stripped):
        raise Rejected("undecodable_id", "an id holds half a character; export the table again")
    if (number := _WHOLE.fullmatch(stripped)) is not None:
        if len(number[1]) > _EXACT_DIGITS:
            raise Rejected("lost_digits", LOST_DIGITS)
        return number[1]
    return stripped or None


def parse_age(text: str) -> float | None:
    """Age in years from `45`, `045Y`, `45岁`, `6个月` or `10D`; None if it is something else."""
    match = _AGE.fullmatch(text.strip().upper())
    if match is None:
        return None
    return float(match[1]) * _YEARS_OF[match[2] or "Y"]


def parse_sex(text: str) -> str | None:
    """`M`, `F` or `O` as in DICOM Patient's Sex (0010,0040), or None."""
    return _SEXES.get(text.strip().casefold())


def parse_view(text: str) -> View | None:
    """Return the view that a word such as `PA`, `Lateral` or `正位` names, or None."""
    return _VIEWS.get(text.strip().casefold())


def parse_split(text: str) -> Split | None:
    """Return the split that a word such as `train`, `validate` or `测试集` names; None where the cell is empty.

    Raises Rejected("unknown_split") for any other word, because a study of the test set must not slip into training.
    """
    word = text.strip().casefold()
    if not word:
        return None
    if word not in _SPLITS:
        raise Rejected("unknown_split", "the split is not one of train, val and test (训练, 验证, 测试)")
    return _SPLITS[word]


def parse_moment(text: str) -> datetime | None:
    """Return the date and time of `2024-03-01 08:30`, `20240301`, `2024/3/1 3:30 PM` or `2024年3月1日`, or None.

    `45352.5` is what a spreadsheet keeps of noon on 2024-03-01. Dates that begin with a day or a month are not guessed.
    """
    stripped = halfwidth(text).strip()
    if _SERIAL.fullmatch(stripped):
        return _DAY_ZERO + timedelta(seconds=round(float(stripped) * 86400))
    half = _HALF_OF_DAY.search(stripped)
    match = _MOMENT.fullmatch(_HALF_OF_DAY.sub(" ", stripped).strip())
    if match is None or (not match["mark"] and len(match["month"] + match["day"]) != 4):
        return None
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if half is not None and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half["pm"] else 0)
    try:
        return datetime(int(match["year"]), int(match["month"]), int(match["day"]), hour, minute, second)
    except ValueError:
        return None


def parse_day(text: str) -> int | None:
    """Return the day of `parse_moment` as a proleptic ordinal (`date.toordinal`)."""
    moment = parse_moment(text)
    return None if moment is None else moment.toordinal()


def parse_status(text: str) -> int:
    """Return how final a report is: 0 preliminary (初步), 1 not said, 2 final (审核后), 3 corrected later (修正)."""
    word = re.sub(r"[\s_-]", "", text).casefold()
    if word in _CORRECTED:
        return 3
    return 2 if word in _FINAL else 0 if word in _PRELIMINARY else 1


def says_nothing(text: str) -> bool:
    """Whether a text has no words, or only the word that a system writes for none: `NULL`, `nan`, `None`, `无`, `/`."""
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
    return (letters in _NO_WORDS or text.strip() == "\\N") and not _SHEET_ERROR.fullmatch(text.strip())


def check_report_text(text: str) -> None:
    """Refuse text that is no report: Rejected empty_report, sheet_error, undecodable_report or report_too_long."""
    if says_nothing(text):
        raise Rejected("empty_report", "the report is empty, or only a word such as NULL")
    if _SHEET_ERROR.fullmatch(text.strip()):
        raise Rejected("sheet_error", "a spreadsheet took the report for a formula; export the column as text")
    if "\ufffd" in text or "\0" in text or "锟斤拷" in text or not is_encodable(text):
        raise Rejected("undecodable_report", "the report holds characters that were lost in a conversion")
    if len(text) > MAX_REPORT_CHARACTERS:
        raise Rejected("report_too_long", f"the report has {len(text)} characters, more than {MAX_REPORT_CHARACTERS}")


def sectioned_report(text: str, *, study_uid: str, language: str, origin: Origin) -> Report:
    """Return the report of one text that may have section headers. Names of people that sign it are left out.

    HTML is taken off. Where a text has only an impression, that is the whole report, as `Report.findings` requires.
    Raises Rejected as `plain_text` and `check_report_text` do.
    """
    text = plain_text(text)
    check_report_text(text)
    parts = split_sections(text)
    told = [part for part in (parts.findings, parts.impression) if part is not None and not says_nothing(part)]
    if not told:
        raise Rejected("empty_report", "the report has neither findings nor an impression")
    return Report(
        study_uid=study_uid,
        language=language,
        findings=told[0],
        impression=told[1] if len(told) > 1 else None,
        indication=parts.indication,
        comparison=parts.comparison,
        origin=origin,
    )
