"""Work handed to other processes: results in order, and never much read ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Generic, TypeVar

from noisefilter.errors import NoisefilterError, RunError

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2
"""Pieces of work for each process that may be taken before the result of the first is given."""

_job: list[Callable[[Any], Any]] = []
"""What a worker process does; set once, when it starts."""


class Workers(Generic[T, R]):
    """Processes that do one kind of work; with one job, there are none and the work is done here.

    Parameters
    ----------
    work : callable
        Takes a piece of work, returns its result. It is sent to each process once.
    jobs : int
        Processes.
    """

    def __init__(self, work: Callable[[T], R], jobs: int) -> None:
        self._work = work
        self._jobs = jobs
        self._pool: Any = None

    def __enter__(self) -> "Workers[T, R]":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)

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
        try:
            while True:
                try:
                    piece = next(source)
                except StopIteration:
                    break
                except NoisefilterError as error:
                    failure = error
                    break
                waiting.append(self._submit(piece))
                del piece
                if len(waiting) >= AHEAD * self._jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise RunError(
                "a worker process ended before its work was done, perhaps for want of memory: take fewer --jobs"
            ) from None
        if failure is not None:
            raise failure

    def _submit(self, piece: T) -> "Future[R]":
        if self._pool is None:
            from joblib.externals.loky import ProcessPoolExecutor  # noqa: PLC0415

            self._pool = ProcessPoolExecutor(
                self._jobs, initializer=_start, initargs=(self._work,), env={"OMP_NUM_THREADS": "1"}
            )
        future: Future[R] = self._pool.submit(_do, piece)
        return future


def _start(work: Callable[[Any], Any]) -> None:
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us
    _job[:] = [work]


def _do(piece: Any) -> Any:
    return _job[0](piece)
