"""What information systems and spreadsheets do to a table on its way out of a hospital."""

from datetime import datetime
from pathlib import Path

import pytest

from xray.data.sources import SourceData, StudyFiles, read_table
from xray.data.sources.rows import decode_text, read_rows
from xray.data.sources.values import parse_id, parse_moment
from xray.errors import DataError

NORMAL = "双肺野清晰，心影不大。"
COLUMNS = ("检查号", "检查所见")


def read(films, tmp_path: Path, *lines: str) -> SourceData:
    path = tmp_path / "reports.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(films.root, path)


def one_study(source: SourceData) -> StudyFiles:
    (study,) = source.studies
    return study


@pytest.mark.parametrize(
    "written", ["'00123", '="00123"', "００１２３", "00123\t", "\u200e00123\u200f", "\ufeff00123", " '００１２３ "]
)
def test_an_id_is_what_was_typed_however_it_was_kept_from_becoming_a_number(written: str):
    assert parse_id(written) == "00123"


def test_a_patient_whose_id_is_written_in_three_ways_is_one_patient(films, tmp_path: Path):
    for number in range(3):
        films.png(f"{number}.png", texture=number)
    rows = ['0,"=""P07""",' + NORMAL, f"1,'P07,{NORMAL}", f"２,Ｐ０７,{NORMAL}"]
    source = read(films, tmp_path, "检查号,患者ID,检查所见", *rows)
    assert [study.patient_id for study in source.studies] == ["P07"] * 3


def test_a_film_with_a_full_width_name_is_found_by_either_spelling(films, tmp_path: Path):
    films.png("胸片１.png", texture=1)
    for name in ("胸片１.png", "胸片1", "胸片１"):
        assert one_study(read(films, tmp_path, "图像,检查所见", f"{name},{NORMAL}")).films


@pytest.mark.parametrize("empty", ["NULL", "null", "nan", "None", r"\N", "/", "——", "无", "N/A"])
def test_the_word_that_a_system_writes_for_nothing_is_no_text_to_learn(films, tmp_path: Path, empty: str):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    rows = [f"a,{NORMAL},{empty}", f"b,{empty},{empty}"]
    source = read(films, tmp_path, "图像,检查所见,诊断意见", *rows)
    assert one_study(source).report.text == NORMAL
    assert [refusal.code for refusal in source.refusals if refusal.row] == ["empty_report"]


def test_empty_fields_at_the_end_of_lines_are_no_fields(films, tmp_path: Path):
    films.png("a.png", texture=1)
    assert one_study(read(films, tmp_path, "检查号,检查所见,,", f"a,{NORMAL},,,"))
    assert one_study(read(films, tmp_path, "检查号,检查所见", f"a,{NORMAL}, ,"))
    refused = read(films, tmp_path, "检查号,检查所见,,", "a", f"a,{NORMAL},,,x")
    assert [refusal.code for refusal in refused.refusals if refusal.row] == ["wrong_field_count"] * 2


@pytest.mark.parametrize(
    "lines",
    [
        "导出时间:2024-01-01,共 1 条\n检查号\t检查所见\na\t双肺清晰, 心影不大",
        "a,b,c\n检查号;检查所见\na;双肺清晰, 心影不大",
        "检查号\t检查所见\ra\t双肺清晰, 心影不大\r",
        "sep=;\n检查号;检查所见\na;双肺清晰, 心影不大",
    ],
)
def test_the_header_tells_what_separates_the_cells_and_not_a_title(tmp_path: Path, lines: str):
    path = tmp_path / "reports.csv"
    path.write_bytes(lines.encode())
    table = read_rows(path, fits=lambda cells: set(COLUMNS) <= set(cells))
    assert [row.values for row in table.rows] == [{"检查号": "a", "检查所见": "双肺清晰, 心影不大"}]


def test_a_byte_order_mark_that_was_added_twice_is_taken_off_twice():
    for encoding, mark in (("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe")):
        assert decode_text(mark * 2 + "检查号,报告".encode(encoding), where="r.csv")[0] == "检查号,报告"


def test_big5_is_refused_and_not_read_as_other_characters():
    with pytest.raises(DataError, match="UTF-8"):
        decode_text("study_id,report\ns1,雙肺野清晰，心影不大。\n".encode("big5"), where="r.csv")


def test_a_web_page_is_told_as_one_whatever_it_begins_with(tmp_path: Path):
    path = tmp_path / "reports.xls"
    for page in ("<!-- saved -->\n<html><table>", "MIME-Version: 1.0\n\n<html>"):
        path.write_text(page)
        with pytest.raises(DataError, match="web page"):
            read_rows(path)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("45352", datetime(2024, 3, 1)),
        ("45352.5", datetime(2024, 3, 1, 12)),
        ("2024/3/1 3:30PM", datetime(2024, 3, 1, 15, 30)),
        ("2024/3/1 12:05 AM", datetime(2024, 3, 1, 0, 5)),
        ("2024-03-01 下午3:30", datetime(2024, 3, 1, 15, 30)),
        ("２０２４年３月１日 上午11:00", datetime(2024, 3, 1, 11)),
        ("12345", None),
        ("01/03/2024", None),
    ],
)
def test_a_date_is_what_a_spreadsheet_or_a_clock_of_twelve_hours_made_of_it(text: str, moment: datetime | None):
    assert parse_moment(text) == moment


def test_a_date_that_is_not_understood_is_noted(films, tmp_path: Path):
    films.png("a.png", texture=1)
    source = read(films, tmp_path, "检查号,检查日期,报告时间,检查所见", f"a,01/03/2024,NULL,{NORMAL}")
    assert one_study(source).study_day is None
    assert [(note.kind, note.code) for note in source.refusals] == [("note", "unknown_date")]
