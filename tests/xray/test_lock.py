"""One command at a time in a run folder."""

import errno
import fcntl
from pathlib import Path
from typing import NoReturn

import pytest

from xray.errors import XrayError
from xray.lock import being_read, locked, unread


def test_a_second_command_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(XrayError, match="another command"), locked(tmp_path):
        pass


def test_the_folder_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), locked(tmp_path):
        raise ValueError("broken")
    with locked(tmp_path):
        pass


def test_any_number_may_read_a_folder_and_whoever_wants_it_unread_is_told(tmp_path: Path) -> None:
    with being_read(tmp_path), being_read(tmp_path), locked(tmp_path), unread(tmp_path) as free:
        assert not free
    with unread(tmp_path) as free:
        assert free


def test_a_file_system_without_locks_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path), being_read(tmp_path), unread(tmp_path) as free:
        assert free
