"""`python -m app`: what it refuses in one line, which port it takes, and what it never imports."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.__main__ import main, streamlit_command
from app.network import ADDRESS, Listening, free_port
from app.run import find_runs, load_run, readable_runs
from app.settings import SIGN_IN_VARIABLE, Settings
from app.sign_in import SignIn
from xray.errors import ConfigError, DataError

OIDC = "".join(f"{name} = 'x'\n" for name in ("redirect_uri", "client_id", "client_secret", "server_metadata_url"))
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
    command = streamlit_command(Listening(port=8501, headless=True))
    for option in (
        "--server.address=127.0.0.1",
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        "--server.enableStaticServing=false",
        "--runner.postScriptGC=false",
    ):
        assert option in command


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--address", "0.0.0.0"], "Without sign-in"),
        (["--address", "192.0.2.1", "--exposed"], "Without sign-in"),
        (["--sign-in", "header", "--address", "0.0.0.0"], "--exposed"),
        (["--sign-in", "header", "--address", "unix:///run/app.sock"], "Unix socket"),
        (["--sign-in", "header", "--address", "192.0.2.1", "--exposed"], "no address 192.0.2.1"),
        (["--sign-in", "oidc"], "--oidc FILE"),
        (["--admin", "wang"], "--admin"),
        (["--sign-in", "header", "--admin", "local"], "cannot be the name"),
    ],
)
def test_a_server_that_would_let_anyone_in_or_nobody_is_refused_in_one_line(
    run_folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], told: str
):
    assert main(["--project", str(run_folder), "--headless", *options]) == 2
    message = capsys.readouterr().err
    assert told in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        ("", 0o600, "lacks redirect_uri"),
        ("[auth", 0o600, "cannot be read as TOML"),
        ("auth = 3", 0o600, "no section"),
        ("[auth]", 0o644, "chmod o-r"),
        (f"[auth]\n{OIDC}cookie_secret = 'short'", 0o600, "cookie_secret is shorter"),
        (f"[auth]\n{OIDC}cookie_secret = '{'x' * 32}'", 0o600, None),
    ],
)
def test_the_secrets_of_openid_connect_are_checked_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, mode: int, told: str | None
):
    path = tmp_path / "oidc.toml"
    path.write_text(content)
    path.chmod(mode)
    monkeypatch.setattr("app.sign_in.find_spec", lambda _name: object())
    sign_in = SignIn(mode="oidc", secrets=path)
    if told is None:
        sign_in.check(address="127.0.0.1")
        assert sign_in.streamlit_options() == {"secrets.files": str(path)}
    else:
        with pytest.raises(ConfigError, match=told):
            sign_in.check(address="127.0.0.1")


def test_without_authlib_openid_connect_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.sign_in.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="review-oidc"):
        SignIn(mode="oidc", secrets=tmp_path / "oidc.toml").check(address="127.0.0.1")


def test_a_misspelt_way_of_signing_in_never_means_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in Settings.of(tmp_path).environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(SIGN_IN_VARIABLE, "headers")
    with pytest.raises(ConfigError, match="SIGN_IN"):
        Settings.from_environment()


def test_reviews_lie_in_the_project_unless_another_database_is_named(tmp_path: Path):
    assert Settings.of(tmp_path).database == str(tmp_path / "reviews.sqlite")
    assert Settings.of(tmp_path, database=str(tmp_path / "x" / ".." / "y")).database == str(tmp_path / "y")
    assert Settings.of(tmp_path, database="postgresql://host/x").database == "postgresql://host/x"


@pytest.mark.parametrize("named", [None, "mine.sqlite", "postgresql+psycopg://reader@host/reviews"])
def test_the_pages_read_the_settings_that_the_starter_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
):
    sign_in = SignIn(mode="header", header="X-User", claim="sub")
    settings = Settings.of(tmp_path, database=named, sign_in=sign_in, lock_minutes=2.5, backups=tmp_path / "copies")
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
