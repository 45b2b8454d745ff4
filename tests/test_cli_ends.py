"""How a run ends, through the real executable: stopped, its reader gone, its disk full; and what it shows meanwhile."""

import gzip
import os
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from cli_records_support import CLEANED_LINES, FIELDS, LINES, columns, json_line, table
from cli_support import CLEAN, EXECUTABLE, NOISY, files_in, noisefilter, obey_permissions, plain_environment


def _no_room():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # bytes, fewer than the records have


@pytest.mark.parametrize("preexec_fn", [_no_room, obey_permissions])
def test_what_cannot_be_written_leaves_no_trace(tmp_path, preexec_fn):
    (tmp_path / "out").mkdir()
    contents = {"a.jsonl": LINES.encode(), "b.parquet": columns(NOISY), "c.csv.gz": table(",", NOISY)}
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
        "noisefilter: a worker process ended before its work was done, perhaps for want of memory: take fewer --jobs\n"
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
@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
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
@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
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


def test_sigterm_is_ignored_where_whoever_started_it_wants_that():
    with subprocess.Popen(
        [EXECUTABLE, "clean", "--format", "jsonl", *FIELDS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),  # noqa: PLW1509
    ) as process:
        process.stdin.write(json_line(NOISY, 0).encode() * 32)
        process.stdin.flush()
        assert process.stdout.readline().startswith(b'{"url":"u0"')
        process.send_signal(signal.SIGTERM)
        process.stdin.write(json_line(NOISY, 1).encode())
        rest = process.communicate()[0]
    assert rest.decode().endswith(json_line(CLEAN, 1))
    assert process.returncode == 0


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
