"""`python -m app`: what it refuses in one line, which port it takes, and what it never imports."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.__main__ import ADDRESS, free_port, main, streamlit_command
from app.run import find_runs, load_run, readable_runs
from app.settings import Settings
from xray.errors import ConfigError, DataError

EVERY_MODULE = """
import importlib, pkgutil, sys
import app
for module in pkgutil.walk_packages(app.__path__, "app."):
    importlib.import_module(module.name)
heavy = {"torch", "transformers", "peft", "bitsandbytes", "sklearn"} & set(sys.modules)
print(sorted(heavy), len([name for name in sys.modules if name.startswith("app.")]))
"""


@pytest.mark.parametrize("content", ["nothing", "a missing folder", "an unfinished run", "a damaged run"])
def test_a_folder_that_is_no_finished_run_is_refused_in_one_line(
    tmp_path: Path, make_run: Callable[..., Path], capsys: pytest.CaptureFixture[str], content: str
):
    project = tmp_path / "project"
    if content != "a missing folder":
        make_run(project)
    if content == "nothing":
        project = tmp_path
        os.rename(project / "project" / "manifest.json", project / "project" / "elsewhere")
    if content == "an unfinished run":
        (project / "manifest.json").unlink()
    if content == "a damaged run":
        (project / "scores.json").write_text('{"profile": 3}')
    assert main(["--project", str(project), "--headless"]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1


def test_a_refused_folder_gets_no_review_file(tmp_path: Path):
    main(["--project", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("port", ["70000", "65536", "0", "-1", "1e3", "8501 "])
def test_what_is_no_port_is_refused_before_anything_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], port: str
):
    with pytest.raises(SystemExit) as ended:
        main(["--project", str(tmp_path), f"--port={port}"])
    assert ended.value.code == 2
    assert "from 1 to 65535" in capsys.readouterr().err


def test_a_wanted_port_that_is_taken_is_a_configuration_error(run_folder: Path, capsys: pytest.CaptureFixture[str]):
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--project", str(run_folder), "--port", str(port)]) == 2
    assert f"Port {port}" in capsys.readouterr().err


def test_without_a_wish_a_taken_port_is_passed_over():
    first = free_port(None)
    with socket.create_server((ADDRESS, first)):
        assert free_port(None) > first
        with pytest.raises(ConfigError):
            free_port(first)


def test_the_server_is_started_private_and_without_telemetry():
    command = streamlit_command(8501, headless=True)
    for option in (
        "--server.address=127.0.0.1",
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        "--server.enableStaticServing=false",
        "--runner.postScriptGC=false",
    ):
        assert option in command


def test_reviews_lie_in_the_project_unless_another_database_is_named(tmp_path: Path):
    assert Settings.of(tmp_path).database == str(tmp_path / "reviews.sqlite")
    assert Settings.of(tmp_path, database=str(tmp_path / "x" / ".." / "y")).database == str(tmp_path / "y")
    assert Settings.of(tmp_path, database="postgresql://host/x").database == "postgresql://host/x"


@pytest.mark.parametrize("named", [None, "mine.sqlite", "postgresql+psycopg://reader@host/reviews"])
def test_the_pages_read_the_settings_that_the_starter_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
):
    settings = Settings.of(tmp_path, database=named)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment() == settings


def test_a_project_that_takes_no_reviews_is_refused_with_the_remedy(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
):
    (run_folder / "reviews.sqlite").mkdir()
    assert main(["--project", str(run_folder), "--headless"]) == 3
    message = capsys.readouterr().err
    assert "--database FILE" in message
    assert message.count("\n") == 1


def cut_last_line(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def drop_last_line(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("references.jsonl", Path.unlink),
        ("references.jsonl", cut_last_line),
        ("references.jsonl", drop_last_line),
        ("predictions.jsonl", Path.unlink),
        ("predictions.jsonl", cut_last_line),
        ("predictions.jsonl", empty),
    ],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_a_complete_run_that_has_lost_studies_or_reports_is_refused_by_file_name(
    run_folder: Path, name: str, spoil: Callable[[Path], None]
):
    spoil(run_folder / name)
    with pytest.raises(DataError, match=name):
        load_run(run_folder)


def test_a_folder_of_runs_lists_only_finished_ones(tmp_path: Path, make_run: Callable[..., Path]):
    make_run(tmp_path / "done")
    make_run(tmp_path / "open")
    (tmp_path / "open" / "manifest.json").unlink()
    assert find_runs(tmp_path) == (tmp_path / "done",)
    with pytest.raises(DataError):
        find_runs(tmp_path / "open")


def aged(folder: Path, *, seconds: int) -> Path:
    os.utime(folder / "manifest.json", (seconds, seconds))
    return folder


def test_a_damaged_run_is_left_out_and_named_in_the_log(
    tmp_path: Path, make_run: Callable[..., Path], caplog: pytest.LogCaptureFixture
):
    older = aged(make_run(tmp_path / "older", run_id="older"), seconds=1)
    for number, name in enumerate(("manifest.json", "scores.json", "references.jsonl")):
        (make_run(tmp_path / f"damaged{number}", run_id=f"damaged{number}") / name).write_text("{", encoding="utf-8")
    assert readable_runs(find_runs(tmp_path)) == {"older": older}
    assert all(f"damaged{number}" in caplog.text for number in range(3))


def test_a_copy_of_a_run_does_not_replace_the_newer_one(
    tmp_path: Path, make_run: Callable[..., Path], caplog: pytest.LogCaptureFixture
):
    aged(make_run(tmp_path / "a-copy"), seconds=1)
    aged(make_run(tmp_path / "z-copy"), seconds=2)
    newest = make_run(tmp_path / "run")
    assert list(readable_runs(find_runs(tmp_path)).values()) == [newest]
    assert "a-copy" in caplog.text
    assert "z-copy" in caplog.text


def test_where_every_run_is_damaged_the_newest_ones_error_is_told(tmp_path: Path, make_run: Callable[..., Path]):
    for name in ("one", "two"):
        (aged(make_run(tmp_path / name), seconds=len(name)) / "scores.json").write_text("{", encoding="utf-8")
    aged(tmp_path / "two", seconds=9)
    with pytest.raises(DataError, match="two"):
        readable_runs(find_runs(tmp_path))


def test_no_module_of_the_app_loads_torch():
    done = subprocess.run([sys.executable, "-c", EVERY_MODULE], capture_output=True, text=True, check=True, timeout=120)
    heavy, count = done.stdout.strip().rsplit(" ", 1)
    assert heavy == "[]"
    assert int(count) > 15
