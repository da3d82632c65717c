"""Who looked at what: cases opened, pages and films refused. Kept in the audit, once per person, thing and hour.

Without the limit an hour's reading would be thousands of entries, since Streamlit draws a page anew for every click.
The limit is counted per process: after a restart, or with several processes, an entry may be there twice.
"""

import logging
import time
from collections import OrderedDict
from threading import Lock

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import session
from app.settings import Settings
from app.store import audit
from app.store.people import LOCAL, sign_in_name

UNKNOWN = "unknown"
FILMS = "/films/"
_HOUR = 3600
_MOST_REMEMBERED = 50_000
_REFUSALS = frozenset({403, 404, 410})
_seen: OrderedDict[tuple[str, str, str, int], None] = OrderedDict()  # of the process, not of a reader
_lock = Lock()
_log = logging.getLogger("app")


def note(action: str, *, subject: str, actor: str) -> None:
    """Put an access into the audit, unless the same one is there from this hour."""
    key = (actor, action, subject, int(time.time()) // _HOUR)
    with _lock:
        if key in _seen:
            return
        _seen[key] = None
        if len(_seen) > _MOST_REMEMBERED:
            _seen.popitem(last=False)
    try:
        audit.record_event(session.database(), actor=actor, action=action, subject=subject)
    except BaseException:
        with _lock:
            _seen.pop(key, None)
        raise


def forget() -> None:
    """Forget what was noted in this hour."""
    with _lock:
        _seen.clear()


class RefusedFilms:
    """ASGI middleware that notes who asked for a film and got none: by an address made up, or one grown old.

    The address is not noted. Whoever makes one up could write anything into it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; see the ASGI specification, HTTP connection scope."""
        if scope["type"] != "http" or not scope["path"].startswith(FILMS):
            await self._app(scope, receive, send)
            return

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _REFUSALS:
                await to_thread.run_sync(_note_refusal, scope)
            await send(message)

        await self._app(scope, receive, send_and_note)


def _note_refusal(scope: Scope) -> None:
    try:
        note("film refused", subject="film", actor=_actor_of(scope))
    except Exception as error:  # the refusal stands, whether it can be noted or not
        _log.error("a refused film is not in the audit: %s", type(error).__name__)


def _actor_of(scope: Scope) -> str:
    """Return who asked: only a proxy's header names them on this route, which Streamlit's sign-in does not reach."""
    sign_in = Settings.from_environment().sign_in
    if sign_in.mode == "local":
        return LOCAL
    value = Headers(scope=scope).get(sign_in.header, "") if sign_in.mode == "header" else ""
    return sign_in_name(value) or UNKNOWN
