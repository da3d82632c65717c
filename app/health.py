"""`/healthz` tells that the process lives, `/readyz` that it can work: for a proxy, systemd or a monitor.

Neither needs a sign-in, so neither tells anything else; why a server is not ready is in its log.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.store.engine import Database
from app.store.integrity import look
from xray.errors import XrayError

CHECKED_FOR_SECONDS = 60.0
"""So long an answer counts: the check reads the whole file, and strangers may ask as often as they like."""
_log = logging.getLogger("app")


class Readiness:
    """Whether the project's database answers and is whole, asked at most once a minute."""

    def __init__(self, database: Callable[[], Database], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = Lock()
        self._until = float("-inf")
        self._is_ready = False

    def ask(self) -> bool:
        """Return the last answer, or a new one when that is too old."""
        with self._lock:
            if self._clock() >= self._until:
                self._is_ready = self._look()
                self._until = self._clock() + CHECKED_FOR_SECONDS
            return self._is_ready

    def _look(self) -> bool:
        try:
            state = look(self._database())
        except XrayError as error:
            _log.error("not ready: %s", error)
            return False
        if not state.is_whole:
            _log.error(
                "not ready: %s",
                f"the database is {state.fault}"
                if state.fault
                else f"schema {state.schema}, not {state.expected_schema}",
            )
        return state.is_whole


def health_routes(database: Callable[[], Database]) -> list[Route]:
    """Make the two routes; `database` opens the project's, or gives the one that is open."""
    readiness = Readiness(database)

    async def alive(_request: Request) -> Response:
        return _answer("ok", status=200)

    def ready(_request: Request) -> Response:
        return _answer("ready", status=200) if readiness.ask() else _answer("not ready", status=503)

    return [Route("/healthz", alive), Route("/readyz", ready)]


def _answer(word: str, *, status: int) -> Response:
    return JSONResponse({"status": word}, status_code=status, headers={"Cache-Control": "no-store"})
