"""How people sign in, as the starter is told it: checked before the server starts, read back by the pages.

In mode `local` nobody signs in: one user `local` has every role, on this machine only. In mode `oidc` people sign in by
OpenID Connect (Streamlit's `st.login`; the secrets file has its [auth] section). In mode `header` a reverse proxy signs
them in and names them in a request header.
"""

import ipaddress
import json
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from xray.errors import ConfigError

Mode = Literal["local", "oidc", "header"]
MODES: tuple[Mode, ...] = get_args(Mode)
HEADER = "X-Forwarded-Email"
CLAIM = "email"
HEADER_KEY = "signed_in_as"
"""Where `st.user` holds what the proxy's header says."""
_NEEDED = ("redirect_uri", "cookie_secret")
_OF_PROVIDER = ("client_id", "client_secret", "server_metadata_url")
_SHORTEST_SECRET = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """`header` counts in header mode; `claim` and `secrets`, a file for Streamlit, in oidc mode."""

    mode: Mode = "local"
    header: str = HEADER
    claim: str = CLAIM
    secrets: Path | None = None

    def check(self, *, address: str, exposed: bool = False) -> None:
        """Raise ConfigError where the pages would be open to people who have not signed in, or nobody could sign in.

        `exposed` is the administrator's word that only the proxy can reach `address`.
        """
        if address.startswith("unix://"):
            raise ConfigError("Streamlit's server takes no Unix socket. Give `--address 127.0.0.1` and a `--port`.")
        loopback = is_loopback(address)
        if self.mode == "local" and not loopback:
            raise ConfigError(
                f"Without sign-in the pages are for this machine only, and others can reach {address}. "
                "Choose `--sign-in header` or `--sign-in oidc`, or `--address 127.0.0.1`."
            )
        if self.mode == "header" and not loopback and not exposed:
            raise ConfigError(
                f"Whoever reaches {address} without the proxy can write any name into {self.header}. "
                "Let the proxy come to `--address 127.0.0.1`, or add `--exposed` where a firewall stops all others."
            )
        if self.mode == "oidc":
            _check_secrets(self.secrets)

    def streamlit_options(self) -> Mapping[str, str]:
        """Return the options of Streamlit's server that this way of signing in needs."""
        if self.mode == "header":
            return {"server.trustedUserHeaders": json.dumps({self.header: HEADER_KEY})}
        if self.mode == "oidc":
            return {"secrets.files": str(self.secrets)}
        return {}


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach `address`."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _check_secrets(path: Path | None) -> None:
    if path is None:
        raise ConfigError("Sign-in with OpenID Connect needs `--oidc FILE`, a secrets file with a section [auth].")
    if find_spec("authlib") is None:
        raise ConfigError("OpenID Connect needs the package Authlib. Install the kit with its extra `review-oidc`.")
    try:
        if path.stat().st_mode & stat.S_IROTH:
            raise ConfigError(f"{path} holds secrets that every user of this machine can read. Run `chmod o-r` on it.")
        section = tomllib.loads(path.read_text(encoding="utf-8")).get("auth", {})
    except (OSError, ValueError):
        raise ConfigError(f"{path} cannot be read as TOML. Give a secrets file with a section [auth].") from None
    if not isinstance(section, dict):
        raise ConfigError(f"{path}: `auth` is no section. See `docs/deployment.md`.")
    missing = [name for name in _NEEDED if name not in section]
    missing += [name for name in _OF_PROVIDER if name not in section]
    if missing:
        raise ConfigError(f"{path}: the section [auth] lacks {', '.join(missing)}. See `docs/deployment.md`.")
    if len(str(section["cookie_secret"])) < _SHORTEST_SECRET:
        raise ConfigError(f"{path}: cookie_secret is shorter than {_SHORTEST_SECRET} characters. Make a random one.")
