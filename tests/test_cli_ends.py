"""How a run ends, through the real executable: stopped, its reader gone, its disk full; and what it shows meanwhile."""

import gzip
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_records_support import CLEANED_LINES, FIELDS, LINES, columns, json_line, table
from cli_support import CLEAN, EXECUTABLE, NOISY, files_in, noisefilter, obey_permissions, plain_environment

from noisefilter.records.streams import Source

STOPS = pytest.mark.parametrize(
    ("stop", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["Ctrl-C", "SIGTERM", "closed terminal"],
)


def _no_room():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # bytes, fewer than the records have


@pytest.mark.parametrize("preexec_fn", [_no_room, obey_permissions])
def test_what_cannot_be_written_leaves_no_trace(tmp_path, preexec_fn):
    (tmp_path / "out").mkdir()
    contents = {"a.jsonl": LINES.encode(), "b.parquet": columns(NOISY), "c.csv.gz": gzip.compress(table(",", NOISY))}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    before = files_in(tmp_path)
    if preexec_fn is obey_permissions:
        (tmp_path / "out").chmod(0o555)
    run = noisefilter("clean", *contents, "-o", "out", *FIELDS, cwd=tmp_path, code=3, preexec_fn=preexec_fn)
    reason = "Permission denied" if preexec_fn is obey_permissions else "File too large"
    assert [message.split(": check")[0] for message in run.messages] == [
        f"noisefilter: out/{name}: cannot be written ({reason}), nothing was changed" for name in contents
    ]
    assert files_in(tmp_path) == before


def test_a_full_stdout_ends_the_run(tmp_path):
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(LINES, encoding="utf-8")
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [EXECUTABLE, "clean", "a.jsonl", "b.jsonl", *FIELDS],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.decode() == (
        "noisefilter: <stdout>: cannot be written (No space left on device): what came before is incomplete\n"
    )


@pytest.mark.parametrize("arguments", [["explain", "a.txt"], ["explain", "--json", "a.txt"], ["--help"], ["--version"]])
def test_a_full_stdout_is_told_by_every_verb(tmp_path, arguments):
    (tmp_path / "a.txt").write_text(NOISY, encoding="utf-8")
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run([EXECUTABLE, *arguments], stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    message = done.stderr.decode()
    assert (done.returncode, message.count("\n")) == (3, 1), message
    assert "No space left on device" in message


@pytest.mark.parametrize(
    ("closed", "code", "stdout", "stderr"),
    [
        (
            ">&-",
            3,
            "",
            "noisefilter: <stdout>: cannot be written (Bad file descriptor): what came before is incomplete\n",
        ),
        ("2>&-", 3, CLEAN, ""),
        ("2>/dev/full", 3, CLEAN, ""),
        ("<&-", 3, CLEAN, "noisefilter: missing.txt: no such file: check the path\n"),
    ],
)
def test_streams_that_are_closed_or_full_spoil_no_other(tmp_path, closed, code, stdout, stderr):
    (tmp_path / "a.txt").write_text(NOISY, encoding="utf-8")
    files = "a.txt" if closed == ">&-" else "missing.txt a.txt"
    for verb in ("clean", "explain") if closed == ">&-" else ("clean", "clean --jobs 2"):
        done = subprocess.run(
            ["sh", "-c", f"'{EXECUTABLE}' {verb} {files} {closed}"], capture_output=True, cwd=tmp_path, check=False
        )
        assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (code, stdout, stderr)


def test_no_room_for_the_copy_of_a_packed_table_is_told_as_that(tmp_path):
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(columns(NOISY)))
    (tmp_path / "out").mkdir()
    run = noisefilter("clean", "a.parquet.gz", "-o", "out", *FIELDS, cwd=tmp_path, code=3, preexec_fn=_no_room)
    assert run.messages[0].startswith("noisefilter: a.parquet.gz: its copy cannot be written (File too large)")


def test_a_worker_that_is_killed_ends_the_run_with_nothing_half_written(tmp_path):
    with subprocess.Popen(
        [EXECUTABLE, "clean", "--format", "jsonl", "--decisions", "d.jsonl", "--jobs", "2", *FIELDS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=plain_environment({}),
    ) as process:
        process.stdin.write(json_line("Rain.", 0).encode() * 32 * 6)
        process.stdin.flush()
        assert process.stdout.readline().startswith(b'{"url":"u0"')
        for worker in _children(process):
            os.kill(int(worker), signal.SIGKILL)
        messages = process.communicate(json_line("Rain.", 0).encode() * 32 * 6)[1].decode()
    assert messages == (
        "noisefilter: a worker process ended before its work was done, perhaps for want of memory: take fewer jobs\n"
    )
    assert process.returncode == 3
    assert files_in(tmp_path) == {}


def _children(process):
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="utf-8").split()


def test_a_reader_that_stops_early_is_no_error(tmp_path):
    (tmp_path / "a.jsonl").write_text(json_line("The bridge is closed. " * 50, 0) * 200, encoding="utf-8")
    for jobs in ("1", "2"):
        pipe = f"'{EXECUTABLE}' clean a.jsonl --jobs {jobs} --text-field body | head -n 1 | cut -c 1-9"
        done = subprocess.run(
            ["bash", "-c", f"{pipe}; echo ${{PIPESTATUS[0]}}"], capture_output=True, cwd=tmp_path, check=False
        )
        assert (done.stdout, done.stderr) == (b'{"url":"u\n141\n', b"")


@pytest.mark.parametrize(("jobs", "whole_group"), [("1", False), ("2", True)])
@STOPS
def test_what_is_stopped_ends_with_a_word_and_nothing_half_written(tmp_path, stop, code, jobs, whole_group):
    process = subprocess.Popen(
        [EXECUTABLE, "clean", "--format", "jsonl", "--decisions", "d.jsonl", "--jobs", jobs, *FIELDS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=plain_environment({}),
        start_new_session=True,
        preexec_fn=lambda: signal.signal(stop, signal.SIG_DFL),  # noqa: PLW1509  # a job in the background ignores it
    )
    with process:
        process.stdin.write(json_line("Rain.", 0).encode() * 32 * 6)
        process.stdin.flush()
        assert process.stdout.readline().startswith(b'{"url":"u0"')  # it is in the middle of its work
        assert [name.split(".")[1] for name in files_in(tmp_path)] == ["d"]
        workers = _children(process)
        assert len(workers) == (0 if jobs == "1" else int(jobs))
        (os.killpg if whole_group else os.kill)(process.pid, stop)
        assert process.stderr.read().decode() == "noisefilter: stopped: what was not finished was not written\n"
        process.stdin.close()
        assert process.wait(60) == code
    assert files_in(tmp_path) == {}
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


@pytest.mark.parametrize(
    "verb", [["train", "-o", "new.noisefilter"], ["evaluate"], ["explain"], ["labels", "stats"]], ids=" ".join
)
@STOPS
def test_the_other_verbs_end_with_a_word_too(tmp_path, verb, stop, code):
    os.mkfifo(tmp_path / "pipe")
    process = subprocess.Popen(
        [EXECUTABLE, *verb, "pipe"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=plain_environment({}),
        preexec_fn=lambda: signal.signal(stop, signal.SIG_DFL),  # noqa: PLW1509
    )
    with process, _writer(tmp_path / "pipe", process):  # it has come so far as to read
        process.send_signal(stop)
        shown = process.communicate(timeout=60)
    assert shown == ("", "noisefilter: stopped: what was not finished was not written\n")
    assert process.returncode == code
    assert files_in(tmp_path) == {}


def _writer(pipe, process):
    """Open the end of a pipe that the process reads, as soon as it does."""
    while process.poll() is None:
        try:
            return os.fdopen(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb")
        except OSError:  # nobody reads yet
            continue
    pytest.fail(process.stderr.read())


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "nohup"])
def test_a_signal_is_ignored_where_whoever_started_it_wants_that(stop):
    with subprocess.Popen(
        [EXECUTABLE, "clean", "--format", "jsonl", *FIELDS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(stop, signal.SIG_IGN),  # noqa: PLW1509
    ) as process:
        process.stdin.write(json_line(NOISY, 0).encode() * 32)
        process.stdin.flush()
        assert process.stdout.readline().startswith(b'{"url":"u0"')
        process.send_signal(stop)
        process.stdin.write(json_line(NOISY, 1).encode())
        rest = process.communicate()[0]
    assert rest.decode().endswith(json_line(CLEAN, 1))
    assert process.returncode == 0


def _patched(patch, *arguments, code, **more):
    """Run the command line with a part of it patched, and hold its exit code against `code`; return its messages."""
    script = f"import os, signal, sys\n{patch}\nfrom noisefilter.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, **more
    )
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    return done.stderr


_SECOND_BATCH = """
from noisefilter.bulk import BatchCleaner
clean, calls = BatchCleaner.__call__, []
def second_ends(self, batch):
    calls.append(batch)
    if len(calls) == 2:
        {}
    return clean(self, batch)
BatchCleaner.__call__ = second_ends
"""
_MEMORY = "noisefilter: there is not enough memory: take fewer jobs, or smaller inputs\n"
_STOPPED = "noisefilter: stopped: what was not finished was not written\n"


@pytest.mark.parametrize(
    ("end", "code", "message"),
    [
        ("os.kill(os.getpid(), signal.SIGINT)", 130, _STOPPED),
        ("os.kill(os.getpid(), signal.SIGTERM)", 143, _STOPPED),
        ("os.kill(os.getpid(), signal.SIGHUP)", 129, _STOPPED),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("raise MemoryError", 3, _MEMORY),
    ],
    ids=["Ctrl-C", "SIGTERM", "closed terminal", "SIGKILL", "memory"],
)
@pytest.mark.parametrize("ending", ["txt", "jsonl"])
def test_whatever_ends_a_run_in_place_what_went_from_the_files_is_told(tmp_path, ending, end, code, message):
    before, after, rows = _noisy_files(tmp_path, ending)
    said = _patched(
        _SECOND_BATCH.format(end),
        *("clean", "--in-place", f"a.{ending}", f"b.{ending}", "--decisions", "d.jsonl", *FIELDS),
        code=code,
        cwd=tmp_path,
    )
    assert said.endswith(message)
    assert said.count("\n") == 1 + bool(message)
    there = files_in(tmp_path)
    assert there.pop("d.jsonl") == rows
    assert {Path(name).stem.strip("."): content for name, content in there.items() if name[0] != "."} == {
        "a": after,
        "b": before,
    }
    assert code < 0 or len(there) == 2


def _noisy_files(folder, ending):
    """Write two files to be cleaned; return their content, what it is cleaned to, and the decisions on the first."""
    contents = {"txt": (NOISY, CLEAN), "jsonl": (json_line(NOISY, 0), json_line(CLEAN, 0))}
    before, after = (content.encode() for content in contents[ending])
    for name in ("a", "b"):
        (folder / f"{name}.{ending}").write_bytes(before)
    noisefilter("clean", f"a.{ending}", "--decisions", "d.jsonl", *FIELDS, cwd=folder)
    rows = (folder / "d.jsonl").read_bytes()
    (folder / "d.jsonl").unlink()
    assert rows.count(b"\n") == 8
    return before, after, rows


@pytest.mark.parametrize("ending", ["txt", "jsonl"])
def test_decisions_without_room_end_a_run_in_place_before_more_is_changed(tmp_path, ending):
    before, after, rows = _noisy_files(tmp_path, ending)
    enough_for_one = len(rows) * 3 // 2
    run = noisefilter(
        *("clean", "--in-place", f"a.{ending}", f"b.{ending}", "--decisions", "d.jsonl", *FIELDS),
        cwd=tmp_path,
        code=3,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (enough_for_one, enough_for_one)),
    )
    assert run.messages[1:] == [
        "noisefilter: d.jsonl: cannot be written (File too large), so the run ends: "
        "it has what went from the files that were changed (1); make room"
    ]
    assert files_in(tmp_path) == {f"a.{ending}": after, f"b.{ending}": before, "d.jsonl": rows}


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_packed_decisions_of_a_run_in_place_that_is_stopped_are_whole(tmp_path, ending):
    _, _, rows = _noisy_files(tmp_path, "jsonl")
    _patched(
        _SECOND_BATCH.format("os.kill(os.getpid(), signal.SIGINT)"),
        *("clean", "--in-place", "a.jsonl", "b.jsonl", "--decisions", f"d.jsonl.{ending}", *FIELDS),
        code=130,
        cwd=tmp_path,
    )
    with Source("d", tmp_path / f"d.jsonl.{ending}") as source:
        assert b"".join(source.chunks()) == rows


def test_decisions_tell_only_of_inputs_that_have_a_result(tmp_path):
    many = "".join(json_line(f"{NOISY}Gate {number * 7919 % 1009}.", number) for number in range(200)).encode()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(many)[:-20])
    _, after, rows = _noisy_files(tmp_path, "jsonl")
    (tmp_path / "out").mkdir()
    arguments = ["a.jsonl.gz", "b.jsonl", "--decisions", "d.jsonl", *FIELDS]
    run = noisefilter("clean", *arguments, "-o", "out", cwd=tmp_path, code=3)
    assert "ends early" in run.messages[0]
    assert files_in(tmp_path / "out") == {"b.jsonl": after}
    assert (tmp_path / "d.jsonl").read_bytes() == rows
    run = noisefilter("clean", *arguments, cwd=tmp_path, code=3)  # of what was printed, all is told
    names = [json.loads(line)["article"] for line in (tmp_path / "d.jsonl").read_text(encoding="utf-8").splitlines()]
    assert list(dict.fromkeys(names[:-8])) == [json.loads(line)["url"] for line in run.stdout.splitlines()[:-1]]


def test_a_stop_before_the_verb_has_begun_leaves_no_traceback(tmp_path):
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)", encoding="utf-8")
    assert _patched(f"sys.path.insert(0, {str(tmp_path)!r})", "--help", code=130) == ""
    for part in ("main.get_command", "core.TyperGroup.parse_args"):
        stops = f"import typer\ntyper.{part} = lambda *_: os.kill(os.getpid(), signal.SIGINT)"
        assert _patched(stops, "clean", code=130) == _STOPPED


@STOPS
def test_a_second_stop_does_not_break_the_end(tmp_path, stop, code):
    _noisy_files(tmp_path, "jsonl")
    patch = """
from noisefilter.cli import outcome
from noisefilter.workers import Workers
def stop(*_):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), number)
say, Workers.__exit__ = outcome.say, stop
outcome.say = lambda message: stop() or say(message)
"""
    patch += _SECOND_BATCH.format(f"os.kill(os.getpid(), {stop:d})")
    assert _patched(patch, "clean", "a.jsonl", "b.jsonl", *FIELDS, code=code, cwd=tmp_path) == _STOPPED


def test_processes_that_cannot_be_started_are_told_as_that(tmp_path):
    before = _noisy_files(tmp_path, "jsonl")[0]
    run = noisefilter(
        *("clean", "a.jsonl", "-o", "c.jsonl", "--jobs", "16", *FIELDS),
        cwd=tmp_path,
        code=3,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)),
    )
    assert run.messages == ["noisefilter: cannot start 16 processes (Too many open files): take fewer jobs"]
    assert files_in(tmp_path) == {"a.jsonl": before, "b.jsonl": before}


def _on_a_terminal(arguments, cwd, *, stdout_too):
    """Run with stderr on a terminal; return what was shown there, and what came out of stdout if that is a pipe."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            [EXECUTABLE, *arguments],
            stderr=theirs,
            stdout=theirs if stdout_too else subprocess.PIPE,
            cwd=cwd,
            env=plain_environment({"COLUMNS": "100", "TERM": "xterm"}),
        )
        os.close(theirs)
        shown = b""
        try:
            while part := terminal.read(1000):
                shown += part
        except OSError:  # how the end of a terminal reads
            pass
        printed = process.communicate()[0]
        assert process.returncode == 0
    return shown, printed


@pytest.mark.parametrize("stdout_too", [False, True])
def test_progress_is_shown_on_a_terminal(tmp_path, stdout_too):
    (tmp_path / "a.jsonl").write_text(LINES, encoding="utf-8")
    shown, printed = _on_a_terminal(["clean", "a.jsonl", "-o", "b.jsonl", *FIELDS], tmp_path, stdout_too=stdout_too)
    assert not printed
    assert b"5 records" in shown
    assert b"100%" in shown
    assert b"left" in shown
    assert (tmp_path / "b.jsonl").read_bytes().decode() == CLEANED_LINES


def test_progress_is_not_mixed_with_what_is_printed(tmp_path):
    (tmp_path / "a.jsonl").write_text(LINES, encoding="utf-8")
    shown, _ = _on_a_terminal(["clean", "a.jsonl", *FIELDS], tmp_path, stdout_too=True)
    assert shown.replace(b"\r\n", b"\n").decode() == CLEANED_LINES
    shown, printed = _on_a_terminal(["clean", "a.jsonl", *FIELDS], tmp_path, stdout_too=False)
    assert b"5 records" in shown
    assert printed.decode() == CLEANED_LINES
