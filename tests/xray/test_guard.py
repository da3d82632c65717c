import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from xray.errors import Rejected
from xray.guard import Guarded, Limits

SHORT = Limits(cpu_seconds=1.0, memory_mib=100, wall_seconds=3.0)


def double(number):
    return 2 * number


def same(array):
    return array.astype(">i2")


def obey(order):
    """What a decoder may do to its process."""
    if order == "refuse":
        raise Rejected("corrupt_pixels", "The pixels are damaged.")
    if order == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if order == "never return":
        re.match(r"(a+)+$", "a" * 60 + "b")
    if order == "sleep":
        time.sleep(60)
    if order == "eat":
        return len(bytearray(2 << 30))
    if order == "hoard":
        HOARD.append(bytearray(60 << 20))
    if order == "fail":
        raise ZeroDivisionError("a defect of ours")
    return os.getpid()


HOARD: list[bytearray] = []


@pytest.fixture
def guarded():
    with Guarded(obey, limits=SHORT) as made:
        yield made


def refusal_of(guarded, order):
    with pytest.raises(Rejected) as refusal:
        guarded(order)
    return refusal.value.code


def test_a_function_answers_from_another_process_that_is_kept(guarded):
    first = guarded("work")
    assert first != os.getpid()
    assert guarded("work") == first


def test_large_results_come_through():
    with Guarded(double) as guarded:
        assert guarded(bytes(20 << 20)) == bytes(40 << 20)


def test_an_array_keeps_the_order_of_its_bytes():
    with Guarded(same) as guarded:
        returned = guarded(np.arange(6, dtype=">i2"))
    assert returned.dtype.str == ">i2"
    assert returned.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_refusal_comes_through_with_its_code_and_the_process_is_kept(guarded):
    process = guarded("work")
    assert refusal_of(guarded, "refuse") == "corrupt_pixels"
    assert guarded("work") == process


def test_a_defect_comes_through_as_it_is(guarded):
    with pytest.raises(ZeroDivisionError, match="a defect of ours"):
        guarded("fail")
    assert guarded("work")


ENDS = {
    "crash": "decoder_crashed",
    "never return": "decode_timeout",
    "sleep": "decode_timeout",
    "eat": "decode_memory",
}


@pytest.mark.parametrize(("order", "code"), ENDS.items(), ids=ENDS)
def test_a_task_that_ruins_its_process_is_refused_and_the_next_is_done(guarded, order, code):
    assert refusal_of(guarded, order) == code
    assert guarded("work")


def test_memory_that_earlier_tasks_kept_is_not_charged_to_the_next(guarded):
    processes = {guarded("hoard") for _ in range(3)}
    assert len(processes) == 3


def test_threads_wait_for_each_other(guarded):
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(guarded, ["work"] * 40))) == 1


def is_running(process):
    """A zombie does not run: its parent here is this process or init."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs the process table of Linux")
def test_closing_leaves_no_process(guarded):
    process = guarded("work")
    guarded.close()
    assert not Path(f"/proc/{process}").exists()


KILLED_PARENT = """
import sys, threading, time
from tests.xray.test_guard import obey
from xray.guard import Guarded
if __name__ == "__main__":
    guarded = Guarded(obey)
    print(guarded("work"), flush=True)
    guarded(sys.argv[1])
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs the process table of Linux")
@pytest.mark.parametrize("order", ["work", "sleep"])
def test_the_process_ends_when_its_parent_is_killed(tmp_path, order):
    script = tmp_path / "parent.py"
    script.write_text(KILLED_PARENT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, str(script), order], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
    deadline = time.monotonic() + 20
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)
