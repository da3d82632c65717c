"""Tables in Excel workbooks."""

import io
import zipfile
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from tests.xray.data.workbooks import with_sheet_xml, write_workbook
from xray.data.sources import SourceData, read_table
from xray.data.sources.rows import read_rows
from xray.errors import DataError

NORMAL = "双肺野清晰，心影不大。"
HEADER = ["检查号", "报告", "患者ID"]


def has_study_number(cells) -> bool:
    return "检查号" in cells


def codes(source: SourceData) -> list[tuple[str, str]]:
    return [(refusal.code, refusal.row) for refusal in source.refusals if refusal.row]


def test_a_workbook_gives_the_rows_of_the_same_table_as_csv(tmp_path: Path):
    lines = [HEADER, ["A-1", "第一行\n第二行", "P-1"], ["A-2", NORMAL, "P-2"]]
    table = read_rows(write_workbook(tmp_path / "reports.xlsx", ("报告", lines)))
    assert table.columns == tuple(HEADER)
    assert [(row.line, *row.values.values()) for row in table.rows] == [(2, *lines[1]), (3, *lines[2])]
    assert table.place(table.rows[0]) == "reports.xlsx, line 2"


def test_titles_and_empty_lines_above_the_header_are_passed_over_and_lines_keep_their_numbers(tmp_path: Path):
    path = tmp_path / "reports.xlsx"
    write_workbook(path, ("x", [["放射科报告汇总"], [], HEADER, ["A-1", NORMAL, "P-1"], [], ["A-2", NORMAL, "P-2"]]))
    book = load_workbook(path)
    book.active.merge_cells("A1:C1")
    book.save(path)
    table = read_rows(path, fits=has_study_number)
    assert [(row.line, row.values["检查号"]) for row in table.rows] == [(4, "A-1"), (6, "A-2")]


def test_the_sheet_whose_header_fits_is_found_among_others_and_hidden_ones_do_not_count(tmp_path: Path):
    path = write_workbook(
        tmp_path / "reports.xlsx",
        ("说明", [["说明文字"]]),
        ("报告", [HEADER, ["A-1", NORMAL, "P-1"]]),
        ("旧", [HEADER]),
    )
    book = load_workbook(path)
    book["旧"].sheet_state = "hidden"
    book.save(path)
    table = read_rows(path, fits=has_study_number)
    assert [row.values["检查号"] for row in table.rows] == ["A-1"]
    assert table.place(table.rows[0]) == "reports.xlsx, sheet 2, line 2"
    assert read_rows(path, fits=has_study_number, sheet="旧").rows == ()


def test_several_sheets_that_fit_are_named_and_one_can_be_chosen(films, tmp_path: Path):
    films.png("A-1.png", texture=1)
    sheets = [("一月", [HEADER, ["A-1", NORMAL, "P-1"]]), ("二月", [HEADER, ["A-1", "右侧气胸。", "P-1"]])]
    path = write_workbook(tmp_path / "reports.xlsx", *sheets)
    with pytest.raises(DataError, match="'一月', '二月'"):
        read_table(films.root, path)
    assert read_table(films.root, path, sheet="二月").studies[0].report.text == "右侧气胸。"
    with pytest.raises(DataError, match="'三月'"):
        read_table(films.root, path, sheet="三月")


def test_ids_that_excel_made_numbers_are_numbers_without_a_point_again(tmp_path: Path):
    path = write_workbook(tmp_path / "reports.xlsx", ("x", [HEADER, [12345.0, 1.5, 10**14], [12, True, 1.2e10]]))
    book = load_workbook(path)
    book.active["A3"].number_format = "0000000"
    book.save(path)
    first, second = read_rows(path).rows
    assert list(first.values.values()) == ["12345", "1.5", "100000000000000"]
    assert list(second.values.values()) == ["0000012", "TRUE", "12000000000"]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (1234567890123456789, "lost_digits"),
        (datetime(2024, 1, 3), "mangled_id"),
        (date(2024, 1, 3), "mangled_id"),
        ("1.2E+10", "mangled_id"),
        ("#REF!", "mangled_id"),
    ],
)
@pytest.mark.parametrize("column", ["检查号", "患者ID", "影像文件"])
def test_an_id_that_excel_spoilt_is_refused_by_line(films, tmp_path: Path, cell: object, code: str, column: str):
    films.png("A-1.png", texture=1)
    header = ["检查号", "患者ID", "影像文件", "报告"]
    good = ["S-1", "P-1", "A-1", NORMAL]
    bad = [cell if name == column else value for name, value in zip(header, good, strict=True)]
    source = read_table(films.root, write_workbook(tmp_path / "reports.xlsx", ("x", [header, bad])))
    assert codes(source) == [(code, "reports.xlsx, line 2")]
    assert source.studies == ()


def test_dates_and_times_of_cells_are_read_where_they_are_no_ids(films, tmp_path: Path):
    films.png("A-1.png", texture=1)
    lines = [["检查号", "报告", "检查日期"], ["A-1", NORMAL, datetime(2024, 2, 29, 8, 30)]]
    (study,) = read_table(films.root, write_workbook(tmp_path / "reports.xlsx", ("x", lines))).studies
    assert study.study_day == date(2024, 2, 29).toordinal()


def test_rich_text_and_excels_escapes_become_plain_text(tmp_path: Path):
    bold = TextBlock(InlineFont(b=True), "清晰")
    path = write_workbook(tmp_path / "reports.xlsx", ("x", [HEADER, ["A-1", CellRichText("双肺", bold), "P_x0041_"]]))
    assert list(read_rows(path).rows[0].values.values()) == ["A-1", "双肺清晰", "PA"]


def test_text_beyond_the_header_is_too_much_and_a_formula_gives_its_saved_value(tmp_path: Path):
    xml = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
    <dimension ref="A1"/><sheetData>
    <row r="1"><c r="A1" t="inlineStr"><is><t>检查号</t></is></c><c r="B1" t="inlineStr"><is><t>报告</t></is></c></row>
    <row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>"x"</f><v>x</v></c></row>
    <row r="3"><c r="A3"><v>3</v></c><c r="C3"><v>4</v></c></row></sheetData></worksheet>"""
    path = with_sheet_xml(write_workbook(tmp_path / "reports.xlsx", ("x", [["a"]])), xml)
    first, second = read_rows(path).rows
    assert (dict(first.values), first.complete) == ({"检查号": "2", "报告": "x"}, True)
    assert second.complete is False


def test_what_a_file_is_counts_and_not_what_it_is_called(tmp_path: Path):
    book = write_workbook(tmp_path / "reports.csv", ("x", [HEADER, ["A-1", NORMAL, "P-1"]]))
    assert read_rows(book).rows[0].values["报告"] == NORMAL
    text = tmp_path / "reports.xlsx"
    text.write_text(f"检查号,报告\nA-1,{NORMAL}\n", encoding="gb18030")
    assert read_rows(text).rows[0].values["报告"] == NORMAL


def old_workbook(inside: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + inside.encode("utf-16-le")


def archive_of(**parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (old_workbook("Workbook"), r"old workbook \(.xls\).*Save it as .xlsx"),
        (old_workbook("EncryptedPackage"), "password"),
        (archive_of(**{"reports.csv": b"a,b"}), "packed file"),
        (archive_of(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "ods"),
        (archive_of(**{"[Content_Types].xml": b"<no", "xl/workbook.xml": b""}), "broken workbook"),
        (archive_of(**{"[Content_Types].xml": b"<no", "xl/workbook.bin": b""}), "xlsb"),
        (b"PK\x03\x04", "broken workbook"),
    ],
)
def test_other_files_that_are_called_workbooks_are_refused_with_the_remedy(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "reports.xlsx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_rows(path)


def test_a_bomb_is_refused_before_it_is_opened(tmp_path: Path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"")
        with archive.open("xl/sharedStrings.xml", "w") as part:
            for _ in range(600):
                part.write(bytes(2**20))
    path = tmp_path / "reports.xlsx"
    path.write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="more than 512 MiB"):
        read_rows(path)


def test_entities_that_grow_are_not_expanded(tmp_path: Path):
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
    )
    path = with_sheet_xml(write_workbook(tmp_path / "reports.xlsx", ("x", [HEADER])), bomb)
    with pytest.raises(DataError):
        read_rows(path)


def test_a_row_number_beyond_any_sheet_ends_quickly(tmp_path: Path):
    xml = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
    <row r="1"><c r="A1" t="inlineStr"><is><t>检查号</t></is></c></row>
    <row r="99999999999"><c r="B99999999999"><v>1</v></c></row></sheetData></worksheet>"""
    path = with_sheet_xml(write_workbook(tmp_path / "reports.xlsx", ("x", [["a"]])), xml)
    assert read_rows(path).columns == ("检查号",)


def test_messages_about_a_broken_workbook_quote_no_cell(tmp_path: Path):
    xml = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
    <row r="1"><c r="A1" t="n"><v>CANARY</v></c></row></sheetData></worksheet>"""
    path = with_sheet_xml(write_workbook(tmp_path / "reports.xlsx", ("x", [["a"]])), xml)
    with pytest.raises(DataError, match="broken workbook") as raised:
        read_rows(path)
    assert "CANARY" not in str(raised.value)


def test_a_table_without_rows_in_a_workbook_is_refused_by_name(films, tmp_path: Path):
    films.png("A-1.png", texture=1)
    with pytest.raises(DataError, match="has a header and no rows"):
        read_table(films.root, write_workbook(tmp_path / "reports.xlsx", ("x", [HEADER])))
    with pytest.raises(DataError, match="no sheet with text"):
        read_table(films.root, write_workbook(tmp_path / "reports.xlsx", ("x", [])))


cells = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).filter(
    lambda text: not text.startswith("=") and "_x" not in text and text == text.strip()
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(st.from_regex(r"[A-Z][0-9]{1,6}", fullmatch=True), cells), min_size=1, max_size=5))
def test_every_table_that_openpyxl_writes_is_read_back_unchanged(tmp_path_factory, rows: list[tuple[str, str]]):
    path = tmp_path_factory.mktemp("books") / "reports.xlsx"
    table = read_rows(write_workbook(path, ("x", [("study_uid", "报告"), *rows])))
    assert [(row.values["study_uid"], row.values["报告"]) for row in table.rows] == rows


def small_book() -> bytes:
    book = Workbook()
    book.active.append(["study_uid", "report"])
    book.active.append(["1.2", NORMAL])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


SMALL_BOOK = small_book()  # once, because it holds the time


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_workbook_with_flipped_bytes_is_read_or_refused_with_a_data_error(tmp_path_factory, data):
    content = bytearray(SMALL_BOOK)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("books") / "reports.xlsx"
    path.write_bytes(content[: data.draw(st.integers(4, len(content)))])
    with suppress(DataError):
        assert read_rows(path).columns


@settings(max_examples=60, deadline=None)
@given(xml=st.text(max_size=200))
def test_any_xml_as_a_sheet_is_read_or_refused_with_a_data_error(tmp_path_factory, xml: str):
    path = write_workbook(tmp_path_factory.mktemp("books") / "reports.xlsx", ("x", [["a"]]))
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    encodable = xml.encode(errors="replace").decode()
    with_sheet_xml(path, f'<worksheet xmlns="{namespace}"><sheetData>{encodable}</sheetData></worksheet>')
    with suppress(DataError):
        assert read_rows(path).columns
