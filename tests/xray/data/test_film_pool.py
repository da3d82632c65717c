import os
import threading
import time
from functools import partial

import pytest

from xray.data.film_pool import map_guarded
from xray.errors import Rejected


def work(task, *, doomed=()):
    if task in doomed:
        os._exit(9)
    if task < 0:
        raise Rejected("bad_tag", "A number below zero.")
    return task * task, os.getpid()


def outcomes_of(tasks, *, workers, doomed=()):
    found = {}

    def note(index, outcome):
        assert threading.current_thread() is threading.main_thread()
        assert index not in found
        found[index] = outcome.code if isinstance(outcome, Rejected) else outcome

    map_guarded(partial(work, doomed=doomed), tasks, workers=workers, on_result=note)
    return found


@pytest.mark.parametrize("workers", [1, 3, None])
def test_outcomes_do_not_depend_on_the_number_of_workers(workers):
    found = outcomes_of([3, -1, 4, 9, 5], workers=workers, doomed=(9,))
    squares = {index: outcome[0] if isinstance(outcome, tuple) else outcome for index, outcome in found.items()}
    assert squares == {0: 9, 1: "bad_tag", 2: 16, 3: "decoder_crashed", 4: 25}


def test_tasks_never_run_in_this_process():
    found = outcomes_of([1, 2, 3], workers=None)
    assert os.getpid() not in {process for _, process in found.values()}


def test_no_tasks_start_no_process():
    assert outcomes_of([], workers=2) == {}


def fail(task):
    raise ZeroDivisionError(task)


def test_a_defect_ends_the_work_and_is_raised():
    with pytest.raises(ZeroDivisionError):
        map_guarded(fail, [1, 2, 3], workers=2, on_result=lambda _index, _outcome: None)


def test_what_the_receiver_raises_ends_the_work():
    def stop(_index, _outcome):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_guarded(work, list(range(1000)), workers=2, on_result=stop)


def leave_a_file(task, *, folder):
    (folder / str(task)).touch()


def test_workers_wait_for_a_slow_receiver_and_then_do_all_tasks(tmp_path):
    most = []

    def receive(_index, _outcome):
        received = len(most)
        if received in (0, 7):
            time.sleep(1)  # long enough for all thirty
        most.append(len(list(tmp_path.iterdir())) - received)

    map_guarded(partial(leave_a_file, folder=tmp_path), list(range(30)), workers=2, on_result=receive)
    assert len(most) == 30
    assert max(most) <= 4


def test_a_receiver_that_raises_while_all_workers_wait_for_it_ends_the_work(tmp_path):
    def stop(_index, _outcome):
        time.sleep(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_guarded(partial(leave_a_file, folder=tmp_path), list(range(30)), workers=3, on_result=stop)
    assert len(list(tmp_path.iterdir())) <= 9
