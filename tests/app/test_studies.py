"""The pages of reader studies as Streamlit runs them, without a browser, for every role."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app import main, session
from app.document import Preference, QuestionAnswer, ReviewDocument
from app.protocol.assignment import REFERENCE, Source
from app.protocol.load import preset, thawed
from app.settings import Settings
from app.store import adjudication, audit, progress, studies
from app.store.studies import Assignment
from app.workbench.mount import KEY
from tests.app.conftest import REPORTS
from tests.app.page import assert_no_error, html_of, table_of
from tests.app.study import FIRST, READERS, SECOND, begin, make_project, open_database, set_roles, submit

PAIR = (Source(run_id=FIRST, system="adapter"), Source(run_id=FIRST, system=REFERENCE))
MODELS = (Source(run_id=FIRST, system="adapter"), Source(run_id=SECOND, system="adapter"))
Opener = Callable[..., AppTest]


@pytest.fixture
def project(tmp_path: Path, make_run: Callable[..., Path]) -> Path:
    return make_project(tmp_path, make_run)


@pytest.fixture
def open_at(project: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Open an address of the project in a new browser session."""

    def start(path: str, **query: str) -> AppTest:
        for name, value in Settings.of(project).environment().items():
            monkeypatch.setenv(name, value)
        page = AppTest.from_file(str(main.__file__), default_timeout=30)
        page._page_hash = calc_hash(path)  # as the address /path does; AppTest knows only pages that are files
        for name, value in query.items():
            page.query_params[name] = value
        page.run()
        page._page_hash = ""  # from here on it follows the page
        return page

    return start


def own(tasks: list[Assignment], reader: str = "local") -> list[Assignment]:
    return [task for task in tasks if task.reader == reader]


def button(page: AppTest, label: str):
    return next(found for found in page.button if found.label == label)


def told(page: AppTest) -> str:
    """All that the page hands to the browser, as text: every element and the address."""
    elements = "\n".join(str(element.proto) for element in page.main)
    hidden = "\n".join(part.proto.json for part in page.get("bidi_component"))
    side = "\n".join(str(element.proto) for element in page.sidebar)
    text = "\n".join((html_of(page), elements, hidden, side, json.dumps(dict(page.query_params))))
    return text.replace("tr.adapter", "")  # a rule of the style sheet


def bench(page: AppTest) -> dict[str, object]:
    found = [json.loads(part.proto.json) for part in page.get("bidi_component") if "acks" in part.proto.json]
    return dict(found[0])


def outbox(page: AppTest, **document: object) -> dict[str, object]:
    """What the browser sends to submit the task on the page."""
    data = bench(page)
    sent = {
        "task": data["task"],
        "client": "browser-0001",
        "sequence": 1,
        "base_revision": 0,
        "submit": True,
        "document": {"generated_sha256": data["judged"], **document},
    }
    return {"beat": "1", "owner": data["owner"], "drafts": [sent]}


def send(page: AppTest, sent: dict[str, object]) -> AppTest:
    page.session_state[KEY] = {"outbox": sent}
    return page.run()


ADEQUATE = [{"question": "image_adequate", "value": True}]


def test_a_reader_starts_with_the_next_case_and_goes_on_to_the_one_after(project: Path, open_at: Opener):
    mine = own(begin(project, "flamingo_pref", sources=PAIR))
    page = open_at("tasks")
    assert_no_error(page)
    assert "研究 s1" in html_of(page)
    button(page, "开始阅片").click().run()
    assert_no_error(page)
    assert page.query_params == {"task": mine[0].id}
    assert button(page, "下一例").disabled
    send(page, outbox(page, answers=ADEQUATE, preference={"choice": "A"}))
    assert_no_error(page)
    assert "本例已提交" in page.success[0].value
    button(page, "下一例").click().run()
    assert page.query_params == {"task": mine[1].id}
    later = open_at("tasks")
    assert "已提交 1 / 4" in str(later.get("progress")[0].proto)
    assert list(table_of(later)["状态"]) == ["✓ 已提交"]


def test_nothing_on_the_pages_of_a_blind_study_tells_who_wrote_what(project: Path, open_at: Opener):
    mine = own(begin(project, "flamingo_pref", sources=MODELS, repeats=0.3, sentinels=0.3))
    secrets = (FIRST, SECOND, "adapter", "微调模型", "sentinel", "planted", "known_good", "质控", "phantom-")
    for page in (open_at("tasks"), *(open_at("reading", task=task.id, run=SECOND) for task in mine[:2])):
        assert_no_error(page)
        shown = told(page)
        assert [word for word in secrets if word in shown] == []
        assert all(task.case_id not in shown for task in mine)  # a case that comes back is not known again by its name
        assert not page.selectbox
        assert "run" not in page.query_params


def test_reports_stand_under_letters_and_the_reference_is_one_of_them(project: Path, open_at: Opener):
    (task, *_) = own(begin(project, "flamingo_pref", sources=PAIR))
    page = open_at("reading", task=task.id)
    hidden = bench(page)
    assert hidden["hidden"]  # the films are judged first
    draft = outbox(page, answers=ADEQUATE)
    draft["drafts"][0]["submit"] = False  # type: ignore[index]
    send(page, draft)
    shown = bench(page)
    assert [report["label"] for report in shown["reports"]] == ["A", "B"]
    assert shown["reference"] is None
    assert shown["run"] == shown["case"] == ""


@pytest.mark.parametrize("task", ["", "unknown", "theirs"])
def test_another_readers_task_is_answered_like_one_that_does_not_exist(project: Path, open_at: Opener, task: str):
    theirs = own(begin(project, "flamingo_pref", sources=PAIR), "li")[0]
    page = open_at("reading", task=theirs.id if task == "theirs" else task)
    assert_no_error(page)
    assert page.info[0].value == (
        "没有分配给您的这项任务。请从“我的任务”中打开。" if task else "请从“我的任务”中选择。"
    )
    assert "workbench" not in [part.key for part in page.get("bidi_component")]
    assert all(report not in told(page) for pair in REPORTS for report in pair)


def test_the_reference_comes_when_the_protocol_says_and_not_before(project: Path, open_at: Opener):
    after = preset("radpeer").model_copy(update={"name": "radpeer_after", "reference": "after"})
    (task, *_) = own(begin(project, after, sources=PAIR[:1], readers=("local",)))
    page = open_at("reading", task=task.id)
    reference = session.find_run(FIRST).case(task.case_id).case.text  # type: ignore[union-attr]
    generated = session.find_run(FIRST).case(task.case_id).generated  # type: ignore[union-attr]
    if reference != generated:
        assert reference not in told(page)
    assert bench(page)["reference"] is None
    send(page, outbox(page, answers=[{"question": "score", "value": "s1"}]))
    assert_no_error(page)
    assert bench(page)["reference"] is not None


def test_a_case_is_skipped_with_a_reason_and_the_next_one_opens(project: Path, open_at: Opener):
    mine = own(begin(project, "radpeer", sources=PAIR[:1], readers=("local",)))
    page = open_at("reading", task=mine[0].id)
    button(page, "确认跳过").click().run()
    assert page.warning[0].value == "请写明原因。"
    page.text_area[0].set_value("影像打不开")
    button(page, "确认跳过").click().run()
    assert_no_error(page)
    assert page.query_params == {"task": mine[1].id}
    with closing(open_database(project)) as database:
        assert studies.work(database, "s1", "local")[0].status == "void"


def test_a_study_that_has_not_opened_or_is_over_says_so(project: Path, open_at: Opener):
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat(timespec="milliseconds")
    early = own(begin(project, "radpeer", sources=PAIR[:1], readers=("local",), not_before=soon))
    page = open_at("tasks")
    assert next(found for found in page.button if found.key == "next_s1").disabled
    assert "起开放" in open_at("reading", task=early[0].id).info[0].value

    late = own(begin(project, "radpeer", sources=PAIR[:1], readers=("local",), study_id="s2"))
    with closing(open_database(project)) as database:
        studies.close(database, "s2", actor="local")
    closed = open_at("reading", task=late[0].id)
    assert_no_error(closed)
    assert bench(closed)["read_only"]
    assert "研究已结束" in html_of(closed)


def test_an_adjudicator_sees_both_reviews_unnamed_decides_and_finds_the_decision_again(project: Path, open_at: Opener):
    tasks = begin(project, "flamingo_pref", sources=PAIR, readers=READERS, number=3)
    with closing(open_database(project)) as database:
        for task in tasks:
            answer = QuestionAnswer(question="image_adequate", value=task.reader == "li")
            submit(database, task, ReviewDocument(answers=(answer,), preference=Preference(choice="neither")))
    page = open_at("adjudication")
    assert_no_error(page)
    assert list(table_of(page)["状态"]) == ["○ 待仲裁"] * 3
    (study,) = _studies(project)
    key = _dispute_key(project)
    page = open_at("adjudication", study=study, dispute=key)
    assert_no_error(page)
    shown = told(page)
    assert "读者 1" in shown
    assert "读者 2" in shown
    assert [word for word in (*(f"{name}医师" for name in READERS), FIRST, "adapter") if word in shown] == []
    button(page, "提交仲裁").click().run()
    assert page.warning[0].value == "请写明理由。"
    page.text_area[0].set_value("侧位片清楚")
    page.selectbox[0].set_value(True)
    button(page, "提交仲裁").click().run()
    assert_no_error(page)
    with closing(open_database(project)) as database:
        (decision,) = adjudication.decided_in(database, study)
    assert decision.reason == "侧位片清楚"
    assert decision.document.answers == (QuestionAnswer(question="image_adequate", value=True),)
    assert {ground.reviewer for ground in decision.basis} == set(READERS)
    assert list(table_of(open_at("adjudication"))["状态"]).count("✓ 已仲裁") == 1


def _studies(project: Path) -> list[str]:
    with closing(open_database(project)) as database:
        return [study.id for study in studies.all_studies(database)]


def _dispute_key(project: Path) -> str:
    from app.disputes import disputes

    with closing(open_database(project)) as database:
        (study,) = studies.all_studies(database)
        return disputes(database, study, adjudicator="local")[0].key


def test_a_lead_begins_a_study_after_seeing_the_plan(project: Path, open_at: Opener):
    page = open_at("studies", new="1")
    assert_no_error(page)
    page.selectbox(key="new_study_protocol").set_value("flamingo_pref").run()
    assert "请填写研究名称。" in [info.value for info in page.info]
    assert button(page, "开始研究").disabled
    page.text_input(key="new_study_title").set_value("偏好一期").run()
    page.multiselect(key="new_study_readers").set_value(["chen", "li"]).run()
    assert_no_error(page)
    overlap = next(found for found in page.number_input if found.label == "每例读者数")
    overlap.set_value(2).run()
    plan = {frame.value.columns[0]: frame.value for frame in page.dataframe}
    assert list(plan["读者"]["合计"]) == [10, 10]
    assert plan["来源"].iloc[:, 1:].sum().sum() == 2 * sum(plan["读者"]["病例"])
    button(page, "开始研究").click().run()
    assert_no_error(page)
    (study,) = _studies(project)
    assert page.query_params == {"study": study}
    with closing(open_database(project)) as database:
        (kept,) = studies.all_studies(database)
        loads = progress.workloads_in(database, kept)
    assert thawed(kept.protocol) == preset("flamingo_pref")
    assert [len(load.work) for load in loads] == [10, 10]


def test_a_protocol_file_of_ones_own_is_checked_in_one_sentence(project: Path, open_at: Opener):
    page = open_at("studies", new="1")
    page.selectbox(key="new_study_protocol").set_value("own").run()
    assert page.info[0].value == "请上传一个 YAML 方案文件。"
    page.file_uploader[0].set_value(("mine.yaml", b"name: mine\ncolour: red\n", "text/yaml")).run()
    assert page.error[0].value.startswith("mine.yaml：")
    assert not page.exception
    for text, told in {"name: a": "title：缺少这一项", "- 1": "须由名称和取值组成", "a: [": "不是 YAML"}.items():
        page.file_uploader[0].set_value(("mine.yaml", text.encode(), "text/yaml")).run()
        assert told in page.error[0].value


def test_closing_and_unblinding_ask_first_and_are_in_the_audit(project: Path, open_at: Opener):
    begin(project, "flamingo_pref", sources=PAIR)
    page = open_at("studies", study="s1")
    assert_no_error(page)
    assert "微调模型" not in told(page)
    button(page, "确认揭盲").click().run()
    assert_no_error(page)
    key = next(frame.value for frame in page.dataframe if "A" in frame.value.columns)
    assert set(key["A"]) == {f"微调模型 · {FIRST}", "参考报告"}
    button(page, "确认结束").click().run()
    assert_no_error(page)
    with closing(open_database(project)) as database:
        assert [entry.action for entry in audit.newest(database, count=2)] == ["close study", "unblind"]
        assert studies.all_studies(database)[0].state == "closed"


def test_a_reader_who_is_no_lead_opens_no_page_of_leads_and_no_case_that_they_read_blind(
    project: Path, open_at: Opener
):
    tasks = own(begin(project, "flamingo_pref", sources=PAIR, readers=("local", "li"), number=10))
    set_roles(project, "reader")
    for path in ("studies", "adjudication"):
        page = open_at(path)
        assert not page.exception
        assert "研究 s1" not in told(page)
    worklist = open_at("worklist")
    assert_no_error(worklist)
    assert "10 例正在盲法研究中阅读" in worklist.info[0].value
    assert not worklist.dataframe
    live = open_at("generate")
    assert "10 例正在盲法研究中阅读" in live.info[0].value
    assert not any(box.options for box in live.selectbox if str(box.key).startswith("live_case"))
    case = open_at("review", case=tasks[0].case_id)
    assert_no_error(case)
    assert "workbench" not in [part.key for part in case.get("bidi_component")]
    with closing(open_database(project)) as database:
        studies.close(database, "s1", actor="local")
    assert len(table_of(open_at("worklist"))) == 10


def test_an_adjudicator_who_is_no_lead_opens_no_case_that_others_read_blind(project: Path, open_at: Opener):
    begin(project, "flamingo_pref", sources=PAIR, readers=("li", "chen"), number=10)
    set_roles(project, "adjudicator")
    worklist = open_at("worklist")
    assert_no_error(worklist)
    assert "10 例正在盲法研究中阅读" in worklist.info[0].value
    set_roles(project, "lead", "adjudicator")
    assert len(table_of(open_at("worklist"))) == 10


def test_empty_projects_say_what_is_missing(project: Path, open_at: Opener):
    for path in ("tasks", "adjudication", "studies"):
        page = open_at(path)
        assert_no_error(page)
        assert len(page.info) == 1
