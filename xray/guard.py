"""A function in a child process with limits of time and memory, for bytes that nobody trusts.

A decoder is C code that reads what a stranger wrote: it may never return, ask for all memory or crash. In a child of
its own it can do none of that to the program, and the file that caused it is refused by name.
"""

import multiprocessing
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

from xray.errors import Rejected

Task = TypeVar("Task")
Result = TypeVar("Result")

_SPAWN = multiprocessing.get_context("spawn")  # forking a process that has loaded torch or OpenCV threads can hang
_START_SECONDS = 120.0  # imports from a slow network disk
_END_SECONDS = 5.0
_READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one task may take.

    `cpu_seconds` is processor time of all threads of the child, so that a busy machine refuses no film that an idle one
    reads. `wall_seconds` ends a child that waits for ever. `memory_mib` is memory beyond what the child has when it
    starts; with the default its whole resident memory stays below 1 GB, and a film of 8192 x 8192 in JPEG 2000 needs
    610 MiB and 7 of the seconds.
    """

    cpu_seconds: float = 9.5
    memory_mib: int = 840
    wall_seconds: float = 60.0


DEFAULT_LIMITS = Limits()


class Guarded(Generic[Task, Result]):
    """Calls `function` in one child process, started at the first call and again after each death.

    `function`, its tasks and its results must be picklable. Calls from several threads wait for each other; for
    parallel work each thread takes a `Guarded` of its own. The child ends with its parent, however that ends.
    """

    def __init__(self, function: Callable[[Task], Result], *, limits: Limits = DEFAULT_LIMITS) -> None:
        self._function = function
        self._limits = limits
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def __call__(self, task: Task) -> Result:
        """Return `function(task)`.

        Raises Rejected: `decode_timeout`, `decode_memory`, `decoder_crashed`, or the refusal that the function raised.
        Any other exception of the function is raised as it is: it is a defect of ours.
        """
        with self._lock:
            fresh = self._child is None
            try:
                return self._ask(task)
            except _EndedError as ended:
                if fresh or ended.code == "decode_timeout":
                    raise ended.refusal(self._limits) from None
            try:  # what earlier tasks left behind may be to blame, and the outcome must not depend on their order
                return self._ask(task)
            except _EndedError as ended:
                raise ended.refusal(self._limits) from None

    def close(self) -> None:
        """End the child; a later call starts another."""
        with self._lock:
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, task: Task) -> Result:
        if self._child is None:
            self._child = _start(self._function, self._limits)
        try:
            reply = self._child.answer(task, wall_seconds=self._limits.wall_seconds)
        except BaseException:  # an interrupted answer would be taken for the next task's
            self._stop()
            raise
        if isinstance(reply, _Failure):
            raise reply.error
        return cast(Result, reply)

    def _stop(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


@dataclass(frozen=True, slots=True)
class _Failure:
    """What the child answers when the function raised."""

    error: Exception


class _EndedError(Exception):
    """The child has ended or was ended instead of answering."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def refusal(self, limits: Limits) -> Rejected:
        if self.code == "decode_timeout":
            why = f"Decoding takes longer than the {limits.cpu_seconds:g} seconds that one film may take."
        elif self.code == "decode_memory":
            why = f"Decoding takes more than the {limits.memory_mib} MiB of memory that one film may take."
        else:
            why = "Decoding ended its process, by a crash or lack of memory."
        return Rejected(self.code, f"{why} Export the film again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    """A running child and this side of the pipe to it."""

    process: BaseProcess
    pipe: Connection

    def answer(self, task: object, *, wall_seconds: float) -> object:
        try:
            self.pipe.send(task)
            if not self.pipe.poll(wall_seconds):
                raise _EndedError("decode_timeout")
            reply = self.pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.process.join(_END_SECONDS)
            timed_out = self.process.exitcode == -signal.SIGPROF
            raise _EndedError("decode_timeout" if timed_out else "decoder_crashed") from None
        if isinstance(reply, _Failure) and (
            isinstance(reply.error, MemoryError) or getattr(reply.error, "code", None) == "decode_memory"
        ):
            raise _EndedError("decode_memory")
        return cast(object, reply)

    def end(self) -> None:
        self.pipe.close()  # an idle child reads the end of its tasks
        self.process.join(0.2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: it goes to the whole terminal, and their parent ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(function: Callable[[Task], Result], limits: Limits) -> _Child:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(function, theirs, limits), daemon=True)
    with interrupts_held():
        process.start()
    theirs.close()
    child = _Child(process=process, pipe=ours)
    try:
        if ours.poll(_START_SECONDS) and ours.recv() == _READY:
            return child
    except (EOFError, ConnectionResetError):
        pass
    child.end()
    raise RuntimeError("The guarded process did not start. A script that uses it needs `if __name__ == '__main__':`.")


def _serve(function: Callable[[Task], Result], pipe: Connection, limits: Limits) -> None:
    """Answer tasks until the pipe is closed."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends C code that never returns, which a handler could not
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _leave_parallelism_to_the_parent()
    _limit_memory(limits.memory_mib)
    pipe.send(_READY)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
        answer = _answer(function, task)
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send_bytes(answer)


def _answer(function: Callable[[Task], Result], task: Task) -> memoryview:
    try:
        return ForkingPickler.dumps(function(task), protocol=5)  # earlier ones lose the byte order of an array
    except MemoryError:
        return ForkingPickler.dumps(_Failure(MemoryError()))
    except Exception as error:
        if not isinstance(error, Rejected):
            error.add_note(traceback.format_exc())
        return ForkingPickler.dumps(_Failure(error))


def _limit_memory(mib: int) -> None:
    """Bound the memory that the process can write to, where the system tells how much that is (Linux).

    Not the address space: what libraries and threads merely reserve would be counted too, five times what is used.
    """
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        in_use = int(statistics.read_text(encoding="ascii").split()[5]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (in_use + (mib << 20), hard))


def _leave_parallelism_to_the_parent() -> None:
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
