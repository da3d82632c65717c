"""`xray score` in this process."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner

from xray.cli import app
from xray.commands.score_tables import SHOWN
from xray.errors import DataError
from xray.metrics.systems import COMPARED

NORMAL, EFFUSION = "双肺清晰，未见气胸。", "右侧胸腔积液。"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Forty reports of twenty patients; system A never finds the effusion, B always does, C is B with another id."""
    texts = [EFFUSION if number % 2 else NORMAL for number in range(40)]
    write(tmp_path / "r.jsonl", [{"id": i, "text": t, "patient_key": f"p{i // 2}"} for i, t in enumerate(texts)])
    write(tmp_path / "a.jsonl", [{"id": i, "text": NORMAL} for i in range(40)])
    write(tmp_path / "b.jsonl", [{"id": i, "text": t} for i, t in enumerate(texts)])
    write(tmp_path / "c.jsonl", [{"id": i + 1, "text": t} for i, t in enumerate(texts)])
    lines = [f"{i},{'1' if t == EFFUSION else '0'},p{i // 4}" for i, t in enumerate(texts)]
    (tmp_path / "t.csv").write_text("\n".join(["id,Pleural Effusion,patient_key", *lines]), encoding="utf-8")
    return tmp_path


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def run(files: Path, *options: str):
    named = [str(files / option) if re.search(r"\.(jsonl|csv|json)$", option) else option for option in options]
    done = CliRunner().invoke(app, ["score", *named, "--resamples", "100"], env={"COLUMNS": "100"})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_the_file_of_scores_carries_all_that_makes_its_numbers_comparable(files: Path):
    done = run(files, "b.jsonl", "r.jsonl", "--out", "s.json")
    content = json.loads((files / "s.json").read_text(encoding="utf-8"))
    assert content["schema_version"] == 2
    assert {"metrics", "per_report", "per_class", "profile", "signature", "bootstrap"} <= set(content)
    assert (content["n"], content["units"], len(content["lexicon"]), len(content["split"])) == (40, 20, 64, 64)
    assert set(content["signatures"]) == set(content["metrics"])
    assert content["per_class"]["Pleural Effusion"]["f1_low"] == 1.0
    assert f"split:{content['split'][:8]}" in done.stdout
    assert "Pleural Effusion" in done.stdout
    assert done.stderr.count("warning: fewer than 30 positives") == 1


@pytest.mark.parametrize(
    "options", [("b.jsonl", "r.jsonl", "--compare", "a.jsonl"), ("--compare", "a.jsonl", "b.jsonl", "r.jsonl")]
)
def test_two_systems_are_compared_with_differences_intervals_and_p(files: Path, options: tuple[str, ...]):
    done = run(files, *options, "--out", "s.json", "--draws", "200")
    assert done.exit_code == 0
    (line,) = [line for line in done.stdout.splitlines() if " finding_f1 " in line]
    assert line.split() == ["finding_f1", "0.000", "1.000", "1.000", "[1.000,", "1.000]", "0.005", "0.03", "*"]
    assert "20 of 20 patients that differ" in " ".join(done.stdout.split())
    content = json.loads((files / "s.json").read_text(encoding="utf-8"))
    comparison = content["comparison"]
    assert tuple(comparison["metrics"]) == COMPARED
    assert comparison["metrics"]["finding_f1"]["p"] == 1 / 201
    assert (Path(comparison["a_file"]).name, Path(comparison["b_file"]).name) == ("a.jsonl", "b.jsonl")
    assert comparison["split"] == content["split"]
    assert content["metrics"]["finding_f1"]["value"] == 1.0


def test_the_second_system_is_scored_whole_only_for_the_file_of_scores(files: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("scored whole")

    monkeypatch.setattr("xray.metrics.scoring.score_corpus", refuse)
    assert run(files, "--compare", "a.jsonl", "b.jsonl", "r.jsonl").exit_code == 0
    with pytest.raises(AssertionError, match="scored whole"):
        run(files, "--compare", "a.jsonl", "b.jsonl", "r.jsonl", "--out", "s.json")


def test_training_reports_that_are_the_references_or_of_their_patients_are_warned_of(files: Path):
    assert "r.jsonl holds what is scored" in run(files, "a.jsonl", "r.jsonl", "--train", "r.jsonl").stderr
    write(files / "other.jsonl", [{"id": f"t{n}", "text": NORMAL, "patient_key": f"p{n + 19}"} for n in range(3)])
    done = run(files, "a.jsonl", "r.jsonl", "--train", "other.jsonl", "--out", "s.json")
    assert "what was trained on it is not tested here: 0 of 40 reports, 1 patients" in done.stderr
    assert "other.jsonl holds" in json.loads((files / "s.json").read_text(encoding="utf-8"))["warnings"][0]
    write(files / "apart.jsonl", [{"id": n, "text": f"{n}{NORMAL}", "patient_key": f"q{n}"} for n in range(3)])
    assert "holds what is scored" not in run(files, "a.jsonl", "r.jsonl", "--train", "apart.jsonl").stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no reports"),
        (b"\n \n", "holds no reports"),
        (b'{"study": 1, "report": "x"}', r'needs "id" and "text", a string. It has: study \(int\), report \(str\)'),
        (b'{"id": 1, "text": null}', r"It has: id \(int\), text \(NoneType\)"),
        (b"id,text\n1,x\n", r'line 1: not JSON .* Each line is an object {"id", "text"}'),
        (b'[{"id": 1, "text": "x"}]', "a row must be an object"),
        (b'{"id": "1", "text": "x"}\n{"id": 1, "text": "y"}', "1 id: 1 more than once"),
        ('{"id": 1, "text": "氣胸"}'.encode("big5"), "neither UTF-8 nor Chinese GB18030"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_what_it_holds(files: Path, content: bytes, said: str):
    (files / "p.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=said):
        run(files, "p.jsonl", "r.jsonl")


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "utf-8-sig"])
def test_reports_in_the_usual_encodings_are_read(files: Path, encoding: str):
    text = (files / "b.jsonl").read_text(encoding="utf-8")
    (files / "b.jsonl").write_text(text, encoding=encoding)
    assert " 1.000 [1.000, 1.000]" in run(files, "b.jsonl", "r.jsonl").stdout


def test_the_metrics_to_compare_can_be_named(files: Path):
    done = run(files, "b.jsonl", "r.jsonl", "--compare", "a.jsonl", "--metric", "finding_recall", "--metric", "chrf")
    assert "finding_recall" in done.stdout
    assert "bleu4_char" not in done.stdout
    assert "correction for 2 metrics" in done.stdout


def test_systems_with_other_ids_are_refused(files: Path):
    with pytest.raises(DataError):
        run(files, "b.jsonl", "r.jsonl", "--compare", "c.jsonl")


def test_a_table_of_labels_is_the_truth_with_its_own_patients_and_needs_no_references(files: Path):
    done = run(files, "b.jsonl", "--truth", "t.csv", "--out", "s.json")
    assert done.exit_code == 0
    content = json.loads((files / "s.json").read_text(encoding="utf-8"))
    assert (content["truth"], content["units"], content["metrics"]["finding_f1"]["value"]) == ("table", 10, 1.0)
    assert "bleu4_char" not in content["metrics"]
    assert "the truth never states this class, it is not judged: No Finding, " in done.stderr


def test_with_references_and_a_truth_texts_and_labels_are_scored(files: Path):
    run(files, "a.jsonl", "r.jsonl", "--truth", "t.csv", "--out", "s.json")
    content = json.loads((files / "s.json").read_text(encoding="utf-8"))
    assert (content["units"], content["metrics"]["finding_f1"]["value"]) == (20, 0.0)
    assert content["metrics"]["exact_match"]["value"] == 0.5


@pytest.mark.parametrize("options", [("b.jsonl",), ("b.jsonl", "r.jsonl", "--metric", "chrf")])
def test_what_cannot_be_followed_ends_with_2(files: Path, options: tuple[str, ...]):
    assert run(files, *options).exit_code == 2


def test_the_readme_names_every_option_and_the_metrics_of_the_screen():
    said = CliRunner().invoke(app, ["score", "--help"]).stdout
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    section = readme.split("## The scores")[1].split("\n## ")[0]
    options = set(re.findall(r"(?m)^ +(--[a-z]+)", said)) - {"--help"}
    assert len(options) == 11
    assert {option for option in options if option not in section} == set()
    named = [f"finding_f1{name}" if name[0] == "_" else name for name in re.findall("`([a-z0-9_*]+)`", section)]
    assert [name for name in SHOWN if not any(fnmatch(name, known) for known in named)] == []


def test_the_help_shows_how_two_systems_are_compared():
    said = " ".join(CliRunner().invoke(app, ["score", "--help"]).stdout.split())
    assert "xray score --compare A.jsonl B.jsonl REFERENCES.jsonl" in said
