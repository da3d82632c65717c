"""Runs without a model, to try the review page on."""

from collections.abc import Callable
from pathlib import Path

from finetune.config import RunConfig
from finetune.manifest import ADAPTER, Case, Prediction, RunManifest, ScoresFile, read_json, read_records
from finetune.sample import NO_MODEL, SAMPLE_RUNS, with_errors, write_sample
from tests.finetune.conftest import quiet_screen

REPORTS = {str(number): "右侧胸腔少量积液。心影轻度增大。未见气胸。右肺上叶结节。" for number in range(200)}


def test_planted_errors_are_as_many_as_the_sample_says_and_always_the_same():
    first, second = (with_errors(REPORTS, sample=sample) for sample in SAMPLE_RUNS)
    wrong = [sum(text != REPORTS[key] for key, text in texts.items()) for texts in (first, second)]
    assert 60 <= wrong[0] <= 120 < wrong[1] <= 180
    assert with_errors(REPORTS, sample=SAMPLE_RUNS[0]) == first


def test_two_runs_are_written_once_and_say_that_no_model_is_behind_them(
    tmp_path: Path, make_config: Callable[..., RunConfig]
):
    def write() -> tuple[Path, ...]:
        return write_sample(tmp_path / "out", config=make_config(tmp_path), screen=quiet_screen(), command="test")

    folders = write()
    times = [(folder / "manifest.json").stat().st_mtime_ns for folder in folders]
    assert [(folder / "manifest.json").stat().st_mtime_ns for folder in write()] == times
    for folder in folders:
        manifest = read_json(folder / "manifest.json", RunManifest)
        assert manifest.base_model.name_or_path == NO_MODEL
        assert not (folder / ADAPTER).exists()
        cases = read_records(folder / "references.jsonl", Case)
        assert {row.id for row in read_records(folder / "predictions.jsonl", Prediction)} == {case.id for case in cases}
        assert ADAPTER in read_json(folder / "scores.json", ScoresFile).systems
