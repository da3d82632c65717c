"""What a log file is told while a stage works."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from finetune.console import Screen


def lines_of_a_stage(ticks: list[tuple[float, int, int]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is printed between start and end when `ticks` (seconds, done, total) come in."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("finetune.console.time", SimpleNamespace(monotonic=lambda: clock.now))
    console = Console(record=True, file=io.StringIO())
    with Screen(console).stage("Training", key="train") as tick:
        for clock.now, done, total in ticks:
            tick(done, total)
    return [line.strip() for line in console.export_text().splitlines()[1:-1]]


def test_the_time_left_after_a_resume_comes_from_what_this_process_did(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of_a_stage([(5, 901, 1000), (25, 911, 1000)], monkeypatch) == [
        "Training: 911 of 1000, about 178 s left"
    ]


def test_no_time_left_is_made_up_from_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of_a_stage([(20, 901, 1000)], monkeypatch) == ["Training: 901 of 1000"]
