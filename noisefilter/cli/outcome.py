"""What a run came to: messages on stderr as they happen, one exit code at the end."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from noisefilter.errors import ExitCode, InputError, NoisefilterError
from noisefilter.files import decode, read_bytes

STREAM = "-"


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


def each_text(files: list[str], outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield (file, text) of each input that is the text of an article; report the others."""
    for file in files or [STREAM]:
        try:
            raw = _stdin() if file == STREAM else read_bytes(Path(file))
            yield file, decode(raw, name_of(file))
        except InputError as error:
            outcome.fail(error)


def _stdin() -> bytes:
    return sys.stdin.buffer.read() if sys.stdin else b""  # it is None where the caller closed it


def guarded(outcome: Outcome, work: Callable[[], None]) -> None:
    """Do the work of one input; an error of it is reported and counted."""
    try:
        work()
    except NoisefilterError as error:
        outcome.fail(error)


def to_bytes(text: str) -> bytes:
    """Return text as UTF-8, line ends as they are; a file's name that is no UTF-8 comes out escaped."""
    return text.encode(errors="backslashreplace")


def write_out(text: str) -> None:
    """Write text to stdout as `to_bytes` gives it."""
    sys.stdout.buffer.write(to_bytes(text))
    sys.stdout.buffer.flush()
