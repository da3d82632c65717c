"""What is known of the time that training took, after kills."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from finetune.training_time import TrainingClock, read_processes


class Watch:
    """Stands for `time` and shows what it is set to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr("finetune.training_time.time", SimpleNamespace(monotonic=watch.monotonic))
    return watch


def test_a_killed_process_leaves_its_time_and_where_it_began(tmp_path: Path, watch: Watch) -> None:
    path = tmp_path / "processes.jsonl"
    killed = TrainingClock(path, resumed_from=0)
    for watch.now in range(1, 91):
        killed.tick()
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"process":1,"resu')  # the kill
    watch.now = 1000.0
    last = TrainingClock(path, resumed_from=50)
    watch.now = 1010.5
    last.write()
    rows = [(row.process, row.resumed_from, row.seconds) for row in read_processes(path)]
    assert rows == [(1, 0, 90.0), (2, 50, 10.5)]


def test_a_process_that_was_killed_before_its_first_step_is_known(tmp_path: Path, watch: Watch) -> None:
    TrainingClock(tmp_path / "processes.jsonl", resumed_from=7)
    (row,) = read_processes(tmp_path / "processes.jsonl")
    assert (row.resumed_from, row.seconds) == (7, 0.0)


def test_a_day_of_training_fills_few_lines_and_a_kill_costs_a_hundredth(tmp_path: Path, watch: Watch) -> None:
    path = tmp_path / "processes.jsonl"
    clock = TrainingClock(path, resumed_from=0)
    for watch.now in range(1, 24 * 3600, 2):
        clock.tick()
    assert path.read_text(encoding="utf-8").count("\n") < 1000
    (row,) = read_processes(path)
    assert row.seconds == pytest.approx(24 * 3600, rel=0.011)
