"""All reviews as JSON Lines, CSV and Parquet, in a folder with a manifest."""

import csv
import io
import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from app.export import write
from app.export.csv import to_csv
from app.export.folder import ExportManifest
from app.export.jsonl import ReviewLine
from tests.app.export.reviews import CONTEXT, CORRECTED, LABEL, review, signed
from xray.errors import ConfigError, DataError
from xray.records import read_record


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_json_lines_give_back_the_reviews_that_were_written(tmp_path: Path) -> None:
    records = [review("a", comment="行\u2028分隔"), signed("b"), review("c", status="draft", sentinel=True)]
    path = write(records, kind="jsonl", folder=tmp_path / "out")[0]
    lines = [ReviewLine.model_validate_json(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    assert [line.review for line in lines] == records
    assert [line.ai_label for line in lines] == ["人工智能生成", LABEL, "人工智能生成"]
    assert {line.final_text for line in lines} == {CORRECTED}


def test_csv_opens_in_excel_with_chinese_and_line_breaks_in_place() -> None:
    data = to_csv([signed()])
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = rows_of(data)
    assert (row["corrected"], row["reader_name"], row["ai_label"]) == (CORRECTED, "张三", LABEL)
    assert (row["num_edits"], row["num_significant_edits"], row["signed_at"]) == ("1", "1", "2026-11-29T16:00:05+08:00")
    assert json.loads(row["edits"])[0]["category"] == 2


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " \n=1", "＝1"])
def test_no_text_of_a_reader_becomes_a_formula(text: str) -> None:
    (row,) = rows_of(to_csv([review(comment=text, corrected=text)]))
    assert row["comment"] == f"'{text}"
    assert row["corrected"] == f"'{text}"
    assert row["revision"] == "1"


def test_parquet_keeps_types_and_carries_the_label(tmp_path: Path) -> None:
    path = write([review("a"), signed("b")], kind="parquet", folder=tmp_path / "out", context=CONTEXT)[0]
    table = pq.read_table(path)
    assert table.column("ai_label").to_pylist() == ["人工智能生成", LABEL]
    assert str(table.schema.field("revision").type) == "int64"
    assert str(table.schema.field("sentinel").type) == "bool"
    assert json.loads(table.schema.metadata[b"AIGC"])["ContentProducer"] == "某公司"


def test_the_manifest_says_what_was_exported_and_under_which_rules(tmp_path: Path) -> None:
    records = [review("a"), signed("b"), review("c", status="void")]
    *files, last = write(records, kind="csv", folder=tmp_path / "out", context=CONTEXT)
    manifest = read_record(last, ExportManifest, remedy="")
    assert last.name == "manifest.json"
    assert (manifest.num_reviews, manifest.num_written) == (3, 3)
    assert manifest.num_by_status == {"submitted": 2, "void": 1}
    assert [protocol.name for protocol in manifest.protocols] == ["rexval6"]
    assert (manifest.audit_head, manifest.seeds[0].value) == ("ab" * 32, 7)
    assert (manifest.ai_label, manifest.aigc.Label) == ("人工智能生成", "1")
    assert [file.name for file in manifest.files] == [path.name for path in files]
    assert manifest.files[0].num_bytes == files[0].stat().st_size


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("keep")
    with pytest.raises(DataError, match="not empty"):
        write([review()], kind="csv", folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.txt"]


def test_an_empty_folder_is_used_and_a_failed_export_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(DataError, match="film of a review is missing"):
        write([review()], kind="pairs", folder=out)
    assert list(tmp_path.iterdir()) == [out]
    assert list(out.iterdir()) == []
    assert write([review()], kind="csv", folder=out)[0].exists()
    assert list(tmp_path.iterdir()) == [out]


def test_a_review_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="given twice"):
        write([review(), review(revision=2)], kind="jsonl", folder=tmp_path / "out")


def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "app.export.documents", None)
    with pytest.raises(ConfigError, match="interop"):
        write([signed()], kind="pdf", folder=tmp_path / "out")
