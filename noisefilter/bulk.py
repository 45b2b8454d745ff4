"""Cleaning by the batch: what a worker process does with records, and what comes back of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from noisefilter.cleaner import CleanedArticle, NoiseFilter
from noisefilter.records.record import Batch, Broken, Edit, Entry


@dataclass(frozen=True, slots=True)
class CleanedBatch:
    """What became of a batch of records.

    Attributes
    ----------
    chunk : object
        The records for the writer of their format.
    notes : str
        What was to be said of each article, one after the other.
    broken : tuple of Broken
        Records that could not be used.
    over_cap : tuple of str
        Where so much was noise that nothing was dropped.
    records, changed : int
        Records, and how many of them something was dropped from.
    paragraphs, dropped : int
    """

    chunk: Any
    notes: str
    broken: tuple[Broken, ...]
    over_cap: tuple[str, ...]
    records: int
    changed: int
    paragraphs: int
    dropped: int


@dataclass(frozen=True, slots=True)
class BatchCleaner:
    """Cleans batches; goes to the worker processes.

    Attributes
    ----------
    cleaner : NoiseFilter
    skip : bool
        Whether broken records are left out; else they pass through as they are.
    describe : callable or None
        Says something of each cleaned article.
    """

    cleaner: NoiseFilter
    skip: bool = False
    describe: Callable[[Entry, CleanedArticle], str] | None = None

    def __call__(self, batch: Batch) -> CleanedBatch:
        """Clean the records of a batch."""
        entries = batch.entries()
        edits: list[Edit | None] = [None] * len(entries)
        cleaned = []
        notes = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, Entry):
                continue
            article = self.cleaner.clean(entry.article)
            cleaned.append((entry, article))
            if self.describe is not None:
                notes.append(self.describe(entry, article))
            if article.dropped:
                edits[index] = _edit(entry, article)
        broken = [index for index, entry in enumerate(entries) if isinstance(entry, Broken)]
        told = tuple(entry for entry in entries if isinstance(entry, Broken) and not entry.more)
        return CleanedBatch(
            chunk=batch.rewritten(edits, broken if self.skip else ()),
            notes="".join(notes),
            broken=told,
            over_cap=tuple(entry.where for entry, article in cleaned if article.over_cap),
            records=len(cleaned) + len(told),
            changed=sum(edit is not None for edit in edits),
            paragraphs=sum(len(article.article.paragraphs) for _, article in cleaned),
            dropped=sum(len(article.dropped) for _, article in cleaned),
        )


def _edit(entry: Entry, article: CleanedArticle) -> Edit:
    text: str | tuple[str, ...] = article.text
    if isinstance(entry.text, tuple):
        text = tuple(paragraph.text for paragraph in article.kept)
    return Edit(text, tuple(paragraph.text for paragraph in article.dropped))
