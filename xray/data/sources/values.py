"""Single values of a table: an id, an age, a sex, a view, a report's text."""

import re

from xray.errors import Rejected
from xray.records import is_encodable
from xray.text.sections import split_sections
from xray.types import Origin, Report, View

MAX_REPORT_CHARACTERS = 4000
_YEARS_OF = {"Y": 1.0, "岁": 1.0, "M": 1 / 12, "月": 1 / 12, "个月": 1 / 12, "W": 7 / 365.25, "周": 7 / 365.25}
_YEARS_OF |= {"D": 1 / 365.25, "天": 1 / 365.25}
_AGE = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*(Y|M|W|D|岁|个月|月|周|天)?")
_SEXES = {"m": "M", "male": "M", "男": "M", "男性": "M", "f": "F", "female": "F", "女": "F", "女性": "F"}
_SEXES |= {"o": "O", "other": "O", "其他": "O"}
_VIEWS: dict[str, View] = {"pa": "frontal", "ap": "frontal", "frontal": "frontal", "正位": "frontal"}
_VIEWS |= {"后前位": "frontal", "前后位": "frontal", "lateral": "lateral", "lat": "lateral", "ll": "lateral"}
_VIEWS |= {"rl": "lateral", "侧位": "lateral", "左侧位": "lateral", "右侧位": "lateral"}
_MANGLED = re.compile(r"\d([.,]\d+)?[eE]\+\d+|#[A-Z/!?]+")
_MARKUP = re.compile(r"\{\\rtf|</?(?:html|body|p|br|div|span|table)\b[^>]*>", re.IGNORECASE)


def parse_id(text: str) -> str | None:
    """Return an id without surrounding blanks, or None if there is none.

    Raises Rejected: `mangled_id` for what a spreadsheet leaves of a long number, for example `1.2E+10` (different ids
    have become equal there, so no guess is made), `undecodable_id` for half a character.
    """
    stripped = text.strip().strip("\u200b\ufeff")
    if _MANGLED.fullmatch(stripped):
        raise Rejected(
            "mangled_id", "an id was rounded or lost by a spreadsheet; export the column as text, not as a number"
        )
    if not is_encodable(stripped):
        raise Rejected("undecodable_id", "an id holds half a character; export the table again")
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


def check_report_text(text: str) -> None:
    """Refuse text that is no report: Rejected empty_report, undecodable_report, report_markup or report_too_long."""
    if not text.strip():
        raise Rejected("empty_report", "the report is empty")
    if "\ufffd" in text or "\0" in text or "锟斤拷" in text or not is_encodable(text):
        raise Rejected("undecodable_report", "the report holds characters that were lost in a conversion")
    if _MARKUP.search(text):
        raise Rejected("report_markup", "the report holds HTML or RTF codes; export it as plain text")
    if len(text) > MAX_REPORT_CHARACTERS:
        raise Rejected("report_too_long", f"the report has {len(text)} characters, more than {MAX_REPORT_CHARACTERS}")


def sectioned_report(text: str, *, study_uid: str, language: str, origin: Origin) -> Report:
    """Return the report of one text that may have section headers. Names of people that sign it are left out.

    Where a text has only an impression, that is the whole report, as `Report.findings` requires.
    Raises Rejected as `check_report_text` does.
    """
    check_report_text(text)
    parts = split_sections(text)
    findings, impression = (parts.findings, parts.impression) if parts.findings else (parts.impression, None)
    if not findings:
        raise Rejected("empty_report", "the report has neither findings nor an impression")
    return Report(
        study_uid=study_uid,
        language=language,
        findings=findings,
        impression=impression,
        indication=parts.indication,
        comparison=parts.comparison,
        origin=origin,
    )
