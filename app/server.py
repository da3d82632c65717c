"""The web application: the pages, the signed routes of films and exports, health checks and strict response headers.

`streamlit run` finds `app` by reading this file, so it has to stay a top-level assignment.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from app import access, faults, main, session
from app.access_log import RefusedFilms
from app.downloads import export_route
from app.films import film_route
from app.health import health_routes
from app.security import SecurityHeaders

SWITCH_SECONDS = 0.0005


@asynccontextmanager
async def _announce(_app: object) -> AsyncIterator[dict[str, Any]]:
    # A save asks the database several times; each time it would wait 5 ms for every page that is being drawn meanwhile.
    sys.setswitchinterval(SWITCH_SECONDS)
    session.warm_up()
    address, port = st.get_option("server.address"), st.get_option("server.port")
    print(f"Review page: http://{address}:{port}  (Ctrl-C ends it; reviews are kept)", flush=True)
    yield {}
    session.close()


app = st.App(
    Path(main.__file__),
    routes=[
        film_route(session.find_film, may_see=access.may_see_films),
        export_route(session.take_export, may_take=access.may_export),
        *health_routes(session.database),
    ],
    middleware=[Middleware(SecurityHeaders), Middleware(RefusedFilms)],
    lifespan=_announce,
    on_script_error=faults.show,
)
