"""`xray lint` as a user calls it, on every kind of file that it takes."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from xray.commands.lint import lint
from xray.errors import DataError

PLAIN = "两肺野清晰，未见实变影。心影不大，两膈光滑。"
app = typer.Typer()
app.command()(lint)


def counts(source: Path) -> dict[str, object]:
    done = CliRunner().invoke(app, [str(source), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.output)
    return {share["rule"]: share["examples"] for share in report["rules"] if share["count"]} | {"n": report["reports"]}


def test_json_lines_of_texts_are_linted_by_their_ids(tmp_path: Path):
    source = tmp_path / "reports.jsonl"
    rows = [{"id": "a", "text": PLAIN}, {"id": "b", "text": "右肺见空隙疾病，左肺清晰，心影增大。"}]
    source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert counts(source) == {"wrong_term": ["b"], "n": 2}


def test_a_table_is_linted_by_its_lines_one_report_a_study(tmp_path: Path):
    source = tmp_path / "reports.csv"
    body = (
        f"检查号,检查所见,诊断意见\n7,{PLAIN},建议咨询医生\n7,{PLAIN},建议咨询医生\n8,右肺见XXXX影，心影不大,右肺炎症\n"
    )
    source.write_bytes(body.encode("gb18030"))
    found = counts(source)
    assert (found["n"], found["advice"], found["residue"]) == (2, ["line 2"], ["line 4"])


@pytest.mark.parametrize("header", ["", "诊断："])
def test_a_conclusion_in_a_column_of_its_own_is_compared_with_the_findings(tmp_path: Path, header: str):
    source = tmp_path / "reports.csv"
    row = f"7,左侧胸腔见积液影，右肺清晰，心影不大。,{header}右侧胸腔积液。"
    source.write_text(f"检查号,检查所见,诊断意见\n{row}\n8,{PLAIN},NULL\n", encoding="utf-8")
    assert counts(source) == {"contradicted_side": ["line 2"], "n": 2}


def test_every_different_report_of_a_study_is_linted_and_an_empty_column_gives_way_to_the_others(tmp_path: Path):
    source = tmp_path / "reports.csv"
    rows = [f"7,{PLAIN},,", f"7,{PLAIN},,", f"7,,右肺见XXXX影，心影不大。,{PLAIN}"]
    source.write_text("检查号,报告,检查所见,诊断意见\n" + "\n".join(rows), encoding="utf-8")
    found = counts(source)
    assert (found["n"], found["residue"]) == (2, ["line 4"])


def test_captions_are_linted_one_a_study(tmp_path: Path):
    source = tmp_path / "captions.json"
    annotations = [{"image_id": f"9_{k}", "caption": "总的来说，" + PLAIN} for k in (1, 2)]
    source.write_text(json.dumps({"annotations": annotations}), encoding="utf-8")
    assert counts(source) == {"commentary": ["9"], "n": 1}


def test_the_table_for_people_names_rules_and_shares_and_no_text(tmp_path: Path):
    source = tmp_path / "reports.jsonl"
    source.write_text(json.dumps({"id": "a", "text": PLAIN + "您很健康吗？"}), encoding="utf-8")
    shown = CliRunner().invoke(app, [str(source)]).output
    assert "address" in shown
    assert "100.0%" in shown
    assert "肺" not in shown


def test_a_file_without_reports_is_refused(tmp_path: Path):
    source = tmp_path / "reports.jsonl"
    source.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="no reports"):
        CliRunner().invoke(app, [str(source)], catch_exceptions=False)
