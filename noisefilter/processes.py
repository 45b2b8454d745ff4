"""Processes that wait for work, each a fresh interpreter.

A process reads pieces of work from a pipe and writes results to another, in a session of its own: Ctrl-C in a
terminal does not reach it, and it ends when its pipe does. joblib's pool was tried; stopped while its processes
start, it prints their tracebacks or waits for ever.
"""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

from noisefilter.errors import RunError

T = TypeVar("T")
R = TypeVar("R")

_SERVE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from noisefilter.processes import serve; serve()"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Processes(Generic[T, R]):
    """Processes that do one kind of work; they start with the first piece of it.

    Parameters
    ----------
    work : callable
        Takes a piece of work, returns its result; can be pickled. It is sent to each process once.
    count : int
    """

    def __init__(self, work: Callable[[T], R], count: int) -> None:
        self._work = work
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(count)

    @property
    def pids(self) -> list[int]:
        """The numbers by which the system knows the processes."""
        return [process.pid for process in self._processes]

    def submit(self, piece: T) -> "Future[R]":
        """Hand a piece of work to the next process that is idle.

        The future's result raises `RunError` if the process ended before the work was done, and else whatever the
        work raised.

        Raises
        ------
        RunError
            If the processes cannot be started.
        """
        if not self._processes:
            self._start(pickle.dumps(self._work))
        return self._threads.submit(self._ask, piece)

    def stop(self) -> None:
        """End the processes; what is under way is lost."""
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            with suppress(OSError), process:  # closes the pipes and waits
                pass

    def _start(self, work: bytes) -> None:
        try:
            for _ in range(self._count):
                process = subprocess.Popen(  # noqa: S603  # our own interpreter
                    [sys.executable, "-P", "-c", _SERVE, json.dumps(sys.path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=os.environ | _ONE_THREAD,
                    start_new_session=True,
                )
                self._processes.append(process)
                self._threads.submit(self._hand, process, work)
        except (OSError, RuntimeError) as error:  # no more open files, processes or threads
            why = getattr(error, "strerror", None) or error
            raise RunError(f"cannot start {self._count} processes ({why}): take fewer jobs") from None

    def _hand(self, process: "subprocess.Popen[bytes]", work: bytes) -> None:
        try:
            assert process.stdin is not None
            process.stdin.write(work)
        except OSError:
            pass  # it is gone, which whoever asks it next will find
        self._idle.put(process)

    def _ask(self, piece: T) -> R:
        pickled = pickle.dumps(piece)
        process = self._idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(pickled)
            process.stdin.flush()
            done, result = pickle.load(process.stdout)  # noqa: S301  # what our own process wrote
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            raise RunError(
                "a worker process ended before its work was done, perhaps for want of memory: take fewer jobs"
            ) from None
        finally:
            self._idle.put(process)
        if not done:
            raise result
        return result  # type: ignore[no-any-return]


def serve() -> None:
    """Do the work that comes on stdin, and write the results to stdout, until there is no more."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no result
    try:
        work = pickle.load(sys.stdin.buffer)  # noqa: S301  # what the process that started us wrote
        while True:
            piece = pickle.load(sys.stdin.buffer)  # noqa: S301
            try:
                answer = pickle.dumps((True, work(piece)))
            except Exception as error:  # it is raised where the result is waited for
                answer = _failure(error)
            results.write(answer)
            results.flush()
    except (EOFError, BrokenPipeError, pickle.UnpicklingError, MemoryError):
        os._exit(0)  # whoever asked is gone, or will find that we are


def _failure(error: Exception) -> bytes:
    """Return what tells of an error: itself, where it can be put together again on the other side, or in words."""
    if isinstance(error, MemoryError):
        return pickle.dumps((False, MemoryError(str(error))))  # numpy's own can be made of other things alone
    try:
        answer = pickle.dumps((False, error))
        pickle.loads(answer)  # noqa: S301  # our own
    except Exception:
        return pickle.dumps((False, RuntimeError(repr(error))))
    return answer
