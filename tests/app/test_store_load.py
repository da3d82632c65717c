"""Many processes save at once and one is killed: no acknowledged save is lost, and the audit chain holds."""

import os
import signal
import subprocess
import sys
from contextlib import closing

from app.store import audit, reviews
from app.store.engine import Database

WRITERS, SAVES = 8, 30
WRITER = """
import sys
from app.document import ReviewDocument
from app.store import reviews
from app.store.engine import Database
from app.store.reviews import Draft

place, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
database = Database(place)
sys.stdin.readline()  # all begin together
for number in range(1, count + 1):
    outcome = reviews.save(database, Draft(
        run_id="run", case_id=f"{name}-{number % 5}", client=name, sequence=number, base_revision=0,
        document=ReviewDocument(comment=f"{name} {number}"), submit=number % 10 == 0,
    ))
    assert not outcome.conflict
    print(number, flush=True)
database.close()
"""


def start(place: str, *, name: str, count: int) -> subprocess.Popen[str]:
    command, environment = [sys.executable, "-c", WRITER, place, name, str(count)], {**os.environ, "PYTHONPATH": "."}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def test_no_acknowledged_save_is_lost_when_many_write_and_one_is_killed(place: str):
    writers = {f"writer-{number}": start(place, name=f"writer-{number}", count=SAVES) for number in range(WRITERS - 1)}
    victim = start(place, name="victim", count=100_000)
    for process in (*writers.values(), victim):
        process.stdin.write("\n")
        process.stdin.flush()
    acknowledged = {("victim", victim.stdout.readline().strip()) for _ in range(SAVES // 2)}
    victim.send_signal(signal.SIGKILL)
    acknowledged |= {("victim", line) for line in victim.communicate()[0].split()}
    for name, process in writers.items():
        lines = process.communicate(timeout=60)[0].split()
        assert (process.returncode, len(lines)) == (0, SAVES)
        acknowledged |= {(name, line) for line in lines}

    with closing(Database(place)) as database:
        cases = [(name, f"{name}-{number}") for name in (*writers, "victim") for number in range(5)]
        stored = [
            tuple(revision.document.comment.split())
            for _, case_id in cases
            for revision in reviews.history(database, "run", case_id)
        ]
        assert audit.verify(database).seq == len(stored)
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
    assert len(stored) - len(acknowledged) in (0, 1)  # the one that was committed as its writer was killed
