"""A client of `finetune serve`: which model answers, and an answer piece by piece (OpenAI's chat completions, SSE).

The standard library does it: nothing is redirected, no proxy gets a film, and closing the connection is what stops the
model. Waiting in the queue of the server counts as its silence.
"""

import base64
import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.servers import KEY_VARIABLE, Servers
from xray.errors import DataError

_MOST_BYTES = 4 << 20
_LONGEST_SAYING = 200
_END = "[DONE]"
_START = "Start it with `finetune serve RUN` on this machine, or name its address by --serve when this app starts."
_START_ZH = "请在本机运行 `finetune serve RUN`，或在启动本程序时用 --serve 给出地址。"


class ServerAbsentError(DataError):
    """Nobody answers at the address of the model's server."""


class BusyError(DataError):
    """The server has too many requests; it may be asked again in `seconds`."""

    def __init__(self, message: str, *, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a model: `films` are PNG files, `turns` are (role, text) and end with the user's question."""

    model: str
    films: tuple[bytes, ...]
    turns: tuple[tuple[str, str], ...]

    def body(self) -> bytes:
        """Return the request; the films go before the first question."""
        urls = (f"data:image/png;base64,{base64.b64encode(film).decode()}" for film in self.films)
        films: list[dict[str, object]] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        messages: list[dict[str, object]] = []
        for role, text in self.turns:
            content: list[dict[str, object]] = [{"type": "text", "text": text}]
            if role == "user":
                content, films = [*films, *content], []
            messages.append({"role": role, "content": content if role == "user" else text})
        body = {"model": self.model, "messages": messages, "temperature": 0, "stream": True}
        return json.dumps(body, ensure_ascii=False).encode()


class Client:
    """One conversation with the server. `close`, from any thread, breaks it off and stops the model."""

    def __init__(self, servers: Servers, *, silence_seconds: float = 120.0) -> None:
        """`silence_seconds` is the longest wait for the next bytes."""
        self._servers = servers
        self._seconds = silence_seconds
        self._finish_reason: str | None = None
        self._socket: socket.socket | None = None
        self._closed = threading.Event()

    @property
    def finish_reason(self) -> str | None:
        """Why the last answer ended: `stop`, `length`; None while it has not."""
        return self._finish_reason

    def models(self) -> tuple[str, ...]:
        """Return the names of what the server has. Raises ServerAbsentError, and DataError for an answer of no use."""
        with self._opened("GET", "/models") as response:
            content = self._read(response)
        try:
            return tuple(str(model["id"]) for model in json.loads(content)["data"])
        except (ValueError, TypeError, KeyError):
            raise DataError(
                f"{self._host} answered with something that is no list of models. Check --serve."
            ).in_chinese(f"{self._host} 的应答不是模型列表。请核对 --serve。") from None

    def answer(self, question: Question) -> Iterator[str]:
        """Yield the answer as it grows.

        Raises ServerAbsentError, BusyError, and DataError where the server refuses, falls silent or breaks off.
        """
        self._finish_reason = None
        is_whole = False
        with self._opened("POST", "/chat/completions", body=question.body()) as response:
            for event in self._events(response):
                is_whole = event == _END and self._finish_reason is not None
                if event == _END:
                    break
                yield from self._pieces(event)
        if not (is_whole or self._closed.is_set()):
            raise DataError(f"{self._host} broke off before the answer ended. Ask again.").in_chinese(
                f"{self._host} 在生成结束前中断。请重新生成。"
            )

    def close(self) -> None:
        """Break off. Whoever waits for the answer sees it end."""
        self._closed.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for bytes; closing alone does not

    def _pieces(self, event: str) -> Iterator[str]:
        try:
            chunk = json.loads(event)
            if "error" in chunk:
                raise DataError(
                    f"{self._host} failed at this answer{_saying(chunk)}. See the log of the server."
                ).in_chinese(f"{self._host} 生成时出错{_saying(chunk)}。请查看模型服务的日志。")
            for choice in chunk["choices"]:
                self._finish_reason = choice.get("finish_reason") or self._finish_reason
                if text := choice["delta"].get("content"):
                    yield str(text)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise DataError(f"{self._host} sent something that is no chat completion. Check --serve.").in_chinese(
                f"{self._host} 的应答不是对话生成的格式。请核对 --serve。"
            ) from None

    def _events(self, response: http.client.HTTPResponse) -> Iterator[str]:
        """Yield the data of server-sent events; a comment or an empty line is none."""
        size = 0
        while True:
            try:
                line = response.readline(_MOST_BYTES)
            except TimeoutError:
                raise self._silent() from None
            except (OSError, http.client.HTTPException):
                return
            size += len(line)
            if not line or size > _MOST_BYTES:
                return
            if line.startswith(b"data:"):
                yield line.removeprefix(b"data:").decode("utf-8", errors="replace").strip()

    @contextmanager
    def _opened(self, method: str, path: str, *, body: bytes | None = None) -> Iterator[http.client.HTTPResponse]:
        """Give the answer to one request; its end lets the connection go, which tells the server to stop."""
        with closing(self._connect()) as connection:
            try:
                response = self._send(connection, method, path, body=body)
            except TimeoutError:
                raise self._silent() from None
            except ssl.SSLError:
                raise DataError(f"The certificate of {self._host} is not one that this machine trusts.").in_chinese(
                    f"本机不信任 {self._host} 的证书。"
                ) from None
            except (OSError, http.client.HTTPException):
                raise ServerAbsentError(f"No model answers at {self._host}. {_START}").in_chinese(
                    f"{self._host} 没有模型应答。{_START_ZH}"
                ) from None
            with response:
                if response.status != http.HTTPStatus.OK:
                    raise self._refusal(response)
                yield response

    def _send(
        self, connection: http.client.HTTPConnection, method: str, path: str, *, body: bytes | None
    ) -> http.client.HTTPResponse:
        headers = {"Content-Type": "application/json", "User-Agent": "xray-report-kit"}
        if self._servers.key:
            headers["Authorization"] = f"Bearer {self._servers.key}"
        connection.connect()
        self._socket = connection.sock
        if self._closed.is_set():
            raise ConnectionAbortedError
        connection.request(method, f"{urlsplit(self._servers.serve).path}{path}", body=body, headers=headers)
        return connection.getresponse()

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._servers.serve)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=self._seconds)

    def _refusal(self, response: http.client.HTTPResponse) -> DataError:
        said = _saying(_as_json(self._read(response)))
        status, host = response.status, self._host
        if status == http.HTTPStatus.TOO_MANY_REQUESTS:
            asked = response.headers.get("Retry-After", "")
            seconds = int(asked) if re.fullmatch(r"\d{1,4}", asked) else 10
            return BusyError(
                f"{host} has other requests to answer first. Ask again in {seconds} s.", seconds=seconds
            ).in_chinese(f"{host} 正在处理其他请求。请 {seconds} 秒后再试。")
        if status in (401, 403):
            return DataError(f"{host} refuses access ({status}). Set {KEY_VARIABLE} to its key.").in_chinese(
                f"{host} 拒绝访问（{status}）。请把 {KEY_VARIABLE} 设为其密钥。"
            )
        if 300 <= status < 400:
            return DataError(f"{host} redirects ({status}). Name the final address by --serve.").in_chinese(
                f"{host} 转向其他地址（{status}）。请用 --serve 给出最终地址。"
            )
        if status >= 500:
            return DataError(f"{host} failed ({status}){said}. See the log of the server.").in_chinese(
                f"{host} 出错（{status}）{said}。请查看模型服务的日志。"
            )
        return DataError(f"{host} refuses this request ({status}){said}.").in_chinese(
            f"{host} 不接受这次请求（{status}）{said}。"
        )

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        try:
            return response.read(_MOST_BYTES)
        except TimeoutError:
            raise self._silent() from None
        except (OSError, http.client.HTTPException):
            return b""

    def _silent(self) -> DataError:
        return DataError(
            f"{self._host} was silent for {self._seconds:g} seconds. Ask again, or look at its log."
        ).in_chinese(f"{self._host} 已 {self._seconds:g} 秒没有应答。请重试，或查看其日志。")

    @property
    def _host(self) -> str:
        return urlsplit(self._servers.serve).netloc


def _as_json(content: bytes) -> object:
    try:
        found: object = json.loads(content)
    except ValueError:
        found = None
    return found


def _saying(answer: object) -> str:
    """Return what a server says of its refusal, on one line and shortened."""
    error = answer.get("error") if isinstance(answer, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    return f": {' '.join(str(message).split())[:_LONGEST_SAYING].rstrip('.')}" if message else ""
