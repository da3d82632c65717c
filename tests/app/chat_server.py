"""A small server that speaks OpenAI's chat completions, and fails in the ways that real ones do."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECES = ("左侧胸腔", "少量积液，", "心影不大。")


@dataclass
class ChatServer:
    """`model` is what it has. `status` refuses questions; `broken` breaks the stream off after the first piece.

    `garbage` sends what is no JSON, `error` an error, instead of the second piece. `pause_seconds` passes before each.
    """

    model: str = "one"
    pieces: tuple[str, ...] = PIECES
    status: int = 200
    broken: bool = False
    garbage: bool = False
    error: bool = False
    pause_seconds: float = 0.0
    finish_reason: str = "stop"
    questions: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@contextmanager
def serving_chat(server: ChatServer) -> Iterator[ChatServer]:
    """Answer on loopback until the block ends."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"chat": server}))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}/v1"
    try:
        yield server
    finally:
        server.stop.set()
        http.shutdown()
        http.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    chat: ChatServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.chat.headers.append(dict(self.headers))
        body = json.dumps({"object": "list", "data": [{"id": self.chat.model, "object": "model"}]})
        self._whole(200, body.encode())

    def do_POST(self) -> None:
        chat = self.chat
        chat.questions.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        chat.headers.append(dict(self.headers))
        if chat.status != 200:
            words = {"error": {"message": "refused by the test", "type": "x", "param": None, "code": "x"}}
            self._whole(chat.status, json.dumps(words).encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self._stream()
        except OSError:
            chat.hung_up.set()
            self.close_connection = True

    def _stream(self) -> None:
        chat = self.chat
        self._event(json.dumps(_chunk({"role": "assistant", "content": ""})))
        for number, piece in enumerate(chat.pieces):
            if chat.pause_seconds:
                self._wait(chat.pause_seconds)
            if number and chat.broken:
                self.close_connection = True
                return
            if number and (chat.garbage or chat.error):
                self._event("{" if chat.garbage else json.dumps({"error": {"message": "out of memory"}}))
                continue
            self._event(json.dumps(_chunk({"content": piece}), ensure_ascii=False))
        self._event(json.dumps(_chunk({}, finish_reason=chat.finish_reason)))
        self._event("[DONE]")
        self._chunked(b"")

    def _wait(self, seconds: float) -> None:
        """Wait for the next piece, and notice a client that has gone, as a server does."""
        self.connection.settimeout(0.02)
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.chat.stop.is_set():
            try:
                if self.connection.recv(1) == b"":
                    raise ConnectionAbortedError
            except TimeoutError:
                continue
        self.connection.settimeout(None)

    def _event(self, data: str) -> None:
        self._chunked(f"data: {data}\n\n".encode())

    def _chunked(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _whole(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _chunk(delta: dict[str, str], *, finish_reason: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "one", "choices": [choice]}
