"""`python -m app --project PATH`: check the folder and who may come in, then become the Streamlit server.

With `audit`, `backup`, `restore` or `export` as the first word it does that instead (upkeep.py).
"""

import argparse
import os
import sys
from contextlib import closing
from pathlib import Path

from app import servers, upkeep
from app.network import ADDRESS, FIRST_PORT, LAST_PORT, Listening, free_port
from app.run import find_runs, readable_runs
from app.servers import Servers
from app.settings import BACKUPS_NAME, FILMS_VARIABLE, LOCK_MINUTES, OIDC_VARIABLE, Settings, add_options
from app.sign_in import CLAIM, HEADER, MODES, SignIn
from app.store import people
from xray.errors import ConfigError, XrayError

_HERE = Path(__file__).parent
_LONGEST_LOCK = 24 * 60


def main(arguments: list[str] | None = None) -> int:
    """Become the review server. Returns, with an exit code, when it cannot be started, or after another command."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in upkeep.COMMANDS:
        return upkeep.main(words)
    options = _parser().parse_args(words)
    try:
        settings = _settings(options)
        places = Servers.of(pacs=options.pacs, serve=options.serve)
        settings.sign_in.check(address=options.address, exposed=options.exposed)
        _prepare(settings, admin=options.admin)
        listening = _listening(options, settings)
    except XrayError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    search_path = os.pathsep.join(filter(None, (str(_HERE.parent), os.environ.get("PYTHONPATH"))))
    chosen = {**settings.environment(), **places.environment()}
    environment = {**os.environ, **chosen, "PYTHONPATH": search_path}
    return os.execve(sys.executable, streamlit_command(listening), environment)


def streamlit_command(listening: Listening) -> list[str]:
    """Return the command line of the server, with every option that keeps it private and quick."""
    return [sys.executable, "-m", "streamlit", "run", str(_HERE / "server.py"), *listening.flags()]


def _settings(options: argparse.Namespace) -> Settings:
    secrets = options.oidc.expanduser().resolve() if options.oidc else None
    sign_in = SignIn(mode=options.sign_in, header=options.header, claim=options.claim, secrets=secrets)
    return Settings.of(
        options.project,
        database=options.database,
        sign_in=sign_in,
        lock_minutes=options.lock_minutes,
        backups=options.backups,
        films=options.films,
    )


def _prepare(settings: Settings, *, admin: str | None) -> None:
    """Open the database once, so that what is wrong with it is told here, and make sure of the named admin."""
    if settings.films is not None and not settings.films.is_dir():
        raise ConfigError(f"{settings.films} is no folder. Name the folder of the original films with --films.")
    if admin is not None and settings.sign_in.mode == "local":
        raise ConfigError("`--admin` names who signs in; without sign-in the one user has every role already.")
    with closing(settings.open_database(readable_runs(find_runs(settings.project)).values())) as database:
        if admin is not None:
            people.ensure_admin(database, admin)


def _listening(options: argparse.Namespace, settings: Settings) -> Listening:
    return Listening(
        address=options.address,
        port=free_port(options.port, address=options.address),
        hosts=tuple(options.host),
        headless=options.headless,
        more=settings.sign_in.streamlit_options(),
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port. Give a whole number from 1 to {LAST_PORT}.")
    return int(text)


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _LONGEST_LOCK:
        raise argparse.ArgumentTypeError(f"{text} is no time. Give minutes from 0 (never) to {_LONGEST_LOCK}.")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Review the reports of a finished run.",
        epilog="`python -m app audit`, `backup`, `restore` and `export` look after the reviews of a project.",
    )
    add_options(parser)
    servers.add_options(parser)
    parser.add_argument(
        "--films",
        type=Path,
        default=os.environ.get(FILMS_VARIABLE) or None,
        help="folder of the original films, unpacked, in any layout: pages show them with all their bits (default: "
        f"${FILMS_VARIABLE})",
    )
    parser.add_argument("--headless", action="store_true", help="do not open a browser")
    parser.add_argument("--backups", type=Path, help=f"folder of backups (default: {BACKUPS_NAME} in the project)")
    parser.add_argument(
        "--lock-minutes",
        type=_minutes,
        default=LOCK_MINUTES,
        metavar="MINUTES",
        help="time without input after which a page locks (default: %(default)g; 0: never)",
    )
    _add_network(parser.add_argument_group("network"))
    _add_sign_in(parser.add_argument_group("sign-in"))
    return parser


def _add_network(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--address", default=ADDRESS, help="address to listen on (default: %(default)s)")
    group.add_argument("--port", type=_port, help=f"port (default: the first free one from {FIRST_PORT})")
    group.add_argument(
        "--host", action="append", default=[], help="a name under which browsers reach the page; may be repeated"
    )


def _add_sign_in(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--sign-in",
        choices=MODES,
        default="local",
        help="local: one user, this machine only; oidc: OpenID Connect; header: a reverse proxy names who is there "
        "(default: %(default)s)",
    )
    group.add_argument("--admin", metavar="NAME", help="who may add the others: their name as the sign-in tells it")
    oidc = os.environ.get(OIDC_VARIABLE)
    group.add_argument(
        "--oidc",
        type=Path,
        default=Path(oidc) if oidc else None,
        metavar="FILE",
        help=f"secrets file with the section [auth] (default: ${OIDC_VARIABLE})",
    )
    group.add_argument("--claim", default=CLAIM, help="claim that names a person, such as sub (default: %(default)s)")
    group.add_argument("--header", default=HEADER, help="the proxy's header that names a person (default: %(default)s)")
    group.add_argument(
        "--exposed",
        action="store_true",
        help="let header sign-in listen on an address that others can reach",
    )


if __name__ == "__main__":
    raise SystemExit(main())
