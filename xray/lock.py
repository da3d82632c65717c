"""One command at a time works in a folder: two would write the same predictions, checkpoints or films.

Any number may read a folder meanwhile; what they may still read is not deleted before they have ended.
"""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from xray.errors import XrayError

LOCK_FILE, READERS_FILE = ".lock", ".readers"
_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder. The system lets go of it when the process ends, however it ends.

    Raises XrayError when another command holds it. A file system that knows no locks (some clusters') holds nothing.
    """
    with (folder / LOCK_FILE).open("a", encoding="utf-8") as stream:
        if not _hold(stream, fcntl.LOCK_EX | fcntl.LOCK_NB):
            raise XrayError(f"another command is at work in {folder}. Wait for its end, or stop it, and try again.")
        yield


@contextmanager
def being_read(folder: Path) -> Iterator[None]:
    """Hold the folder as one of its readers, until the end of the process at most; waits where it is `unread`."""
    with (folder / READERS_FILE).open("a+", encoding="utf-8") as stream:
        _hold(stream, fcntl.LOCK_SH)
        yield


@contextmanager
def unread(folder: Path) -> Iterator[bool]:
    """Tell whether the folder has no reader; if so, readers who come wait. Where there are no locks, it has none."""
    with (folder / READERS_FILE).open("a+", encoding="utf-8") as stream:
        yield _hold(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _hold(stream: IO[str], how: int) -> bool:
    """Lock a file until it is closed, and tell whether nobody else holds it."""
    try:
        fcntl.flock(stream, how)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
    return True
