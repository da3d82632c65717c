"""The process around the HTTP interface: its address, its key, its log, and an orderly end."""

import contextlib
import ipaddress
import logging
import re
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from finetune.serve.app import Limits, build_app
from finetune.serve.opening import Served
from xray.errors import ConfigError

_SECONDS_TO_END = 30  # what is being written may be finished
_KEY = re.compile(r"[!-~]{16,}")
_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


def read_key(path: Path | None, *, host: str) -> str | None:
    """Return the key in a file. Raises ConfigError without one for an address that other machines reach."""
    if path is None:
        if is_this_machine(host):
            return None
        raise ConfigError(f"other machines reach {host}: name a file with a key by --api-key-file.")
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} cannot be read. Name the file that holds the key.") from None
    if not _KEY.fullmatch(key):
        raise ConfigError(f"{path} must hold one key of 16 or more letters, digits and signs (`openssl rand -hex 32`).")
    return key


def is_this_machine(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """Take an address before the model is loaded; it is listened on when the model is there.

    Raises ConfigError where the address is taken or none of this machine's.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(f"cannot listen on {host}, port {port}: {error.strerror or error}. Name others.") from None
    return listener


def run_server(served: Served, *, listener: socket.socket, api_key: str | None, limits: Limits) -> None:
    """Serve until SIGINT or SIGTERM; what is being written then has half a minute to end."""
    _log_to_stderr()
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again once all is done: no reason to die of it
    host, port = listener.getsockname()[:2]
    hosts = _OWN_NAMES | {host} if is_this_machine(host) else None
    config = uvicorn.Config(
        build_app(served, api_key=api_key, hosts=hosts, limits=limits),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )
    shown = f"[{host}]" if ":" in host else host
    print(f"{served.name} answers at http://{shown}:{port}/v1", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _log_to_stderr() -> None:
    """Log when something was answered or refused, and how much; never what."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    ours = logging.getLogger("finetune.serve")
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
