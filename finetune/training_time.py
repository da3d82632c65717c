"""How long a run has trained, over every process that took part in it, also those that were killed."""

import time
from pathlib import Path

from finetune.manifest import TrainingProcess, read_records
from xray.records import write_lines


class TrainingClock:
    """Writes down how long this process has been training, so often that a kill loses little of it.

    The lines come a second apart at first, then a hundredth of the time that has passed: a day fills about 800.
    """

    def __init__(self, path: Path, *, resumed_from: int) -> None:
        earlier = read_records(path, TrainingProcess)
        write_lines(path, earlier)  # drops a line that a kill cut off
        self._path = path
        self._process = 1 + max((row.process for row in earlier), default=0)
        self._resumed_from = resumed_from
        self._started = time.monotonic()
        self._written = 0.0
        self.write()

    def tick(self) -> None:
        """Write a line if it is time for one."""
        elapsed = time.monotonic() - self._started
        if elapsed - self._written >= max(1.0, elapsed / 100):
            self.write()

    def write(self) -> None:
        """Write a line now."""
        self._written = time.monotonic() - self._started
        row = TrainingProcess(process=self._process, resumed_from=self._resumed_from, seconds=round(self._written, 2))
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(row.model_dump_json() + "\n")


def read_processes(path: Path) -> list[TrainingProcess]:
    """Return the last line of each process, in the order they ran."""
    return list({row.process: row for row in read_records(path, TrainingProcess)}.values())
