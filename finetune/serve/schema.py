"""The bodies of the HTTP interface: OpenAI's chat completions, as far as a model of films and text can honour them.

A field that would change the answer and cannot be honoured is refused by name, never ignored.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xray.types import Turn

MOST_FILMS = 8
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,", re.ASCII)


class RequestError(Exception):
    """A request that is refused: the HTTP `status`, a `code` for programs, and what a person reads."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextPart(_Body):
    """Words of a message."""

    type: Literal["text"]
    text: str


class ImageUrl(_Body):
    """A film, inside the request. `detail` is accepted and means nothing: the model's size is settled."""

    url: str
    detail: str | None = None


class ImagePart(_Body):
    """A film of a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


class Message(_Body):
    """One turn of the dialogue."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart | ImagePart]
    name: str | None = None

    def text(self) -> str:
        """Return its words, parts joined by line breaks."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))

    def films(self) -> list[str]:
        """Return the addresses of its films."""
        if isinstance(self.content, str):
            return []
        return [part.image_url.url for part in self.content if isinstance(part, ImagePart)]


class StreamOptions(_Body):
    """What comes with a stream."""

    include_usage: bool = False


class ChatRequest(_Body):
    """`POST /v1/chat/completions`. Greedy unless a temperature is named."""

    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    stop: str | list[str] | None = None
    seed: int | None = Field(None, ge=0, lt=1 << 63)
    n: Literal[1] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None

    def stops(self) -> tuple[str, ...]:
        """Return the texts that end the answer."""
        named = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(stop for stop in named if stop)

    def limit(self) -> int | None:
        """Return the limit of new tokens under either of its names."""
        return self.max_completion_tokens or self.max_tokens

    def films(self) -> list[bytes]:
        """Return the films' files. Raises RequestError for addresses, and for films after the first question."""
        users = [message for message in self.messages if message.role == "user"]
        if any(message.films() for message in self.messages if message not in users[:1]):
            raise RequestError(400, "misplaced_image", "Films belong into the first message of the user.")
        urls = users[0].films() if users else []
        if len(urls) > MOST_FILMS:
            raise RequestError(400, "too_many_images", f"A dialogue has {MOST_FILMS} films at most.")
        return [_decoded(url) for url in urls]

    def turns(self, *, opening: Sequence[Turn], question: str) -> list[Turn]:
        """Return the dialogue. `opening` stands for a missing system turn, `question` for a film without words."""
        named = [self._turn(message, question=question) for message in self.messages]
        if named[-1].role != "user":
            raise RequestError(400, "no_question", "The last message must be the user's.")
        return named if named[0].role == "system" else [*opening, *named]

    def _turn(self, message: Message, *, question: str) -> Turn:
        role = "system" if message.role == "developer" else message.role
        return Turn(role=role, text=message.text() or (question if message.films() else ""))


def parse_request(body: bytes) -> ChatRequest:
    """Read a request. Raises RequestError that names the field which does not fit, and never quotes its value."""
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the body"
        why = "is not supported" if problem["type"] == "extra_forbidden" else problem["msg"]
        raise RequestError(400, "invalid_request", f"{place}: {why}.") from None


def _decoded(url: str) -> bytes:
    match = _DATA_URL.match(url)
    if match is None:
        raise RequestError(
            400,
            "image_not_inline",
            "A film comes inside the request, as data:image/png;base64,... No address is opened.",
        )
    try:
        return base64.b64decode(url[match.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(400, "invalid_image", "A film's base64 is damaged.") from None
