"""`python -m app audit`, `backup` and `restore`."""

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from app.__main__ import main
from app.store import audit, reviews
from app.store.engine import Database
from tests.app.test_store import draft
from tests.app.test_store_audit import tamper
from tests.app.test_store_files import write_version_1


def fill(place: str | Path, *, count: int = 3) -> str:
    """Save some reviews and return the head of the audit."""
    with closing(Database(place)) as database:
        for number in range(1, count + 1):
            reviews.save(database, draft(sequence=number, base_revision=number - 1, comment=f"第{number}次\0"))
        return audit.head(database).hash


def test_audit_prints_the_head_and_knows_one_written_down(run_folder: Path, capsys: pytest.CaptureFixture[str]):
    head = fill(run_folder / "reviews.sqlite")
    assert main(["audit", "--project", str(run_folder), "--anchor", head]) == 0
    assert f"3 entries holds; head {head}" in capsys.readouterr().out


def test_audit_names_the_first_broken_link_in_one_line(run_folder: Path, capsys: pytest.CaptureFixture[str]):
    fill(run_folder / "reviews.sqlite")
    tamper(run_folder / "reviews.sqlite", "UPDATE revision SET document = '{}' WHERE seq = 2")
    assert main(["audit", "--project", str(run_folder)]) == 3
    printed = capsys.readouterr().err
    assert "broken at entry 2" in printed
    assert printed.count("\n") == 1


def test_a_damaged_file_is_named_in_one_line(run_folder: Path, capsys: pytest.CaptureFixture[str]):
    path = run_folder / "reviews.sqlite"
    fill(path, count=60)
    content = bytearray(path.read_bytes())
    content[20_000:] = b"\x55" * (len(content) - 20_000)
    path.write_bytes(content)
    assert main(["audit", "--project", str(run_folder)]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_a_backup_made_while_readers_write_is_whole(run_folder: Path, tmp_path: Path):
    stop, copy = threading.Event(), tmp_path / "copies" / "copy.sqlite"

    def write() -> None:
        with closing(Database(run_folder / "reviews.sqlite")) as database:
            for number in range(1, 10_000):
                reviews.save(database, draft(sequence=number, comment=str(number)))
                if stop.is_set():
                    break

    fill(run_folder / "reviews.sqlite", count=1)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert main(["backup", "--project", str(run_folder), str(copy)]) == 0
    finally:
        stop.set()
        writer.join()
    with closing(Database(copy)) as database:
        assert audit.verify(database).seq >= 1


def test_the_reviews_of_runs_that_nobody_has_opened_yet_are_in_the_backup(
    tmp_path: Path, run_folder: Path, capsys: pytest.CaptureFixture[str]
):
    write_version_1(run_folder / "reviews.sqlite")
    assert main(["backup", "--project", str(tmp_path), str(tmp_path / "copy.jsonl")]) == 0
    assert "4 entries" in capsys.readouterr().out


def test_a_backup_in_json_lines_comes_back_into_either_database(
    place: str, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    head, copy = fill(tmp_path / "elsewhere.sqlite"), tmp_path / "copy.jsonl"
    project = ["--project", str(run_folder), "--database"]
    assert main(["backup", *project, str(tmp_path / "elsewhere.sqlite"), str(copy)]) == 0
    assert main(["restore", *project, place, str(copy)]) == 0
    assert head in capsys.readouterr().out.splitlines()[1]
    with closing(Database(place)) as database:
        assert [row.document.comment for row in reviews.history(database, "run", "case")][-1] == "第3次\0"
        assert reviews.save(database, draft(sequence=4, comment="恢复后")).acknowledged == 4
        assert audit.verify(database, anchor=head).seq == 4
    assert main(["restore", *project, place, str(copy)]) == 3
    assert "empty database" in capsys.readouterr().err


def drop_last_line(lines: list[str]) -> list[str]:
    return lines[:-1]


def drop_a_row(lines: list[str]) -> list[str]:
    return [*lines[:-2], lines[-1]]


def drop_a_field(lines: list[str]) -> list[str]:
    return [line.replace('"reviewer"', '"reader"') for line in lines]


def name_another_schema(lines: list[str]) -> list[str]:
    return [json.dumps(json.loads(lines[0]) | {"schema": "9999"}), *lines[1:]]


def spoil(lines: list[str]) -> list[str]:
    return [*lines, "{"]


@pytest.mark.parametrize("damage", [drop_last_line, drop_a_row, drop_a_field, name_another_schema, spoil])
def test_a_damaged_backup_is_refused_and_leaves_the_database_empty(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage
):
    fill(tmp_path / "elsewhere.sqlite")
    copy, target = tmp_path / "copy.jsonl", tmp_path / "new.sqlite"
    project = ["--project", str(run_folder), "--database"]
    main(["backup", *project, str(tmp_path / "elsewhere.sqlite"), str(copy)])
    copy.write_text("\n".join(damage(copy.read_text(encoding="utf-8").splitlines())), encoding="utf-8")
    assert main(["restore", *project, str(target), str(copy)]) == 3
    assert capsys.readouterr().err.count("\n") == 1
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)
        assert connection.execute("SELECT name FROM person").fetchall() == [("local",)]


def test_what_cannot_be_written_or_read_is_told_in_one_line(
    run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    taken = tmp_path / "taken"
    taken.write_text("")
    project = ["--project", str(run_folder)]
    for words in (["backup", *project, str(taken)], ["restore", *project, str(tmp_path / "missing.jsonl")]):
        assert main(words) in (2, 3)
        assert capsys.readouterr().err.count("\n") == 1


def test_a_copy_of_postgresql_is_json_lines(postgres, run_folder: Path, tmp_path: Path, capsys):
    words = ["backup", "--project", str(run_folder), "--database", postgres.new_database()]
    assert main([*words, str(tmp_path / "copy.sqlite")]) == 2
    assert "copy.jsonl" in capsys.readouterr().err
