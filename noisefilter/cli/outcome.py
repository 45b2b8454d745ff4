"""What a run came to: messages on stderr as they happen, one exit code at the end."""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TextIO

import typer

from noisefilter.errors import ExitCode, InputError, NoisefilterError, RunError
from noisefilter.files import LONGEST_ARTICLE, decode
from noisefilter.records.streams import Source

if TYPE_CHECKING:
    from rich.console import Console

STREAM = "-"
STOPPED = 128
"""Exit code of what a signal stopped, its number to be added, as in a shell: 130 is Ctrl-C, 143 is SIGTERM."""
_STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Windows has no SIGHUP."""
_CLOSED_PIPE = STOPPED + 13


def say(message: str) -> None:
    """Write one line to stderr; where nobody can read it, the work goes on without."""
    try:
        print(f"noisefilter: {message}", file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        let_go(sys.stderr)


def fail(error: NoisefilterError) -> int:
    """Report an error as one line and return its exit code."""
    say(" ".join(str(error).split()))
    return int(error.exit_code)


@dataclass(slots=True)
class Outcome:
    """Counts what happened to the inputs; the exit code follows from it.

    Attributes
    ----------
    found : int
        Inputs in which noise was found, or files that were changed.
    failed : int
        Inputs that could not be processed; they are left as they were.
    """

    found: int = 0
    failed: int = 0

    def fail(self, error: NoisefilterError) -> None:
        """Report an input that could not be processed; the others go on."""
        fail(error)
        self.failed += 1

    @property
    def exit_code(self) -> int:
        """3 if an input could not be processed, else 1 if something was found, else 0."""
        if self.failed:
            return int(ExitCode.SOME_FAILED)
        return int(ExitCode.FOUND if self.found else ExitCode.NOTHING_TO_DO)


def name_of(file: str) -> str:
    """Return what a file is called in messages."""
    return "<stdin>" if file == STREAM else file


def source_of(file: str) -> Source:
    """Open an input."""
    return Source(name_of(file), None if file == STREAM else Path(file), sys.stdin.buffer if sys.stdin else None)


def text_of(file: str) -> str:
    """Return the text of an input.

    Raises
    ------
    InputError
        If it is not the text of an article.
    """
    raw = bytearray()
    with source_of(file) as source:
        for chunk in source.chunks():
            raw += chunk
            if len(raw) > LONGEST_ARTICLE:
                raise InputError(
                    f"{source.name}: is over {LONGEST_ARTICLE:,} bytes, longer than any article: split it, or, if it "
                    "holds records, say --format"
                )
        return decode(bytes(raw), source.name)


def guarded(outcome: Outcome, work: Callable[[], None]) -> None:
    """Do the work of one input; an error of it is reported and counted, unless it ends the run."""
    try:
        work()
    except RunError:
        raise
    except NoisefilterError as error:
        outcome.fail(error)


class _StoppedError(BaseException):
    """A signal came that ends the run, past whatever catches errors or Ctrl-C."""


@contextmanager
def stoppable() -> Iterator[None]:
    """End with a word and the exit code of a shell when the block is stopped: by Ctrl-C, SIGTERM, a closed terminal.

    A signal that whoever started us wants ignored is ignored, and so is each that comes when the end has begun.
    """
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in _STOPPING}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, _stop)
        yield
    except _StoppedError as stopped:
        say("stopped: what was not finished was not written")
        sys.exit(STOPPED + stopped.args[0])
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is _stop:
                signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> None:
    for each in _STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise _StoppedError(number)


def to_bytes(text: str) -> bytes:
    """Return text as UTF-8, line ends as they are; a file's name that is no UTF-8 comes out escaped."""
    return text.encode(errors="backslashreplace")


def write_out(text: str) -> None:
    """Write text to stdout as `to_bytes` gives it."""
    write_bytes_out(to_bytes(text))


def write_bytes_out(content: bytes) -> None:
    """Write bytes to stdout.

    Raises
    ------
    RunError
        If what takes them is full. A reader that has had enough ends the run without a word.
    """
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        let_go(sys.stdout)
        raise typer.Exit(_CLOSED_PIPE) from None
    except OSError as error:
        let_go(sys.stdout)
        raise RunError(f"<stdout>: cannot be written ({error.strerror}): what came before is incomplete") from None


@contextmanager
def tables(width: int) -> Iterator["Console"]:
    """Give a console for tables, which go to stdout when the block ends; `width` is for what is no terminal."""
    from rich.console import Console

    terminal = Console()
    seen = terminal.is_terminal
    with io.TextIOWrapper(io.BytesIO(), sys.stdout.encoding, "replace", write_through=True) as out:
        yield Console(file=out, force_terminal=seen, width=terminal.width if seen else width)
        shown = out.buffer.getvalue()
    write_bytes_out(shown)


def let_go(stream: TextIO) -> None:
    """Point a stream that cannot be written at nothing: what is left in it would fail again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def open_streams() -> None:
    """Open those of stdin, stdout and stderr that were closed, or a file that is opened would take their place.

    What is written to a stdout that was closed fails; what is said on a stderr that was, nobody hears.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            with suppress(OSError):
                os.close(number)
            os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115
