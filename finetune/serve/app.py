"""The HTTP interface: one model, one answer at a time, a bounded queue before it, and no word of it in any log."""

import hmac
import logging
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from finetune.serve.engine import Decoding, DialogueError, Prompt, TooLongError
from finetune.serve.opening import Served
from finetune.serve.replies import Reply, error_reply, health_reply, model_reply, models_reply
from finetune.serve.schema import ChatRequest, RequestError, parse_request
from finetune.serve.streaming import (
    ClientGoneError,
    EventStream,
    Writing,
    events_of,
    failure,
    in_thread,
    while_connected,
)
from xray import __version__
from xray.errors import ConfigError, Rejected

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`queue`: requests that wait for the model; `body_bytes` and `body_seconds`: size and arrival of one request."""

    queue: int = 8
    body_bytes: int = 64 << 20
    body_seconds: float = 60.0
    retry_seconds: int = 10


class Service:
    """The model behind the interface, and who waits for it."""

    def __init__(self, served: Served, *, api_key: str | None, hosts: frozenset[str] | None, limits: Limits) -> None:
        self.served = served
        self.limits = limits
        self._api_key = api_key
        self._hosts = hosts
        self._pending = 0
        self._model = anyio.Semaphore(1)  # a lock would have to be released by the task that took it
        label = f"xray-report-kit/{__version__} {quote(served.name)}; ai-generated"
        self.headers = {"X-Generated-By": label}

    async def health(self, request: Request) -> Response:
        """Tell that the model is loaded."""
        self._check_host(request)
        return _json(health_reply(self.served.name))

    async def models(self, request: Request) -> Response:
        """List the one model."""
        self._authorise(request)
        return _json(models_reply(self.served.name))

    async def one_model(self, request: Request) -> Response:
        """Tell of the one model."""
        self._authorise(request)
        self._check_name(request.path_params["name"])
        return _json(model_reply(self.served.name))

    async def completions(self, request: Request) -> Response:
        """Answer a dialogue, at once or piece by piece."""
        self._authorise(request)
        chat = parse_request(await self._body(request))
        self._check_name(chat.model)
        reply = Reply(key=f"chatcmpl-{uuid.uuid4().hex}", model=self.served.name)
        pieces = self._written(chat)
        if chat.stream:
            writing = await while_connected(request, pieces.__anext__())
            assert isinstance(writing, Writing)
            events = events_of(writing, pieces, chat=chat, reply=reply)
            return EventStream(events, source=pieces, headers=self.headers)

        async def whole() -> Writing:
            async with aclosing(pieces):
                parts = [piece async for piece in pieces]
            assert isinstance(parts[0], Writing)
            return parts[0]

        done = await while_connected(request, whole())
        return _json(reply.whole(done.answer, done.prompt), headers=self.headers)

    async def _written(self, chat: ChatRequest) -> AsyncGenerator[Writing | str]:
        """Yield the writing once the model is free, then its pieces. Closing this generator stops the model."""
        started = time.monotonic()
        async with self._place_in_queue():
            prompt, decoding = await anyio.to_thread.run_sync(self._prepare, chat)
            async with self._model:
                answer = self.served.engine.answer(prompt, decoding=decoding)
                try:
                    yield Writing(prompt=prompt, answer=answer)
                    pieces = iter(answer)
                    while (piece := await in_thread(lambda: next(pieces, None))) is not None:
                        yield piece
                finally:
                    with anyio.CancelScope(shield=True):
                        await anyio.to_thread.run_sync(answer.close)
                    seconds = time.monotonic() - started
                    log.info("answered: %d + %d tokens, %.1f s", prompt.length, answer.num_tokens, seconds)

    def _prepare(self, chat: ChatRequest) -> tuple[Prompt, Decoding]:
        """Read films and words. Raises RequestError for what the model cannot take."""
        served = self.served
        try:
            films = [served.films.read_bytes(content) for content in chat.films()]
            prompt = served.engine.prepare(chat.turns(opening=served.opening(), question=served.question), films=films)
        except TooLongError as error:
            raise RequestError(400, "context_length_exceeded", f"{error}.") from None
        except Rejected as refusal:
            raise RequestError(400, "invalid_image", f"A film was refused: {refusal}") from None
        except DialogueError as error:
            raise RequestError(400, "invalid_request", f"{error}.") from None
        except ConfigError:  # its words are for whoever trains: they name the model's folder and what to set
            message = "This model cannot take so many films, or turns in this order."
            raise RequestError(400, "invalid_request", message) from None
        room, asked = served.engine.room(prompt), chat.limit()
        if asked is not None and asked > room:
            message = f"The prompt has {prompt.length} tokens, which leaves {room} for the answer, not {asked}."
            raise RequestError(400, "context_length_exceeded", message)
        decoding = Decoding(
            max_new_tokens=asked or min(served.max_new_tokens, room),
            temperature=chat.temperature or 0.0,
            top_p=chat.top_p or 1.0,
            stop=chat.stops(),
            seed=chat.seed,
        )
        return prompt, decoding

    @asynccontextmanager
    async def _place_in_queue(self) -> AsyncIterator[None]:
        if self._pending > self.limits.queue:
            raise RequestError(429, "queue_full", f"{self._pending} requests are at work or wait. Try again later.")
        self._pending += 1
        try:
            yield
        finally:
            self._pending -= 1

    async def _body(self, request: Request) -> bytes:
        most = self.limits.body_bytes
        too_large = RequestError(413, "request_too_large", f"A request has {most >> 20} MiB at most.")
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise RequestError(400, "invalid_request", "Send application/json.")
        if int(request.headers.get("content-length", "0")) > most:
            raise too_large
        body = bytearray()
        with anyio.move_on_after(self.limits.body_seconds) as scope:
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise too_large
        if scope.cancelled_caught:
            raise RequestError(408, "timeout", "The request did not arrive in time.")
        return bytes(body)

    def _check_name(self, name: str) -> None:
        if name != self.served.name:
            message = f"There is no such model. This server has {self.served.name!r}."
            raise RequestError(404, "model_not_found", message)

    def _authorise(self, request: Request) -> None:
        self._check_host(request)
        if self._api_key is None:
            return
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._api_key}".encode()):
            raise RequestError(401, "invalid_api_key", "Give the key of this server: `Authorization: Bearer ...`.")

    def _check_host(self, request: Request) -> None:
        """Refuse another site's name for this machine, by which a web page could reach a server without a key."""
        if self._hosts is not None and request.url.hostname not in self._hosts:
            raise RequestError(400, "unknown_host", "This server is only reached by the address of its own machine.")


def build_app(
    served: Served, *, api_key: str | None = None, hosts: frozenset[str] | None = None, limits: Limits = Limits()
) -> Starlette:
    """Return the interface of an opened model as an ASGI application.

    `hosts`: names by which it may be called, None for any.
    """
    service = Service(served, api_key=api_key, hosts=hosts, limits=limits)
    routes = [
        Route("/v1/chat/completions", _guarded(service.completions, limits=limits), methods=["POST"]),
        Route("/v1/models", _guarded(service.models, limits=limits)),
        Route("/v1/models/{name}", _guarded(service.one_model, limits=limits)),
        Route("/healthz", _guarded(service.health, limits=limits)),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _no_such_route})


Endpoint = Callable[[Request], Awaitable[Response]]


def _guarded(endpoint: Endpoint, *, limits: Limits) -> Endpoint:
    """Answer every error in OpenAI's shape, with no stack trace and no word of the request."""

    async def call(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RequestError as error:
            refused = error
        except ClientGoneError:
            return Response(status_code=499)
        except Exception as error:
            refused = failure(error)
        log.info("refused: %d %s", refused.status, refused.code)
        headers = {"Retry-After": str(limits.retry_seconds)} if refused.status in (429, 503) else None
        return _json(error_reply(refused), status=refused.status, headers=headers)

    return call


async def _no_such_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refused = RequestError(error.status_code, "not_found", f"{error.detail}.")
    return _json(error_reply(refused), status=error.status_code, headers=error.headers)


def _json(content: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(content, status_code=status, headers=headers, media_type="application/json")
