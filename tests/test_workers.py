from itertools import count, islice

import pytest

from noisefilter.errors import InputError
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
