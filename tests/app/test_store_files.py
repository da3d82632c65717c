"""Databases of every age: made, upgraded, adopted, and refused where they cannot be used."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.store import audit, reviews
from app.store.adopt import open_database
from app.store.engine import Database
from app.store.schema import APPEND_ONLY, Base
from tests.app.test_store import draft
from xray.errors import DataError

VERSION_1 = """
CREATE TABLE review (
    id INTEGER NOT NULL PRIMARY KEY, run_id VARCHAR NOT NULL, case_id VARCHAR NOT NULL, reviewer VARCHAR NOT NULL,
    revision INTEGER NOT NULL, client VARCHAR NOT NULL, sequence INTEGER NOT NULL, verdict VARCHAR,
    comment TEXT NOT NULL, corrected TEXT NOT NULL, generated_sha256 VARCHAR NOT NULL, saved_at VARCHAR NOT NULL,
    UNIQUE (run_id, case_id, reviewer, revision), UNIQUE (run_id, case_id, reviewer, client, sequence)
);
CREATE TRIGGER review_no_delete BEFORE DELETE ON review BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;
PRAGMA journal_mode=WAL;
PRAGMA user_version=1;
"""
ROWS = [
    ("run", "case", "local", 1, "page-0001", 1, "edit", "漏了积液", "", "5" * 64, "2026-11-01T08:00:00+00:00"),
    ("run", "case", "local", 2, "page-0001", 2, "reject", "侧别错误", "右侧", "5" * 64, "2026-11-01T08:01:00+00:00"),
    ("run", "other", "li", 1, "page-0002", 1, None, "", "", "", "2026-11-02T08:00:00+00:00"),
]


def write_version_1(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
        places = ", ".join("?" * len(ROWS[0]))
        connection.executemany(f"INSERT INTO review VALUES (NULL, {places})", ROWS)
        connection.commit()
    return path


def check_reviews_of_version_1(database: Database) -> None:
    first, second = reviews.history(database, "run", "case")
    assert (first.document.verdict, first.saved_at) == ("edit", "2026-11-01T08:00:00+00:00")
    assert (second.document.verdict, second.document.corrected) == ("reject", "右侧")
    assert (second.revision, second.status, second.document.generated_sha256) == (2, "draft", "5" * 64)
    assert reviews.latest(database, "run", reviewer="li")["other"].document.verdict is None


def test_the_migrations_make_the_tables_that_the_program_uses(database: Database):
    with database.reading() as session:
        assert compare_metadata(MigrationContext.configure(session.connection()), Base.metadata) == []
    assert set(APPEND_ONLY) < set(Base.metadata.tables)


def test_a_file_of_version_1_is_upgraded_with_its_reviews_and_goes_on(tmp_path: Path):
    path = write_version_1(tmp_path / "reviews.sqlite")
    for _ in range(2):
        with closing(Database(path)) as database:
            check_reviews_of_version_1(database)
            assert audit.verify(database).seq == 3
    with closing(Database(path)) as database:
        late = draft(client="page-0001", sequence=1, comment="漏了积液")
        assert reviews.save(database, late).acknowledged == 1
        assert reviews.save(database, draft(client="page-0001", sequence=3, comment="再写")).acknowledged == 3


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_version_1(tmp_path / "reviews.sqlite")

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.store.upgrade.adopt_table", fail)
    with pytest.raises(DataError, match="No space left"):
        Database(path)
    monkeypatch.undo()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM review").fetchone() == (3,)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    with closing(Database(path)) as database:
        check_reviews_of_version_1(database)


def test_a_program_of_version_1_would_refuse_an_upgraded_file(tmp_path: Path):
    Database(tmp_path / "reviews.sqlite").close()
    with closing(sqlite3.connect(tmp_path / "reviews.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] > 1


def test_files_of_runs_come_into_the_project_once_and_stay_as_they_are(place: str, tmp_path: Path):
    old = write_version_1(tmp_path / "run-1" / "reviews.sqlite")
    before = old.read_bytes()
    for _ in range(2):
        with closing(open_database(place, run_files=[old, tmp_path / "run-2" / "reviews.sqlite"])) as database:
            check_reviews_of_version_1(database)
            assert audit.verify(database).seq == 4
    assert old.read_bytes() == before


def test_a_review_that_the_project_has_already_is_not_replaced_by_that_of_a_file(place: str, tmp_path: Path):
    with closing(Database(place)) as database:
        reviews.save(database, draft(comment="项目里的"))
    old = write_version_1(tmp_path / "run-1" / "reviews.sqlite")
    with closing(open_database(place, run_files=[old])) as database:
        (only,) = reviews.history(database, "run", "case")
        assert only.document.comment == "项目里的"
        assert list(reviews.latest(database, "run", reviewer="li")) == ["other"]


def test_what_another_program_has_not_written_back_yet_is_adopted_too(tmp_path: Path):
    old = write_version_1(tmp_path / "run-1" / "reviews.sqlite")
    with closing(sqlite3.connect(old)) as writer:
        writer.execute(
            "INSERT INTO review SELECT NULL, 'late', case_id, 'wang', 1, client, 1, verdict, comment, "
            "corrected, generated_sha256, saved_at FROM review WHERE id = 1"
        )
        writer.commit()
        assert old.with_name("reviews.sqlite-wal").stat().st_size > 0
        with closing(open_database(str(tmp_path / "all.sqlite"), run_files=[old])) as database:
            assert list(reviews.latest(database, "late", reviewer="wang")) == ["case"]


def test_a_file_that_cannot_be_adopted_is_named_and_keeps_no_reader_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "damaged").mkdir()
    damaged = tmp_path / "damaged" / "reviews.sqlite"
    damaged.write_bytes(b"no database" * 500)
    good = write_version_1(tmp_path / "good" / "reviews.sqlite")
    with closing(open_database(str(tmp_path / "all.sqlite"), run_files=[damaged, good])) as database:
        check_reviews_of_version_1(database)
    assert str(damaged) in caplog.text


def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path: Path):
    path = tmp_path / "reviews.sqlite"
    path.write_text("this is no database, and long enough to be read as one" * 20)
    with pytest.raises(DataError, match="--database"):
        Database(path)


@pytest.mark.parametrize("parent", ["file", "/proc"])
def test_a_place_where_nothing_can_be_written_is_refused_in_one_sentence(tmp_path: Path, parent: str):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"writable.*--database FILE"):
        Database(tmp_path / parent / "reviews.sqlite")


@pytest.mark.parametrize("mark", ["PRAGMA user_version=99", "UPDATE alembic_version SET version_num = '9999'"])
def test_a_file_of_a_newer_version_is_not_touched(tmp_path: Path, mark: str):
    path = tmp_path / "reviews.sqlite"
    if "alembic" in mark:
        Database(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(mark)
        connection.commit()
    with pytest.raises(DataError, match="newer version"):
        Database(path)


def test_a_newer_postgresql_database_is_not_touched(postgres):
    url = postgres.new_database()
    with closing(Database(url)) as database, database.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DataError, match="newer version"):
        Database(url)


def test_a_project_may_lie_in_a_folder_with_odd_characters_in_its_name(tmp_path: Path):
    old = write_version_1(tmp_path / "一 run?mode=x#1%" / "reviews.sqlite")
    shutil.copy(old, old.parent / "project 50%.sqlite")
    with closing(open_database(str(old.parent / "project 50%.sqlite"), run_files=[old])) as database:
        check_reviews_of_version_1(database)
