"""An answer on its way to a client: as server-sent events, and no longer than the client listens."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from finetune.serve.engine import Answer, Prompt
from finetune.serve.replies import Reply, error_reply
from finetune.serve.schema import ChatRequest, RequestError
from xray.errors import MemoryLimitError

log = logging.getLogger(__name__)
Result = TypeVar("Result")
_LOOK_SECONDS = 0.5  # how often a client that waits is looked after


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """An answer that is being written, and the prompt that it answers."""

    prompt: Prompt
    answer: Answer


class ClientGoneError(Exception):
    """Whoever asked no longer listens."""


def failure(error: Exception) -> RequestError:
    """Return what a client may know of an error that is not its own."""
    if isinstance(error, MemoryLimitError):
        return RequestError(503, "out_of_memory", "The device has too little memory for this request.")
    log.error("internal error: %s", type(error).__name__)
    return RequestError(500, "internal_error", "The server failed at this request.")


class EventStream(StreamingResponse):
    """Server-sent events that stop the model when nobody listens any more."""

    def __init__(
        self,
        events: AsyncGenerator[str],
        *,
        source: AsyncGenerator[Writing | str],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(events, media_type="text/event-stream", headers={**headers, "Cache-Control": "no-store"})
        self._events = events
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events to their end, or until the client goes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._events.aclose()
                await self._source.aclose()


async def events_of(
    writing: Writing, pieces: AsyncIterator[Writing | str], *, chat: ChatRequest, reply: Reply
) -> AsyncGenerator[str]:
    """Yield an answer as server-sent events: a role, the pieces, why it ended, the usage if asked, and the end."""
    yield _event(reply.opening())
    try:
        async for piece in pieces:
            yield _event(reply.piece(str(piece)))
    except Exception as error:  # the status is sent already
        yield _event(error_reply(failure(error)))
        return
    yield _event(reply.end(writing.answer.finish_reason))
    if chat.stream_options and chat.stream_options.include_usage:
        yield _event(reply.usage(writing.answer, writing.prompt))
    yield "data: [DONE]\n\n"


def _event(content: str) -> str:
    return f"data: {content}\n\n"


async def in_thread(function: Callable[[], Result]) -> Result:
    """Call `function` in a thread that a cancelled task does not wait for."""
    return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)


async def while_connected(request: Request, work: Awaitable[Result]) -> Result:
    """Return what `work` returns. Raises ClientGoneError, with the work cancelled, once nobody waits for it."""
    results: list[Result] = []
    errors: list[Exception] = []
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while not await request.is_disconnected():
                await anyio.sleep(_LOOK_SECONDS)
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            results.append(await work)
        except Exception as error:  # raised outside, where it is not wrapped into a group
            errors.append(error)
        group.cancel_scope.cancel()
    if errors:
        raise errors[0]
    if not results:
        raise ClientGoneError
    return results[0]
