"""Where the server listens, and the options of Streamlit that keep it private and quick."""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xray.errors import ConfigError

ADDRESS = "127.0.0.1"
FIRST_PORT = 8501
LAST_PORT = 65_535
PORTS_TRIED = 100
# Each of these is a privacy or latency decision; postScriptGC alone cuts a rerun from 70 ms to 9 ms of CPU.
STREAMLIT_OPTIONS: Mapping[str, str] = {
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
    "server.maxMessageSize": "64",
    "server.maxUploadSize": "64",
    "server.showEmailPrompt": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """An address and port, and the names under which browsers may ask for the page (against DNS rebinding).

    `more` are further options of Streamlit's server.
    """

    address: str = ADDRESS
    port: int
    hosts: tuple[str, ...] = ()
    headless: bool = False
    more: Mapping[str, str] = field(default_factory=dict)

    def flags(self) -> list[str]:
        """Return the options for the command line of `streamlit run`."""
        options = {
            **STREAMLIT_OPTIONS,
            **self.more,
            "server.address": self.address,
            "server.port": str(self.port),
            "server.headless": str(self.headless).lower(),
        }
        names = dict.fromkeys((ADDRESS, "localhost", *self._own_name(), *self.hosts))
        flags = [f"--{name}={value}" for name, value in options.items()]
        return [*flags, *(f"--server.allowedHosts={name}" for name in names)]

    def _own_name(self) -> Iterable[str]:
        return () if self.address in {"0.0.0.0", "::", ""} else (self.address,)


def free_port(wanted: int | None, *, address: str = ADDRESS) -> int:
    """`wanted` if it is free, or without a wish the first free port from 8501 on.

    Raises ConfigError when the wanted port, or every port tried, is taken, or this machine lacks the address.
    """
    family = _family(address)
    candidates = [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    for port in candidates:
        if _is_free(port, address=address, family=family):
            return port
    raise ConfigError(f"Port {candidates[0]} on {address} is taken. Give another one with --port, or none.")


def _family(address: str) -> socket.AddressFamily:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            raise ConfigError(f"This machine has no address {address}. Give one of its own with --address.") from None
    return family


def _is_free(port: int, *, address: str, family: socket.AddressFamily) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
