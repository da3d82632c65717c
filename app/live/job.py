"""One answer on its way, in a thread of its own: a page looks at it from time to time, and stops it.

The thread ends with the answer, with `stop`, after the time allowed, or when no page has looked for a while: a reader
who has closed the browser needs no model that goes on writing.
"""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Literal

from app.live.client import Client, Question
from app.servers import Servers
from xray.errors import XrayError

State = Literal["waiting", "writing", "done", "stopped", "late", "failed"]
RUNNING: tuple[State, ...] = ("waiting", "writing")
_LOOK_SECONDS = 0.5
_log = logging.getLogger("app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """`silence`: longest wait for the next piece; `whole`: for all of an answer; `unwatched`: without a page."""

    silence_seconds: float = 120.0
    whole_seconds: float = 600.0
    unwatched_seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a page sees of a job. `text` is what is written so far; `is_cut`: it ran into the limit of length."""

    state: State
    text: str
    seconds: float
    is_cut: bool = False
    error: XrayError | None = None
    unexpected: Exception | None = None


class Job:
    """An answer that is being written. Its methods may be called from any thread."""

    def __init__(self, servers: Servers, question: Question, *, patience: Patience = Patience()) -> None:
        """Begin to ask."""
        self.question = question
        self._patience = patience
        self._client = Client(servers, silence_seconds=patience.silence_seconds)
        self._lock = threading.Lock()
        self._state: State = "waiting"
        self._parts: list[str] = []
        self._error: Exception | None = None
        self._started = self._seen = time.monotonic()
        self._ended: float | None = None
        self._over = threading.Event()
        threading.Thread(target=self._write, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def look(self) -> Progress:
        """Return how far it is. Looking keeps it alive."""
        with self._lock:
            self._seen = time.monotonic()
            return Progress(
                state=self._state,
                text="".join(self._parts),
                seconds=(self._ended or self._seen) - self._started,
                is_cut=self._state == "done" and self._client.finish_reason == "length",
                error=self._error if isinstance(self._error, XrayError) else None,
                unexpected=None if isinstance(self._error, XrayError) else self._error,
            )

    def stop(self) -> None:
        """Stop the model; what it has written stays."""
        self._end("stopped")

    def _write(self) -> None:
        try:
            for piece in self._client.answer(self.question):
                with self._lock:
                    if self._state not in RUNNING:
                        return
                    self._state = "writing"
                    self._parts.append(piece)
            self._end("done")
        except Exception as error:  # raised where the page looks
            self._end("failed", error=error)

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            now = time.monotonic()
            if now - self._started > self._patience.whole_seconds:
                self._end("late")
            elif now - self._seen > self._patience.unwatched_seconds:
                _log.info("live generation: nobody watches, stopped")
                self._end("stopped")

    def _end(self, state: State, *, error: Exception | None = None) -> None:
        """Settle what became of the answer, once, and let go of the server."""
        with self._lock:
            if self._state not in RUNNING:
                return
            self._state, self._error, self._ended = state, error, time.monotonic()
        self._over.set()
        self._client.close()
