"""How the two reports of every case of a run compare, found out in the background where it takes long.

A list of thousands of cases opens at once and gets its marks when they are there; on disk they outlive the process.
"""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event, Thread

from app.mark_file import Findings, MarkFile, pair_of
from app.run import ReviewCase, Run
from xray.metrics.marks import mark_reports

AT_ONCE = 100
"""So many cases without marks are no reason to let a reader wait for the background: they take under a second."""
_BATCH = 50


class Marking:
    """The findings of a run's cases, case by case as they become known. Safe to read while they are being found."""

    def __init__(self, run: Run, *, folder: Path) -> None:
        """Read what is known in `folder`; what is missing is found now (up to `AT_ONCE` cases) or by a thread."""
        self._file, self._profile = MarkFile(folder), run.profile
        known = self._file.read()
        self._pairs = {case.id: pair_of(case, profile=run.profile) for case in run.cases}
        self._known = {pair: known[pair] for pair in self._pairs.values() if pair in known}
        missing = [case for case in run.cases if self._pairs[case.id] not in self._known]
        self._stopped = Event()
        self._thread: Thread | None = None
        if len(missing) <= AT_ONCE:
            self._find(missing)
        else:
            self._thread = Thread(target=self._find_aside, args=(missing,), name="marking", daemon=True)
            self._thread.start()

    @property
    def total(self) -> int:
        """Number of different pairs of reports."""
        return len(set(self._pairs.values()))

    @property
    def done(self) -> int:
        """Number of pairs that are known."""
        return len(self._known)

    @property
    def is_ready(self) -> bool:
        """Whether all are known."""
        return self.done == self.total

    def findings(self, case_id: str) -> Findings | None:
        """Return the findings of a case with their kinds, None while they are not known."""
        return self._known.get(self._pairs[case_id])

    def stop(self) -> None:
        """End the thread, keeping what it has found."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _find_aside(self, cases: Sequence[ReviewCase]) -> None:
        """Find a batch at a time, and rest after each case as long as it took: a page needs the same interpreter."""
        for start in range(0, len(cases), _BATCH):
            if self._stopped.is_set():
                return
            self._find(cases[start : start + _BATCH], rests=True)

    def _find(self, cases: Iterable[ReviewCase], *, rests: bool = False) -> None:
        found: dict[str, Findings] = {}
        for case in cases:
            pair, begun = self._pairs[case.id], time.perf_counter()
            if pair not in self._known:
                marks = mark_reports(case.generated or "", reference=case.case.text, profile=self._profile)
                self._known[pair] = found[pair] = marks.findings
                if rests and self._stopped.wait(time.perf_counter() - begun):
                    break
        if found:
            self._file.add(found)
