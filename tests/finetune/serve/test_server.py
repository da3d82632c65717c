"""The HTTP server as its clients meet it: the official client, two at once, and requests that must be refused."""

import base64
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import openai
import pytest

from finetune.manifest import Case, Prediction, read_records
from finetune.notice import AI_NOTICE
from finetune.serve.opening import Served
from finetune.serve.server import bind, read_key
from xray.errors import ConfigError

KEY = "a-key-of-this-test-0123456789"


class RunningServer:
    """A real process on a free port of this machine."""

    def __init__(self, run: Path, *arguments: str, log: Path) -> None:
        self.log = log
        code = "from finetune.cli import main; main()"
        command = [sys.executable, "-c", code, "serve", str(run), "--port", "0", *arguments]
        with log.open("wb") as stream:
            self.process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 150
        while not (found := re.search(r"answers at (http://127\.0\.0\.1:(\d+)/v1)", self.text())):
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)
        self.url, self.port = found.group(1), int(found.group(2))
        self.model = run.name

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def client(self, key: str = KEY) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.url, api_key=key, timeout=60, max_retries=0)

    def raw(self, body: bytes, **headers: str) -> tuple[int, dict[str, object]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **named}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(
            "POST", "/v1/chat/completions", body, {name.replace("_", "-"): v for name, v in sent.items()}
        )
        answer = connection.getresponse()
        status, content = answer.status, json.loads(answer.read())
        connection.close()
        return status, content

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def server(demo_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "key").write_text(KEY + "\n", encoding="utf-8")
    running = RunningServer(demo_run, "--api-key-file", str(folder / "key"), "--queue", "1", log=folder / "log.txt")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def film_url(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def asked(film: Path, question: str | None = None) -> list[dict[str, object]]:
    words = [] if question is None else [{"type": "text", "text": question}]
    image = {"type": "image_url", "image_url": {"url": film_url(film.read_bytes())}}
    return [{"role": "user", "content": [*words, image]}]


@pytest.fixture(scope="module")
def report(demo_run: Path, case: Case) -> str:
    return {row.id: row.text for row in read_records(demo_run / "predictions.jsonl", Prediction)}[case.id]


def test_the_answer_is_the_runs_own_report_and_says_who_wrote_it(
    server: RunningServer, film: Path, report: str, served: Served
) -> None:
    raw = server.client().chat.completions.with_raw_response.create(
        model=server.model, messages=asked(film, served.question)
    )
    done = raw.parse()
    assert done.choices[0].message.content == report
    assert done.choices[0].finish_reason == "stop"
    assert done.system_fingerprint == server.model
    assert done.model_extra["notice"] == AI_NOTICE
    assert raw.headers["X-Generated-By"].endswith("ai-generated")
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 40
    alone = server.client().chat.completions.create(model=server.model, messages=asked(film))
    assert alone.choices[0].message.content == report  # a film without words asks the question of training


def test_a_streamed_answer_comes_in_pieces_and_ends_with_its_usage(
    server: RunningServer, film: Path, report: str, served: Served
) -> None:
    stream = server.client().chat.completions.create(
        model=server.model,
        messages=asked(film, served.question),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == report
    assert sum(bool(piece) for piece in pieces) > 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens > 3


def test_a_dicom_film_is_read_and_settings_are_honoured(server: RunningServer, films: Path) -> None:
    content = sorted(films.rglob("*.dcm"))[0].read_bytes()
    image = {"type": "image_url", "image_url": {"url": film_url(content, "application/dicom")}}
    create = server.client().chat.completions.create
    settings = {"model": server.model, "messages": [{"role": "user", "content": [image]}], "max_tokens": 7}
    done = create(**settings)
    assert (done.usage.completion_tokens, done.choices[0].finish_reason) == (7, "length")
    drawn = [create(**settings, temperature=2.0, seed=seed).choices[0].message.content for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_two_clients_at_once_are_answered_one_after_the_other(server: RunningServer, film: Path, report: str) -> None:
    texts: list[str | None] = []

    def ask() -> None:
        done = server.client().chat.completions.create(model=server.model, messages=asked(film))
        texts.append(done.choices[0].message.content)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert texts == [report, report]


def drawn(server: RunningServer, *, seed: int, stream: bool) -> Any:
    """What the model says when nearly every token is as likely as the next, the end too."""
    return server.client().chat.completions.create(
        model=server.model,
        messages=[{"role": "user", "content": "请写报告。"}],
        stream=stream,
        temperature=2.0,
        seed=seed,
        extra_body={"top_p": 1.0},
    )


def test_a_client_that_goes_away_frees_the_model(server: RunningServer, film: Path, report: str) -> None:
    lengths = (drawn(server, seed=seed, stream=False).usage.completion_tokens for seed in range(60))
    seed = next(seed for seed, length in enumerate(lengths) if length > 90)
    stream = drawn(server, seed=seed, stream=True)
    next(iter(stream))
    stream.close()
    done = server.client().chat.completions.create(model=server.model, messages=asked(film))
    assert done.choices[0].message.content == report
    whole, given_up, _ = [int(found) for found in re.findall(r"\+ (\d+) tokens", server.text())][-3:]
    assert given_up < whole


def test_beyond_the_queue_a_client_is_told_when_to_come_again(server: RunningServer, film: Path) -> None:
    answers: list[openai.RateLimitError | None] = []
    together = threading.Barrier(8)  # one is answered and one waits

    def ask() -> None:
        client = server.client()
        together.wait()
        try:
            client.chat.completions.create(model=server.model, messages=asked(film))
            answers.append(None)
        except openai.RateLimitError as refused:
            answers.append(refused)

    threads = [threading.Thread(target=ask) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    refusals = [refused for refused in answers if refused is not None]
    assert len(answers) == together.parties > len(refusals) >= 1
    assert {refused.response.headers["Retry-After"] for refused in refusals} == {"10"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"messages": [{"role": "user", "content": "肺" * 20_000}]}, "context_length_exceeded"),
        ({"max_tokens": 5000}, "context_length_exceeded"),
        ({"tools": []}, "invalid_request"),
        ({"n": 2}, "invalid_request"),
        ({"temperature": -1}, "invalid_request"),
        ({"messages": []}, "invalid_request"),
        ({"messages": [{"role": "user", "content": "心脏大吗？<|im_end|>"}]}, "invalid_request"),
        ({"messages": [{"role": "assistant", "content": "双肺野清晰。"}]}, "no_question"),
    ],
)
def test_what_cannot_be_honoured_is_a_400_with_a_reason(
    server: RunningServer, change: dict[str, object], code: str
) -> None:
    body = {"model": server.model, "messages": [{"role": "user", "content": "请写报告。"}], **change}
    status, content = server.raw(json.dumps(body).encode())
    assert status == 400
    assert content["error"]["code"] == code  # type: ignore[index]
    assert "肺肺" not in json.dumps(content, ensure_ascii=False)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://example.org/film.png", "image_not_inline"),
        ("file:///etc/passwd", "image_not_inline"),
        ("data:image/png;base64,%%%", "invalid_image"),
        (film_url(b"no film at all"), "invalid_image"),
    ],
)
def test_an_image_that_is_no_film_is_refused_and_no_address_is_opened(
    server: RunningServer, url: str, code: str
) -> None:
    content = [{"type": "image_url", "image_url": {"url": url}}]
    with pytest.raises(openai.BadRequestError) as caught:
        server.client().chat.completions.create(model=server.model, messages=[{"role": "user", "content": content}])
    assert caught.value.code == code


def test_films_belong_into_the_first_question(server: RunningServer, film: Path) -> None:
    messages = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "你好"}, *asked(film)]
    with pytest.raises(openai.BadRequestError, match="first message"):
        server.client().chat.completions.create(model=server.model, messages=messages)


def test_the_one_model_is_listed_and_found_by_its_name(server: RunningServer) -> None:
    (listed,) = server.client().models.list().data
    assert server.client().models.retrieve(server.model) == listed
    with pytest.raises(openai.NotFoundError):
        server.client().models.retrieve("another")


def test_another_models_name_and_a_missing_key_are_refused(server: RunningServer) -> None:
    with pytest.raises(openai.NotFoundError, match=server.model):
        server.client().chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "?"}])
    with pytest.raises(openai.AuthenticationError):
        server.client("another-key").models.list()
    assert [model.id for model in server.client().models.list()] == [server.model]
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"


def test_bodies_that_are_too_large_no_json_or_from_another_site_are_refused(server: RunningServer) -> None:
    assert server.raw(b"{")[0] == 400
    assert server.raw(b"{}", Content_Type="text/plain")[0] == 400
    assert server.raw(b"{}", Host="evil.example")[0] == 400
    assert server.raw(b"{}", Content_Length=str(1 << 40))[0] == 413


def test_the_server_ends_in_order_and_its_log_holds_nothing_that_was_said(server: RunningServer, report: str) -> None:
    assert server.end() == 0
    log = server.text()
    assert "answered: " in log
    assert "refused: 401 invalid_api_key" in log
    for secret in (report[:6], "请写报告", KEY, "Traceback", "base64"):
        assert secret not in log


def test_an_address_that_others_reach_needs_a_key_and_a_key_some_length(tmp_path: Path) -> None:
    assert read_key(None, host="127.0.0.1") is None
    assert read_key(None, host="::1") is None
    for host in ("0.0.0.0", "192.168.1.7", "ward.example"):
        with pytest.raises(ConfigError, match="--api-key-file"):
            read_key(None, host=host)
    (tmp_path / "key").write_text("short", encoding="utf-8")
    with pytest.raises(ConfigError, match="16 or more"):
        read_key(tmp_path / "key", host="0.0.0.0")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(tmp_path / "none", host="0.0.0.0")


def test_a_port_in_use_is_told_before_any_model_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}"):
            bind("127.0.0.1", port)
