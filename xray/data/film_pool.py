"""Work on many films in several guarded processes. A film that kills its decoder is refused; the others go on."""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from xray.errors import Rejected
from xray.guard import Guarded, Result, Task

_FEW_TASKS = 24  # starting a second process takes longer than doing so few


def map_guarded(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    workers: int | None,
    on_result: Callable[[int, Result | Rejected], None],
) -> None:
    """Call a picklable function for each task, in guarded processes, one task at a time in each.

    `on_result` is called in this thread with the task's index, and its result or refusal, in the order in which tasks
    end. `workers` is the number of processes, by default one for each processor this process may use and one alone for
    few tasks. What `function` raises beside `Rejected` ends the work and is raised here.
    """
    if not tasks:
        return
    if workers is None:
        workers = 1 if len(tasks) < _FEW_TASKS else _usable_processors()
    crew = _Crew(function=function, tasks=tasks, waiting=queue.SimpleQueue(), done=queue.SimpleQueue())
    for index in range(len(tasks)):
        crew.waiting.put(index)
    threads = [threading.Thread(target=crew.work) for _ in range(min(workers, len(tasks)))]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
            index, outcome = crew.done.get()
            if isinstance(outcome, _Defect):
                raise outcome.error
            on_result(index, outcome)
    finally:
        crew.call_off()
        for thread in threads:
            thread.join()


@dataclass(frozen=True, slots=True)
class _Defect:
    """An exception that is no refusal, on its way from a thread to the caller."""

    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crew(Generic[Task, Result]):
    """What the threads share: indices of tasks that wait, and outcomes."""

    function: Callable[[Task], Result]
    tasks: Sequence[Task]
    waiting: "queue.SimpleQueue[int]"
    done: "queue.SimpleQueue[tuple[int, Result | Rejected | _Defect]]"

    def work(self) -> None:
        with Guarded(self.function) as guarded:
            while (index := self._next()) is not None:
                try:
                    self.done.put((index, guarded(self.tasks[index])))
                except Rejected as refusal:
                    self.done.put((index, refusal))
                except BaseException as error:
                    self.done.put((index, _Defect(error)))
                    return

    def call_off(self) -> None:
        while self._next() is not None:
            pass

    def _next(self) -> int | None:
        try:
            return self.waiting.get_nowait()
        except queue.Empty:
            return None


def _usable_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
