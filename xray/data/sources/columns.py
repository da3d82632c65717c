"""Which column of a table means what."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

from xray.data.sources.rows import Row
from xray.data.sources.values import says_nothing
from xray.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """Names of a table's columns. A column left None is looked for under its usual names, Chinese or English.

    `study` holds a StudyInstanceUID, a folder name or a film name; `film` one or several film names, separated by
    semicolons; the text is in `report`, or in `findings` with or without `impression`. `view` is of the row's film.
    `split` is train, val or test; `status` (初步, 已审核) and `report_time` tell which of two reports is the last word.
    """

    study: str | None = None
    film: str | None = None
    report: str | None = None
    findings: str | None = None
    impression: str | None = None
    patient: str | None = None
    age: str | None = None
    sex: str | None = None
    view: str | None = None
    split: str | None = None
    study_date: str | None = None
    status: str | None = None
    report_time: str | None = None


_LONGEST_NAME = 20  # characters of a column's name; a report is longer, and an id has digits
_USUAL: dict[str, str] = {
    "study": "study_uid StudyInstanceUID study_id study accession_number accession 检查号 影像号",
    "film": "film films image images image_id image_path file file_name path dicom_file 图像 影像文件 文件名",
    "report": "report report_text text caption 报告 报告内容 报告全文",
    "findings": "findings finding 检查所见 影像所见 影像表现 影像学表现 所见",
    "impression": "impression conclusion 影像诊断 诊断意见 诊断 印象 结论",
    "patient": "patient_id patient mrn 患者编号 患者ID 病人编号 病人ID 住院号 病历号",
    "age": "age age_years patient_age 年龄",
    "sex": "sex gender patient_sex 性别",
    "view": "view view_position projection 体位 投照体位",
    "split": "split subset 数据划分 数据集划分 划分",
    "study_date": "study_date exam_date 检查日期 检查时间 摄片日期 摄片时间",
    "status": "report_status status 报告状态 审核状态 状态",
    "report_time": "report_time report_date 报告时间 报告日期 审核时间 审核日期",
}


def resolve_columns(wanted: TableColumns, *, present: Sequence[str], table: str) -> TableColumns:
    """Return `wanted` with each column as the table spells it, and None where the table has none.

    Case, spaces, hyphens and underscores do not matter. Raises DataError, naming the nearest column, if a named one is
    missing, if nothing says which films a report belongs to, or if there is no report.
    """
    spelled = {_plain(column): column for column in present}
    found: dict[str, str | None] = {}
    for field in fields(TableColumns):
        name = getattr(wanted, field.name)
        if name is not None:
            found[field.name] = _exactly(name, spelled=spelled, table=table)
        else:
            usual = (spelled.get(_plain(candidate)) for candidate in _USUAL[field.name].split())
            found[field.name] = next((column for column in usual if column is not None), None)
    columns = TableColumns(**found)
    _check_enough(columns, present=present, table=table)
    return columns


def report_cells(row: Row, columns: TableColumns) -> tuple[str, str]:
    """Return the text of a row's report, and that of a conclusion in a column of its own, "" for none."""
    whole, findings, impression = (
        row.values.get(column or "", "") for column in (columns.report, columns.findings, columns.impression)
    )
    if columns.findings is None or not says_nothing(whole):
        return whole, ""
    return findings, impression


def field_of(name: str) -> str | None:
    """Return the field of `TableColumns` that a user means by its own or a usual name (`study_uid`), or None."""
    plain = _plain(name)
    for field in fields(TableColumns):
        if plain in {_plain(field.name), *map(_plain, _USUAL[field.name].split())}:
            return field.name
    return None


def has_needed_columns(wanted: TableColumns, *, present: Sequence[str]) -> bool:
    """Tell whether cells can be the header of a table of reports: they name a study or film, and a report."""
    try:
        resolve_columns(wanted, present=[cell for cell in present if cell.strip()], table="")
    except DataError:
        return False
    return True


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]", "", name).casefold()


def _exactly(name: str, *, spelled: dict[str, str], table: str) -> str:
    column = spelled.get(_plain(name))
    if column is None:
        near = difflib.get_close_matches(name, list(spelled.values()), n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else f" {_listed(list(spelled.values()))}"
        raise DataError(f"{table} has no column {name!r}.{hint}")
    return column


def _listed(present: Sequence[str]) -> str:
    """Name the columns, unless the first line may be a patient's row instead of a header: then it stays unsaid."""
    usual = {_plain(name) for names in _USUAL.values() for name in names.split()}
    if any(_plain(column) in usual for column in present) or not any(map(_may_be_data, present)):
        return f"It has: {', '.join(present)}."
    return f"None of its {len(present)} columns has a usual name: is its first line a header?"


def _may_be_data(cell: str) -> bool:
    return len(cell) > _LONGEST_NAME or any(map(str.isdigit, cell))


def _check_enough(columns: TableColumns, *, present: Sequence[str], table: str) -> None:
    names = _listed(present)
    if columns.study is None and columns.film is None:
        raise DataError(
            f"{table} does not say which films a report belongs to: name the column of the study (study_uid) or of "
            f"the film (xray prepare --column study=NAME, data.columns in a configuration). {names}"
        )
    if columns.report is None and columns.findings is None:
        raise DataError(f"{table} has no reports: name their column (--column report=NAME, or findings=NAME). {names}")
