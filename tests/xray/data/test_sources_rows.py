"""Tables as hospitals export them."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xray.data.sources.rows import decode_text, read_rows
from xray.errors import DataError

CHINESE = "study_uid,报告\n1.2,双肺纹理增多，未见气胸。\n"
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
def test_a_table_reads_the_same_in_every_encoding_that_hospitals_export(tmp_path: Path, encoding: str):
    path = tmp_path / "reports.csv"
    path.write_bytes(CHINESE.encode(encoding))
    table = read_rows(path)
    assert table.columns == ("study_uid", "报告")
    assert table.rows[0].values["报告"] == "双肺纹理增多，未见气胸。"


def test_bytes_that_are_neither_utf8_nor_chinese_are_refused_rather_than_guessed():
    with pytest.raises(DataError, match="UTF-8"):
        decode_text("study,r\xe9sum\xe9 t\xe9l\n".encode("latin-1"), where="reports.csv")


def test_a_line_break_inside_quotes_belongs_to_the_field_and_the_next_row_keeps_its_line_number(tmp_path: Path):
    path = tmp_path / "reports.csv"
    path.write_text('study_uid,report\r\n1.2,"第一行\r\n第二行"\r\n1.3,第三行\r\n', encoding="utf-8", newline="")
    table = read_rows(path)
    assert [row.line for row in table.rows] == [2, 4]
    assert table.rows[0].values["report"] == "第一行\r\n第二行"
    assert table.place(table.rows[1]) == "reports.csv, line 4"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str):
    path = tmp_path / "reports.csv"
    path.write_text(f"study_uid{delimiter}report\n1.2{delimiter}心影不大\n", encoding="utf-8")
    assert read_rows(path).rows[0].values == {"study_uid": "1.2", "report": "心影不大"}


@pytest.mark.parametrize("above", ["胸片报告汇总\n", "胸片报告汇总,,\n\n导出时间 2024,,\n", "sep=,\n"])
def test_titles_above_the_header_are_passed_over(tmp_path: Path, above: str):
    path = tmp_path / "reports.csv"
    path.write_text(f"{above}study_uid,report,age\n1.2,心影不大,45\n", encoding="utf-8")
    table = read_rows(path, fits=lambda cells: "report" in cells)
    assert [(row.line, row.values["report"]) for row in table.rows] == [(above.count("\n") + 2, "心影不大")]


def test_a_row_with_another_number_of_fields_is_marked(tmp_path: Path):
    path = tmp_path / "reports.csv"
    path.write_text("study_uid,report\n1.2,a,b\n1.3,c\n1.4\n", encoding="utf-8")
    assert [row.complete for row in read_rows(path).rows] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        ('study_uid,report\n1.2,"未完'.encode(), "line 2"),
        (b"a,a\n1,2\n", "more than once"),
        (b"PK\x03\x04\xff\xfe\xfd\x80", "broken workbook"),
        (b"\xe9t\xe9,a\n", "UTF-8"),
        ("<html><table><tr><td>检查号</td></tr></table></html>".encode(), "web page"),
    ],
)
def test_a_broken_table_is_refused_with_the_place(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "reports.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_rows(path)


def test_json_lines_give_the_same_rows_and_a_list_of_films_becomes_one_field(tmp_path: Path):
    path = tmp_path / "reports.jsonl"
    path.write_text('{"study_uid": "1.2", "report": "未见异常", "film": ["a.png", "b.png"], "age": null}\n', "utf-8")
    assert read_rows(path).rows[0].values == {
        "study_uid": "1.2",
        "report": "未见异常",
        "film": "a.png;b.png",
        "age": "",
    }


@pytest.mark.parametrize("line", ["[1, 2]", "{", '"text"'])
def test_a_json_line_that_is_no_object_is_refused_with_its_line(tmp_path: Path, line: str):
    path = tmp_path / "reports.jsonl"
    path.write_text('{"study_uid": "1"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2"):
        read_rows(path)


def test_a_missing_table_is_one_clear_error(tmp_path: Path):
    with pytest.raises(DataError, match="Check the path"):
        read_rows(tmp_path / "none.csv")


@given(rows=st.lists(st.tuples(st.from_regex(r"[0-9.]{1,9}", fullmatch=True), cells), min_size=1, max_size=6))
def test_every_table_that_python_writes_is_read_back_unchanged(tmp_path_factory, rows: list[tuple[str, str]]):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([("study_uid", "报告"), *rows])
    path = tmp_path_factory.mktemp("tables") / "reports.csv"
    path.write_bytes(stream.getvalue().encode())
    table = read_rows(path)
    assert [(row.values["study_uid"], row.values["报告"]) for row in table.rows] == rows


@given(data=st.binary(max_size=200))
@example(data=b"\n\x00")
def test_any_bytes_are_read_or_refused_with_a_data_error(tmp_path_factory, data: bytes):
    path = tmp_path_factory.mktemp("tables") / "reports.csv"
    path.write_bytes(data)
    try:
        table = read_rows(path)
    except DataError:
        return
    assert table.columns
