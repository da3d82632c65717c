"""One whole run, from DICOM files to a manifest, and what is in its folder."""

import csv
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from finetune.checkpoints import delete_half_written, last_checkpoint
from finetune.config import ModelConfig, RunConfig
from finetune.config_file import load_config
from finetune.console import Screen
from finetune.evaluate import score_run
from finetune.manifest import SYSTEMS, Case, Prediction, RunManifest, ScoresFile, read_json, read_records
from finetune.models.loading import LoadedModel, load_base
from finetune.run import start_run
from finetune.training_time import read_processes
from tests.finetune.conftest import quiet_screen, write_config
from xray.errors import DataError


def test_the_folder_is_named_after_the_run_its_content_and_its_seed(finished_run: Path) -> None:
    name, digest, seed = finished_run.name.split("-")
    assert (name, seed) == ("tiny", "0")
    assert len(digest) == 8
    int(digest, 16)


def test_the_folder_holds_everything_a_reader_of_the_results_needs(finished_run: Path) -> None:
    expected = {
        "config.resolved.yaml",
        "manifest.json",
        "scores.json",
        "predictions.jsonl",
        "references.jsonl",
        "report.html",
    }
    assert expected | {"curves.png", "systems.png", "adapter", "checkpoints", "films"} <= set(os.listdir(finished_run))
    assert {"adapter_config.json", "adapter_model.safetensors"} <= set(os.listdir(finished_run / "adapter"))


def test_the_scores_hold_every_system_with_value_interval_and_count(finished_run: Path) -> None:
    content = json.loads((finished_run / "scores.json").read_text(encoding="utf-8"))
    assert tuple(content["systems"]) == SYSTEMS
    assert content["headline"] == "finding_f1"
    for metrics in content["systems"].values():
        assert set(metrics["finding_f1"]) == {"value", "low", "high", "n"}
        assert metrics["finding_f1"]["n"] == len(read_records(finished_run / "references.jsonl", Case))


def test_every_system_has_one_prediction_for_every_test_study(finished_run: Path) -> None:
    wanted = [case.id for case in read_records(finished_run / "references.jsonl", Case)]
    files = ["predictions.jsonl", *(f"predictions.{system}.jsonl" for system in SYSTEMS if system != "adapter")]
    for name in files:
        assert sorted(row.id for row in read_records(finished_run / name, Prediction)) == sorted(wanted)


def test_the_manifest_names_code_data_and_model(finished_run: Path) -> None:
    manifest = read_json(finished_run / "manifest.json", RunManifest)
    assert manifest.run_id == finished_run.name
    assert manifest.base_model.quantization == "nf4, double"
    assert manifest.base_model.parameters > 0
    assert manifest.data.leakage["patients"] == 0
    assert {"torch", "transformers", "peft", "bitsandbytes"} <= set(manifest.environment.packages)


def test_no_patient_of_the_table_is_counted_in_two_splits_and_no_study_is_lost(finished_run: Path, films: Path) -> None:
    data = read_json(finished_run / "manifest.json", RunManifest).data
    with (films / "reports.csv").open(encoding="utf-8-sig", newline="") as table:
        patient_of = {row["study_uid"]: row["patient_id"] for row in csv.DictReader(table)}
    patients = len(set(patient_of.values()))
    assert patients < len(patient_of)  # some have several studies, which a split by study would tear apart
    assert sum(data.patients.values()) == patients
    assert sum(data.studies.values()) == len(patient_of)


def test_the_films_of_the_test_studies_are_kept_as_the_model_saw_them(finished_run: Path) -> None:
    for case in read_records(finished_run / "references.jsonl", Case):
        for name in case.images:
            with Image.open(finished_run / name) as film:
                assert (film.mode, film.size) == ("L", (96, 96))


def test_the_page_of_results_needs_no_other_file_and_no_network(finished_run: Path) -> None:
    page = (finished_run / "report.html").read_text(encoding="utf-8")
    assert "人工智能生成" in page
    assert "data:image/jpeg;base64," in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


def test_a_complete_run_is_shown_again_and_not_repeated(finished_run: Path) -> None:
    config = load_config(finished_run / "config.resolved.yaml")
    before = {path: path.stat().st_mtime_ns for path in finished_run.rglob("*.jsonl")}
    console = Console(record=True, file=open(os.devnull, "w", encoding="utf-8"), width=120)  # noqa: SIM115
    assert start_run(config, screen=Screen(console), command="again") == finished_run
    assert {path: path.stat().st_mtime_ns for path in finished_run.rglob("*.jsonl")} == before
    text = console.export_text()
    assert "is complete" in text
    assert "adapter, films shuffled" in text


def test_a_lost_score_file_is_made_again_with_the_same_numbers(finished_run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished_run, tmp_path / finished_run.name)
    (copy / "scores.json").unlink()
    score_run(copy, profile="standard", resamples=100, seed=0)
    assert read_json(copy / "scores.json", ScoresFile) == read_json(finished_run / "scores.json", ScoresFile)


def test_too_few_patients_for_three_splits_is_a_data_error(
    make_config: Callable[..., RunConfig], films: Path, tmp_path: Path
) -> None:
    lines = (films / "reports.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    short = tmp_path / "short.csv"
    short.write_text("".join(lines[:3]), encoding="utf-8")
    config = make_config(tmp_path, f"data.reports={short}")
    with pytest.raises(DataError):
        start_run(config, screen=quiet_screen(), command="")


def test_a_checkpoint_that_a_kill_left_half_written_is_not_resumed(tmp_path: Path) -> None:
    for step, state in ((2, '{"global_step": 2}'), (4, '{"global_'), (6, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state, encoding="utf-8")
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-2"
    assert len(os.listdir(tmp_path)) == 3  # looking deletes nothing
    delete_half_written(tmp_path)
    assert os.listdir(tmp_path) == ["checkpoint-2"]


def test_the_trained_model_is_gone_before_the_next_one_is_loaded(
    make_config: Callable[..., RunConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[weakref.ref[object]] = []

    def load(settings: ModelConfig) -> LoadedModel:
        assert [model for model in loaded if model() is not None] == []
        base = load_base(settings)
        loaded.append(weakref.ref(base.model))
        return base

    monkeypatch.setattr("finetune.run.load_base", load)
    monkeypatch.setattr("finetune.systems.load_base", load)
    gc.disable()  # otherwise it may be gone by chance
    try:
        start_run(make_config(tmp_path, "train.max_steps=2"), screen=quiet_screen(), command="")
    finally:
        gc.enable()
    assert len(loaded) == 2  # for training, and for the reports


def test_training_stops_early_when_the_clinical_score_does_not_rise(
    make_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    config = make_config(tmp_path, "train.max_steps=10", "train.early_stopping_patience=1")
    folder = start_run(config, screen=quiet_screen(), command="")
    training = read_json(folder / "manifest.json", RunManifest).training
    assert training.steps == 4  # an untrained model scores 0 at both evaluations


def test_between_equal_scores_the_checkpoint_with_the_lower_loss_is_kept(finished_run: Path) -> None:
    manifest = read_json(finished_run / "manifest.json", RunManifest)
    state = json.loads((finished_run / "checkpoints/checkpoint-4/trainer_state.json").read_text(encoding="utf-8"))
    losses = {row["step"]: row["eval_loss"] for row in state["log_history"] if "eval_loss" in row}
    assert manifest.training.best_metric == 0
    assert manifest.training.best_step == min(losses, key=lambda step: losses[step])


def test_a_run_killed_after_its_last_checkpoint_trains_no_step_more(
    finished_run: Path, tmp_path: Path, make_config: Callable[..., RunConfig]
) -> None:
    moved = tmp_path / "runs"
    copy = shutil.copytree(finished_run, moved / finished_run.name)
    for name in ("training.json", "manifest.json", "scores.json"):
        (copy / name).unlink()
    config = load_config(finished_run / "config.resolved.yaml", [f"output_dir={moved}"])
    assert start_run(config, screen=quiet_screen(), command="") == copy
    manifest = read_json(copy / "manifest.json", RunManifest)
    again, before = manifest.training, read_json(finished_run / "manifest.json", RunManifest).training
    assert (again.steps, again.best_step, again.adapter_sha256) == (4, before.best_step, before.adapter_sha256)
    assert (before.resumed_from, again.resumed_from) == ([], [4])
    assert manifest.seconds["train"] == again.seconds > before.seconds  # of both processes


@pytest.fixture(scope="module")
def uninterrupted(tiny_base: Path, films: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """What a run that is left alone makes."""
    folder = tmp_path_factory.mktemp("whole")
    write_config(folder, base=tiny_base, films=films)
    assert run_command(folder).wait(timeout=300) == 0
    return adapter_bytes(folder)


@pytest.mark.slow
@pytest.mark.parametrize("stop_after", ["checkpoint-2/trainer_state.json", "checkpoint-4/optimizer.pt"])
def test_a_run_killed_in_training_ends_with_the_same_adapter_bytes(
    tiny_base: Path, films: Path, tmp_path: Path, uninterrupted: tuple[bytes, bytes], stop_after: str
) -> None:
    killed = tmp_path
    write_config(killed, base=tiny_base, films=films)
    process = run_command(killed)
    wait_for(killed, f"runs/*/checkpoints/{stop_after}", process)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    assert not list(killed.glob("runs/*/training.json"))
    assert run_command(killed).wait(timeout=300) == 0
    assert adapter_bytes(killed) == uninterrupted
    (manifest,) = killed.glob("runs/*/manifest.json")
    training = read_json(manifest, RunManifest).training
    first, second = read_processes(manifest.with_name("processes.jsonl"))
    assert first.resumed_from == 0 < second.resumed_from
    assert training.resumed_from == [second.resumed_from]
    assert training.seconds == pytest.approx(first.seconds + second.seconds, abs=0.01)


def run_command(folder: Path) -> subprocess.Popen[bytes]:
    code = "from finetune.cli import main; main()"
    quick = ("train.max_steps=6", "generate.max_new_tokens=80")
    arguments = [sys.executable, "-c", code, "run", str(folder / "tiny.yaml"), *quick]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(arguments, cwd=folder, stdout=log, stderr=log)


def wait_for(folder: Path, pattern: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 200
    while not list(folder.glob(pattern)):
        assert process.poll() is None, (folder / "log.txt").read_text(encoding="utf-8")
        assert time.monotonic() < deadline, f"{pattern} never came"
        time.sleep(0.005)


def adapter_bytes(folder: Path) -> tuple[bytes, bytes]:
    (adapter,) = folder.glob("runs/*/adapter")
    return (adapter / "adapter_model.safetensors").read_bytes(), (adapter / "adapter_config.json").read_bytes()
