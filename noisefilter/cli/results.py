"""Where the results of ``clean`` go: stdout, files, the inputs themselves, or a difference."""

import difflib
import errno
import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from noisefilter.article import Article
from noisefilter.cli.options import OnError
from noisefilter.cli.outcome import Outcome, guarded, name_of, say, text_of, to_bytes, write_bytes_out, write_out
from noisefilter.cli.places import Input, Inputs, target_of
from noisefilter.cli.run import Run, runs_of
from noisefilter.errors import InputError, RunError
from noisefilter.files import Replacement, replacing
from noisefilter.records.record import Edit, Entry
from noisefilter.records.streams import packing

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_IN_MEMORY = 1 << 20
"""Bytes of notes on one input; from there on they wait in a temporary file."""


@dataclass(slots=True)
class Results:
    """Puts what becomes of each input where the user wants it.

    Attributes
    ----------
    run : Run
    inputs : Inputs
    out : Path or None
        None is stdout.
    in_place, diff : bool
    notes : Notes
        Takes what is said of the articles.
    """

    run: Run
    inputs: Inputs
    out: Path | None
    in_place: bool
    diff: bool
    notes: "Notes"
    stdout: "_Stdout | None" = None

    def write(self) -> None:
        """Clean all inputs; one that fails is told and counted, and the others go on."""
        for is_text, items in runs_of(self.inputs.items):
            if is_text:
                self._texts(items)
            elif self.run.on_error is OnError.STOP:
                self._records(items[0])
            else:
                guarded(self.run.outcome, lambda item=items[0]: self._records(item))  # type: ignore[misc]

    def _texts(self, items: list[Input]) -> None:
        by_file = {item.file: item for item in items}
        for batch in self.run.texts(items):
            self.notes.add(batch.notes)
            self.notes.keep(for_good=self.in_place and batch.changed > 0)
            for entry, edit in batch.chunk:
                item = by_file[entry.name]
                guarded(self.run.outcome, lambda item=item, entry=entry, edit=edit: self._text(item, entry, edit))  # type: ignore[misc]

    def _text(self, item: Input, entry: Entry, edit: Edit | None) -> None:
        before = cast("str", entry.text)
        after = before if edit is None else cast("str", edit.text)
        if self.diff:
            write_out(_unified(item.file, before, after))
        elif self.in_place:
            if edit is not None and after != before:
                now = text_of(item.file)
                if now == after:  # it was named twice, and is clean by now
                    return
                if now != before:
                    raise InputError(f"{item.file}: changed while it was read: run again when nothing else writes it")
                with _writing(Path(item.file)) as new:
                    new.stream.write(to_bytes(after))
                self.run.outcome.found += 1
                paragraphs = len(Article.from_text(before).paragraphs)
                say(f"{item.file}: dropped {len(edit.dropped)} of {paragraphs} paragraphs")
        elif self.out is not None:
            with _writing(self._target(item)) as new:
                new.stream.write(to_bytes(after))
        else:
            self._stdout().write(to_bytes(after))

    def _stdout(self) -> "_Stdout":
        """Return stdout, its last line ended: another input comes now."""
        self.stdout = self.stdout or _Stdout()
        self.stdout.end_line()
        return self.stdout

    def _target(self, item: Input) -> Path:
        assert self.out is not None
        target = target_of(self.out, item, self.inputs.folders)
        if self.inputs.folders:
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _unwritten(target, error) from None
        return target

    def _records(self, item: Input) -> None:
        self.notes.forget()
        with self.run.records(item) as (source, reader, batches), ExitStack() as stack:
            new = stack.enter_context(self._place(item))
            writer = stack.enter_context(reader.writer(new.stream))
            changed = paragraphs = dropped = left_out = 0
            for batch in batches:
                writer.write(batch.chunk)
                self.notes.add(batch.notes)
                if not (self.in_place or self.out):
                    self.notes.keep()
                changed += batch.changed
                paragraphs += batch.paragraphs
                dropped += batch.dropped
                left_out += len(batch.broken) if self.run.on_error is OnError.SKIP else 0
            source.refuse_changed()
            new.wanted = not self.in_place or bool(changed or left_out)
        self.notes.keep()
        if self.in_place and new.wanted:
            self.run.outcome.found += 1
            say(f"{item.file}: dropped {dropped} of {paragraphs} paragraphs, in {changed} records")

    def _place(self, item: Input) -> AbstractContextManager[Replacement]:
        """Return where the records of an input go; notes on a file in place are kept before it is replaced."""
        if self.in_place:
            return _writing(Path(item.file), lambda: self.notes.keep(for_good=True))
        if self.out is not None:
            return _writing(self._target(item))
        return nullcontext(Replacement(cast("BinaryIO", self._stdout())))


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
                stream = stack.enter_context(_writing(path)).stream
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
        raise _unwritten(path, error) from None
    try:
        yield kept
    finally:
        with notes.told():
            kept.close()


@contextmanager
def _writing(path: Path, before: Callable[[], None] = lambda: None) -> Iterator[Replacement]:
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
        raise _unwritten(path, error) from None


def _unwritten(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be written ({error.strerror}), nothing was changed: check that its folder exists, "
        "has room, and may be written to"
    )


class _Stdout(io.RawIOBase):
    """Stdout as a stream that knows how much went there and whether its last line has ended."""

    def __init__(self) -> None:
        self._written = 0
        self._ended = True

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        write_bytes_out(content)
        self._written += len(content)
        self._ended = bytes(content[-1:]) == b"\n" if len(content) else self._ended
        return len(content)

    def tell(self) -> int:
        return self._written

    def end_line(self) -> None:
        """End the last line, before another file's first."""
        if not self._ended:
            self.write(b"\n")


def _unified(file: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        _LINE.findall(before), _LINE.findall(after), f"a/{name_of(file)}", f"b/{name_of(file)}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
