"""Many processes save at once and one is killed: no acknowledged save is lost, and the audit chain holds."""

import time
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

from app.document import ReviewDocument
from app.store import audit, reviews
from app.store.engine import Database
from app.store.reviews import Draft

WRITERS, SAVES, CASES = 8, 30, 5
PATIENCE_SECONDS = 300  # it takes three on an idle machine
processes = get_context("forkserver")  # imports once, then forks: the test is of the store, not of Python's start
processes.set_forkserver_preload(["tests.app.test_store_load"])


def write(place: str, folder: str, name: str, count: int) -> None:
    """Save `count` drafts and note each in the file `name` once it is acknowledged."""
    with closing(Database(place)) as database, (Path(folder) / name).open("w", buffering=1) as acknowledged:
        for number in range(1, count + 1):
            draft = Draft(
                run_id="run",
                case_id=f"{name}-{number % CASES}",
                client=name,
                sequence=number,
                base_revision=0,
                document=ReviewDocument(comment=f"{name} {number}"),
                submit=number % 10 == 0,
            )
            assert not reviews.save(database, draft).conflict
            acknowledged.write(f"{name} {number}\n")


def lines(path: Path) -> set[str]:
    return set(path.read_text().splitlines()) if path.exists() else set()


def test_no_acknowledged_save_is_lost_when_many_write_and_one_is_killed(place: str, tmp_path: Path):
    counts = {f"writer-{number}": SAVES for number in range(WRITERS - 1)} | {"victim": 100_000}
    writers = {
        name: processes.Process(target=write, args=(place, str(tmp_path), name, count))
        for name, count in counts.items()
    }
    for writer in writers.values():
        writer.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(lines(tmp_path / "victim")) < SAVES // 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    writers.pop("victim").kill()
    for writer in writers.values():
        writer.join(PATIENCE_SECONDS)
        assert writer.exitcode == 0
    acknowledged = set().union(*(lines(tmp_path / name) for name in counts))
    assert len(acknowledged) >= SAVES * (WRITERS - 1) + SAVES // 2

    with closing(Database(place)) as database:
        threads = [reviews.history(database, "run", f"{name}-{case}") for name in counts for case in range(CASES)]
        stored = [revision.document.comment for thread in threads for revision in thread]
        assert audit.verify(database).seq == len(stored)
    assert acknowledged <= set(stored)
    assert len(stored) - len(acknowledged) in (0, 1)  # the one that was committed as its writer was killed
