"""One database per project: a SQLite file beside the runs, or PostgreSQL named by a URL.

Whatever a writing transaction has committed survives a killed process and a power failure: SQLite runs in WAL mode with
`synchronous=FULL`, PostgreSQL with its defaults. Writers queue: `BEGIN IMMEDIATE` in SQLite and an advisory lock in
PostgreSQL give each of them the end of the audit chain for itself. Readers see one state and never wait for writers.

SQLite belongs on a local disk of one machine: WAL needs shared memory, which network shares lack
(sqlite.org/wal.html). PostgreSQL is for several machines or more than some forty readers at a time.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.orm import Session

from app.store.upgrade import upgrade
from xray.errors import ConfigError, DataError

_CHAIN_LOCK = text("SELECT pg_advisory_xact_lock(7238911)")  # any number that no other program here locks
_BUSY_MS = 15_000
_CONNECTIONS = 20  # of one process to PostgreSQL, kept: to open one takes longer than to wait for one


class Database:
    """The reviews of a project. Safe to share between threads; any number of processes may open the same one."""

    def __init__(self, place: str | Path) -> None:
        """Open `place`, a file or a SQLAlchemy URL, make or upgrade its tables.

        Raises ConfigError for a URL of no use and DataError when the database cannot be used.
        """
        url = _url(place)
        self.is_file = url.get_backend_name() == "sqlite"
        self.name = str(url.database) if self.is_file else url.render_as_string(hide_password=True)
        self._engine = _sqlite(url) if self.is_file else _postgresql(url)
        self._writer = self._engine.execution_options(immediate=True)
        if not self.is_file:
            self._snapshot = self._engine.execution_options(isolation_level="REPEATABLE READ")
            self._no_transaction = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite lets waiting writers poll, and the unlucky one polls for seconds; a lock wakes them one by one.
        self._queue = Lock()
        try:
            if self.is_file:
                Path(self.name).parent.mkdir(parents=True, exist_ok=True)
            with self.writing() as session:
                upgrade(session, name=self.name)
        except BaseException as error:
            self.close()
            if isinstance(error, DatabaseError | OSError):
                raise self._fault(error) from None
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the database to its end."""
        with Session(self._engine if self.is_file else self._snapshot) as session:
            yield session

    @contextmanager
    def asking(self) -> Iterator[Session]:
        """Give a session for one query, which sees one state by itself: PostgreSQL is spared a transaction."""
        with Session(self._engine if self.is_file else self._no_transaction) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give the one writing session; its end commits, an exception takes everything back."""
        with self._queue, Session(self._writer) as session, session.begin():
            if not self.is_file:
                session.execute(_CHAIN_LOCK)
            yield session

    def close(self) -> None:
        """Release the file or the connections."""
        self._engine.dispose()

    def _fault(self, error: DatabaseError | OSError) -> DataError:
        reason = error.orig if isinstance(error, DatabaseError) else error.strerror
        first_line = str(reason).strip().split("\n")[0]
        if not self.is_file:
            return DataError(
                f"{self.name} cannot be opened for reviews: {first_line}. Check address, user and rights in the URL."
            ).in_chinese(f"无法打开评审数据库 {self.name}：{first_line}。请核对地址、用户与权限。")
        return DataError(
            f"{self.name} cannot be opened for reviews: {first_line}. Reviews lie in the project's folder, which must "
            "be on a local disk and writable; `--database FILE` keeps them in another place."
        ).in_chinese(
            f"无法打开评审数据库 {self.name}：{first_line}。评审存放在项目目录中，该目录须在本机磁盘上且可写；"
            "用 `--database FILE` 可另存他处。"
        )


def _url(place: str | Path) -> URL:
    if "://" not in str(place):
        return URL.create("sqlite", database=str(place))
    try:
        url = make_url(str(place))
    except ArgumentError:
        url = URL.create("unreadable")
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database:
        return URL.create("sqlite", database=url.database)
    raise ConfigError(
        f"`--database` takes a file or a URL like postgresql+psycopg://user@host/name, not one of {url.drivername}."
    )


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # pysqlite's own BEGIN would come too late and be deferred
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    try:
        # Pinged, so that connections of before a restart of the server are replaced.
        return create_engine(url, pool_pre_ping=True, pool_size=_CONNECTIONS, max_overflow=0)
    except ModuleNotFoundError:
        raise ConfigError("PostgreSQL needs the driver psycopg. Install the kit with its extra `review-pg`.") from None
