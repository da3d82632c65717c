"""The page of scores, the baselines beside them, and the numbers of other tools."""

import json
import re
from pathlib import Path

import pytest
from markupsafe import escape
from typer.testing import CliRunner

from xray.cli import app
from xray.metrics import score
from xray.metrics.meanings import MEANINGS
from xray.metrics.page import worst_reports

REFERENCES = {
    "a": "右侧胸腔少量积液。",
    "b": "心影增大。两肺未见明显实质性病变。",
    "c": "左侧气胸，肺组织压缩约百分之三十。",
    "d": "双肺野清晰，心影不大。",
}
PREDICTIONS = {**REFERENCES, "a": "左侧胸腔大量积液。<b>右肺结节。</b>", "c": "双肺野清晰，心影不大。"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, texts in (("pred", PREDICTIONS), ("ref", REFERENCES), ("train", {"x": "双肺清晰。", "y": "右肺结节。"})):
        rows = [json.dumps({"id": key, "text": text}, ensure_ascii=False) for key, text in texts.items()]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def run(folder: Path, *options: str) -> str:
    arguments = ["score", str(folder / "pred.jsonl"), str(folder / "ref.jsonl"), "--resamples", "100", *options]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_page_shows_the_worst_reports_with_their_errors_and_asks_nobody_for_anything(files: Path):
    run(files, "--html", str(files / "page.html"))
    page = (files / "page.html").read_text(encoding="utf-8")
    assert page.index("遗漏：左侧气胸") < page.index("侧别错误：胸腔积液，生成为左侧，参考为右侧")
    assert "程度错误：胸腔积液，生成为重度，参考为轻度" in page
    assert '<mark class="false">' in page
    assert "人工智能生成" in page
    assert "<b>右肺" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "constant normal report" in page


def test_the_page_explains_each_metric_and_says_what_the_reports_tell(files: Path):
    told = run(files, "--html", str(files / "page.html"))
    assert "what each metric means, its range and which way is better: --html PAGE.html" in told
    page = (files / "page.html").read_text(encoding="utf-8")
    for meaning in MEANINGS.values():
        assert meaning.zh in page
        assert str(escape(meaning.en)) in page
    assert "−1…1 ↑" in page
    assert "≥ 0 ↓" in page
    assert re.search(r"<td>参考报告 reference</td><td>3</td><td>67%</td><td>33%</td><td>0%</td>", page)
    assert re.search(r"generated +3 +67% +33% +0%", told)


def test_reports_are_sorted_from_the_worst_and_perfect_ones_left_out():
    report = score(PREDICTIONS, REFERENCES, resamples=0)
    assert worst_reports(report) == ["c", "a"]
    assert worst_reports(report, count=1) == ["c"]


def test_one_normal_report_stands_beside_every_score_and_a_random_one_where_training_reports_are_given(files: Path):
    assert "one normal" in run(files)
    told = run(files, "--train", str(files / "train.jsonl"), "--out", str(files / "scores.json"))
    assert "random" in told
    content = json.loads((files / "scores.json").read_text(encoding="utf-8"))
    assert set(content["baselines"]) == {"constant normal report", "random training report"}
    assert content["baselines"]["constant normal report"]["finding_f1"]["value"] == 0.0


def test_other_tools_are_named_with_their_values_and_signatures(files: Path):
    told = run(files, "--also", "sacrebleu_zh", "--also", "coco_char", "--out", str(files / "scores.json"))
    assert "as sacrebleu_zh prints it" in told
    assert "compat:coco_char" in told
    content = json.loads((files / "scores.json").read_text(encoding="utf-8"))
    assert content["other_tools"]["coco_char"]["metrics"]["coco_char_bleu1"]["n"] == 4


@pytest.mark.parametrize("options", [("--also", "meteor"), ("--compare", "pred.jsonl", "--train", "train.jsonl")])
def test_what_does_not_belong_together_is_refused(files: Path, options: tuple[str, ...], monkeypatch):
    monkeypatch.chdir(files)
    done = CliRunner().invoke(app, ["score", "pred.jsonl", "ref.jsonl", *options])
    assert done.exit_code != 0
