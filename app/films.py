"""Films over a signed route: a patient's pixels are never at a public address.

`st.image` puts files under /media, where anyone who can reach the port reads them without having opened the page, and
re-encodes arrays as lossy JPEG. Here the page hands out `/films/<run>/<case>/<n>` with an expiry and an HMAC-SHA256
over all of it; the key lives in this process only. Expiry is rounded up to a fixed grid, so that an address stays the
same over many reruns and the browser fetches each film once.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

GRID_SECONDS = 3600
FilmFinder = Callable[[str, str, int], Path | None]
_KEY = secrets.token_bytes(32)


def film_url(run_id: str, *, case_id: str, index: int, now: float | None = None) -> str:
    """Address of film `index` (from 0) of a case, valid for one to two hours."""
    moment = time.time() if now is None else now
    expires = (int(moment) // GRID_SECONDS + 2) * GRID_SECONDS
    query = urlencode({"run": run_id, "case": case_id, "exp": expires, "sig": _sign(run_id, case_id, index, expires)})
    return f"/films/{quote(str(index))}?{query}"


def is_valid(signature: str, *, run_id: str, case_id: str, index: int, expires: int, now: float | None = None) -> bool:
    """Whether the address was made by this process and has not expired."""
    moment = time.time() if now is None else now
    return moment < expires and hmac.compare_digest(signature, _sign(run_id, case_id, index, expires))


def film_route(find: FilmFinder) -> Route:
    """Make the route that serves films found by `find(run_id, case_id, index)`; every refusal is the same bare 404."""

    def serve(request: Request) -> Response:
        query = request.query_params
        run_id, case_id, signature = query.get("run", ""), query.get("case", ""), query.get("sig", "")
        index, expires = int(request.path_params["index"]), query.get("exp", "")
        if expires.isdecimal() and is_valid(
            signature, run_id=run_id, case_id=case_id, index=index, expires=int(expires)
        ):
            path = find(run_id, case_id, index)
            if path is not None:
                return FileResponse(path, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
        return PlainTextResponse("404", status_code=404)

    return Route("/films/{index:int}", serve)


def _sign(run_id: str, case_id: str, index: int, expires: int) -> str:
    message = "\0".join((run_id, case_id, str(index), str(expires)))
    return hmac.new(_KEY, message.encode(), hashlib.sha256).hexdigest()
