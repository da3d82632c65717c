"""The command line as a user meets it: exit codes, one line for a mistake, never a stack trace."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.finetune.conftest import write_config


def finetune(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from finetune.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


def one_line(text: str) -> str:
    assert "Traceback" not in text
    assert text.strip().count("\n") == 0, text
    return text


def test_help_names_every_command(tmp_path: Path) -> None:
    text = finetune("--help", folder=tmp_path).stdout
    for verb in ("run", "check", "generate", "evaluate", "review", "demo", "models"):
        assert f" {verb} " in text


def test_an_unknown_key_ends_with_2_and_one_line(tmp_path: Path, tiny_base: Path, films: Path) -> None:
    config = write_config(tmp_path, base=tiny_base, films=films)
    done = finetune("run", str(config), "train.learning_rat=1", folder=tmp_path)
    assert done.returncode == 2
    assert "did you mean `train.learning_rate`?" in one_line(done.stderr)


def test_films_that_are_not_there_end_with_3_and_one_line(tmp_path: Path, tiny_base: Path, films: Path) -> None:
    config = write_config(tmp_path, base=tiny_base, films=films)
    done = finetune("run", str(config), f"data.root={tmp_path / 'nowhere'}", folder=tmp_path)
    assert done.returncode == 3
    assert "nowhere" in one_line(done.stderr)


def test_a_base_model_that_is_not_there_ends_with_2_and_one_line(tmp_path: Path, tiny_base: Path, films: Path) -> None:
    config = write_config(tmp_path, base=tmp_path / "no_model", films=films)
    done = finetune("check", str(config), folder=tmp_path)
    assert done.returncode == 2
    assert "model_name_or_path" in one_line(done.stderr)


@pytest.mark.parametrize("verb", ["generate", "evaluate", "review"])
def test_a_folder_that_is_no_run_is_refused_in_one_line(tmp_path: Path, verb: str) -> None:
    done = finetune(verb, str(tmp_path / "nothing"), folder=tmp_path)
    assert done.returncode in {2, 3}
    assert "nothing" in one_line(done.stderr)


def test_check_shows_tokens_mask_and_step_and_trains_nothing(tmp_path: Path, tiny_base: Path, films: Path) -> None:
    config = write_config(tmp_path, base=tiny_base, films=films)
    done = finetune("check", str(config), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "image tokens>" in done.stdout
    assert "<|im_end|>]" in done.stdout
    assert "tensors with a gradient" in done.stdout
    assert not list(tmp_path.glob("runs/*/checkpoints"))


def test_check_refuses_a_limit_that_would_cut_reports(tmp_path: Path, tiny_base: Path, films: Path) -> None:
    config = write_config(tmp_path, base=tiny_base, films=films)
    done = finetune("check", str(config), "generate.max_new_tokens=20", folder=tmp_path)
    assert done.returncode == 3
    assert "generate.max_new_tokens" in done.stderr


def test_a_finished_run_is_scored_again_from_its_folder_alone(finished_run: Path, tmp_path: Path) -> None:
    done = finetune("evaluate", str(finished_run), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "nearest neighbour's report" in done.stdout


def test_a_finished_run_writes_lost_reports_again_from_its_folder_alone(finished_run: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(finished_run, tmp_path / finished_run.name)
    (copy / "predictions.jsonl").unlink()
    done = finetune("generate", str(copy), folder=tmp_path)
    assert done.returncode == 0, done.stderr

    def texts(folder: Path) -> list[str]:
        from finetune.manifest import Prediction, read_records

        return [row.text for row in read_records(folder / "predictions.jsonl", Prediction)]

    assert texts(copy) == texts(finished_run)
