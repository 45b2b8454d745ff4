"""What a run came to: messages on stderr as they happen, one exit code at the end."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import typer

from noisefilter.errors import ExitCode, NoisefilterError, RunError
from noisefilter.files import decode
from noisefilter.records.streams import Source

STREAM = "-"
STOPPED = 128
"""Exit code of what a signal stopped, its number to be added, as in a shell: 130 is Ctrl-C, 143 is SIGTERM."""


def say(message: str) -> None:
    """Write one line to stderr."""
    print(f"noisefilter: {message}", file=sys.stderr)  # noqa: T201


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
    with source_of(file) as source:
        return decode(b"".join(source.chunks()), source.name)


def guarded(outcome: Outcome, work: Callable[[], None]) -> None:
    """Do the work of one input; an error of it is reported and counted, unless it ends the run."""
    try:
        work()
    except RunError:
        raise
    except NoisefilterError as error:
        outcome.fail(error)


class _TerminatedError(KeyboardInterrupt):
    """SIGTERM came: it ends the run as Ctrl-C does, past whatever catches errors."""


@contextmanager
def stoppable() -> Iterator[None]:
    """End with a word and the exit code of a shell when the block is stopped by Ctrl-C or SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    if before is not signal.SIG_IGN:  # whoever started us wants it ignored
        signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except KeyboardInterrupt as error:
        say("stopped: what was not finished was not written")
        number = signal.SIGTERM if isinstance(error, _TerminatedError) else signal.SIGINT
        raise typer.Exit(STOPPED + number) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # one is enough: a second would come in the middle of the end
    raise _TerminatedError


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
        If what takes them is full; a pipe that was closed raises BrokenPipeError.
    """
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would fail again at the end
        raise RunError(f"<stdout>: cannot be written ({error.strerror}): what came before is incomplete") from None
