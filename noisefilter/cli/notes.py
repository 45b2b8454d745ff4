"""What ``clean`` writes to files, and the decisions file: never half of it, and never more than was done."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from noisefilter.cli.outcome import Outcome, to_bytes
from noisefilter.errors import InputError, RunError
from noisefilter.files import Replacement, replacing
from noisefilter.records.streams import packing

_IN_MEMORY = 1 << 20
"""Bytes of notes on one input; from there on they wait in a temporary file."""


class Notes:
    """What is said of the articles: put aside until their input is done, then kept in the decisions file.

    Parameters
    ----------
    path : Path or None
        The decisions file.
    outcome : Outcome
    aside : binary file
        Takes the notes on an input while it is under way.

    Attributes
    ----------
    append : callable or None
        Appends what can be read from a file to the decisions file, for good or not; without it, nothing is kept.
    """

    def __init__(self, path: Path | None, outcome: Outcome, aside: IO[bytes]) -> None:
        self.append: Callable[[IO[bytes], bool], None] | None = None
        self._path = path
        self._outcome = outcome
        self._aside = aside

    def add(self, notes: str) -> None:
        """Put notes on the present input aside.

        Raises
        ------
        RunError
            If there is no room for them.
        """
        if self.append is not None:
            with _put_aside():
                self._aside.write(to_bytes(notes))

    def forget(self) -> None:
        """Drop what was put aside."""
        self._aside.seek(0)
        self._aside.truncate()

    def keep(self, *, for_good: bool = False) -> None:
        """Append what was put aside to the decisions file.

        Parameters
        ----------
        for_good : bool
            Whether it must be on the disk when this returns.

        Raises
        ------
        RunError
            If it cannot be written.
        """
        if self.append is None:
            return
        with _put_aside():
            self._aside.seek(0)
        with self.told():
            self.append(self._aside, for_good)
        self.forget()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raise a RunError for what goes wrong with the decisions file in the block."""
        try:
            yield
        except OSError as error:
            found = self._outcome.found
            there = f"it has what went from the files that were changed ({found}); " if found else ""
            raise RunError(
                f"{self._path}: cannot be written ({error.strerror}), so the run ends: {there}make room"
            ) from None


@contextmanager
def _put_aside() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"--decisions: no place to put them aside ({error.strerror}): set TMPDIR") from None


class _Kept:
    """A decisions file under its own name from the start; whatever ends the run, what was appended stays.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._packed = packing(self._file, path.name)
        self._regular = path.is_file()
        self._whole = 0
        self._torn = False

    def append(self, notes: IO[bytes], for_good: bool) -> None:
        """Append what can be read from a file; for good is when it is on the disk."""
        self._torn = True
        shutil.copyfileobj(notes, self._packed)
        self._packed.flush()
        self._file.flush()
        if self._regular:
            if for_good:
                os.fsync(self._file.fileno())
            self._whole = self._file.tell()
        self._torn = False

    def close(self) -> None:
        """End the file; cut off what was appended only in part."""
        try:
            if not self._torn:
                self._packed.close()
                self._file.flush()
            elif self._regular:
                self._file.raw.truncate(self._whole)
        finally:
            self._file.raw.close()  # past what is buffered: there was no room for it, or it is half a line


@contextmanager
def noting(path: Path | None, outcome: Outcome, *, needed: bool) -> Iterator[Notes]:
    """Give what takes notes on the articles; a file of them is there when the block ends.

    If that file cannot be opened it is told and counted, and the run goes on without; unless it is needed. One that
    is needed is there from the start, and keeps what was appended when the block fails.
    """
    with ExitStack() as stack:
        aside = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed below
        stack.callback(_let_go, aside)
        notes = Notes(path, outcome, aside)
        try:
            if path is not None and needed:
                notes.append = stack.enter_context(_keeping(path, notes)).append
            elif path is not None:
                stream = stack.enter_context(writing(path)).stream
                notes.append = lambda some, _: shutil.copyfileobj(some, stream)
        except InputError as error:
            if needed:
                raise
            outcome.fail(error)
        yield notes


def _let_go(aside: IO[bytes]) -> None:
    with suppress(OSError):  # it would write once more what has no room
        aside.close()


@contextmanager
def _keeping(path: Path, notes: Notes) -> Iterator[_Kept]:
    try:
        kept = _Kept(path)
    except OSError as error:
        raise unwritten(path, error) from None
    try:
        yield kept
    finally:
        with notes.told():
            kept.close()


@contextmanager
def writing(path: Path, before: Callable[[], None] = lambda: None) -> Iterator[Replacement]:
    """Give a stream into a file's place, packed as its name says; what is not wanted in the end does not get there.

    Parameters
    ----------
    path : Path
    before : callable
        What is to be done when the content is complete, before it takes its place.

    Raises
    ------
    InputError
        If the file cannot be written; then it is as it was.
    """
    try:
        if path.exists() and not os.access(path, os.W_OK):  # a rename would not ask
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with replacing(path) as new:
            with packing(new.stream, path.name) as stream:
                packed = Replacement(stream)
                yield packed
            new.stream.flush()
            before()
            new.wanted = packed.wanted
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritten(path, error) from None


def unwritten(path: Path, error: OSError) -> InputError:
    """Return what says that a file could not be written."""
    return InputError(
        f"{path}: cannot be written ({error.strerror}), nothing was changed: check that its folder exists, "
        "has room, and may be written to"
    )
