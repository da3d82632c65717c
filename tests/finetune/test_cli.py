"""The command line as a user meets it: exit codes, one line for a mistake, never a stack trace."""

import contextlib
import hashlib
import io
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from finetune import cli
from finetune.config import RunConfig
from finetune.manifest import Prediction, RunManifest, read_json, read_records
from tests.finetune.conftest import write_config
from xray.lock import locked


def finetune(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the command says and how it ends; in this process, since starting one costs more than most commands."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["finetune", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        cli.main()
    code = ended.value.code
    return subprocess.CompletedProcess(arguments, code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def one_line(text: str) -> str:
    assert "Traceback" not in text
    assert text.strip().count("\n") == 0, text
    return text


def test_help_names_every_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "finetune.cli", "--help"]
    text = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120).stdout
    for verb in ("run", "check", "generate", "evaluate", "review", "chat", "merge", "serve", "demo", "models"):
        assert f" {verb} " in text


def test_no_process_of_ours_shows_what_bitsandbytes_warns_of_when_it_is_imported(tmp_path: Path) -> None:
    code = "import logging, finetune; logging.getLogger('bitsandbytes.backends.cpu.ops').warning('no kernel')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


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
    assert not (tmp_path / "runs").exists()


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
    copy = shutil.copytree(finished_run, tmp_path / finished_run.name)
    (copy / "predictions.jsonl").unlink()
    done = finetune("generate", str(copy), folder=tmp_path)
    assert done.returncode == 0, done.stderr

    def texts(folder: Path) -> list[str]:
        return [row.text for row in read_records(folder / "predictions.jsonl", Prediction)]

    assert texts(copy) == texts(finished_run)
    for item in read_json(copy / "manifest.json", RunManifest).artefacts:
        assert hashlib.sha256((copy / item.path).read_bytes()).hexdigest() == item.sha256, item.path


@pytest.mark.parametrize("verb", ["generate", "evaluate"])
def test_a_second_command_on_the_same_run_ends_with_one_line(finished_run: Path, tmp_path: Path, verb: str) -> None:
    with locked(finished_run):
        done = finetune(verb, str(finished_run), folder=tmp_path)
    assert done.returncode == 1
    assert f"another command is at work in {finished_run}" in one_line(done.stderr)


def test_the_last_line_of_a_run_can_be_typed_as_it_stands(finished_run: Path, tmp_path: Path) -> None:
    script = tmp_path / "an environment" / "finetune"
    script.parent.mkdir()
    script.write_text('from finetune.cli import main\nif __name__ == "__main__":\n    main()\n', encoding="utf-8")
    moved = tmp_path / "my runs"
    shutil.copytree(finished_run, moved / finished_run.name)
    command = [sys.executable, str(script), "run", str(finished_run / "config.resolved.yaml"), f"output_dir={moved}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1].removeprefix("Review:")
    assert shlex.split(last) == [str(script), "review", str(moved / finished_run.name)]


def test_a_script_on_the_path_is_called_by_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("one", "two"):
        script = tmp_path / folder / "finetune"
        script.parent.mkdir()
        script.write_text("#!/bin/sh\n", encoding="utf-8")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "one"))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "one/finetune"), "demo"])
    assert cli._as_typed() == ["finetune"]
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "two/finetune"), "demo"])
    assert cli._as_typed() == [str(tmp_path / "two/finetune")]
    monkeypatch.setattr(sys, "argv", [cli.__file__, "demo"])
    assert cli._as_typed() == ["python", "-m", "finetune.cli"]


@pytest.mark.parametrize("name", ["2024", "true", "ward: 7"])
def test_the_demo_takes_any_folder_name_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    started: list[RunConfig] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_start", started.append)
    monkeypatch.setattr("xray.data.phantom.write_dataset", lambda *_, **__: None)
    cli.demo(Path(name), studies=20)
    assert started[0].data.root == Path(name)


def test_ending_the_review_command_ends_its_page(finished_run: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = shutil.copytree(finished_run, tmp_path / finished_run.name)
    code = "from finetune.cli import main; main()"
    command = [sys.executable, "-c", code, "review", str(run), "--port", str(port), "--headless"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            assert wait_until(lambda: answers(port), seconds=60)
        finally:
            process.terminate()
        assert process.wait(timeout=30) != 0
    assert wait_until(lambda: not answers(port), seconds=10)


def answers(port: int) -> bool:
    with socket.socket() as page:
        return page.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()
