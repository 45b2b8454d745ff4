"""Where the results of ``clean`` go: stdout, files, the inputs themselves, or a difference."""

import difflib
import io
import re
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from noisefilter.article import Article
from noisefilter.cli.notes import Notes, unwritten, writing
from noisefilter.cli.options import OnError
from noisefilter.cli.outcome import guarded, name_of, say, text_of, to_bytes, write_bytes_out, write_out
from noisefilter.cli.places import Input, Inputs, target_of
from noisefilter.cli.run import Run, runs_of
from noisefilter.errors import InputError
from noisefilter.files import Replacement
from noisefilter.records.record import Edit, Entry

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


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
    notes: Notes
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
                with writing(Path(item.file)) as new:
                    new.stream.write(to_bytes(after))
                self.run.outcome.found += 1
                paragraphs = len(Article.from_text(before).paragraphs)
                say(f"{item.file}: dropped {len(edit.dropped)} of {paragraphs} paragraphs")
        elif self.out is not None:
            with writing(self._target(item)) as new:
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
                raise unwritten(target, error) from None
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
            return writing(Path(item.file), lambda: self.notes.keep(for_good=True))
        if self.out is not None:
            return writing(self._target(item))
        return nullcontext(Replacement(cast("BinaryIO", self._stdout())))


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
