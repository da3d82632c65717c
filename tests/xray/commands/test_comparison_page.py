"""The page of two systems: what differs, and the reports where it shows most."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xray.cli import app
from xray.metrics.comparison_page import frame_gains
from xray.metrics.systems import build_corpora

REFERENCES = {f"s{number:02}": "右侧胸腔少量积液。" if number % 2 else "双肺清晰。" for number in range(30)}
A = dict.fromkeys(REFERENCES, "双肺清晰。")
B = REFERENCES | {"s00": "左侧气胸。<i>大</i>", "s01": "左侧胸腔少量积液。"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, texts in {"a": A, "b": B, "c/b": A, "r": REFERENCES}.items():
        path = tmp_path / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        rows = [json.dumps({"id": key, "text": text}, ensure_ascii=False) for key, text in texts.items()]
        path.write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def page_of(files: Path, first: str, second: str, *options: str) -> str:
    names = [str(files / f"{name}.jsonl") for name in (first, second, "r")]
    fixed = ["--resamples", "100", "--draws", "200", "--html", str(files / "page.html")]
    done = CliRunner().invoke(app, ["score", "--compare", *names, *fixed, *options])
    assert done.exit_code == 0, done.output
    return (files / "page.html").read_text(encoding="utf-8")


def row(page: str, metric: str) -> list[str]:
    (found,) = re.findall(rf"<tr><td><b>{metric}</b>.*?</tr>", page, re.S)
    return [re.sub("<.*?>", "", cell).strip() for cell in re.findall("<td.*?</td>", found, re.S)][2:]


def test_the_page_gives_both_values_their_difference_its_interval_p_and_which_system_is_better(files: Path):
    a, b, difference, p, p_holm, better = row(page_of(files, "a", "b"), "finding_f1")
    assert (a, b) == ("0.000", "0.968")
    assert re.fullmatch(r"\+0\.968 \[0\.\d{3}, 1\.000\]", difference)
    assert (p, p_holm, better) == ("0.005", "0.03", "B")


def test_of_errors_the_system_with_fewer_is_better_and_without_a_verdict_none_is(files: Path):
    page = page_of(files, "a", "b", "--metric", "errors_omission", "--metric", "errors_severity")
    assert row(page, "errors_omission")[2].startswith("-0.5")
    assert row(page, "errors_omission")[-1] == "B"
    assert row(page, "errors_severity")[-1] == "–"


def test_the_reports_that_differ_most_come_first_on_the_side_of_the_better_system_with_their_errors(files: Path):
    page = page_of(files, "a", "b")
    b_better, a_better = page.split("B is better: 10 of 15 reports")[1].split("A is better: 1 of 1 reports")
    assert re.findall("<h3>(s[0-9]+)</h3>", a_better) == ["s00"]
    assert re.findall("<h3>(s[0-9]+)</h3>", b_better)[:2] == ["s03", "s05"]
    assert "误报：左侧气胸" in a_better
    assert '<mark class="false">' in a_better
    assert "遗漏：右侧轻度胸腔积液（生成报告未提及）" in b_better
    assert '<mark class="omitted">胸腔少量积液</mark>' in re.sub(r"\s+", " ", b_better)
    assert "<i>大" not in page
    assert "http" not in page
    assert page.count("人工智能生成</span>") == 2 * 11


def test_a_grave_difference_stands_before_a_slight_one():
    references = {"a": "胸椎退行性变。", "b": "左侧气胸。"}
    corpora = build_corpora(
        dict.fromkeys(references, "双肺清晰。"), references, references, profile="standard", groups=None, truth=None
    )
    assert list(frame_gains(*corpora).items()) == [("b", 1.0), ("a", 1.0)]


def test_systems_with_one_file_name_are_told_by_their_folders(files: Path):
    assert f"<h1>c/b vs. {files.name}/b</h1>" in page_of(files, "b", "c/b")


def test_what_the_reports_tell_of_their_findings_stands_beside_the_reference(files: Path):
    page = page_of(files, "a", "b")
    assert "<td>A</td><td>0</td><td>–</td>" in page
    assert "<td>B</td><td>16</td><td>100%</td><td>94%</td>" in page


def test_the_page_needs_references(files: Path):
    done = CliRunner().invoke(app, ["score", str(files / "a.jsonl"), "--truth", "t.csv", "--html", "p.html"])
    assert done.exit_code == 2
