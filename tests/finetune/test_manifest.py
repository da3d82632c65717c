from pathlib import Path

import pytest

from finetune.manifest import Case, Prediction, ScoresFile, read_json, read_records
from xray.errors import DataError
from xray.records import write_atomically, write_lines


def prediction(key: str) -> Prediction:
    return Prediction(id=key, text="心影不大。", system="adapter", finish_reason="eos")


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows = [prediction("a"), prediction("b")]
    write_lines(tmp_path / "p.jsonl", rows)
    assert read_records(tmp_path / "p.jsonl", Prediction) == rows


def test_a_last_line_that_a_kill_cut_off_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write_lines(path, [prediction("a"), prediction("b")])
    path.write_bytes(path.read_bytes()[:-20])
    assert read_records(path, Prediction) == [prediction("a")]


def test_a_damaged_line_in_the_middle_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write_lines(path, [prediction("a"), prediction("b")])
    path.write_text("{}\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(DataError, match=r"p\.jsonl, line 1"):
        read_records(path, Prediction)


def test_an_unknown_key_in_a_record_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id":"a","text":"","system":"base","finish_reason":"eos","surprise":1}\n', encoding="utf-8")
    with pytest.raises(DataError, match="surprise"):
        read_records(path, Prediction)


def test_a_reference_report_without_its_origin_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "references.jsonl"
    path.write_text(
        '{"id":"a","text":"","study_uid":"1","patient_key":"p","images":[],"views":[],"language":"zh"}\n',
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="origin"):
        read_records(path, Case)


def test_a_missing_file_of_a_run_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="finetune run"):
        read_json(tmp_path / "scores.json", ScoresFile)


def test_a_file_is_replaced_whole_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a.txt", "old")
    write_atomically(tmp_path / "a.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"
