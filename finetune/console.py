"""What a person sees while a command works: one line per stage, a bar with the time left, one table at the end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from finetune.manifest import HEADLINE, Estimate, ScoresFile

TABLE_METRICS = (HEADLINE, "frame_f1", "side_accuracy", "bleu4_char")
_NAMES = {
    "adapter": "adapter (fine-tuned)",
    "base": "base, un-tuned",
    "constant_normal": "constant normal report",
    "random_report": "random training report",
    "nearest_neighbour": "nearest neighbour's report",
    "shuffled_images": "adapter, films shuffled",
}
_HEADS = {
    HEADLINE: "finding F1",
    "frame_f1": "frame F1",
    "side_accuracy": "side right",
    "bleu4_char": "BLEU-4 (char)",
}
NO_VALUE = "–"
_SILENT_SECONDS = 15.0
_LOG_COLUMNS = 120  # a log file has no width of its own

Tick = Callable[..., None]


class Screen:
    """The terminal. Without one (a log file, CI) a stage prints its start, a line every 15 seconds, and its end."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = _LOG_COLUMNS
        self.seconds: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Print one line."""
        self.console.print(text, markup=False)

    @contextmanager
    def stage(self, title: str, *, key: str) -> Iterator[Tick]:
        """Time a stage and yield `tick(done, total, note="")`."""
        started = time.monotonic()
        if self.console.is_terminal:
            with self._bar(title) as tick:
                yield tick
        else:
            self.say(f"{title} ...")
            yield self._lines(title)
        self.seconds[key] = round(time.monotonic() - started, 2)
        self.say(f"{title}: done in {self.seconds[key]:.0f} s")

    @contextmanager
    def _bar(self, title: str) -> Iterator[Tick]:
        columns = (
            SpinnerColumn(),
            TextColumn(title),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
        )
        with Progress(
            *columns, TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=self.console, transient=True
        ) as progress:
            task = progress.add_task(title, total=None, note="")
            yield lambda done, total, note="": progress.update(task, completed=done, total=total, note=note)

    def _lines(self, title: str) -> Tick:
        last = time.monotonic()
        first: tuple[int, float] | None = None  # what was done before says nothing about the speed

        def tick(done: int, total: int, note: str = "") -> None:
            nonlocal first, last
            now = time.monotonic()
            first = first or (done, now)
            if now - last >= _SILENT_SECONDS and done:
                last = now
                left = _time_left(done, total, seconds=now - first[1], done_before=first[0])
                self.say(f"  {title}: {done} of {total}{left}{', ' + note if note else ''}")

        return tick

    def show_scores(self, scores: ScoresFile) -> None:
        """Print the table of systems with 95 % intervals."""
        table = Table(title=f"Test split, 95 % intervals ({scores.bootstrap})")
        table.add_column("system")
        for metric in TABLE_METRICS:
            table.add_column(_HEADS[metric], justify="right")
        for system, metrics in scores.systems.items():
            table.add_row(system_name(system), *(show_estimate(metrics.get(metric)) for metric in TABLE_METRICS))
        self.console.print(table)


def _time_left(done: int, total: int, *, seconds: float, done_before: int) -> str:
    """Return the words for the time left; none while nothing was done in `seconds`, so that there is no speed yet."""
    if done == done_before:
        return ""
    return f", about {seconds / (done - done_before) * (total - done):.0f} s left"


def show_estimate(estimate: Estimate | None) -> str:
    """Return `0.912 [0.880, 0.941]`, or a dash where the metric is undefined."""
    if estimate is None or estimate.value is None:
        return NO_VALUE
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def system_name(system: str) -> str:
    """Return the words that stand for a system in tables and pictures; another's model goes by its own name."""
    return _NAMES.get(system, system)
