"""A PostgreSQL of the tests' own: a new cluster on a loopback port, in a temporary folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.app.server import unused_port

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
INITDB = _BINARIES[-1] if _BINARIES else shutil.which("initdb")
REASON = "needs PostgreSQL's server binaries (Debian: apt-get install postgresql)"
_numbers = count()


class Cluster:
    """A running server that keeps nothing after the tests."""

    def __init__(self, port: int) -> None:
        self.port = port

    def new_database(self) -> str:
        """Return the URL of an empty place: a schema of its own, which takes a thousandth of the time of a database."""
        name, server = f"reviews{next(_numbers)}", f"//reader@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(f"postgresql:{server}", autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql+psycopg:{server}?options=-csearch_path%3D{name}"


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def running_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Start a server and stop it at the end. Skips the test where there is none to start."""
    if INITDB is None:
        pytest.skip(REASON)
    binaries, user, port = Path(INITDB).resolve().parent, _unprivileged(), unused_port()
    folder = Path(tempfile.mkdtemp(prefix="xray-postgres-"))
    if user:
        shutil.chown(folder, user=user)
    log = folder / "log"

    def run(name: str, *arguments: str) -> None:
        command = [str(binaries / name), "-D", str(folder / "data"), *arguments]
        # The server that pg_ctl starts would keep a pipe open, so its words go to a file.
        with log.open("a") as output:
            done = subprocess.run(
                command, stdout=output, stderr=output, user=user, cwd=folder, timeout=120, check=False
            )
        assert done.returncode == 0, log.read_text()

    options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories= -c fsync={'on' if durable else 'off'}"
    try:
        run("initdb", "--no-sync", "--auth=trust", "--username=reader", "--encoding=UTF8", "--locale=C")
        run("pg_ctl", "-w", "-t", "60", "-o", options, "start")
        try:
            yield Cluster(port)
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
