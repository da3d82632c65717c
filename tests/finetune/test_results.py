"""When a run is complete, what its manifest names, and what stays when files of it are lost."""

import hashlib
import io
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from finetune.config import RunConfig
from finetune.config_file import load_config
from finetune.console import Screen
from finetune.evaluate import score_run
from finetune.manifest import (
    ADAPTER,
    HEADLINE,
    Case,
    HistoryRow,
    RunManifest,
    ScoresFile,
    TrainingSummary,
    read_json,
    read_records,
)
from finetune.report_page import write_report_page
from finetune.results import is_complete, score_again
from finetune.run import open_run, start_run
from tests.finetune.conftest import quiet_screen
from xray.errors import DataError, XrayError
from xray.lock import locked


@pytest.fixture
def copy(finished_run: Path, tmp_path: Path) -> Path:
    """A complete run that a test may spoil."""
    return shutil.copytree(finished_run, tmp_path / "runs" / finished_run.name)


def config_of(run: Path, *overrides: str) -> RunConfig:
    return load_config(run / "config.resolved.yaml", [f"output_dir={run.parent}", *overrides])


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def recording_console() -> Console:
    return Console(record=True, file=io.StringIO(), width=120)


def assert_the_manifest_is_true(run: Path) -> None:
    for item in read_json(run / "manifest.json", RunManifest).artefacts:
        assert hashlib.sha256((run / item.path).read_bytes()).hexdigest() == item.sha256, item.path


def test_the_manifest_names_every_result_and_nothing_else(finished_run: Path) -> None:
    named = {item.path for item in read_json(finished_run / "manifest.json", RunManifest).artefacts}
    films = {film for case in read_records(finished_run / "references.jsonl", Case) for film in case.images}
    assert films
    assert {path for path in named if path.startswith("films/")} == films
    rest = {name for name in content(finished_run) if not name.startswith(("checkpoints/", "films/"))}
    assert rest - named == {"manifest.json", "processes.jsonl", ".lock"}
    assert_the_manifest_is_true(finished_run)


def test_reviews_in_the_run_folder_are_no_part_of_the_results(copy: Path) -> None:
    (copy / "reviews.sqlite").write_bytes(b"a verdict")
    score_again(copy, config=config_of(copy))
    assert "reviews.sqlite" not in {item.path for item in read_json(copy / "manifest.json", RunManifest).artefacts}


def test_nothing_in_a_complete_run_changes_when_it_is_started_again_with_other_log_settings(copy: Path) -> None:
    before = content(copy)
    config = config_of(copy, "train.logging_steps=3")
    assert start_run(config, screen=quiet_screen(), command="again") == copy
    assert content(copy) == before


def test_looking_at_what_would_run_writes_no_folder(finished_run: Path, tmp_path: Path) -> None:
    config = load_config(finished_run / "config.resolved.yaml", [f"output_dir={tmp_path / 'runs'}"])
    assert open_run(config, screen=quiet_screen(), command="check").folder.name == finished_run.name
    assert not (tmp_path / "runs").exists()


def test_a_run_that_lost_files_makes_them_again_and_trains_nothing(copy: Path, finished_run: Path) -> None:
    film = read_records(copy / "references.jsonl", Case)[0].images[0]
    lost = ["scores.json", "predictions.random_report.jsonl", "predictions.base.jsonl", "systems.png", film]
    for name in lost:
        assert is_complete(copy)
        (copy / name).rename(copy / "away")
        assert not is_complete(copy)
        (copy / "away").rename(copy / name)
    for name in lost:
        (copy / name).unlink()
    console = recording_console()
    assert start_run(config_of(copy), screen=Screen(console), command="again") == copy
    assert "Training is complete" in console.export_text()
    assert is_complete(copy)
    assert_the_manifest_is_true(copy)
    for name in ("scores.json", "predictions.random_report.jsonl", "systems.png", film):
        assert (copy / name).read_bytes() == (finished_run / name).read_bytes(), name


def test_a_lost_adapter_is_brought_back_from_its_checkpoint(copy: Path, finished_run: Path) -> None:
    shutil.rmtree(copy / "adapter")
    start_run(config_of(copy), screen=quiet_screen(), command="again")
    assert content(copy / "adapter") == content(finished_run / "adapter")
    predictions = "predictions.jsonl"
    assert (copy / predictions).read_bytes() == (finished_run / predictions).read_bytes()  # kept, not written again


def test_reports_of_an_adapter_that_is_no_more_are_written_again(copy: Path) -> None:
    record = read_json(copy / "training.json", TrainingSummary)
    other = record.model_copy(update={"adapter_sha256": "0" * 64})
    (copy / "training.json").write_text(other.model_dump_json(), encoding="utf-8")
    (copy / "adapter/adapter_model.safetensors").unlink()
    for name in ("predictions.jsonl", "predictions.base.jsonl"):
        text = (copy / name).read_text(encoding="utf-8")
        (copy / name).write_text(text.replace('"text":"', '"text":"旧'), encoding="utf-8")
    start_run(config_of(copy), screen=quiet_screen(), command="again")
    assert '"text":"旧' not in (copy / "predictions.jsonl").read_text(encoding="utf-8")
    assert '"text":"旧' in (copy / "predictions.base.jsonl").read_text(encoding="utf-8")


def test_scoring_again_keeps_the_curves_when_the_checkpoints_are_deleted(copy: Path) -> None:
    shutil.rmtree(copy / "checkpoints")
    curves = (copy / "curves.png").read_bytes()
    score_again(copy, config=config_of(copy))
    assert (copy / "curves.png").read_bytes() == curves
    drawn = {name for row in read_records(copy / "history.jsonl", HistoryRow) for name in row.values}
    assert {"eval_loss", f"eval_{HEADLINE}"} <= drawn
    assert_the_manifest_is_true(copy)


def test_a_lost_history_comes_from_the_checkpoints_or_not_at_all(copy: Path, finished_run: Path) -> None:
    (copy / "history.jsonl").unlink()
    with pytest.raises(DataError, match=r"history\.jsonl is missing"):
        score_again(copy, config=config_of(copy))
    start_run(config_of(copy), screen=quiet_screen(), command="again")
    assert (copy / "history.jsonl").read_bytes() == (finished_run / "history.jsonl").read_bytes()
    (copy / "history.jsonl").unlink()
    shutil.rmtree(copy / "checkpoints")
    with pytest.raises(DataError, match="no checkpoint is left"):
        start_run(config_of(copy), screen=quiet_screen(), command="again")
    assert content(copy / "adapter") == content(finished_run / "adapter")


@pytest.mark.parametrize(("system", "command"), [("base", "finetune generate"), ("random_report", "finetune run")])
def test_scoring_without_a_systems_predictions_names_the_command_that_makes_them(
    copy: Path, system: str, command: str
) -> None:
    (copy / f"predictions.{system}.jsonl").unlink()
    with pytest.raises(DataError, match=rf"predictions\.{system}\.jsonl lacks .*`{command}`"):
        score_run(copy, profile="standard", resamples=100, seed=0)


def test_a_run_that_another_command_works_in_is_left_alone(copy: Path) -> None:
    (copy / "scores.json").unlink()
    before = content(copy)
    with locked(copy), pytest.raises(XrayError, match="another command"):
        start_run(config_of(copy), screen=quiet_screen(), command="again")
    assert content(copy) == before


def test_the_page_shows_a_dash_for_a_study_whose_score_is_undefined(copy: Path) -> None:
    scores = read_json(copy / "scores.json", ScoresFile)
    undefined = {name: {HEADLINE: None} for name in scores.per_report[ADAPTER]}
    scores = scores.model_copy(update={"per_report": {**scores.per_report, ADAPTER: undefined}})
    write_report_page(copy, manifest=read_json(copy / "manifest.json", RunManifest), scores=scores)
    page = (copy / "report.html").read_text(encoding="utf-8")
    assert "F1 –" in page
    assert "F1 1.00" not in page
