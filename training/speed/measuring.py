"""Clocks: rounds in which all take turns, so that what drifts hits all alike; and whole processes."""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of what several rounds gave."""

    median: float
    least: float
    most: float
    rounds: int

    def inverse(self, work: float) -> "Spread":
        """Return how much work was done in a second, if this is seconds."""
        return Spread(work / self.median, work / self.most, work / self.least, self.rounds)

    def times(self, factor: float) -> "Spread":
        """Return the same in another unit."""
        return Spread(self.median * factor, self.least * factor, self.most * factor, self.rounds)


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of values, at least one."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Return the spread of the ratios of two that took turns, round by round."""
    return spread([one / other for one, other in zip(above, below, strict=True)])


def exponents(sizes: Sequence[float], seconds: Sequence[float]) -> list[float]:
    """Return for each step from one size to the next the power of the size that time grew with; 1 is linear."""
    steps = zip(pairwise(sizes), pairwise(seconds), strict=True)
    return [math.log(after / before) / math.log(larger / smaller) for (smaller, larger), (before, after) in steps]


def cores() -> list[int]:
    """Return the cores that this process may use; none where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def pin(chosen: Sequence[int]) -> None:
    """Keep this process on these cores, where the system can."""
    if chosen and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, chosen)


def alternating(
    works: Mapping[str, Callable[[], float]], rounds: int, tell: Callable[[str], None] = lambda _: None
) -> dict[str, list[float]]:
    """Call every work once a round, in turn and each round in the opposite order; return what they gave."""
    given: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}")
        for name in list(works)[:: 1 if number % 2 == 0 else -1]:
            given[name].append(works[name]())
    return given


@dataclass(slots=True)
class Clock:
    """Times a piece of work in this process, and how much of the time it had the core.

    Attributes
    ----------
    wall, cpu : float
        Seconds of all that was timed, by the clock on the wall and by that of the process.
    """

    wall: float = 0.0
    cpu: float = 0.0

    def seconds(self, work: Callable[[], Any], passes: int = 1) -> float:
        """Return the seconds of one pass."""
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(passes):
            work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self.wall += wall
        self.cpu += cpu
        return wall / passes


def passes_for(seconds: float, first: float) -> int:
    """Return how many passes take at least so many seconds, if one took `first`."""
    return max(1, math.ceil(seconds / max(first, 1e-9)))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a whole process took.

    Attributes
    ----------
    seconds, cpu_seconds : float
        By the clock on the wall; and at work, by all its processes that it waited for.
    peak : int
        Bytes of memory at most, of the largest of its processes.
    peak_together : int or None
        Bytes of memory at most that all its processes had at once, if that was watched.
    """

    seconds: float
    cpu_seconds: float
    code: int
    peak: int
    peak_together: int | None
    stderr: str


def run(
    command: Sequence[str | Path],
    *,
    cores: Sequence[int],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    watch: bool = False,
    allowed: Sequence[int] = (0,),
) -> Ran:
    """Run a program to its end and return what it took.

    Raises
    ------
    RuntimeError
        If its exit code is none of those allowed.
    """
    order = {
        "command": [str(word) for word in command],
        "cores": list(cores),
        "folder": str(folder),
        "environment": dict(environment or {}),
        "watch": watch,
    }
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-I", "-S", CHILD, json.dumps(order)], capture_output=True, text=True, check=True
    )
    ran = Ran(**json.loads(done.stdout))
    if ran.code not in allowed:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {ran.code}: {ran.stderr}")
    return ran
