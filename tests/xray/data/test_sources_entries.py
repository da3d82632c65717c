"""What a table says beside the report: splits, dates, which of two reports is the last word, and markup."""

import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xray.data.sources import SourceData, StudyFiles, read_table
from xray.data.sources.markup import plain_text
from xray.data.sources.values import parse_day, parse_moment, parse_split, parse_status
from xray.errors import Rejected

NORMAL = "双肺野清晰，心影不大。"
OTHER = "右侧气胸。"


def write_csv(folder: Path, *lines: str) -> Path:
    path = folder / "reports.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def one_study(source: SourceData) -> StudyFiles:
    (study,) = source.studies
    return study


def listed(source: SourceData) -> list[tuple[str, str, str | None]]:
    return [(refusal.kind, refusal.code, refusal.row) for refusal in source.refusals]


@pytest.mark.parametrize(
    ("word", "split"),
    [("train", "train"), ("验证集", "val"), ("validate", "val"), ("DEV", "val"), ("holdout", "test"), ("测试", "test")],
)
def test_a_split_column_declares_the_split(films, tmp_path: Path, word: str, split: str):
    films.png("a.png", texture=1)
    source = read_table(films.root, write_csv(tmp_path, "film,report,split", f"a,{NORMAL},{word}"))
    assert one_study(source).declared_split == split


def test_without_a_word_on_it_no_split_is_declared(films, tmp_path: Path):
    films.png("a.png", texture=1)
    source = read_table(films.root, write_csv(tmp_path, "film,report,split", f"a,{NORMAL},"))
    assert one_study(source).declared_split is None


def test_an_unknown_split_is_refused_rather_than_trained_on(films, tmp_path: Path):
    films.png("a.png", texture=1)
    source = read_table(films.root, write_csv(tmp_path, "film,report,split", f"a,{NORMAL},fold3"))
    assert listed(source)[0] == ("refused", "unknown_split", "reports.csv, line 2")
    assert source.studies == ()


def test_rows_that_put_one_study_into_two_splits_are_all_refused(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    rows = [f"S1,a,{NORMAL},train", f"S1,b,{NORMAL},test"]
    source = read_table(films.root, write_csv(tmp_path, "study_id,film,report,split", *rows))
    assert source.studies == ()
    assert listed(source) == [("refused", "several_splits", f"reports.csv, line {line}") for line in (2, 3)]


@pytest.mark.parametrize(
    "text",
    ["2024-02-29", "20240229", "2024/2/29", "2024年2月29日", "2024.02.29", "2024-02-29T08:30:00", "2024-2-29 8:30"],
)
def test_dates_are_read_in_the_ways_they_are_written(text: str):
    assert parse_day(text) == date(2024, 2, 29).toordinal()


@pytest.mark.parametrize("text", ["", "29.02.2024", "3/1/2024", "2024-02-30", "2024-13-01", "2024", "202411", "昨天"])
def test_what_is_no_certain_date_is_none(text: str):
    assert parse_day(text) is None


def test_the_date_of_the_row_counts_before_that_of_the_film(films, tmp_path: Path):
    films.dicom("a.dcm", study="1.2.1", texture=1)
    films.dicom("b.dcm", study="1.2.2", texture=2)
    table = write_csv(tmp_path, "study_uid,report,检查日期", f"1.2.1,{NORMAL},2023-05-01", f"1.2.2,{NORMAL},")
    days = [study.study_day for study in read_table(films.root, table).studies]
    assert days == [date(2023, 5, 1).toordinal(), date(2024, 2, 29).toordinal()]


def test_a_final_report_counts_before_a_preliminary_one_wherever_it_stands(films, tmp_path: Path):
    films.png("a.png", texture=1)
    table = write_csv(tmp_path, "film,报告,报告状态", f"a,{NORMAL},初步", f"a,{OTHER},已审核")
    source = read_table(films.root, table)
    assert (one_study(source).report.text, one_study(source).row) == (OTHER, "reports.csv, line 3")
    assert listed(source) == [("note", "several_reports", "reports.csv, line 2")]
    assert "line 3" in source.refusals[0].why


def test_a_corrected_report_counts_before_the_final_one(films, tmp_path: Path):
    films.png("a.png", texture=1)
    table = write_csv(tmp_path, "film,report,status", f"a,{NORMAL},corrected", f"a,{OTHER},final")
    assert one_study(read_table(films.root, table)).report.text == NORMAL


def test_of_two_final_reports_the_later_one_counts_and_without_times_the_first(films, tmp_path: Path):
    films.png("a.png", texture=1)
    times = ["2024-03-01 08:00", "2024-03-01 09:30"]
    table = write_csv(tmp_path, "film,report,报告时间", f"a,{NORMAL},{times[0]}", f"a,{OTHER},")
    assert one_study(read_table(films.root, table)).report.text == NORMAL
    table = write_csv(tmp_path, "film,report,报告时间", f"a,{NORMAL},{times[0]}", f"a,{OTHER},{times[1]}")
    assert one_study(read_table(films.root, table)).report.text == OTHER


def test_a_report_that_nobody_has_checked_is_used_and_noted(films, tmp_path: Path):
    films.png("a.png", texture=1)
    source = read_table(films.root, write_csv(tmp_path, "film,report,status", f"a,{NORMAL},draft"))
    assert one_study(source).report.text == NORMAL
    assert listed(source) == [("note", "preliminary_report", "reports.csv, line 2")]


def test_one_row_a_film_with_one_report_is_no_duplicate(films, tmp_path: Path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    table = write_csv(tmp_path, "study_id,film,report", f"S1,a,{NORMAL}", f"S1,b,{NORMAL}", f"S1,b,{NORMAL}")
    source = read_table(films.root, table)
    assert len(one_study(source).films) == 2
    assert listed(source) == [("note", "duplicate_row", "reports.csv, line 4")]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>心影不大</p><p>双肺清晰</p>", "心影不大\n\n双肺清晰"),
        ("检查所见：<br/>双肺&nbsp;清晰", "检查所见：\n双肺 清晰"),
        ("结节&lt;5mm，随访&amp;对比", "结节<5mm，随访&对比"),
        ("&lt;br&gt;双肺清晰", "双肺清晰"),
        ("<html><head><style>p{}</style></head><body><div>双肺<b>清晰</b></div></body></html>", "双肺清晰"),
        ("结节<5mm且>3mm，A<B", "结节<5mm且>3mm，A<B"),
        ("<p>见<CT 2021>报告</p>", "见<CT 2021>报告"),
    ],
)
def test_html_becomes_the_text_that_a_reader_sees(markup: str, text: str):
    assert plain_text(markup) == text


@pytest.mark.parametrize("text", [r"{\rtf1 x}", "<?xml version='1.0'?><a/>", "&amp;amp;lt;br&amp;amp;gt;双肺"])
def test_other_markup_is_refused(text: str):
    with pytest.raises(Rejected, match="report_markup"):
        plain_text(text)


@pytest.mark.parametrize("broken", ["<a ", "<br ", "<!", '<a x="', "</", "<br><!--"])
def test_broken_markup_takes_no_longer_than_other_text(broken: str):
    started = time.process_time()
    with suppress(Rejected):
        plain_text("<p>" + broken * (39_000 // len(broken)))
    assert time.process_time() - started < 2


@given(st.text())
def test_markup_is_taken_off_any_text_or_refused(text: str):
    with suppress(Rejected):
        assert plain_text(plain_text(text)) == plain_text(text)


@given(st.text())
def test_any_text_is_a_value_or_refused_by_code(text: str):
    assert parse_status(text) in range(4)
    moment = parse_moment(text)
    assert moment is None or parse_day(text) == moment.toordinal()
    with suppress(Rejected):
        assert parse_split(text) in (None, "train", "val", "test")


def test_an_empty_impression_leaves_the_findings_alone(films, tmp_path: Path):
    films.png("a.png", texture=1)
    for empty in ("", " ", "&nbsp;", "<br>"):
        study = one_study(read_table(films.root, write_csv(tmp_path, "film,所见,印象", f"a,{NORMAL},{empty}")))
        assert (study.report.findings, study.report.impression) == (NORMAL, None)


def test_rows_of_one_id_on_different_days_are_no_study(films, tmp_path):
    films.png("a.png", texture=1)
    films.png("b.png", texture=2)
    table = tmp_path / "reports.csv"
    rows = ["影像号,图像,检查日期,报告", "X1,a.png,2024-01-02,双肺清晰。", "X1,b.png,2024-03-04,右侧胸腔积液。"]
    table.write_text("\n".join(rows), encoding="utf-8")
    source = read_table(films.root, table)
    assert source.studies == ()
    assert [refusal.code for refusal in source.refusals if refusal.row] == ["several_days"] * 2
