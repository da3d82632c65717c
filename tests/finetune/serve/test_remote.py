"""Somebody else's model on a run's test studies: never without two permissions, and never a study twice."""

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import uvicorn
import yaml

from finetune.config import RunConfig
from finetune.config_file import load_config
from finetune.manifest import Case, Prediction, RunManifest, ScoresFile, read_json, read_records
from finetune.remote import KEY_VARIABLE, Endpoint, generate_remote
from finetune.serve.app import build_app
from finetune.serve.opening import Served
from tests.finetune.conftest import quiet_screen
from xray.errors import ConfigError, DataError

ROOT = Path(__file__).parents[3]
DEMO_CARD = f"data.card={ROOT / 'data_cards/demo.yaml'}"


@pytest.fixture(scope="module")
def own_server(served: Served) -> Iterator[str]:
    """The kit's own interface on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = build_app(served, api_key="the-key-of-this-test")
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        server.should_exit = True
        thread.join()


class Moody(BaseHTTPRequestHandler):
    """Gives the next of `answers` to each request: a status, or a text; after the last, the last again."""

    answers: list[object]
    asked: list[dict[str, object]]

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        status = answer if isinstance(answer, int) else 200
        choice = {"message": {"content": answer}, "finish_reason": "stop"}
        body = {"choices": [choice]} if status == 200 else {"error": {"message": "not\nnow"}}
        self.send_response(status)
        self.send_header("Retry-After", "0")
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def moody() -> Iterator[tuple[str, type[Moody]]]:
    own = type("Own", (Moody,), {"answers": [], "asked": []})
    with HTTPServer(("127.0.0.1", 0), own) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1", own
        server.shutdown()
        thread.join()


@pytest.fixture
def run(demo_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo_run, tmp_path / demo_run.name)


def config_of(run: Path, *overrides: str) -> RunConfig:
    return load_config(run / "config.resolved.yaml", overrides)


def ask(run: Path, url: str, *, name: str = "other", model: str = "m", tries: int = 3) -> list[Prediction]:
    endpoint = Endpoint(url=url, model=model, requests_per_minute=1e5, tries=tries, first_pause=0.01)
    generate_remote(
        run, name=name, endpoint=endpoint, config=config_of(run, DEMO_CARD), allowed=True, screen=quiet_screen()
    )
    return read_records(run / f"predictions.{name}.jsonl", Prediction)


def test_another_servers_reports_are_scored_beside_the_rest(
    run: Path, own_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "the-key-of-this-test")
    rows = ask(run, own_server, name="ours", model=run.name)
    own = {row.id: row.text for row in read_records(run / "predictions.jsonl", Prediction)}
    assert {row.id: row.text for row in rows} == own
    scores = read_json(run / "scores.json", ScoresFile).systems
    assert list(scores)[-1] == "ours"
    assert scores["ours"] == scores["adapter"]
    named = {item.path for item in read_json(run / "manifest.json", RunManifest).artefacts}
    assert {"predictions.ours.jsonl", "remote.ours.json"} <= named
    assert "ours" in (run / "report.html").read_text(encoding="utf-8")
    assert "the-key" not in (run / "remote.ours.json").read_text(encoding="utf-8")


def test_only_films_and_questions_are_sent(run: Path, moody: tuple[str, type[Moody]]) -> None:
    url, server = moody
    server.answers = ["双肺野清晰。"]
    ask(run, url)
    for case, body in zip(read_records(run / "references.jsonl", Case), server.asked, strict=True):
        sent = json.dumps(body, ensure_ascii=False)
        assert sent.count("data:image/png;base64,") == len(case.images)
        assert not any(word in sent for word in (case.id, case.study_uid, case.patient_key, case.text))


def test_a_server_that_is_busy_is_asked_again_and_nothing_twice(run: Path, moody: tuple[str, type[Moody]]) -> None:
    url, server = moody
    server.answers = [429, 503, "第一份", "第二份", 400]
    with pytest.raises(DataError, match=r"status 400 \(not now\)"):
        ask(run, url)
    assert len(server.asked) == 5
    kept = read_records(run / "predictions.other.jsonl", Prediction)
    assert [row.text for row in kept] == ["第一份", "第二份"]
    server.asked.clear()
    server.answers = ["后来"]
    rows = ask(run, url)
    assert [row.text for row in rows[:3]] == ["第一份", "第二份", "后来"]
    assert len(server.asked) == len(rows) - 2


@pytest.mark.parametrize(
    ("status", "message"), [(401, KEY_VARIABLE), (302, "redirects"), (500, "status 500"), (404, "status 404")]
)
def test_a_server_that_refuses_is_one_line(
    run: Path, moody: tuple[str, type[Moody]], status: int, message: str
) -> None:
    url, server = moody
    server.answers = [status]
    with pytest.raises((DataError, ConfigError), match=message) as caught:
        ask(run, url, tries=2)
    assert "\n" not in str(caught.value)


def test_an_answer_that_is_none_and_a_server_that_is_not_there_are_one_line(
    run: Path, moody: tuple[str, type[Moody]]
) -> None:
    url, server = moody
    server.answers = [200]
    with pytest.raises(DataError, match="no chat completion"):
        ask(run, url)
    with pytest.raises(DataError, match="cannot be reached"):
        ask(run, "http://127.0.0.1:1/v1", name="nobody", tries=1)


def test_a_name_stays_with_the_model_that_had_it_first(run: Path, moody: tuple[str, type[Moody]]) -> None:
    url, server = moody
    server.answers = ["双肺野清晰。"]
    ask(run, url)
    with pytest.raises(ConfigError, match="other is m at"):
        ask(run, url, model="another")
    for name in ("base", "a.b", "../x", ""):
        with pytest.raises(ConfigError, match="--name"):
            ask(run, url, name=name)


def test_films_stay_here_without_the_flag_the_card_and_its_permission(
    run: Path, moody: tuple[str, type[Moody]], tmp_path: Path
) -> None:
    url, server = moody
    content = yaml.safe_load((ROOT / "data_cards/demo.yaml").read_text(encoding="utf-8"))
    forbidding = tmp_path / "card.yaml"
    forbidding.write_text(yaml.safe_dump({**content, "third_party_interfaces": "forbidden"}), encoding="utf-8")
    cases = [
        (False, DEMO_CARD, "--allow-third-party"),
        (True, "data.card=null", r"data\.card"),
        (True, f"data.card={tmp_path / 'none.yaml'}", "no data card"),
        (True, f"data.card={forbidding}", "forbids"),
    ]
    for allowed, card, message in cases:
        with pytest.raises(ConfigError, match=message):
            generate_remote(
                run,
                name="other",
                endpoint=Endpoint(url=url, model="m"),
                config=config_of(run, card),
                allowed=allowed,
                screen=quiet_screen(),
            )
    assert server.asked == []
    assert not (run / "remote.other.json").exists()


@pytest.mark.parametrize(
    "url", ["ftp://h/v1", "http://api.example.org/v1", "https://u:p@h/v1", "h/v1", "https://h/v1?a=b"]
)
def test_an_address_that_is_none_or_would_show_films_in_clear_is_refused(run: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="--remote"):
        ask(run, url)
