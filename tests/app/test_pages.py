"""The two pages as Streamlit runs them, without a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import navigation, session
from finetune.manifest import Prediction, read_records
from tests.app.page import assert_no_error, bench_data, bench_text, case_ids, draft, html_of, save, stored, table_of
from xray.records import write_lines

Opener = Callable[..., AppTest]


def change_prediction(folder: Path, case_id: str, **changes: object) -> None:
    rows = read_records(folder / "predictions.jsonl", Prediction)
    write_lines(
        folder / "predictions.jsonl", [row.model_copy(update=changes) if row.id == case_id else row for row in rows]
    )


def test_the_worklist_shows_every_case_and_the_generated_content_banner(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    assert_no_error(page)
    assert list(table_of(page)["病例"]) == case_ids(run_folder)
    assert "人工智能生成，仅供科研评审，未经执业医师审核签署不得用于临床" in html_of(page)


def test_the_scores_table_names_the_baselines_with_their_intervals(run_folder: Path, open_page: Opener):
    shown = html_of(open_page(run_folder))
    assert "基线：最近邻报告" in shown
    assert "[0.760, 0.860]" in shown


@pytest.mark.parametrize("number", range(5))
def test_every_case_opens_from_its_address(run_folder: Path, open_page: Opener, number: int):
    case_id = case_ids(run_folder)[number]
    page = open_page(run_folder, case=case_id)
    assert_no_error(page)
    assert f"病例 {case_id}" in html_of(page)
    shown = bench_data(page)
    assert (shown["run"], shown["case"]) == (page.session_state["run"], case_id)
    assert shown["reports"][0]["badges"][0] == ["ai", "人工智能生成"]
    assert shown["reference"]["heading"] == "参考报告"


def test_a_reports_own_markup_is_no_part_of_the_page(run_folder: Path, open_page: Opener):
    page = open_page(run_folder, case=case_ids(run_folder)[4])
    assert "<script>alert('x')</script>" in bench_text(page)
    assert "<script" not in html_of(page)
    assert "<b>粗" not in html_of(page)


def test_a_wrong_side_is_marked_with_word_and_sign_in_both_reports(run_folder: Path, open_page: Opener):
    shown = bench_text(open_page(run_folder, case=case_ids(run_folder)[1]))
    assert "⇄侧别错误·左侧" in shown
    assert "⇄侧别错误·右侧" in shown


def test_a_case_without_a_generated_report_says_so(run_folder: Path, open_page: Opener):
    case_id = case_ids(run_folder)[0]
    kept = [row for row in read_records(run_folder / "predictions.jsonl", Prediction) if row.id != case_id]
    write_lines(run_folder / "predictions.jsonl", kept)
    page = open_page(run_folder, case=case_id)
    assert_no_error(page)
    assert bench_data(page)["reports"][0]["note"] == "本次运行没有为该检查生成报告"

    row = table_of(open_page(run_folder)).iloc[0]
    assert row["病例"] == case_id
    assert row["分歧"] == "无生成报告"
    assert row["生成报告"] == "本次运行没有为该检查生成报告"


@pytest.mark.parametrize("blank", ["", " \n"])
def test_a_blank_generated_report_is_not_called_a_missing_one(run_folder: Path, open_page: Opener, blank: str):
    case_id = case_ids(run_folder)[0]
    change_prediction(run_folder, case_id, text=blank)
    shown = bench_data(open_page(run_folder, case=case_id))
    assert shown["reports"][0]["note"] == "（生成的报告为空白）"
    assert table_of(open_page(run_folder)).iloc[0]["生成报告"] == "（生成的报告为空白）"


def test_a_report_that_ran_into_the_length_limit_is_badged(run_folder: Path, open_page: Opener):
    case_id, other = case_ids(run_folder)[:2]
    change_prediction(run_folder, case_id, finish_reason="length")
    assert "达到长度上限" in bench_text(open_page(run_folder, case=case_id))
    assert "达到长度上限" not in bench_text(open_page(run_folder, case=other))


def test_an_unknown_case_leads_back_to_the_list_in_one_sentence(run_folder: Path, open_page: Opener):
    page = open_page(run_folder, case="no-such-case")
    assert_no_error(page)
    assert "no-such-case" in page.info[0].value


def test_the_disagreement_filter_keeps_the_cases_with_that_mark(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    page.multiselect(key="filter_kinds").set_value(["side"]).run()
    assert list(table_of(page)["病例"]) == [case_ids(run_folder)[1]]


def test_the_finding_filter_keeps_the_cases_where_either_report_states_it(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    page.multiselect(key="filter_concepts").set_value(["cardiomegaly"]).run()
    assert list(table_of(page)["病例"]) == [case_ids(run_folder)[2]]


def test_the_text_search_looks_into_both_reports(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    page.text_input(key="filter_text").set_value("气管居中").run()
    assert list(table_of(page)["病例"]) == [case_ids(run_folder)[4]]


def test_filters_that_nothing_passes_say_so(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    page.text_input(key="filter_text").set_value("没有这样的词").run()
    assert_no_error(page)
    assert not page.dataframe
    assert page.info


def test_the_list_can_start_with_the_lowest_score(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    page.selectbox(key="filter_order_zh").set_value("finding_f1:low").run()
    values = list(table_of(page)["所见 F1"])
    assert values == sorted(values)
    assert values != list(table_of(open_page(run_folder))["所见 F1"])


def test_a_verdict_survives_into_a_new_session(run_folder: Path, open_page: Opener):
    case_id = case_ids(run_folder)[2]
    page = open_page(run_folder, case=case_id)
    run_id = page.session_state["run"]
    seen = bench_data(page)["judged"]
    assert_no_error(save(page, draft(run_id, case_id, verdict="edit", comment="漏了积液", generated_sha256=seen)))
    session.close()

    later = open_page(run_folder)
    assert "已提交 0 / 5，草稿 1" in str(later.get("progress")[0].proto)
    later.multiselect(key="filter_verdicts").set_value(["edit"]).run()
    assert list(table_of(later)["病例"]) == [case_id]


def test_a_saved_draft_is_acknowledged_to_the_browser(run_folder: Path, open_page: Opener):
    case_id = case_ids(run_folder)[0]
    page = open_page(run_folder, case=case_id)
    save(page, draft(page.session_state["run"], case_id, comment="清晰"))
    data = bench_data(page)
    assert data["acks"][0]["sequence"] == 1
    assert data["review"]["document"]["comment"] == "清晰"


def test_a_draft_that_somebody_else_left_in_this_browser_is_nobodys(run_folder: Path, open_page: Opener):
    case_id = case_ids(run_folder)[0]
    page = open_page(run_folder, case=case_id)
    run_id = page.session_state["run"]
    assert_no_error(save(page, {**draft(run_id, case_id, comment="别人写的"), "owner": "0123456789abcdef"}))
    assert bench_data(page)["acks"] == []
    assert stored(run_folder, run_id=run_id) == {}


def test_a_malformed_draft_is_neither_stored_nor_shown_as_an_error(run_folder: Path, open_page: Opener):
    case_id = case_ids(run_folder)[0]
    page = open_page(run_folder, case=case_id)
    run_id = page.session_state["run"]
    for outbox in (draft(run_id, case_id, verdict="sure"), draft(run_id, "other-case"), {"drafts": 3}):
        assert_no_error(save(page, outbox))
    assert stored(run_folder, run_id=run_id) == {}


def test_a_failure_shows_an_error_id_and_no_detail(
    run_folder: Path, open_page: Opener, monkeypatch: pytest.MonkeyPatch
):
    def fail(_run: object) -> None:
        raise RuntimeError("report text that must not be shown")

    monkeypatch.setattr(navigation, "entries", fail)
    page = open_page(run_folder)
    assert not page.exception
    assert "错误编号" in page.error[0].value
    assert "must not be shown" not in page.error[0].value


def test_a_damaged_run_is_named_in_one_sentence(run_folder: Path, open_page: Opener):
    (run_folder / "scores.json").write_text("{}")
    page = open_page(run_folder)
    assert not page.exception
    assert "scores.json" in page.error[0].value


def test_the_interface_speaks_english_when_asked(run_folder: Path, open_page: Opener):
    page = open_page(run_folder)
    page.segmented_control(key="language").set_value("en").run()
    assert_no_error(page)
    assert "Reference report" in table_of(page).columns


def test_a_damaged_run_beside_good_ones_does_not_take_the_pages_down(
    tmp_path: Path, make_run: Callable[..., Path], open_page: Opener
):
    make_run(tmp_path / "good", run_id="good")
    (make_run(tmp_path / "bad", run_id="bad") / "scores.json").write_text("{", encoding="utf-8")
    page = open_page(tmp_path)
    assert_no_error(page)
    assert list(table_of(page)["病例"]) == case_ids(tmp_path / "good")
