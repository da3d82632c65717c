"""How a command ends, whatever happens in it."""

import errno
from pathlib import Path
from typing import NoReturn

import pytest
import typer

from xray.command_line import guard, keep_inputs
from xray.errors import ConfigError, DataError, MemoryLimitError, ReproductionError, XrayError


def app_that(raises: BaseException | None = None) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)

    @app.command()
    def go(count: int = typer.Option(1, min=1)) -> None:
        if raises is not None:
            raise raises

    return app


def end_of(app: typer.Typer, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["program", *arguments])
    with pytest.raises(SystemExit) as caught:
        guard(app)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def details_of(app: typer.Typer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a crash leaves in its file."""
    assert end_of(app, monkeypatch) == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "secret" not in text
    details = Path(text.strip().rsplit(" ", 1)[-1])
    written = details.read_text(encoding="utf-8")
    details.unlink()
    return written


def test_a_command_that_works_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    assert end_of(app_that(), monkeypatch) == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [(XrayError, 1), (ConfigError, 2), (DataError, 3), (MemoryLimitError, 4), (ReproductionError, 5)],
)
def test_a_users_mistake_ends_in_one_line_with_its_code(
    error: type[XrayError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of(app_that(error("films.csv is empty; add a row")), monkeypatch) == code
    assert capsys.readouterr().err == "error: films.csv is empty; add a row\n"


@pytest.mark.parametrize("arguments", [["--nosuch"], ["surplus"], ["--count", "none"], ["--count", "0"]])
def test_a_usage_error_ends_with_2_and_says_what_is_wrong(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of(app_that(), monkeypatch, *arguments) == 2
    text = capsys.readouterr().err
    assert "internal error" not in text
    assert arguments[0] in text


def test_an_interruption_ends_with_130_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of(app_that(KeyboardInterrupt()), monkeypatch) == 130
    assert "takes up where it was" in capsys.readouterr().err


def test_a_defect_of_ours_is_one_line_that_names_a_file_with_the_details(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = details_of(app_that(ZeroDivisionError("secret")), monkeypatch, capsys)
    assert "builtins.ZeroDivisionError" in written
    assert "in go\n    raise raises" in written
    assert "secret" not in written


def test_the_details_of_chained_errors_hold_their_lines_and_types_and_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)

    def look_up(patient: str) -> None:
        {}[patient]

    @app.command()
    def go() -> None:
        patient = "".join(["sec", "ret"])  # no literal, because lines of code are shown
        try:
            try:
                look_up(patient)
            except KeyError:
                raise RuntimeError(patient)  # noqa: B904 - the chain that is implied
        except RuntimeError as cause:
            raise ValueError(patient) from cause

    written = details_of(app, monkeypatch, capsys)
    kinds = [line for line in written.splitlines() if line.startswith("builtins.")]
    assert kinds == ["builtins.KeyError", "builtins.RuntimeError", "builtins.ValueError"]
    assert "in look_up" in written
    assert "secret" not in written


def test_a_defect_of_ours_is_one_line_also_where_its_details_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.NamedTemporaryFile", no_space)
    assert end_of(app_that(ZeroDivisionError("secret")), monkeypatch) == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert text.startswith("internal error: ZeroDivisionError")
    assert "No space left on device" in text
    assert "secret" not in text


def no_space(*_: object, **__: object) -> NoReturn:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert end_of(app_that(OSError(errno.ENOSPC, "No space left on device")), monkeypatch) == 1
    assert capsys.readouterr().err == "error: the disk is full. Make room; the same command takes up where it was.\n"
    assert end_of(app_that(OSError(errno.ENOSPC, "No space left on device", "runs/a")), monkeypatch) == 1
    assert "the disk is full at runs/a" in capsys.readouterr().err


def test_a_refused_file_that_was_about_to_be_written_is_named_by_its_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    refused = PermissionError(errno.EACCES, "Permission denied", "/ward/out.jsonl.12.part")
    assert end_of(app_that(refused), monkeypatch) == 1
    assert "no right to use /ward." in capsys.readouterr().err


def test_what_a_command_reads_is_never_what_it_writes(tmp_path: Path):
    read, link = tmp_path / "reports.csv", tmp_path / "link.csv"
    read.write_text("words", encoding="utf-8")
    link.symlink_to(read)
    keep_inputs(tmp_path / "new.csv", None, inputs=(read, None, tmp_path / "missing"))
    for output in (read, link, tmp_path / "." / "reports.csv"):
        with pytest.raises(ConfigError, match="would be overwritten"):
            keep_inputs(output, inputs=(read,))
