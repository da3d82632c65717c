"""Every page against every role, on a project where nothing has happened yet and on one of thousands of cases."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.pages import PAGES, Page
from app.protocol.assignment import Source
from app.run import load_run
from app.sign_in import HEADER_KEY, SignIn
from app.store import audit, people, studies
from app.store.engine import Database
from app.store.people import ROLES, Person, Role
from tests.app.chat_server import ChatServer, serving_chat
from tests.app.conftest import write_run
from tests.app.large_run import write_large_run
from tests.app.page import case_ids, go_to, html_of
from tests.app.reader_study import add_readers, submit
from tests.app.study import FIRST, SECOND, begin, open_database

Opener = Callable[..., AppTest]
NUM_CASES = 5000
NUM_READ = 100
EXPECTED = {
    "worklist": f"{NUM_CASES} / {NUM_CASES} 例 · 第 1–100 例",
    "review": f"1 / {NUM_CASES}",
    "tasks": "研究 s1",
    "reading": "1 / 6",
    "adjudication": "研究 s1",
    "studies": "研究 s1",
    "scores": "差值 = 另一次运行 − 本次运行",
    "agreement": "Gwet AC1",
    "progress": f"<td>开放评审：{FIRST}</td><td>{NUM_CASES}</td><td>{NUM_READ}</td>",
    "generate": "模型 one",
    "export": "检查",
    "people": "用户",
    "audit": "审计日志",
    "check": "系统自检",
    "about": "我的账户",
}


def said(page: AppTest) -> str:
    """What the page says to its reader, outside of the tables and the workbench."""
    texts = (*page.info, *page.caption)
    return "\n".join((html_of(page), *(text.value for text in texts), *(button.label for button in page.button)))


def assert_drawn(shown: AppTest, page: Page) -> None:
    """Assert that the page is whole. The check names the options that a run without a server lacks, and no fault."""
    assert not shown.exception, page.path
    errors = [error.value for error in shown.error]
    assert page.path == "check" or errors == [], page.path
    assert not any("错误编号" in error or "Error id" in error for error in errors), page.path


def newest_refusal(folder: Path) -> tuple[str, str]:
    with closing(open_database(folder)) as database:
        (entry,) = audit.newest(database, count=1)
    assert entry.action == "page refused"
    return entry.actor, entry.subject


@pytest.fixture(scope="module", autouse=True)
def _serving() -> Iterator[None]:
    """A model answers, so that an error box on the page of live generation is one."""
    with serving_chat(ChatServer()) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XRAY_REVIEW_SERVE", server.url)
        yield


def add_one_of_each_role(database: Database) -> None:
    for role in ROLES:
        people.put(database, Person(name=role, display_name=role, roles=frozenset({role})), actor="local")


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody has reviewed, without a study or an export; a person for each role, who has no other."""
    folder = write_run(tmp_path_factory.mktemp("untouched") / "run", num_cases=2)
    with closing(open_database(folder)) as database:
        add_one_of_each_role(database)
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of thousands of studies; some reviewed in the first, and a study of both."""
    folder = tmp_path_factory.mktemp("large")
    run = load_run(write_large_run(folder / FIRST, num_cases=NUM_CASES, run_id=FIRST))
    write_large_run(folder / SECOND, num_cases=NUM_CASES, run_id=SECOND, shift=1)
    with closing(open_database(folder)) as database:
        add_readers(database)
        add_one_of_each_role(database)
        for number, case in enumerate(run.cases[:NUM_READ]):
            submit(database, run, case.id, {"verdict": ("accept", "edit")[number % 2]}, reviewer="chen")
            submit(database, run, case.id, {"verdict": ("accept", "edit")[number % 3 > 0]}, reviewer="li")
    sources = (Source(run_id=FIRST, system="adapter"), Source(run_id=SECOND, system="adapter"))
    begin(folder, "flamingo_pref", sources=sources, readers=("local", "chen"), overlap=2)
    return folder


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("project", ["untouched", "large"])
def test_a_page_is_drawn_for_its_roles_and_refused_to_the_others_in_one_sentence(
    request: pytest.FixtureRequest, open_page: Opener, project: str, role: Role
):
    folder: Path = request.getfixturevalue(project)
    shown = open_page(folder, sign_in=SignIn(mode="header"), user={HEADER_KEY: role})
    for page in PAGES:
        go_to(shown, page.path)
        assert_drawn(shown, page)
        is_refused = role not in page.roles
        assert ("无权访问" in html_of(shown)) is is_refused, page.path
        if is_refused:
            (refusal,) = shown.warning
            assert page.titles["zh"] in refusal.value
            assert not shown.dataframe
            assert newest_refusal(folder) == (role, page.path)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_one_user_of_a_machine_without_sign_in_opens_every_page(untouched: Path, open_page: Opener, language: str):
    shown = open_page(untouched)
    shown.segmented_control(key="language").set_value(language).run()
    for page in PAGES:
        go_to(shown, page.path)
        assert_drawn(shown, page)
        assert "无权访问" not in html_of(shown), page.path
        assert 'class="ai-banner"' in html_of(shown), page.path


def in_address(page: str, folder: Path) -> dict[str, str]:
    """What else is in the address, where a page shows one case."""
    if page == "review":
        return {"case": case_ids(folder / FIRST)[0]}
    if page != "reading":
        return {}
    with closing(open_database(folder)) as database:
        return {"task": studies.work(database, "s1", "local")[0].assignment.id}


def test_every_page_opens_with_thousands_of_cases(large: Path, open_page: Opener):
    shown = open_page(large, run=FIRST)
    for page in PAGES:
        shown.query_params.update(in_address(page.path, large))
        go_to(shown, page.path)
        if page.path == "agreement":
            shown.selectbox(key="agreement_source").set_value("").run()
        assert_drawn(shown, page)
        assert EXPECTED[page.path] in said(shown), page.path
