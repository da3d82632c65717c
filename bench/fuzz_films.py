"""Damage thousands of films and count what comes of them: every one must be an image or a refusal.

    python -m bench.fuzz_films --count 5000 [--films FOLDER]

Half of the files are synthetic ones of every transfer syntax, and half are films of FOLDER, if one is named. Each is
read, decoded and rendered in a guarded process; printed are the outcomes, the slowest file and the largest process.
Exits with 1 when a file ended in anything else, took longer than 10 s or more than 1 GB.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.xray.dicom.every_syntax import EVERY, film_file
from tests.xray.dicom.mutations import mutate
from tests.xray.dicom.test_fuzz import outcome_of
from xray.data.film_pool import map_guarded
from xray.errors import Rejected

MOST_SECONDS, MOST_BYTES = 10.0, 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One damaged file: its seed, and the film that is damaged where it is not a synthetic one."""

    seed: int
    film: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a file ended in, its time on the clock and the largest size of its process so far."""

    outcome: str
    seconds: float
    process_bytes: int


def run(case: Case) -> Ended:
    """Damage a film and read it. The largest process is known from the child itself, or from its end."""
    rng = np.random.default_rng(case.seed)
    content = case.film.read_bytes() if case.film else film_file(EVERY[case.seed % len(EVERY)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.dcm"
        path.write_bytes(mutate(content, rng=rng))
        started = time.perf_counter()
        try:
            outcome = outcome_of(path)
        except Exception as error:
            outcome = f"DEFECT {type(error).__name__} (seed {case.seed})"
        seconds = time.perf_counter() - started
    return Ended(outcome=outcome, seconds=seconds, process_bytes=_largest(resource.RUSAGE_SELF))


def main() -> int:
    """Run the cases and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--films", type=Path)
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    films = sorted(path for path in options.films.rglob("*") if path.is_file()) if options.films else []
    cases = [
        Case(seed=seed, film=films[seed // 2 % len(films)] if films and seed % 2 else None)
        for seed in range(options.count)
    ]
    return report(cases, workers=options.workers)


def report(cases: list[Case], *, workers: int | None) -> int:
    """Print outcomes by code, the slowest file and the largest process; return the exit code."""
    outcomes: Counter[str] = Counter()
    slowest, largest = 0.0, 0

    def note(index: int, ended: Ended | Rejected) -> None:
        nonlocal slowest, largest
        if isinstance(ended, Rejected):
            outcomes[ended.code] += 1
            print(f"ended by the guard: {ended.code} (seed {cases[index].seed})")
        else:
            outcomes[ended.outcome] += 1
            slowest, largest = max(slowest, ended.seconds), max(largest, ended.process_bytes)

    started = time.perf_counter()
    map_guarded(run, cases, workers=workers, on_result=note)
    largest = max(largest, _largest(resource.RUSAGE_CHILDREN))
    for outcome, count in outcomes.most_common():
        print(f"{count:7d}  {outcome}")
    print(f"{len(cases)} files in {time.perf_counter() - started:.0f} s")
    print(f"slowest file {slowest:.2f} s, largest process {largest / 1e6:.0f} MB")
    failed = any(outcome.startswith("DEFECT") for outcome in outcomes) or slowest > MOST_SECONDS or largest > MOST_BYTES
    return int(failed)


def _largest(who: int) -> int:
    """Return the largest resident size in bytes (Linux counts in KiB)."""
    return resource.getrusage(who).ru_maxrss * 1024


if __name__ == "__main__":
    sys.exit(main())
