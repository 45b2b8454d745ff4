import os
import pickle
import signal
import subprocess
import threading
from functools import partial
from pickle import PicklingError

import numpy as np
import pytest

from noisefilter.errors import RunError
from noisefilter.processes import Processes, _failure

# What is done in other processes must be known there: functions of the standard library.


@pytest.fixture
def start():
    """Return a function that makes two processes for some work; they are stopped at the end."""
    made = []

    def two(work):
        made.append(Processes(work, 2))
        return made[-1]

    yield two
    for processes in made:
        processes.stop()


def gone(pid):
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return True
    return False


class _Counted:
    """Work that counts how often it is pickled; in the other processes it is `abs`."""

    def __init__(self):
        self.pickled = 0

    def __reduce__(self):
        self.pickled += 1
        return partial, (abs,)


def test_the_work_is_pickled_once_however_many_pieces_and_processes_there_are(start):
    work = _Counted()
    processes = start(work)
    for _ in range(2):
        futures = [processes.submit(piece) for piece in range(-50, 0)]
        assert [future.result() for future in futures] == list(range(50, 0, -1))
    assert work.pickled == 1


def test_there_are_none_before_the_first_piece(start):
    processes = start(abs)
    assert processes.pids == []
    assert processes.submit(-1).result() == 1
    assert len(processes.pids) == 2


def test_what_the_work_prints_is_no_result(start, capfd):
    assert start(print).submit("one").result() is None
    assert capfd.readouterr().err == "one\n"


def test_what_the_work_raises_is_raised_where_the_result_is_asked_for(start):
    processes = start(int)
    with pytest.raises(ValueError, match="invalid literal"):
        processes.submit("x").result()
    assert processes.submit("1").result() == 1


def test_a_process_that_is_gone_ends_the_run(start):
    with pytest.raises(RunError, match="fewer jobs"):
        start(os._exit).submit(1).result()


def test_a_piece_that_cannot_be_pickled_is_no_fault_of_the_processes(start):
    processes = start(abs)
    with pytest.raises((PicklingError, AttributeError, TypeError), match="pickle"):
        processes.submit(threading.Lock()).result()
    assert processes.submit(-1).result() == 1


def test_a_result_that_cannot_be_pickled_is_no_fault_of_the_processes(start):
    processes = start(memoryview)
    with pytest.raises(TypeError, match="pickle"):
        processes.submit(b"x").result()
    with pytest.raises(TypeError, match="bytes-like"):
        processes.submit(1).result()


class _OddError(Exception):
    """What many an error is: it can be pickled, and not be put together again."""

    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


def test_an_error_that_cannot_be_put_together_again_is_told_in_words():
    done, error = pickle.loads(_failure(_OddError("this", "that")))
    assert not done
    assert isinstance(error, RuntimeError)
    assert "this and that" in str(error)


@pytest.mark.parametrize("work", [bytes, np.empty])
def test_want_of_memory_is_raised_as_that(start, work):
    processes = start(work)
    with pytest.raises(MemoryError) as raised:
        processes.submit(1 << 55).result()
    assert type(raised.value) is MemoryError
    assert len(processes.submit(1).result()) == 1


def test_want_of_memory_for_the_work_itself_ends_the_run_without_a_traceback(start, capfd):
    with pytest.raises(RunError, match="fewer jobs"):
        start(_Huge()).submit(1).result()
    assert capfd.readouterr().err == ""


class _Huge:
    """What takes more memory than there is when it is put together again."""

    def __reduce__(self):
        return bytes, (1 << 55,)


def test_work_that_cannot_be_pickled_starts_nothing(start):
    processes = start(threading.Lock())
    with pytest.raises(TypeError, match="pickle"):
        processes.submit(1)
    assert processes.pids == []


def test_of_a_start_that_fails_nothing_is_left(start, monkeypatch):
    popen, started = subprocess.Popen, []

    def one_only(*arguments, **options):
        if started:
            raise BlockingIOError("no more processes")
        started.append(popen(*arguments, **options))
        return started[0]

    monkeypatch.setattr("noisefilter.processes.subprocess.Popen", one_only)
    processes = start(abs)
    with pytest.raises(RunError, match=r"cannot start 2 processes \(no more processes\): take fewer jobs"):
        processes.submit(-1)
    processes.stop()
    assert gone(started[0].pid)


def test_they_are_in_no_terminals_group_and_end_when_they_are_stopped(start):
    processes = start(os.getpgid)
    groups = {future.result() for future in [processes.submit(0) for _ in range(20)]}
    pids = processes.pids
    assert groups <= set(pids)
    assert os.getpgid(0) not in groups
    assert not any(gone(pid) for pid in pids)
    processes.stop()
    assert all(gone(pid) for pid in pids)
