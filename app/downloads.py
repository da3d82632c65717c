"""A finished export as a zip over a signed route: reviews are never at an address that anybody could open.

`st.download_button` would put the file under /media, where whoever reaches the port reads it without a sign-in. Here
the page hands out `/exports/<name>.zip` with the person, an expiry and an HMAC-SHA256 over all of it; the key lives in
this process only. Expiry is rounded up to a fixed grid, so that an address stays the same over many reruns.
"""

import hashlib
import hmac
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.export.archive import write_zip
from xray.errors import DataError

GRID_SECONDS = 600
_KEY = secrets.token_bytes(32)
Gate = Callable[[str], bool]
"""Whether a person may take exports now."""
ExportFinder = Callable[[str, str], Path | None]
"""Finds the folder of an export by its name, for a person, and notes that they took it."""


def export_url(name: str, *, person: str, now: float | None = None) -> str:
    """Address of an export's zip for one person, valid for ten to twenty minutes."""
    moment = time.time() if now is None else now
    expires = (int(moment) // GRID_SECONDS + 2) * GRID_SECONDS
    query = urlencode({"by": person, "exp": expires, "sig": _sign(name, person, expires)})
    return f"/exports/{quote(name)}.zip?{query}"


def is_valid(signature: str, *, name: str, person: str, expires: int, now: float | None = None) -> bool:
    """Whether the address was made by this process and has not expired."""
    moment = time.time() if now is None else now
    return moment < expires and hmac.compare_digest(signature.encode(), _sign(name, person, expires).encode())


def export_route(find: ExportFinder, *, may_take: Gate) -> Route:
    """Make the route that serves exports found by `find(name, person)`; every refusal is the same bare 404.

    An address gives nothing either once its person may not export any more.
    """

    def serve(request: Request) -> Response:
        name, query = request.path_params["name"], request.query_params
        person, signature, expires = query.get("by", ""), query.get("sig", ""), query.get("exp", "")
        is_number = expires.isascii() and expires.isdecimal()
        if is_number and is_valid(signature, name=name, person=person, expires=int(expires)):
            folder = find(name, person) if may_take(person) else None
            if folder is not None:
                return _zipped(folder)
        return PlainTextResponse("404", status_code=404)

    return Route("/exports/{name}.zip", serve)


def _zipped(folder: Path) -> Response:
    with tempfile.NamedTemporaryFile(prefix="xray-export-", suffix=".zip", delete=False) as packed:
        path = Path(packed.name)
    try:
        write_zip(folder, path)
    except DataError:
        path.unlink()
        return PlainTextResponse("404", status_code=404)
    return FileResponse(
        path,
        media_type="application/zip",
        filename=f"{folder.name}.zip",
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(path.unlink),
    )


def _sign(name: str, person: str, expires: int) -> str:
    message = "\0".join((name, person, str(expires)))
    return hmac.new(_KEY, message.encode(), hashlib.sha256).hexdigest()
