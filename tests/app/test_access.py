"""Who may come in, in every way of signing in, and what they see first."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import access
from app.access import AccessDenied
from app.sign_in import HEADER_KEY, SignIn
from app.store import audit, people
from app.store.engine import Database
from app.store.people import Person, Role
from tests.app.page import assert_no_error, case_ids, draft, html_of, save, table_of

Opener = Callable[..., AppTest]
HEADER = SignIn(mode="header")
OIDC = SignIn(mode="oidc")
RUN_ID = "phantom-0123abcd-1"


def admit(folder: Path, name: str, *roles: Role, active: bool = True) -> None:
    with closing(Database(folder / "reviews.sqlite")) as database:
        person = Person(name=name, display_name=f"{name}医师", roles=frozenset(roles), active=active)
        people.put(database, person, actor="local")


def entries(folder: Path, action: str) -> list[tuple[str, str]]:
    with closing(Database(folder / "reviews.sqlite")) as database:
        found = [entry for entry in audit.newest(database, count=100) if entry.action == action]
    return [(entry.actor, entry.subject) for entry in found]


def texts(page: AppTest) -> str:
    return html_of(page) + "".join(element.value for element in (*page.info, *page.warning, *page.error))


@pytest.fixture(scope="module")
def shared_run(make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run for all pages that change nothing, and people who may read it or not."""
    folder = make_run(tmp_path_factory.mktemp("shared") / "run", num_cases=2)
    admit(folder, "reader", "reader")
    admit(folder, "admin", "admin")
    admit(folder, "left", "reader", "admin", active=False)
    admit(folder, "new")
    return folder


def test_the_first_page_is_the_list_or_for_who_reads_no_cases_another_one(shared_run: Path, open_page: Opener):
    reader = open_page(shared_run, sign_in=HEADER, user={HEADER_KEY: "reader"})
    assert list(table_of(reader)["病例"]) == case_ids(shared_run)
    admin = open_page(shared_run, sign_in=HEADER, user={HEADER_KEY: "admin"})
    assert_no_error(admin)
    assert not admin.warning
    assert not any(case_id in str(frame.value) for frame in admin.dataframe for case_id in case_ids(shared_run))


@pytest.mark.parametrize(
    ("sign_in", "user", "told"),
    [
        (HEADER, {HEADER_KEY: "stranger@hospital"}, "stranger@hospital"),
        (HEADER, {HEADER_KEY: "left"}, "已停用"),
        (HEADER, {HEADER_KEY: "new"}, "尚未分配角色"),
        (HEADER, {HEADER_KEY: "local"}, "没有您"),
        (HEADER, {HEADER_KEY: None}, "没有可用的姓名标识"),
        (HEADER, {"email": "reader"}, "没有可用的姓名标识"),
        (OIDC, {"is_logged_in": False, "email": "reader"}, "请先登录"),
        (OIDC, {"is_logged_in": True, "email": "stranger"}, "stranger"),
        (OIDC, {"is_logged_in": True, "email": "reader", "email_verified": False}, "尚未验证"),
        (OIDC, {"is_logged_in": True, "sub": "reader"}, "没有可用的姓名标识"),
    ],
)
def test_who_is_not_admitted_sees_why_and_nothing_of_the_project(
    shared_run: Path, open_page: Opener, sign_in: SignIn, user: dict[str, object], told: str
):
    page = open_page(shared_run, path="review", case=case_ids(shared_run)[0], sign_in=sign_in, user=user)
    assert not page.exception
    assert told in texts(page)
    assert not page.dataframe
    assert not page.selectbox
    assert RUN_ID not in texts(page) + str(page.query_params)
    assert "双肺" not in texts(page)


def test_a_person_is_found_by_the_claim_that_was_chosen_and_their_reviews_are_under_it(
    run_folder: Path, open_page: Opener
):
    admit(run_folder, "a-12", "reader")
    case_id, user = case_ids(run_folder)[0], {"is_logged_in": True, "sub": "a-12", "email": "li@hospital"}
    page = open_page(run_folder, case=case_id, sign_in=SignIn(mode="oidc", claim="sub"), user=user)
    save(page, draft(RUN_ID, case_id, comment="清晰"))
    assert_no_error(page)
    assert entries(run_folder, "draft") == [("a-12", f"{RUN_ID}/{case_id}")]


def test_an_address_of_e_mail_is_the_same_person_in_any_case(run_folder: Path, open_page: Opener):
    admit(run_folder, people.sign_in_name(" Li@Hospital.CN "), "reader")
    page = open_page(run_folder, sign_in=HEADER, user={HEADER_KEY: "LI@hospital.cn"})
    assert list(table_of(page)["病例"]) == case_ids(run_folder)


def test_a_role_that_is_taken_away_stops_the_next_save_of_an_open_page(run_folder: Path, open_page: Opener):
    admit(run_folder, "li", "reader")
    case_id = case_ids(run_folder)[0]
    page = open_page(run_folder, case=case_id, sign_in=HEADER, user={HEADER_KEY: "li"})
    admit(run_folder, "li", "admin")
    save(page, draft(RUN_ID, case_id, comment="晚了"))
    assert entries(run_folder, "draft") == []


def test_a_download_asks_again_whether_its_owner_still_may(
    run_folder: Path, open_page: Opener, monkeypatch: pytest.MonkeyPatch
):
    admit(run_folder, "wang", "admin")
    open_page(run_folder, sign_in=HEADER, user={HEADER_KEY: "wang"})
    access.recheck("wang", access.ADMINS)
    admit(run_folder, "wang", "admin", active=False)
    with pytest.raises(AccessDenied):
        access.recheck("wang", access.ADMINS)


def test_opening_a_case_is_in_the_audit_once_an_hour(run_folder: Path, open_page: Opener):
    admit(run_folder, "li", "reader")
    first, second = case_ids(run_folder)[:2]
    page = open_page(run_folder, path="review", case=first, sign_in=HEADER, user={HEADER_KEY: "li"})
    for case_id in (first, second):
        page.query_params["case"] = case_id
        page.run()
    assert entries(run_folder, "open case") == [("li", f"{RUN_ID}/{second}"), ("li", f"{RUN_ID}/{first}")]
