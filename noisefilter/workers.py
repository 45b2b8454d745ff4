"""Work handed out by the piece: results in order, and never much read ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from noisefilter.errors import NoisefilterError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from noisefilter.processes import Processes

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2
"""Pieces of work for each process that may be taken before the result of the first is given."""


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
        self._processes: Processes[T, R] | None = None

    def __enter__(self) -> "Workers[T, R]":
        return self

    def __exit__(self, *_: object) -> None:
        if self._processes is not None:
            self._processes.stop()

    def map(self, pieces: Iterable[T]) -> Iterator[R]:
        """Yield the results in the order of the pieces; what they are does not depend on the number of jobs.

        At most ``2 * jobs`` pieces are taken before the result of the first of them is given (with one
        job, one). If `pieces` raises a `NoisefilterError`, the results of those before come first.

        Raises
        ------
        RunError
            If the processes cannot be started, or one ended before its work was done.
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
            waiting.append(self._started().submit(piece))
            del piece
            if len(waiting) >= AHEAD * self._jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if failure is not None:
            raise failure

    def _started(self) -> "Processes[T, R]":
        if self._processes is None:
            from noisefilter.processes import Processes  # noqa: PLC0415  # a run of one job starts without

            self._processes = Processes(self._work, self._jobs)
        return self._processes
