"""One command at a time works in a folder: two would write the same predictions, checkpoints or films."""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xray.errors import XrayError

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder. The system lets go of it when the process ends, however it ends.

    Raises XrayError when another command holds it. A file system that knows no locks (some clusters') holds nothing.
    """
    with (folder / ".lock").open("a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise XrayError(
                f"another command is at work in {folder}. Wait for its end, or stop it, and try again."
            ) from None
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
        yield
