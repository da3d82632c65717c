"""The pages of an admin: users, audit log, system check; what they refuse, and what they leave in the audit."""

import csv
import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from app.health import CHECKED_FOR_SECONDS, Readiness
from app.lock import KEY
from app.screens import audit_log
from app.self_check import check
from app.settings import Settings
from app.sign_in import HEADER_KEY, SignIn
from app.store import audit, people
from app.store.audit import Filter
from app.store.engine import Database
from app.store.integrity import look
from app.store.people import Person
from app.words.self_check import SELF_CHECK_WORDS
from tests.app.page import html_of
from tests.app.test_store_audit import tamper
from xray.errors import DataError

Opener = Callable[..., AppTest]
HEADER, WANG = SignIn(mode="header"), {HEADER_KEY: "wang"}


@pytest.fixture
def project(run_folder: Path) -> Path:
    with closing(Database(run_folder / "reviews.sqlite")) as database:
        for name, role in (("wang", "admin"), ("li", "reader")):
            people.put(database, Person(name=name, display_name=name, roles=frozenset({role})), actor="local")
    return run_folder


def person(project: Path, name: str) -> Person | None:
    with closing(Database(project / "reviews.sqlite")) as database:
        return people.find(database, name)


def test_an_admin_adds_a_user_under_the_name_that_the_sign_in_gives(project: Path, open_page: Opener):
    page = open_page(project, path="people", sign_in=HEADER, user=WANG)
    page.text_input(key="add_name").set_value(" Zhao@Hospital.CN ")
    page.text_input(key="add_display_name").set_value("赵医师")
    page.button[0].click().run()
    assert "zhao@hospital.cn" in page.success[0].value
    added = Person(name="zhao@hospital.cn", display_name="赵医师", roles=frozenset({"reader"}))
    assert person(project, "zhao@hospital.cn") == added
    with closing(Database(project / "reviews.sqlite")) as database:
        (entry,) = audit.newest(database, count=1)
    assert (entry.actor, entry.action, entry.subject) == ("wang", "person", "zhao@hospital.cn")


def test_a_name_that_nobody_can_sign_in_with_is_refused(project: Path, open_page: Opener):
    page = open_page(project, path="people", sign_in=HEADER, user=WANG)
    for name, told in (("", "请填写"), ("local", "请填写"), ("a\u200bb", "请填写"), ("li", "已有登录名")):
        page.text_input(key="add_name").set_value(name)
        page.button[0].click().run()
        assert told in page.error[0].value
    with closing(Database(project / "reviews.sqlite")) as database:
        assert {found.name for found in people.everyone(database)} == {"local", "li", "wang"}


def test_a_user_is_deactivated_but_admins_cannot_shut_themselves_out(project: Path, open_page: Opener):
    page = open_page(project, path="people", sign_in=HEADER, user=WANG)
    page.selectbox(key="chosen").set_value("li").run()
    page.toggle(key="active_li").set_value(False)
    page.button(key="save_person").click().run()
    left = person(project, "li")
    assert left is not None
    assert not left.active

    page.selectbox(key="chosen").set_value("wang").run()
    page.multiselect(key="roles_wang").set_value(["reader"])
    page.button(key="save_person").click().run()
    assert "管理员不能" in page.error[0].value
    own = person(project, "wang")
    assert own is not None
    assert own.roles == {"admin"}
    with closing(Database(project / "reviews.sqlite")) as database, pytest.raises(DataError, match="own access"):
        people.change(
            database, Person(name="wang", display_name="", roles=frozenset({"admin"}), active=False), actor="wang"
        )


def test_the_named_admin_is_admitted_again_and_keeps_other_roles(database: Database):
    people.ensure_admin(database, "Wang@hospital.cn")
    people.put(
        database,
        Person(name="wang@hospital.cn", display_name="王", roles=frozenset({"lead"}), active=False),
        actor="local",
    )
    people.ensure_admin(database, "wang@hospital.cn")
    found = people.find(database, "wang@hospital.cn")
    assert found == Person(name="wang@hospital.cn", display_name="王", roles=frozenset({"lead", "admin"}))
    head = audit.head(database).seq
    people.ensure_admin(database, "wang@hospital.cn")
    assert audit.head(database).seq == head


def test_the_audit_is_filtered_and_counted_by_the_database(database: Database):
    for number in range(7):
        audit.record_event(
            database, actor="li" if number % 2 else "wang", action="export", subject=f"run/100%_{number}"
        )
    audit.record_event(database, actor="li", action="backup", subject="file")
    assert audit.number_of(database, Filter(actor="li")) == 4
    assert audit.number_of(database, Filter(actor="li", action="export", subject="0%_")) == 3
    assert audit.number_of(database, Filter(subject="%")) == 7
    assert [entry.seq for entry in audit.listed(database, Filter(action="export"), count=2, skip=1)] == [6, 5]
    assert audit.number_of(database, Filter(since="2999")) == 0
    assert audit.number_of(database, Filter(before="2999")) == 8
    assert audit.known_words(database) == (("li", "wang"), ("backup", "export"))


def test_the_audit_page_verifies_the_chain_and_names_a_broken_link(project: Path, open_page: Opener):
    page = open_page(project, path="audit", sign_in=HEADER, user=WANG)
    assert [str(row) for row in page.dataframe[0].value["操作"]] == ["修改用户", "修改用户"]
    page.selectbox(key="audit_actor").set_value("local").run()
    page.text_input(key="audit_subject").set_value("li").run()
    assert list(page.dataframe[0].value["对象"]) == ["li"]
    page.text_input(key="audit_subject").set_value("nobody").run()
    assert page.info
    with closing(Database(project / "reviews.sqlite")) as database:
        head = audit.head(database).hash
    page.button[0].click().run()
    assert head in page.success[0].value
    page.text_input(key="audit_anchor").set_value("f" * 64).run()
    page.button[0].click().run()
    assert "审计链已损坏" in page.error[0].value
    tamper(project / "reviews.sqlite", "UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    page.text_input(key="audit_anchor").set_value("").run()
    page.button[0].click().run()
    assert "entry 2" in page.error[0].value


def test_a_day_is_the_readers_own_and_not_that_of_greenwich():
    shanghai = ZoneInfo("Asia/Shanghai")
    since, before = audit_log.times_of((date(2026, 11, 30),), zone=shanghai)
    assert (since, before) == ("2026-11-29T16:00:00.000+00:00", "2026-11-30T16:00:00.000+00:00")
    assert audit_log.times_of((), zone=shanghai) == ("", "")


def test_the_exported_audit_has_every_entry_with_its_link_and_is_itself_an_entry(
    project: Path, open_page: Opener, monkeypatch: pytest.MonkeyPatch
):
    offered: dict[str, Callable[[], bytes]] = {}
    monkeypatch.setattr(audit_log.st, "download_button", lambda _label, data, **_rest: offered.update(csv=data))
    open_page(project, path="audit", sign_in=HEADER, user=WANG)
    rows = list(csv.DictReader(io.StringIO(offered["csv"]().decode("utf-8-sig"))))
    assert [row["seq"] for row in rows] == ["1", "2"]
    assert rows[1]["previous"] == rows[0]["hash"]
    with closing(Database(project / "reviews.sqlite")) as database:
        (entry,) = audit.newest(database, count=1)
    assert (entry.actor, entry.action) == ("wang", "export audit")


def test_a_backup_at_the_press_of_a_button_is_whole_and_the_check_knows_it(project: Path, open_page: Opener):
    page = open_page(project, path="check", sign_in=HEADER, user=WANG)
    assert "备份文件夹中没有备份" in html_of(page)
    page.button[1].click().run()
    assert page.success
    assert "小时前" in html_of(page)
    (written,) = (project / "backups").iterdir()
    with closing(Database(written)) as copy:
        assert audit.verify(copy).seq == 2


def test_the_check_names_a_damaged_database_and_the_folders_that_are_no_run(
    tmp_path: Path, make_run: Callable[..., Path]
):
    make_run(tmp_path / "good", run_id="good")
    (make_run(tmp_path / "bad", run_id="bad") / "scores.json").write_text("{", encoding="utf-8")
    settings, words = Settings.of(tmp_path), SELF_CHECK_WORDS["en"]
    with closing(settings.open_database(())) as database:
        for number in range(300):
            audit.record_event(database, actor="li", action="export", subject=f"{number}")
        whole = check(settings, database=database, words=words)
    assert any("bad" in reason for reason in whole.left_out)
    states = {line.topic: line.state for line in whole.lines}
    assert (states["database"], states["schema"], states["runs"]) == ("ok", "ok", "warning")
    assert states["telemetry"] == "fault"  # outside of the server of `python -m app`

    spoil(tmp_path / "reviews.sqlite")
    with closing(Database(tmp_path / "reviews.sqlite")) as database:
        (line, _) = check(settings, database=database, words=words).lines[:2]
    assert (line.state, line.found) == ("fault", words.damaged)
    assert "restore" in line.advice


def spoil(path: Path) -> None:
    """Write over a page of the audit near the end of the file, which opening the database does not read."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = int(connection.execute("PRAGMA page_size").fetchone()[0])
    content = bytearray(path.read_bytes())
    content[-3 * size : -2 * size] = b"\x55" * size
    path.write_bytes(content)


def test_readiness_follows_the_database_but_asks_it_once_a_minute(tmp_path: Path):
    now = [0.0]
    with closing(Database(tmp_path / "reviews.sqlite")) as database:
        asked: list[float] = []

        def opened() -> Database:
            asked.append(now[0])
            if len(asked) > 1:
                raise DataError("gone")
            return database

        readiness = Readiness(opened, clock=lambda: now[0])
        assert readiness.ask()
        assert readiness.ask()
        now[0] = CHECKED_FOR_SECONDS
        assert not readiness.ask()
        assert asked == [0.0, CHECKED_FOR_SECONDS]


def test_a_look_at_either_database_tells_its_engine_and_schema(database: Database):
    state = look(database, thorough=True)
    assert state.is_whole
    assert state.engine.startswith(("SQLite", "PostgreSQL"))


def test_a_locked_page_shows_no_case_and_with_openid_connect_signs_out(project: Path, open_page: Opener):
    user = {"is_logged_in": True, "email": "li"}
    page = open_page(project, sign_in=SignIn(mode="oidc"), user=user)
    assert page.dataframe
    page.session_state[KEY] = {"locked": True}
    page.run()
    assert not page.dataframe
    assert page.user == {"is_logged_in": False}
    page.run()
    assert "请先登录" in html_of(page)
