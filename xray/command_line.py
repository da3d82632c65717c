"""What every command line of the kit shares: a bar while it works, and one clear line and an exit code at its end."""

import errno
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

from xray.errors import ConfigError, MemoryLimitError, XrayError

INTERRUPTED = 130
_LINE_SECONDS = 10.0
# typer carries a click of its own, and names its usage errors only by their child BadParameter.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[2]


def guard(app: typer.Typer) -> NoReturn:
    """Run a command line and exit: 0 done, 2 configuration, 3 data, 4 memory, 5 reproduction, 1 anything else."""
    try:
        status = app(standalone_mode=False)
    except _USAGE_ERROR as error:
        _show_usage(error)
    except (typer.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    except XrayError as error:
        _end(f"error: {error}", error.exit_code)
    except MemoryError:
        _end("error: this machine has too little memory; lower image and batch sizes", MemoryLimitError.exit_code)
    except OSError as error:
        if isinstance(error, PermissionError):
            _end(f"error: no right to use {_place_of(error)}. Name another folder, or change its rights.", 1)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _end(f"error: the disk is full{_where(error)}. Make room; the same command takes up where it was.", 1)
        if not isinstance(error, BrokenPipeError):
            _end(f"error: {error.strerror or error}: {error.filename or 'no file named'}", 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        _end(f"internal error: {type(error).__name__}; {_keep_details(error)}", 1)
    if status == INTERRUPTED:
        _end("stopped; the same command takes up where it was", INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)


def keep_inputs(*outputs: Path | None, inputs: Iterable[Path | None]) -> None:
    """Raise ConfigError where a file that is to be written is one of those that are read: it would be lost."""
    read = [path for path in inputs if path is not None and path.exists()]
    for output in outputs:
        if output is not None and output.exists() and any(output.samefile(path) for path in read):
            raise ConfigError(f"{output} is read by this command and would be overwritten. Name another file.")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with the time left on standard error; standard output stays for programs.

    Where standard error is no terminal but a log, a line tells how far the work is every ten seconds.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left"))
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(title)
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _place_of(error: OSError) -> str:
    """Name the file that the system refused, or the folder of one that was about to be written."""
    path = Path(os.fsdecode(error.filename or "a file"))
    return str(path.parent if path.suffix == ".part" else path)


def _where(error: OSError) -> str:
    return f" at {_place_of(error)}" if error.filename else ""


def _lines(title: str) -> Callable[[int, int], None]:
    told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _LINE_SECONDS:
            told = time.monotonic()
            print(f"{title}: {done} of {total}", file=sys.stderr, flush=True)

    return tell


def print_json(value: dict[str, Any]) -> None:
    """Print one line of JSON on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def _show_usage(error: Exception) -> NoReturn:
    """Print a usage error as typer does, with its usage line, and end with exit code 2."""
    show: Callable[[], None] = vars(_USAGE_ERROR)["show"].__get__(error)
    show()
    sys.exit(ConfigError.exit_code)


def _end(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(code)


def _keep_details(error: BaseException) -> str:
    try:
        return f"the details are in {_write_details(error)}"
    except OSError as failure:
        return f"its details could not be kept ({failure.strerror or failure}); set TMPDIR to a folder with room"


def _write_details(error: BaseException) -> str:
    """Write where it happened into a file that can be sent on: types and lines of code, no message and no value.

    A message may quote a report or a header. `error` comes last, after what caused it, as in a usual stack trace.
    """
    with tempfile.NamedTemporaryFile(
        "w", prefix="xray-error-", suffix=".txt", delete=False, encoding="utf-8"
    ) as stream:
        for link in reversed(_chain(error)):
            stream.writelines(traceback.format_tb(link.__traceback__))
            stream.write(f"{type(link).__module__}.{type(link).__qualname__}\n\n")
    return stream.name


def _chain(error: BaseException) -> list[BaseException]:
    """Return `error` and what it was raised from or during, newest first."""
    links: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in links:
        links.append(following)
        implied = None if following.__suppress_context__ else following.__context__
        following = following.__cause__ or implied
    return links
