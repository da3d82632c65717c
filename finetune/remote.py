"""Somebody else's model on a run's test studies, for comparison: films leave this machine, so two people must say yes.

The user says it with a flag, and whoever knows the data said it in the data card. A film goes as the PNG of the run
folder, which holds no header; nothing else of the study does but the question.
"""

import base64
import http.client
import ipaddress
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from finetune.cases import read_test_examples
from finetune.config import RunConfig
from finetune.console import Screen
from finetune.generate import GeneratedText, write_missing
from finetune.manifest import MANIFEST_FILE, SYSTEMS, RemoteRecord, predictions_path, read_json, remote_path
from finetune.results import score_again
from xray.data.data_card import read_data_card
from xray.data.stored_films import read_png
from xray.errors import ConfigError, DataError
from xray.records import write_record
from xray.types import Example

KEY_VARIABLE = "XRAY_REMOTE_API_KEY"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
_LATER = {408, 425, 429, 500, 502, 503, 504}
_MOST_ANSWER_BYTES = 4 << 20
_LONGEST_PAUSE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model behind OpenAI's interface: `url` ends before /chat/completions, such as https://host/v1."""

    url: str
    model: str
    requests_per_minute: float = 30.0
    tries: int = 6
    first_pause: float = 2.0
    timeout: float = 300.0


def generate_remote(
    folder: Path, *, name: str, endpoint: Endpoint, config: RunConfig, allowed: bool, screen: Screen
) -> None:
    """Write `predictions.<name>.jsonl` with an endpoint's reports on the test studies, and score them with the rest.

    What is written already is not asked again. Raises ConfigError without `allowed` or without a data card that allows
    it, and DataError when the endpoint does not answer.
    """
    _check_permission(config, allowed=allowed)
    _check_address(endpoint.url)
    _claim(folder, name=name, endpoint=endpoint)
    examples = read_test_examples(folder, config=config.data)
    ask = _Asking(endpoint, max_tokens=config.generate.max_new_tokens)
    with screen.stage(f"Asking {endpoint.model} ({name})", key=f"generate_{name}") as tick:
        write_missing(
            examples, predictions_path(folder, name), system=name, batch_size=1, write=ask.each, progress=tick
        )
    if (folder / MANIFEST_FILE).exists():
        with screen.stage("Scoring", key="score"):
            score_again(folder, config=config)


class _Asking:
    """Requests to one endpoint, no faster than its limit."""

    def __init__(self, endpoint: Endpoint, *, max_tokens: int) -> None:
        self.endpoint = endpoint
        self.max_tokens = max_tokens
        self._next = 0.0

    def each(self, examples: Sequence[Example]) -> list[GeneratedText]:
        """Return one report for each example."""
        return [self._report(example) for example in examples]

    def _report(self, example: Example) -> GeneratedText:
        body = {
            "model": self.endpoint.model,
            "messages": _messages(example),
            "temperature": 0,
            "max_tokens": self.max_tokens,
        }
        started = time.monotonic()
        answer = self._post(json.dumps(body).encode())
        try:
            choice = answer["choices"][0]
            return GeneratedText(
                text=(choice["message"]["content"] or "").strip(),
                num_tokens=int((answer.get("usage") or {}).get("completion_tokens") or 0),
                ended=choice.get("finish_reason") != "length",
                seconds=time.monotonic() - started,
            )
        except (KeyError, IndexError, TypeError, AttributeError):
            raise DataError(
                f"{self._host} answered with something that is no chat completion. Check --remote."
            ) from None

    def _post(self, body: bytes) -> dict[str, Any]:
        pause = self.endpoint.first_pause
        for tries_left in range(self.endpoint.tries - 1, -1, -1):
            self._wait_for_turn()
            try:
                return self._open(body)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in _LATER or not tries_left:
                        raise self._refusal(error) from None
                    asked = error.headers.get("Retry-After", "")
                wait = float(asked) if re.fullmatch(r"\d{1,6}", asked) else pause
            except (OSError, http.client.HTTPException) as error:
                if not tries_left:
                    reason = getattr(error, "reason", None) or type(error).__name__
                    raise DataError(f"{self._host} cannot be reached ({reason}). The same command goes on.") from None
                wait = pause
            time.sleep(min(wait, _LONGEST_PAUSE))
            pause *= 2
        raise AssertionError("the last try returns or raises")

    def _open(self, body: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "User-Agent": "xray-report-kit"}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key.strip()}"
        address = f"{self.endpoint.url.rstrip('/')}/chat/completions"
        request = urllib.request.Request(address, data=body, headers=headers)
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=self.endpoint.timeout) as answer:
            content = answer.read(_MOST_ANSWER_BYTES)
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else {}

    def _refusal(self, error: urllib.error.HTTPError) -> DataError | ConfigError:
        if error.code in (401, 403):
            return ConfigError(f"{self._host} refuses access ({error.code}). Set {KEY_VARIABLE} to its key.")
        if 300 <= error.code < 400:
            return ConfigError(f"{self._host} redirects ({error.code}). Name the final address by --remote.")
        return DataError(f"{self._host} answered with status {error.code}{_message(error)}. The same command goes on.")

    def _wait_for_turn(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._next - now))
        self._next = max(now, self._next) + 60 / self.endpoint.requests_per_minute

    @property
    def _host(self) -> str:
        return urlsplit(self.endpoint.url).netloc


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Films and key go to the address that was named and to no other."""

    def redirect_request(self, *_: object) -> None:
        return None


def _messages(example: Example) -> list[dict[str, Any]]:
    """Return the dialogue with its films before the first question."""
    films = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(png).decode()}"}}
        for png in map(read_png, example.images)
    ]
    messages: list[dict[str, Any]] = []
    for turn in example.messages:
        content: list[dict[str, Any]] = [{"type": "text", "text": turn.text}]
        if turn.role == "user":
            content, films = [*films, *content], []
        messages.append({"role": turn.role, "content": content if turn.role == "user" else turn.text})
    return messages


def _check_permission(config: RunConfig, *, allowed: bool) -> None:
    if not allowed:
        raise ConfigError("--remote sends films to somebody else's machine. If that is meant, add --allow-third-party.")
    if config.data.card is None:
        raise ConfigError(
            "no data card says that these films may be sent to others. Name it as data.card; else they stay here."
        )
    card = read_data_card(config.data.card)
    if card.third_party_interfaces != "allowed":
        raise ConfigError(f"the data card {card.id} forbids to send its films to others (third_party_interfaces).")


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https") or parts.query or not re.fullmatch(r"[!-~]+", url):
        raise ConfigError("the address of --remote is not of the form https://host/v1. Correct it.")
    if parts.username or parts.password:
        raise ConfigError(f"the address of --remote holds a password. Take it out, and set {KEY_VARIABLE}.")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise ConfigError("the address of --remote begins with http:, which would send films in clear. Use https:.")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _claim(folder: Path, *, name: str, endpoint: Endpoint) -> None:
    """Note whose reports these are. Raises ConfigError where the name is another's, or none that a file can have."""
    if not _NAME.fullmatch(name) or name in SYSTEMS:
        raise ConfigError(f"--name {name!r}: use letters, digits, - and _, and none of {', '.join(SYSTEMS)}.")
    path, record = remote_path(folder, name), RemoteRecord(url=endpoint.url, model=endpoint.model)
    if not path.exists():
        write_record(path, record)
        return
    known = read_json(path, RemoteRecord)
    if known != record:
        raise ConfigError(
            f"{name} is {known.model} at {known.url}, not {record.model} at {record.url}. Use another --name."
        )


def _message(error: urllib.error.HTTPError) -> str:
    """Return what the server says of its refusal, shortened."""
    try:
        said = json.loads(error.read(1 << 16))["error"]["message"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f" ({' '.join(str(said).split())[:200]})"
