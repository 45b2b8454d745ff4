import os
import signal
from functools import partial
from itertools import count, islice

import pytest

from noisefilter.errors import InputError, RunError
from noisefilter.workers import AHEAD, Workers

# What is done in other processes must be known there: functions of the standard library.


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_order(jobs):
    with Workers(abs, jobs) as workers:
        assert list(workers.map(range(-50, 0))) == list(range(50, 0, -1))
        assert list(workers.map([-7])) == [7]
        assert list(workers.map([])) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_is_read_ahead_than_was_said(jobs):
    taken = 0

    def pieces():
        nonlocal taken
        for number in count():
            taken += 1
            yield -number

    with Workers(abs, jobs) as workers:
        for given, result in enumerate(islice(workers.map(pieces()), 40)):
            assert result == given
            assert taken - given <= (AHEAD * jobs if jobs > 1 else 1)


class _Counted:
    """Work that counts how often it is pickled; in the other processes it is `abs`."""

    def __init__(self):
        self.pickled = 0

    def __reduce__(self):
        self.pickled += 1
        return partial, (abs,)


def test_the_work_is_pickled_once_however_many_pieces_and_processes_there_are():
    work = _Counted()
    with Workers(work, 2) as workers:
        assert list(workers.map(range(-50, 0))) == list(range(50, 0, -1))
        assert list(workers.map(range(-50, 0))) == list(range(50, 0, -1))
    assert work.pickled == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_came_before_a_failure_is_given(jobs):
    def pieces():
        yield from (-1, -2, -3)
        raise InputError("a: ends early")

    with Workers(abs, jobs) as workers:
        results = workers.map(pieces())
        assert list(islice(results, 3)) == [1, 2, 3]
        with pytest.raises(InputError, match="ends early"):
            next(results)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_the_work_is_raised_here(jobs):
    with Workers(int, jobs) as workers, pytest.raises(ValueError, match="invalid literal"):
        list(workers.map(["1", "x"]))


def test_what_the_work_prints_is_no_result(capfd):
    with Workers(print, 2) as workers:
        assert list(workers.map(["one"])) == [None]
    assert capfd.readouterr().err == "one\n"


def test_a_process_that_is_gone_ends_the_run():
    with Workers(os._exit, 2) as workers, pytest.raises(RunError, match="fewer --jobs"):
        list(workers.map([1, 1]))


def test_the_processes_are_in_no_terminals_group_and_end_with_the_block():
    with Workers(os.getpgid, 2) as workers:
        groups = set(workers.map([0] * 20))
        pids = set(workers._started().pids)
        assert groups <= pids
        assert os.getpgid(0) not in groups
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
