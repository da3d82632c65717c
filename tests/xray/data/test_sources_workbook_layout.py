"""Merged cells, hidden lines and further sheets of a workbook: nothing of them is lost in silence."""

from pathlib import Path

from openpyxl import load_workbook

from tests.xray.data.workbooks import with_sheet_xml, write_workbook
from xray.data.sources import SourceData, read_table
from xray.data.sources.rows import Table, read_rows

NORMAL = "双肺野清晰，心影不大。"
HEADER = ["患者ID", "图像", "检查所见", "诊断意见"]


def has_findings(cells) -> bool:
    return "检查所见" in cells


def merged(path: Path, *ranges: str) -> Path:
    book = load_workbook(path)
    for cells in ranges:
        book.active.merge_cells(cells)
    book.save(path)
    return path


def notes(source: SourceData | Table) -> list[tuple[str, str | None]]:
    found = source.notes if isinstance(source, Table) else source.refusals
    return [(note.code, note.row) for note in found if note.kind == "note"]


def test_a_patient_whose_cell_is_merged_over_two_lines_stays_one_patient(films, tmp_path: Path):
    for number, name in enumerate("abc"):
        films.png(f"{name}.png", texture=number)
    lines = [HEADER, ["P1", "a", NORMAL, "甲"], [None, "b", NORMAL, "乙"], ["P2", "c", NORMAL, "丙"]]
    path = merged(write_workbook(tmp_path / "r.xlsx", ("x", lines)), "A2:A3")
    source = read_table(films.root, path)
    assert [study.patient_id for study in source.studies] == ["P1", "P1", "P2"]


def test_a_report_that_is_merged_over_the_lines_of_two_films_belongs_to_both(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    lines = [HEADER, ["P1", "a", NORMAL, "未见异常。"], [None, "b", None, None]]
    path = merged(write_workbook(tmp_path / "r.xlsx", ("x", lines)), "A2:A3", "C2:C3", "D2:D3")
    studies = read_table(films.root, path).studies
    assert [study.report.text for study in studies] == [f"{NORMAL}\n未见异常。"] * 2


def test_a_merged_title_or_a_cell_that_is_merged_to_the_right_fills_nothing(tmp_path: Path):
    lines = [["某院放射科"], [None], HEADER, ["P1", "a", NORMAL], ["P2", "b", NORMAL, "乙"]]
    path = merged(write_workbook(tmp_path / "r.xlsx", ("x", lines)), "A1:D2", "C4:D4")
    table = read_rows(path, fits=has_findings)
    assert [tuple(row.values.values()) for row in table.rows] == [("P1", "a", NORMAL, ""), ("P2", "b", NORMAL, "乙")]
    assert table.notes == ()


def test_a_hidden_line_is_read_and_noted(films, tmp_path: Path):
    films.png("a.png", texture=1)
    path = write_workbook(tmp_path / "r.xlsx", ("x", [HEADER, ["P1", "a", NORMAL, "甲"]]))
    book = load_workbook(path)
    book.active.row_dimensions[2].hidden = True
    book.save(path)
    source = read_table(films.root, path)
    assert len(source.studies) == 1
    assert notes(source) == [("hidden_row", "r.xlsx, line 2")]


def test_a_sheet_that_goes_on_without_a_header_is_noted_unless_one_was_named(tmp_path: Path):
    path = tmp_path / "r.xlsx"
    write_workbook(path, ("一", [HEADER, ["P1", "a", NORMAL]]), ("二", [["P2", "b", NORMAL]]), ("三", []))
    assert notes(read_rows(path, fits=has_findings)) == [("other_sheet", "r.xlsx, sheet 2")]
    assert notes(read_rows(path, fits=has_findings, sheet="一")) == []


def test_lines_without_a_number_are_counted(tmp_path: Path):
    path = write_workbook(tmp_path / "r.xlsx", ("x", [["a"]]))
    cells = '<c t="inlineStr"><is><t>x</t></is></c>'
    rows = f'<row>{cells}</row><row hidden="true">{cells}</row>'
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    with_sheet_xml(path, f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>")
    assert notes(read_rows(path)) == [("hidden_row", "r.xlsx, line 2")]
