"""Rendering many films in several processes. A film that kills its decoder is refused; the others go on."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from xray.data.film_cache import ensure_rendered
from xray.data.records import FilmFacts
from xray.dicom.render import RenderSettings
from xray.errors import Rejected

Outcome = FilmFacts | Rejected
Progress = Callable[[int, int], None]
_START_METHOD = "spawn"  # forking a process that has loaded torch or OpenCV threads can hang
_FEW_FILMS = 24  # starting two processes takes longer than rendering so many


def render_films(
    films: Sequence[Path],
    *,
    store: Path,
    settings: RenderSettings,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[Path, Outcome]:
    """Render each film into the store unless it is there, and return its facts or why it was refused.

    `workers` is the number of processes, by default one for each processor this process may use. `progress` is called
    with the number of films done and the number of all. The result does not depend on `workers`.
    """
    job = _Job(store=store, settings=settings, total=len(films), progress=progress)
    count = min(workers or _usable_processors(), max(1, len(films)))
    if count == 1 or (workers is None and len(films) < _FEW_FILMS):
        for film in films:
            job.note(film, _render(film, store, settings))
    else:
        job.run(deque(films), workers=count)
    return {film: job.outcomes[film] for film in films}


@dataclass(slots=True, kw_only=True)
class _Job:
    """One pass over the films: what is known so far."""

    store: Path
    settings: RenderSettings
    total: int
    progress: Progress | None
    outcomes: dict[Path, Outcome] = field(default_factory=dict)

    def note(self, film: Path, outcome: Outcome) -> None:
        self.outcomes[film] = outcome
        if self.progress is not None:
            self.progress(len(self.outcomes), self.total)

    def run(self, waiting: deque[Path], *, workers: int) -> None:
        """Render all; after a crash, render the films that were under way one by one to find the guilty one."""
        while waiting:
            for suspect in self._until_crash(waiting, workers=workers):
                self.note(suspect, self._alone(suspect))

    def _until_crash(self, waiting: deque[Path], *, workers: int) -> list[Path]:
        under_way: dict[Future[Outcome], Path] = {}
        with _pool(workers) as pool:
            try:
                while waiting or under_way:
                    while waiting and len(under_way) < 2 * workers:
                        film = waiting[0]
                        under_way[pool.submit(_render, film, self.store, self.settings)] = film
                        waiting.popleft()  # only now: a pool that is broken refuses the film
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        outcome = future.result()
                        self.note(under_way.pop(future), outcome)
            except BrokenProcessPool:
                return list(under_way.values())
        return []

    def _alone(self, film: Path) -> Outcome:
        with _pool(1) as pool:
            try:
                return pool.submit(_render, film, self.store, self.settings).result()
            except BrokenProcessPool:
                return Rejected("decoder_crashed", "decoding the film ended its process, by a crash or lack of memory")


def _render(film: Path, store: Path, settings: RenderSettings) -> Outcome:
    try:
        return ensure_rendered(film, store=store, settings=settings)
    except Rejected as rejected:
        return rejected


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context(_START_METHOD), initializer=_start_worker
    )


def _start_worker() -> None:
    """End with the parent, even if it is killed, and leave parallelism to the pool."""
    import cv2

    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _usable_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
