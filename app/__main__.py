"""`python -m app --project PATH`: check the folder, choose a port, then become the Streamlit server.

With `audit`, `backup`, `restore` or `export` as the first word it does that instead (upkeep.py).
"""

import argparse
import os
import socket
import sys
from pathlib import Path

from app import servers, upkeep
from app.run import find_runs, readable_runs
from app.servers import Servers
from app.settings import Settings, add_options
from xray.errors import ConfigError, XrayError

ADDRESS = "127.0.0.1"
FIRST_PORT = 8501
LAST_PORT = 65_535
PORTS_TRIED = 100
_HERE = Path(__file__).parent
# Each of these is a privacy or latency decision; postScriptGC alone cuts a rerun from 70 ms to 9 ms of CPU.
STREAMLIT_OPTIONS = {
    "browser.gatherUsageStats": "false",
    "client.disableDataExport": "true",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "viewer",
    "logger.hideWelcomeMessage": "true",
    "runner.postScriptGC": "false",
    "server.disconnectedSessionTTL": "900",
    "server.enableAgentApi": "false",
    "server.enableStaticServing": "false",
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": "false",
}


def main(arguments: list[str] | None = None) -> int:
    """Become the review server. Returns, with an exit code, when it cannot be started, or after another command."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in upkeep.COMMANDS:
        return upkeep.main(words)
    options = _parser().parse_args(words)
    settings = Settings.of(options.project, database=options.database)
    try:
        places = Servers.of(pacs=options.pacs, serve=options.serve)
        settings.open_database(readable_runs(find_runs(settings.project)).values()).close()
        port = free_port(options.port)
    except XrayError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    command = streamlit_command(port, headless=options.headless)
    search_path = os.pathsep.join(filter(None, (str(_HERE.parent), os.environ.get("PYTHONPATH"))))
    chosen = {**settings.environment(), **places.environment()}
    return os.execve(sys.executable, command, {**os.environ, **chosen, "PYTHONPATH": search_path})


def streamlit_command(port: int, *, headless: bool) -> list[str]:
    """Return the command line of the server, with every option that keeps it private and quick."""
    options = {
        **STREAMLIT_OPTIONS,
        "server.address": ADDRESS,
        "server.port": str(port),
        "server.headless": str(headless).lower(),
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    flags += [f"--server.allowedHosts={name}" for name in (ADDRESS, "localhost")]  # against DNS rebinding
    return [sys.executable, "-m", "streamlit", "run", str(_HERE / "server.py"), *flags]


def free_port(wanted: int | None) -> int:
    """`wanted` if it is free, or without a wish the first free port from 8501 on.

    Raises ConfigError when the wanted port, or every port tried, is taken.
    """
    candidates = [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    for port in candidates:
        if _is_free(port):
            return port
    raise ConfigError(f"Port {candidates[0]} on {ADDRESS} is taken. Give another one with --port, or none.")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port. Give a whole number from 1 to {LAST_PORT}.")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Review the reports of a finished run.",
        epilog="`python -m app audit`, `backup`, `restore` and `export` look after the reviews of a project.",
    )
    add_options(parser)
    servers.add_options(parser)
    parser.add_argument("--port", type=_port, help=f"port on {ADDRESS} (default: the first free one from {FIRST_PORT})")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
