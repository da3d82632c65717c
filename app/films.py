"""Films over a signed route: a patient's pixels are never at a public address.

`st.image` puts files under /media, where anyone who can reach the port reads them without having opened the page, and
re-encodes arrays as lossy JPEG. Here the page hands out `/films/<token>/<expiry>/<signature>`, an HMAC-SHA256 whose key
lives in this process only, and the browser adds which pixels it wants: `/original/preview`, `/model/full`. The token
says nothing of the run or the case, because a reader of a blinded study sees the address too. It stands for the person
whose page it is on as well: once they have lost their role, it gives nothing. Expiry is rounded up to a fixed grid, so
that an address stays the same over many reruns and the browser fetches each film once.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.lightbox import Size, Source
from xray.errors import Rejected

GRID_SECONDS = 3600
_KEY = secrets.token_bytes(32)
_CACHING = {"Cache-Control": f"private, max-age={GRID_SECONDS}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmPlace:
    """Film `index` (from 0) of a case of a run."""

    run_id: str
    case_id: str
    index: int


FilmFinder = Callable[[FilmPlace, Source, Size], bytes | None]
Gate = Callable[[str], bool]
"""Whether a person may see films now."""
# Of the process: a token is worth nothing without the key, which dies with it.
_places: dict[str, tuple[str, FilmPlace]] = {}


def film_address(place: FilmPlace, *, person: str, now: float | None = None) -> str:
    """Return a person's address of a film, valid for one to two hours, to which source and size are added."""
    moment = time.time() if now is None else now
    expires = str((int(moment) // GRID_SECONDS + 2) * GRID_SECONDS)
    digest = _digest("place", person, place.run_id, place.case_id, str(place.index))
    token = base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
    _places[token] = (person, place)
    return f"/films/{token}/{expires}/{_sign(token, expires)}"


def film_route(find: FilmFinder, *, may_see: Gate) -> Route:
    """Make the route that serves gzip bytes found by `find(place, source, size)`.

    403: not signed by this process, expired, or of someone who may not see films any more. 404: no such film. 422: a
    film that cannot be shown; the body is the code of the `Rejected`. None of them says more.
    """

    def serve(request: Request) -> Response:
        token, expires, signature, source, size = _parts(request.path_params["address"])
        if not _is_valid(token, expires, signature):
            return _refusal(403)
        person, place = _places[token]
        if not may_see(person):
            return _refusal(403)
        if source not in get_args(Source) or size not in get_args(Size):
            return _refusal(404)
        try:
            film = find(place, source, size)  # type: ignore[arg-type]  # checked above
        except Rejected as rejected:
            return _refusal(422, rejected.code)
        return _refusal(404) if film is None else _film(request, film)

    return Route("/films/{address:path}", serve)


def _film(request: Request, film: bytes) -> Response:
    etag = f'"{hashlib.sha256(film).hexdigest()[:32]}"'
    headers = {**_CACHING, "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(film, media_type="application/octet-stream", headers=headers)


def _refusal(status: int, body: str = "") -> Response:
    return PlainTextResponse(body or str(status), status_code=status, headers={"Cache-Control": "no-store"})


def _parts(address: str) -> tuple[str, str, str, str, str]:
    parts = address.split("/")
    if len(parts) != 5:
        return "", "", "", "", ""
    return parts[0], parts[1], parts[2], parts[3], parts[4]


def _is_valid(token: str, expires: str, signature: str) -> bool:
    given, made = signature.encode(), _sign(token, expires).encode()
    return hmac.compare_digest(given, made) and time.time() < int(expires)


def _sign(token: str, expires: str) -> str:
    return _digest("address", token, expires).hex()


def _digest(*parts: str) -> bytes:
    return hmac.new(_KEY, "\0".join(parts).encode(), hashlib.sha256).digest()
