"""Live generation against a real small server: streamed, stopped, and every way in which a server fails."""

import base64
import io
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.live.client import BusyError, Client, Question, ServerAbsentError
from app.live.film import MOST_MEGABYTES, render_upload, settings_of
from app.live.job import RUNNING, Job, Patience, Progress
from app.run import load_run
from app.servers import Servers
from app.store import audit
from app.store.engine import Database
from finetune.manifest import RunManifest, read_json
from tests.app.chat_server import PIECES, ChatServer, serving_chat
from tests.app.conftest import draw_film, write_run
from tests.app.export.project import QUESTION, write_asked
from tests.app.page import assert_no_error, case_ids, go_to, html_of
from xray.data.phantom import Style, write_dataset
from xray.dicom.render import RenderSettings
from xray.errors import DataError, Rejected
from xray.records import write_record

ANSWER = "".join(PIECES)
ASKED = Question(model="one", films=(b"png",), turns=(("system", "你是医师。"), ("user", QUESTION)))
QUICK = Patience(silence_seconds=0.4, whole_seconds=20, unwatched_seconds=20)
DEADLINE = 20.0


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serving_chat(ChatServer()) as running:
        yield running


def of(server: ChatServer) -> Servers:
    return Servers.of(serve=server.url)


def answered(server: ChatServer, **options: object) -> str:
    return "".join(Client(of(server), **options).answer(ASKED))


def ended(job: Job) -> Progress:
    """Look at a job, as a page does, until it is over."""
    deadline = time.monotonic() + DEADLINE
    while (progress := job.look()).state in RUNNING:
        assert time.monotonic() < deadline, "the job does not end"
        time.sleep(0.01)
    return progress


def test_an_answer_comes_piece_by_piece_for_the_film_and_the_question(server: ChatServer):
    client = Client(of(server))
    assert list(client.answer(ASKED)) == list(PIECES)
    assert client.finish_reason == "stop"
    (question,) = server.questions
    system, user = question["messages"]
    assert (question["model"], question["stream"], question["temperature"]) == ("one", True, 0)
    assert system == {"role": "system", "content": "你是医师。"}
    film = {"url": f"data:image/png;base64,{base64.b64encode(b'png').decode()}"}
    assert user["content"] == [{"type": "image_url", "image_url": film}, {"type": "text", "text": QUESTION}]


def test_the_server_tells_what_it_has_and_gets_the_key(server: ChatServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XRAY_SERVE_API_KEY", "a-key-of-sixteen-signs")
    assert Client(of(server)).models() == ("one",)
    assert server.headers[0]["Authorization"] == "Bearer a-key-of-sixteen-signs"
    assert "a-key" not in repr(of(server))


def test_without_a_server_the_way_to_start_one_is_told(server: ChatServer):
    with serving_chat(ChatServer()) as gone:
        address = of(gone)
    with pytest.raises(ServerAbsentError, match="finetune serve RUN"):
        Client(address).models()


def test_a_busy_server_says_when_to_ask_again(server: ChatServer):
    server.status = 429
    with pytest.raises(BusyError, match="Ask again in 10 s") as caught:
        answered(server)
    assert caught.value.seconds == 10


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"status": 500}, r"failed \(500\): refused by the test\. See the log"),
        ({"status": 400}, r"refuses this request \(400\): refused by the test\."),
        ({"status": 401}, r"XRAY_SERVE_API_KEY"),
        ({"status": 307}, r"redirects"),
        ({"broken": True}, r"broke off before the answer ended"),
        ({"garbage": True}, r"no chat completion"),
        ({"error": True}, r"failed at this answer: out of memory"),
        ({"pause_seconds": 5.0}, r"silent for 0\.3 seconds"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_each_failure_is_told_in_one_sentence(server: ChatServer, fault: dict[str, object], told: str):
    for name, value in fault.items():
        setattr(server, name, value)
    with pytest.raises(DataError, match=told):
        answered(server, silence_seconds=0.3)


def test_a_stopped_answer_keeps_what_was_written_and_the_server_is_told(server: ChatServer):
    server.pause_seconds, server.pieces = 0.15, PIECES * 100
    job = Job(of(server), ASKED)
    deadline = time.monotonic() + DEADLINE
    while not job.look().text:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    job.stop()
    progress = ended(job)
    assert progress.state == "stopped"
    assert progress.text.startswith(PIECES[0])
    assert progress.error is progress.unexpected is None
    assert server.hung_up.wait(DEADLINE)


@pytest.mark.parametrize(
    ("patience", "state"),
    [
        (Patience(whole_seconds=0.2), "late"),
        (Patience(unwatched_seconds=0.2), "stopped"),
        (Patience(silence_seconds=0.2), "failed"),
    ],
    ids=["too long", "nobody looks", "silent"],
)
def test_no_model_writes_for_ever(server: ChatServer, patience: Patience, state: str):
    server.pause_seconds = 15.0
    job = Job(of(server), ASKED, patience=patience)
    assert server.hung_up.wait(DEADLINE)
    assert ended(job).state == state


def test_an_answer_at_the_limit_of_length_is_marked(server: ChatServer):
    server.finish_reason = "length"
    progress = ended(Job(of(server), ASKED))
    assert (progress.state, progress.text, progress.is_cut) == ("done", ANSWER, True)


def chest_dicom(folder: Path) -> Path:
    write_dataset(folder, studies=1, seed=0, style=Style.DEMO, workers=1)
    return sorted((folder / "films").rglob("*.dcm"))[0]


def test_an_uploaded_dicom_becomes_a_png_without_its_header(tmp_path: Path):
    path = chest_dicom(tmp_path)
    png = render_upload(path.read_bytes(), settings=RenderSettings(size=128))
    with Image.open(io.BytesIO(png)) as film:
        assert (film.size, film.mode, film.info) == ((128, 128), "L", {})
        assert np.asarray(film).std() > 20
    again = render_upload(png, settings=RenderSettings(size=128))  # as the server renders what it is sent
    assert again == png


def test_a_file_that_is_no_film_is_refused_by_name():
    with pytest.raises(Rejected):
        render_upload(b"%PDF-1.7", settings=RenderSettings())
    with pytest.raises(Rejected, match="too_large"):
        render_upload(bytes((MOST_MEGABYTES << 20) + 1), settings=RenderSettings())


def test_an_upload_is_rendered_as_the_films_of_the_served_run(run_folder: Path):
    learned = RenderSettings(size=96, square=False, deep=True)
    manifest = read_json(run_folder / "manifest.json", RunManifest)
    data = manifest.data.model_copy(update={"image_size": 96, "render_digest": learned.digest()})
    write_record(run_folder / "manifest.json", manifest.model_copy(update={"data": data}))
    assert settings_of(load_run(run_folder)) == RenderSettings(size=96, square=False)
    write_record(run_folder / "manifest.json", manifest)
    with pytest.raises(DataError, match="Choose a film of the run"):
        settings_of(load_run(run_folder))


@pytest.fixture
def open_live(
    open_page: Callable[..., AppTest], tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], AppTest]:
    folder = write_asked(write_run(tmp_path / "one", run_id="one"))
    monkeypatch.setenv("XRAY_REVIEW_SERVE", server.url)

    def start() -> AppTest:
        return go_to(open_page(folder), "generate")

    return start


def settle(page: AppTest) -> AppTest:
    """Run the page, as its timer does, until the answer is there."""
    deadline = time.monotonic() + DEADLINE
    while not page.button(key="live_stop").disabled:
        assert time.monotonic() < deadline
        page.run()
    return page


def test_a_film_of_the_run_is_answered_and_compared_with_its_reference(open_live, server: ChatServer, tmp_path: Path):
    page = open_live()
    assert_no_error(page)
    assert "模型 one" in html_of(page)
    assert "本项目的运行" in html_of(page)
    case = case_ids(tmp_path / "one")[1]
    page.selectbox(key="live_case_one").set_value(case).run()
    page = settle(page.button(key="live_go").click().run())
    assert_no_error(page)
    shown = html_of(page)
    assert "人工智能生成" in shown
    assert "⇄侧别错误·左" in shown
    assert "参考报告" in shown
    (question,) = server.questions
    films = [part for part in question["messages"][-1]["content"] if part["type"] == "image_url"]
    sent = [base64.b64decode(film["image_url"]["url"].partition(",")[2]) for film in films]
    assert sent == [path.read_bytes() for path in sorted((tmp_path / "one/films").glob(f"{case}-*.png"))]
    assert question["messages"][-1]["content"][-1]["text"] == QUESTION
    with closing(Database(tmp_path / "one" / "reviews.sqlite")) as database:
        entry = audit.newest(database, count=1)[0]
    assert (entry.action, entry.subject) == ("live generation", "one")


def test_an_answer_is_never_shown_beside_another_film(open_live, tmp_path: Path):
    page = open_live()
    page = settle(page.button(key="live_go").click().run())
    assert "生成结果" in html_of(page)
    page.selectbox(key="live_case_one").set_value(case_ids(tmp_path / "one")[2]).run()
    assert "生成结果" not in html_of(page)
    assert_no_error(page)


def test_the_reader_may_ask_as_xrayglm_did_and_must_ask_something(open_live, server: ChatServer):
    page = open_live()
    page.segmented_control(key="live_suggestion").set_value("own").run()
    page = page.button(key="live_go").click().run()
    assert "请先写下提问" in page.warning[0].value
    page.segmented_control(key="live_suggestion").set_value("xrayglm").run()
    settle(page.button(key="live_go").click().run())
    assert server.questions[0]["messages"][-1]["content"][-1]["text"] == "通过这张胸部X光影像可以诊断出什么？"


def test_stop_leaves_what_was_written_on_the_page(open_live, server: ChatServer):
    server.pause_seconds, server.pieces = 0.1, ("心影不大。", *PIECES * 100)
    page = open_live()
    page = page.button(key="live_go").click().run()
    deadline = time.monotonic() + DEADLINE
    while "心影不大。" not in html_of(page):
        assert time.monotonic() < deadline
        page.run()
    page = settle(page.button(key="live_stop").click().run())
    assert "已停止" in html_of(page)
    assert "心影不大。" in html_of(page)
    assert server.hung_up.wait(DEADLINE)


def test_an_uploaded_film_is_rendered_shown_and_asked_about(open_live, server: ChatServer, tmp_path: Path):
    server.model = "somebody-elses"
    film = tmp_path / "film.png"
    draw_film(film, seed=3)
    page = open_live()
    assert "不是本项目的运行" in html_of(page)
    page.segmented_control(key="live_source").set_value("upload").run()
    page.file_uploader(key="live_upload").set_value([("film", film.read_bytes(), "application/octet-stream")]).run()
    assert_no_error(page)
    assert 'src="data:image/png;base64,' in html_of(page)
    page = settle(page.button(key="live_go").click().run())
    assert ANSWER in html_of(page)
    assert "参考报告" not in html_of(page)


def test_an_upload_that_is_no_film_is_refused_in_its_place_and_the_page_stands(open_live, server: ChatServer):
    server.model = "somebody-elses"
    page = open_live()
    page.segmented_control(key="live_source").set_value("upload").run()
    page.file_uploader(key="live_upload").set_value([("film.dcm", b"%PDF-1.7", "application/dicom")]).run()
    assert len(page.error) == 1
    assert page.button(key="live_go").disabled
    assert not page.exception


def test_a_server_that_is_not_there_leaves_the_page_standing(open_live, monkeypatch: pytest.MonkeyPatch):
    with serving_chat(ChatServer()) as gone:
        monkeypatch.setenv("XRAY_REVIEW_SERVE", gone.url)
    page = open_live()
    assert "finetune serve RUN" in page.error[0].value
    assert [button.label for button in page.button if button.key == "live_go"] == []
    assert page.button(key="live_again").label == "重新连接"


def test_a_failure_of_the_server_is_told_on_the_page(open_live, server: ChatServer):
    server.status = 500
    page = open_live()
    page = settle(page.button(key="live_go").click().run())
    assert "出错（500）" in page.error[0].value
    assert not page.exception
