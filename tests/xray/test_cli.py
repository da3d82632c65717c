"""`xray` as other programs call it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from xray.data.phantom import Style, write_dataset


def xray(*arguments: object, key: str = "") -> subprocess.CompletedProcess[str]:
    code = "from xray.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "XRAY_SITE_KEY": key}
    )


def rows(path: Path, content: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "hospital"
    write_dataset(folder, studies=20, seed=2, style=Style.DEMO, workers=1)
    return folder


@pytest.fixture(scope="module")
def film(hospital: Path) -> Path:
    return sorted((hospital / "films").rglob("*.dcm"))[0]


def test_render_writes_an_eight_bit_grey_png_of_native_size(film: Path, tmp_path: Path) -> None:
    done = xray("render", film, tmp_path / "out.png", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    with Image.open(tmp_path / "out.png") as image:
        assert image.mode == "L"
        assert image.size == (said["columns"], said["rows"])


def test_render_takes_the_long_side_as_size(film: Path, tmp_path: Path) -> None:
    assert xray("render", film, tmp_path / "out.png", "--size", 200).returncode == 0
    with Image.open(tmp_path / "out.png") as image:
        assert max(image.size) == 200
        assert min(image.size) < 200


def test_render_raw_writes_the_stored_values(film: Path, tmp_path: Path) -> None:
    done = xray("render", film, "--raw", tmp_path / "out.npy")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "out.npy"), pydicom.dcmread(film).pixel_array)


def test_a_refused_file_ends_with_3_and_says_why_as_json(tmp_path: Path) -> None:
    text = tmp_path / "letter.dcm"
    text.write_text("Sehr geehrte Damen und Herren", encoding="utf-8")
    done = xray("render", text, tmp_path / "out.png", "--json")
    assert done.returncode == 3
    assert set(json.loads(done.stdout)) == {"code", "why"}
    assert not (tmp_path / "out.png").exists()


def test_a_refused_file_ends_with_3_and_one_line_without_json(tmp_path: Path) -> None:
    done = xray("render", tmp_path / "missing.dcm", tmp_path / "out.png")
    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_prepare_makes_a_store_that_opens(hospital: Path, tmp_path: Path) -> None:
    from xray.data.store import Store

    done = xray("prepare", hospital / "films", hospital / "reports.csv", tmp_path / "store", "--size", 64, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["studies"] == 20 == len(Store.open(tmp_path / "store").studies)


@pytest.fixture
def ward(hospital: Path, tmp_path: Path) -> Path:
    """A copy of the hospital with text burned into one film, and a column of reports that is not called so."""
    films = tmp_path / "ward/films"
    shutil.copytree(hospital / "films", films)
    victim = sorted(films.rglob("*.dcm"))[0]
    dataset = pydicom.dcmread(victim)
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(victim)
    text = (hospital / "reports.csv").read_text(encoding="utf-8").replace(",report,", ",正文一,", 1)
    (tmp_path / "ward/reports.csv").write_text(text, encoding="utf-8")
    return tmp_path / "ward"


def prepare(ward: Path, out: Path, *options: object, key: str = "") -> subprocess.CompletedProcess[str]:
    arguments = ("--column", "report=正文一", "--size", 64, "--workers", 1, *options)
    return xray("prepare", ward / "films", ward / "reports.csv", out, *arguments, key=key)


def test_prepare_says_which_film_was_refused_and_lists_all_in_a_file(ward: Path, tmp_path: Path) -> None:
    done = prepare(ward, tmp_path / "store", "--refused", tmp_path / "refused.txt")
    assert done.returncode == 0, done.stderr
    victim = sorted((ward / "films").rglob("*.dcm"))[0].relative_to(ward / "films").as_posix()
    (line,) = [line for line in done.stderr.splitlines() if line.startswith(f"{victim}: burned_in_annotation: ")]
    assert line in (tmp_path / "refused.txt").read_text(encoding="utf-8").splitlines()
    assert prepare(ward, tmp_path / "store", "--refused", tmp_path / "store/refused.txt").returncode == 2


def test_prepare_warns_of_the_public_key_unless_the_site_has_its_own(ward: Path, tmp_path: Path) -> None:
    assert "XRAY_SITE_KEY" in prepare(ward, tmp_path / "store").stderr
    assert "XRAY_SITE_KEY" not in prepare(ward, tmp_path / "own", key="a secret of the site").stderr


def test_prepare_takes_the_shares_of_the_split_and_of_the_refused_films(ward: Path, tmp_path: Path) -> None:
    done = prepare(ward, tmp_path / "store", "--val", 0, "--test", 0.3, "--split-seed", 3, "--json")
    assert done.returncode == 0, done.stderr
    info = json.loads(done.stdout)
    assert (info["split_val"], info["split_test"], info["split_seed"]) == (0, 0.3, 3)
    assert (info["splits"]["val"]["studies"], info["splits"]["test"]["studies"] > 0) == (0, True)
    strict = prepare(ward, tmp_path / "strict", "--max-refused-fraction", 0)
    assert strict.returncode == 3
    assert "burned_in_annotation" in strict.stderr.splitlines()[0]


@pytest.mark.parametrize("options", [("--column", "report"), ("--column", "reprot=x"), ("--index", "images.csv")])
def test_prepare_refuses_an_option_that_it_could_not_follow(
    ward: Path, tmp_path: Path, options: tuple[str, str]
) -> None:
    done = prepare(ward, tmp_path / "store", *options)
    assert done.returncode == 2
    assert options[0].lstrip("-") in done.stderr


def test_label_gives_the_fourteen_classes_and_the_findings(tmp_path: Path) -> None:
    source = rows(tmp_path / "in.jsonl", [{"id": "a", "text": "左侧胸腔少量积液，未见气胸。"}])
    done = xray("label", source, tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    (row,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(row["labels"]) == 14
    assert (row["labels"]["Pleural Effusion"], row["labels"]["Pneumothorax"], row["labels"]["Fracture"]) == (1, 0, None)
    effusion = next(finding for finding in row["findings"] if finding["concept"] == "pleural_effusion")
    assert (effusion["laterality"], effusion["severity"]) == ("left", "mild")


def test_score_writes_metrics_with_intervals_and_each_reports_values(tmp_path: Path) -> None:
    references = rows(tmp_path / "r.jsonl", [{"id": i, "text": "左侧气胸。"} for i in range(4)])
    predictions = rows(tmp_path / "p.jsonl", [{"id": i, "text": "左侧气胸。" if i else "双肺清晰。"} for i in range(4)])
    done = xray("score", predictions, references, "--out", tmp_path / "scores.json", "--resamples", 200)
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert scores["metrics"]["finding_recall"]["value"] == 0.75
    assert set(scores["metrics"]["finding_f1"]) == {"value", "low", "high", "n"}
    assert scores["per_report"]["0"]["finding_f1"] == 0
    assert scores["per_report"]["1"]["finding_f1"] == 1


@pytest.mark.parametrize(
    "content",
    [
        '{"id": "a"}\n',
        '{"id": "a", "text": "\\ud83d"}\n',
        "not json\n",
        '["a"]\n',
        '{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n',
        "",
    ],
)
def test_rows_that_cannot_be_scored_end_with_3_and_one_line(tmp_path: Path, content: str) -> None:
    broken = tmp_path / "p.jsonl"
    broken.write_text(content, encoding="utf-8")
    references = rows(tmp_path / "r.jsonl", [{"id": "a", "text": "左侧气胸。"}])
    done = xray("score", broken, references)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_module_runs_as_the_command_does():
    done = subprocess.run(
        [sys.executable, "-m", "xray.cli", "score", "absent.jsonl", "absent.jsonl"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)


def test_no_command_writes_over_what_it_reads(hospital: Path, tmp_path: Path):
    reports = tmp_path / "reports.jsonl"
    reports.write_text('{"id": "1", "text": "心影不大。"}\n', encoding="utf-8")
    film = next((hospital / "films").rglob("*.dcm"))
    table = hospital / "reports.csv"
    before = {path: path.read_bytes() for path in (reports, film, table)}
    for arguments in (
        ("label", reports, reports),
        ("score", reports, reports, "--out", reports),
        ("render", film, "--raw", film),
        ("prepare", hospital / "films", table, tmp_path / "store", "--refused", table),
    ):
        done = xray(*arguments)
        assert (done.returncode, "would be overwritten" in done.stderr) == (2, True), arguments
    assert {path: path.read_bytes() for path in before} == before
