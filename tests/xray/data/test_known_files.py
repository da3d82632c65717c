"""Which files need not be hashed again."""

import os
import time
from pathlib import Path

import pytest

from xray.data.known_files import KnownFiles, digest_file
from xray.data.pseudonym import Pseudonyms


def opened(store: Path, *, key: str = "a key") -> KnownFiles:
    return KnownFiles.open(store, names=Pseudonyms(key=key, is_secret=True))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three files that are old enough, for which no time can be set: the system keeps one of its own."""
    folder = tmp_path_factory.mktemp("films")
    paths = [folder / f"王小明_{number}.dcm" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * 9)
    time.sleep(2.2)
    return paths


def noted(store: Path, films: list[Path]) -> None:
    files = opened(store)
    for film in films:
        files.note(film, digest_file(film))
    files.flush()


def test_a_file_that_has_not_changed_is_known_under_the_same_key_and_path(tmp_path: Path, films: list[Path]) -> None:
    noted(tmp_path, films)
    assert [opened(tmp_path).sha256(film) for film in films] == [digest_file(film).sha256 for film in films]
    assert opened(tmp_path, key="another").sha256(films[0]) is None
    (tmp_path / "linked.dcm").symlink_to(films[0])
    assert opened(tmp_path).sha256(tmp_path / "linked.dcm") is None
    assert opened(tmp_path).sha256(tmp_path / "gone.dcm") is None


def test_a_change_is_noticed_also_when_size_and_time_are_put_back(tmp_path: Path, films: list[Path]) -> None:
    noted(tmp_path, films)
    before = films[2].stat()
    films[2].write_bytes(b"\x07" * 9)
    os.utime(films[2], ns=(before.st_atime_ns, before.st_mtime_ns))
    assert films[2].stat().st_mtime_ns == before.st_mtime_ns
    assert opened(tmp_path).sha256(films[2]) is None
    assert opened(tmp_path).sha256(films[1]) is not None


def test_a_file_that_was_just_written_is_not_trusted(tmp_path: Path) -> None:
    young = tmp_path / "young.dcm"
    young.write_bytes(b"a")
    os.utime(young, (0, 0))
    noted(tmp_path, [young])
    assert opened(tmp_path).sha256(young) is None


def test_the_list_names_no_path_and_no_date(tmp_path: Path, films: list[Path]) -> None:
    noted(tmp_path, films[:2])
    written = (tmp_path / "known_files.jsonl").read_text(encoding="utf-8")
    assert written.count("\n") == 2
    for word in ("王小明", films[0].parent.name, str(films[0].stat().st_mtime_ns)[:10]):
        assert word not in written, word


def test_a_damaged_line_costs_its_own_files_alone(tmp_path: Path, films: list[Path]) -> None:
    noted(tmp_path, films[:1])
    path = tmp_path / "known_files.jsonl"
    path.write_bytes(path.read_bytes() + b'{"file": "cut o\n\xff\n')
    noted(tmp_path, films[1:2])
    assert [opened(tmp_path).sha256(film) is None for film in films] == [False, False, True]


def test_only_files_that_were_asked_for_are_kept_at_the_end(tmp_path: Path, films: list[Path]) -> None:
    noted(tmp_path, films[:2])
    files = opened(tmp_path)
    assert files.sha256(films[1]) is not None
    files.clear()
    assert [opened(tmp_path).sha256(film) is None for film in films[:2]] == [True, False]
