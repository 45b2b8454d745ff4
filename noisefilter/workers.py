"""Work handed to other processes: results in order, and never much read ahead.

A process is a fresh interpreter that reads pieces of work from a pipe and writes results to another, in a
session of its own: Ctrl-C in a terminal does not reach it, and it ends when its pipe does. joblib's pool
was tried; stopped while its processes start, it prints their tracebacks or waits for ever.
"""

import json
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from noisefilter.errors import NoisefilterError, RunError

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2
"""Pieces of work for each process that may be taken before the result of the first is given."""

_SERVE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from noisefilter.workers import serve; serve()"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Workers(Generic[T, R]):
    """Processes that do one kind of work; with one job, there are none and the work is done here.

    Parameters
    ----------
    work : callable
        Takes a piece of work, returns its result; can be pickled. It is sent to each process once.
    jobs : int
        Processes.
    """

    def __init__(self, work: Callable[[T], R], jobs: int) -> None:
        self._work = work
        self._jobs = jobs
        self._processes: list[subprocess.Popen[bytes]] = []
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(max(jobs, 1))

    def __enter__(self) -> "Workers[T, R]":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            with suppress(OSError), process:  # closes the pipes and waits; what was under way is lost
                pass

    def map(self, pieces: Iterable[T]) -> Iterator[R]:
        """Yield the results in the order of the pieces; what they are does not depend on the number of jobs.

        At most ``2 * jobs`` pieces are taken before the result of the first of them is given (with one
        job, one). If `pieces` raises a `NoisefilterError`, the results of those before come first.

        Raises
        ------
        RunError
            If a process ended before its work was done.
        """
        if self._jobs == 1:
            yield from map(self._work, pieces)
            return
        waiting: deque[Future[R]] = deque()
        source = iter(pieces)
        failure = None
        while True:
            try:
                piece = next(source)
            except StopIteration:
                break
            except NoisefilterError as error:
                failure = error
                break
            if not self._processes:
                self._start()
            waiting.append(self._threads.submit(self._ask, piece))
            del piece
            if len(waiting) >= AHEAD * self._jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if failure is not None:
            raise failure

    def _start(self) -> None:
        work = pickle.dumps(self._work)
        for _ in range(self._jobs):
            process = subprocess.Popen(  # noqa: S603  # our own interpreter
                [sys.executable, "-P", "-c", _SERVE, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | _ONE_THREAD,
                start_new_session=True,
            )
            self._processes.append(process)
            self._threads.submit(self._hand, process, work)

    def _hand(self, process: "subprocess.Popen[bytes]", work: bytes) -> None:
        try:
            assert process.stdin is not None
            process.stdin.write(work)
        except OSError:
            pass  # it is gone, which whoever asks it next will find
        self._idle.put(process)

    def _ask(self, piece: T) -> R:
        process = self._idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(piece, process.stdin)
            process.stdin.flush()
            done, result = pickle.load(process.stdout)  # noqa: S301  # what our own process wrote
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            raise RunError(
                "a worker process ended before its work was done, perhaps for want of memory: take fewer --jobs"
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
                answer: tuple[bool, Any] = (True, work(piece))
            except Exception as error:  # it is raised where the result is waited for
                answer = (False, error)
            pickle.dump(answer, results)
            results.flush()
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        os._exit(0)  # whoever asked is gone
