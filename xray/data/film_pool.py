"""Work on many films in several guarded processes. A film that kills its decoder is refused; the others go on."""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic

from xray.errors import Rejected
from xray.guard import Guarded, Result, Task

_FEW_TASKS = 24  # starting a second process takes longer than doing so few
_UNDER_WAY = 2  # for each process: one at work, and one whose result waits


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
    few tasks. At most two tasks for each process are under way or wait for `on_result`, however slow that is. What
    `function` raises beside `Rejected` ends the work and is raised here.
    """
    if not tasks:
        return
    if workers is None:
        workers = 1 if len(tasks) < _FEW_TASKS else _usable_processors()
    count = min(workers, len(tasks))
    room = threading.Semaphore(_UNDER_WAY * count)
    crew = _Crew(function=function, tasks=tasks, waiting=queue.SimpleQueue(), done=queue.SimpleQueue(), room=room)
    for index in range(len(tasks)):
        crew.waiting.put(index)
    threads = [threading.Thread(target=crew.work) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        for _ in tasks:
            index, outcome = crew.done.get()
            if isinstance(outcome, _Defect):
                raise outcome.error
            on_result(index, outcome)
            room.release()
    finally:
        crew.call_off(count)
        for thread in threads:
            thread.join()


@dataclass(frozen=True, slots=True)
class _Defect:
    """An exception that is no refusal, on its way from a thread to the caller."""

    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crew(Generic[Task, Result]):
    """What the threads share: indices of tasks that wait, outcomes, and how many more of these there is room for."""

    function: Callable[[Task], Result]
    tasks: Sequence[Task]
    waiting: "queue.SimpleQueue[int]"
    done: "queue.SimpleQueue[tuple[int, Result | Rejected | _Defect]]"
    room: threading.Semaphore

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

    def call_off(self, threads: int) -> None:
        """Leave no task, and wake all threads that wait for room, so that they see it."""
        with suppress(queue.Empty):
            while True:
                self.waiting.get_nowait()
        self.room.release(threads)

    def _next(self) -> int | None:
        self.room.acquire()
        try:
            return self.waiting.get_nowait()
        except queue.Empty:
            return None


def _usable_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
