"""Other servers that the pages may talk to: a PACS and the server of a model. Named at the start, never on a page.

Whoever starts the app decides where films and reports may go. Credentials come from the environment alone:
XRAY_DICOMWEB_* for the PACS (`xray.data.sources.dicomweb_server`), XRAY_SERVE_API_KEY for the model.
"""

import argparse
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from xray.data.sources.dicomweb_server import Server
from xray.errors import ConfigError, DataError

PACS_VARIABLE = "XRAY_REVIEW_PACS"
SERVE_VARIABLE = "XRAY_REVIEW_SERVE"
KEY_VARIABLE = "XRAY_SERVE_API_KEY"
SERVE_ADDRESS = "http://127.0.0.1:8000/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """`pacs`: the root of DICOMweb, None without one. `serve`: where OpenAI's interface begins, ending in /v1."""

    pacs: str | None = None
    serve: str = SERVE_ADDRESS
    key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, *, pacs: str | None = None, serve: str | None = None) -> "Servers":
        """Check the addresses. Raises ConfigError for one that is none, or that would send a film or a key in clear."""
        key = os.environ.get(KEY_VARIABLE, "").strip() or None
        servers = cls(pacs=pacs or None, serve=(serve or SERVE_ADDRESS).rstrip("/"), key=key)
        _check_serve(servers.serve)
        if servers.pacs:
            try:
                Server.of_environment(servers.pacs)
            except DataError as error:
                raise ConfigError(f"--pacs: {error}") from None
        return servers

    @classmethod
    def from_environment(cls, values: Mapping[str, str] = os.environ) -> "Servers":
        """Read what `python -m app` has set."""
        return cls.of(pacs=values.get(PACS_VARIABLE), serve=values.get(SERVE_VARIABLE))

    def environment(self) -> dict[str, str]:
        """Return the variables that `from_environment` reads back."""
        return {PACS_VARIABLE: self.pacs or "", SERVE_VARIABLE: self.serve}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a command line the addresses of the servers."""
    parser.add_argument(
        "--pacs",
        default=os.environ.get(PACS_VARIABLE),
        metavar="URL",
        help="DICOMweb root of the PACS that signed reports may be sent to, such as https://pacs.example/dicom-web",
    )
    parser.add_argument(
        "--serve",
        default=os.environ.get(SERVE_VARIABLE),
        metavar="URL",
        help=f"address of `finetune serve` for live generation (default: {SERVE_ADDRESS}); its key: ${KEY_VARIABLE}",
    )


def _check_serve(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https") or parts.query or not re.fullmatch(r"[!-~]+", url):
        raise ConfigError(f"the address of --serve is not of the form {SERVE_ADDRESS}. Correct it.")
    if parts.username or parts.password:
        raise ConfigError(f"the address of --serve holds a password. Take it out, and set {KEY_VARIABLE}.")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise ConfigError("the address of --serve begins with http:, which would send films in clear. Use https:.")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
