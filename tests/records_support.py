"""What the tests of the record formats share: files in memory, and an edit that needs no model."""

import io
from contextlib import contextmanager

from noisefilter.records.formats import Form, reader_of
from noisefilter.records.record import Broken, Edit, Entry
from noisefilter.records.streams import Source


@contextmanager
def reading(content, form, fields, name="a"):
    """Give a reader of bytes."""
    with Source(name, None, io.BytesIO(content)) as source:
        yield reader_of(source, Form(form), fields)


def without_last(entry):
    """Return an edit that drops the last paragraph."""
    article = entry.article
    last = len(article.paragraphs) - 1
    if last < 0:
        return None
    dropped = tuple(paragraph.text for paragraph in article.paragraphs[last:])
    if isinstance(entry.text, tuple):
        return Edit(entry.text[:last], dropped)
    return Edit(article.without({last}), dropped)


def rewritten(content, form, fields, edit=lambda _: None, *, skip=False):
    """Read bytes and write them again, each entry edited; return the bytes and what was read."""
    out, read = io.BytesIO(), []
    with reading(content, form, fields) as source, source.writer(out) as writer:
        for batch in source.batches():
            entries = batch.entries()
            read += entries
            edits = [edit(entry) if isinstance(entry, Entry) else None for entry in entries]
            left_out = [at for at, entry in enumerate(entries) if skip and isinstance(entry, Broken)]
            writer.write(batch.rewritten(edits, left_out))
    return out.getvalue(), read
