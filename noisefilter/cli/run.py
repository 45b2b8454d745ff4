"""A run over inputs of any format: what is cleaned comes in order, what is broken is told and counted."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from noisefilter.bulk import BatchCleaner, CleanedBatch
from noisefilter.cli.options import OnError
from noisefilter.cli.outcome import STREAM, Outcome, name_of, say, source_of, text_of
from noisefilter.cli.places import Input
from noisefilter.cli.progress import Gauge, gauge
from noisefilter.errors import InputError
from noisefilter.records.formats import Form, reader_of
from noisefilter.records.record import Batch, Entry, Fields, Reader, Texts
from noisefilter.records.streams import Source
from noisefilter.workers import Workers

_TOLD = 100
"""Messages on broken records of one file; the others are only counted."""
_TEXTS = 16
"""Text files that a worker process gets at once."""


@dataclass(slots=True)
class Run:
    """What a run needs for every input.

    Attributes
    ----------
    cleaner : BatchCleaner
    workers : Workers
    outcome : Outcome
    gauge : Gauge
    fields : Fields
    on_error : OnError
    jobs : int
    """

    cleaner: BatchCleaner
    workers: Workers[Batch, CleanedBatch]
    outcome: Outcome
    gauge: Gauge
    fields: Fields
    on_error: OnError
    jobs: int

    def texts(self, items: Iterable[Input]) -> Iterator[CleanedBatch]:
        """Yield what becomes of text files; one that is no text is told and counted."""
        for batch in self.workers.map(self._batches(items)):
            for where in batch.over_cap:
                self._say_over_cap(f"{where}: more than")
            yield batch
            self.gauge.show(0, batch.records)

    def _batches(self, items: Iterable[Input]) -> Iterator[Texts]:
        entries = self._entries(items)
        size = 1 if self.jobs == 1 else _TEXTS
        while batch := tuple(islice(entries, size)):
            yield Texts(batch)

    def _entries(self, items: Iterable[Input]) -> Iterator[Entry]:
        for item in items:
            try:
                refuse(item)
                text = text_of(item.file)
                if item.guessed:
                    refuse_records(text, name_of(item.file))
            except InputError as error:
                if self.on_error is OnError.STOP:
                    raise
                self.outcome.fail(error)
            else:
                yield Entry(name_of(item.file), item.file, text, whole_file=True)
            self.gauge.before += size_of(item)

    @contextmanager
    def records(self, item: Input) -> Iterator[tuple[Source, Reader, Iterator[CleanedBatch]]]:
        """Open a file of records; give it, what reads it, and what becomes of its records.

        Raises
        ------
        InputError
            If it cannot be read, or on to its end; or at a broken record, if the run is to stop there.
        """
        refuse(item)
        with source_of(item.file) as source:
            reader = reader_of(source, item.form, self.fields)
            yield source, reader, self._told(source, reader)
        self.gauge.before += size_of(item)

    def _told(self, source: Source, reader: Reader) -> Iterator[CleanedBatch]:
        records = broken = 0
        over_cap, first = 0, ""
        try:
            for batch in self.workers.map(reader.batches()):
                for problem in batch.broken:
                    if self.on_error is OnError.STOP:
                        raise InputError(str(problem))
                    broken += 1
                    if broken <= _TOLD:
                        say(" ".join(str(problem).split()))
                self.outcome.failed += len(batch.broken)
                records += batch.records
                over_cap, first = over_cap + len(batch.over_cap), first or next(iter(batch.over_cap), "")
                yield batch
                self.gauge.show(source.position, batch.records)
        finally:
            if broken:
                what = "left out" if self.on_error is OnError.SKIP else "passed through as they were"
                say(f"{source.name}: {broken} of {records} records could not be used and were {what}")
            if over_cap:
                self._say_over_cap(f"{source.name}: in {over_cap} records (the first: {first}) more than")

    def _say_over_cap(self, begins: str) -> None:
        cap = self.cleaner.cleaner.policy.cap
        say(f"{begins} {cap:.0%} of the words look like noise, so nothing was dropped: look, or raise --cap")


def refuse(item: Input) -> None:
    """Raise an InputError if an input is known to be none."""
    if item.problem is not None:
        raise InputError(item.problem)


def refuse_records(text: str, name: str) -> None:
    """Raise an InputError if a text is JSON lines: as an article, whole records of it might go."""
    first = text.lstrip("\ufeff \t\r\n").split("\n", 1)[0]
    if first.startswith("{"):
        with suppress(ValueError, RecursionError):
            json.loads(first)
            raise InputError(f"{name}: its lines are JSON: clean and check take them with --format jsonl (or text)")


def size_of(item: Input) -> int:
    """Return the bytes of an input as it lies there, 0 where it cannot be known."""
    try:
        return Path(item.file).stat().st_size if item.file != STREAM else 0
    except OSError:
        return 0


@contextmanager
def running(
    cleaner: BatchCleaner,
    items: list[Input],
    fields: Fields,
    outcome: Outcome,
    on_error: OnError,
    jobs: int,
    *,
    prints: bool = True,
) -> Iterator[Run]:
    """Give a run over these inputs: with its processes, and a gauge.

    There is none for one text file alone, nor where the run prints its results on the terminal.
    """
    known = all(item.file != STREAM for item in items)
    total = sum(map(size_of, items)) if known else None
    wanted = len(items) > 1 or any(item.form is not Form.TEXT for item in items)
    wanted &= not (prints and sys.stdout.isatty())
    with Workers(cleaner, jobs) as workers, gauge(total, wanted=wanted) as bar:
        yield Run(cleaner, workers, outcome, bar, fields, on_error, jobs)


def runs_of(items: Iterable[Input]) -> Iterator[tuple[bool, list[Input]]]:
    """Yield what may be cleaned together: text files that follow each other, and each file of records."""
    for is_text, group in groupby(items, lambda item: item.form is Form.TEXT):
        together = list(group)
        if is_text:
            yield True, together
        else:
            yield from ((False, [item]) for item in together)
