"""CSV and TSV: a record is a row, and of a row that changes only the text's own cell changes.

Cells are never typed and never quoted anew, which is why no parser stands between: each gives back values,
not the bytes that they were, and none can tell on which line a bad row stands.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import BinaryIO

from noisefilter.errors import InputError
from noisefilter.records.record import (
    LONGEST_RECORD,
    Broken,
    Edit,
    Entry,
    Fields,
    Piece,
    Pieces,
    in_batches,
    understood,
)
from noisefilter.records.streams import BYTE_ORDER_MARK, BytesWriter, Source

_COMMAS = (b",", b";", b"\t", b"|")
_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
_LINE_END = re.compile(rb"\r\n|\n|\r")
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r(?!\Z))")
_LAST_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r|\Z)")
_BLANK = re.compile(rb"[ \t]*(?:\r\n|\n|\r)")

Span = tuple[int, int]


@dataclass(frozen=True)
class Dialect:
    """Which character stands between cells; a tab makes a quote that does not close a character like others."""

    comma: bytes

    @cached_property
    def _cell(self) -> re.Pattern[bytes]:
        comma = re.escape(self.comma)
        return re.compile(rb'"[^"]*+(?:""[^"]*+)*+"(?=[%b\r\n]|\Z)|(?!")[^%b\r\n]*+' % (comma, comma))

    @cached_property
    def _bare(self) -> re.Pattern[bytes]:
        return re.compile(rb"[^%b\r\n]*+" % re.escape(self.comma))

    @cached_property
    def _closed(self) -> re.Pattern[bytes]:
        return re.compile(rb'"[^"]*+(?:""[^"]*+)*+"(?!\Z)')

    @cached_property
    def _lenient_cell(self) -> re.Pattern[bytes]:
        comma = re.escape(self.comma)
        return re.compile(rb'(?:"[^"]*+(?:""[^"]*+)*+")?+[^%b\r\n]*+[%b\r\n]?+' % (comma, comma))

    def ends_in_quotes(self, raw: bytes) -> bool:
        """Tell whether a line ends in a quoted cell, for who reads on behind a quote that comes too early."""
        if self.comma == b"\t":
            return False
        at = 0
        while at < len(raw):
            if raw.startswith(b'"', at) and not _QUOTED.match(raw, at):
                return True
            match = self._lenient_cell.match(raw, at)
            assert match is not None
            at = match.end()
        return False

    def row(self, text: bytes, at: int, *, whole: bool) -> tuple[list[Span], int] | str:
        """Return the places of a row's cells and where the next row starts, or what is wrong.

        Without `whole`, more text may follow, and what is wrong may be only that it is not here yet: ``""``.
        """
        found = self._row(self._cell, text, at, whole=whole)
        if isinstance(found, str) and found and self.comma == b"\t":
            return self._row(self._bare, text, at, whole=whole)
        return found

    def _row(self, cell: re.Pattern[bytes], text: bytes, at: int, *, whole: bool) -> tuple[list[Span], int] | str:
        cells = []
        while True:
            match = cell.match(text, at)
            if match is None:
                if self._closed.match(text, at):
                    return "a quote within a quoted cell: write it twice"
                return "a quote that is not closed" if whole else ""
            cells.append(match.span())
            at = match.end()
            mark = text[at : at + 1]
            if mark == self.comma:
                at += 1
            elif not whole and text[at : at + 2] in (b"", b"\r"):
                return ""
            else:
                end = _LINE_END.match(text, at)
                return cells, end.end() if end else at


@dataclass(frozen=True, slots=True)
class Table:
    """A record's row, understood by the table's header.

    Attributes
    ----------
    dialect : Dialect
    fields : Fields
    width : int
        Cells of a row.
    columns : dict of str to int
        Where the columns of the fields are; one to be added is at `width`.
    """

    dialect: Dialect
    fields: Fields
    width: int
    columns: dict[str, int]

    def parse(self, raw: bytes, where: str) -> Entry | Broken | None:
        """Return what the record of a row is."""
        row = self.dialect.row(raw, 0, whole=True)
        assert not isinstance(row, str)
        spans = row[0]
        if len(spans) != self.width:
            return Broken(where, f"{len(spans)} cells, but the header has {self.width}: correct the row")
        values: dict[str, str] = {}
        for field, column in self.columns.items():
            if column < self.width:
                try:
                    values[field] = _value(raw, spans[column])
                except UnicodeDecodeError:
                    return Broken(where, f"{field!r} is not UTF-8: convert the file")
        if values.get(self.fields.dropped or "", "") and _texts(values[self.fields.dropped or ""]) is None:
            return Broken(where, f"{self.fields.dropped!r} holds something else: give another --keep-dropped")
        fields = self.fields
        return understood(where, values[fields.text], values.get(fields.title), values.get(fields.id), fields)

    def rewrite(self, raw: bytes, edit: Edit | None) -> bytes:
        """Return the row with another text, and with what was removed in a cell of its own.

        A row of another width gets an empty cell: without, it could be one of the new width.
        """
        row = self.dialect.row(raw, 0, whole=True)
        assert not isinstance(row, str)
        spans = row[0]
        added = self.columns.get(self.fields.dropped or "", -1)
        if len(spans) != self.width:
            return self.with_empty_cell(raw)
        pieces: list[tuple[Span, bytes]] = []
        if edit is not None:
            assert isinstance(edit.text, str)
            span = spans[self.columns[self.fields.text]]
            pieces.append((span, self._cell(edit.text, raw[slice(*span)])))
        if 0 <= added < self.width and edit is not None and edit.dropped:
            before = _texts(_value(raw, spans[added])) or []
            pieces.append((spans[added], self._cell(_listed([*before, *edit.dropped]))))
        elif added == self.width:
            end = spans[-1][1]
            removed = self._cell(_listed(edit.dropped)) if edit is not None and edit.dropped else b""
            pieces.append(((end, end), self.dialect.comma + removed))
        for (start, end), value in sorted(pieces, reverse=True):
            raw = raw[:start] + value + raw[end:]
        return raw

    def with_added_column(self, header: bytes) -> bytes:
        """Return the header's bytes with the column that is to be added, if one is."""
        return self._with_cell(header, self._cell(self.fields.dropped or ""))

    def with_empty_cell(self, row: bytes) -> bytes:
        """Return a row's bytes with an empty cell in the column that is to be added, if one is."""
        return self._with_cell(row, b"")

    def _with_cell(self, row: bytes, cell: bytes) -> bytes:
        if self.columns.get(self.fields.dropped or "", -1) != self.width:
            return row
        end = len(row.rstrip(b"\r\n"))
        return row[:end] + self.dialect.comma + cell + row[end:]

    def _cell(self, text: str, old: bytes = b"") -> bytes:
        """Return a cell, quoted if it must be or the old one was."""
        raw = text.encode()
        quoted = raw.startswith(b'"') and not (old.startswith(b'"') and not _QUOTED.fullmatch(old))
        quoted = quoted or bool(_QUOTED.fullmatch(old))
        quoted = quoted or any(mark in raw for mark in (self.dialect.comma, b"\r", b"\n"))
        return b'"%b"' % raw.replace(b'"', b'""') if quoted else raw


class DelimitedReader:
    """Reads CSV or TSV.

    Parameters
    ----------
    source : Source
    fields : Fields
    comma : bytes, optional
        What stands between cells; by default what makes the header have the text's column.
    """

    def __init__(self, source: Source, fields: Fields, comma: bytes | None = None) -> None:
        self._source = source
        self._fields = fields
        self._commas = (comma,) if comma else _COMMAS

    def batches(self) -> Iterator[Pieces]:
        """Yield the rows, with the header in front."""
        chunks = self._source.chunks_of_text()
        table, start, rest = self._header(chunks)
        pieces = rows(table.dialect, chunks, rest, 1 + len(_LINE_END.findall(start)))
        header = Piece(1, table.with_added_column(start), passes=True)
        yield from in_batches(self._source.name, table, chain([header], _widened(table, pieces)))

    def writer(self, stream: BinaryIO) -> BytesWriter:
        """Return what writes the rows."""
        return BytesWriter(stream)

    def _header(self, chunks: Iterator[bytes]) -> tuple[Table, bytes, bytes]:
        """Return how rows are understood, the header's bytes with what is before it, and what follows."""
        text, whole = b"", False
        while True:
            skip = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
            while blank := _BLANK.match(text, skip):
                skip = blank.end()
            found = [Dialect(comma).row(text, skip, whole=whole) for comma in self._commas]
            if "" not in found:
                break
            chunk = next(chunks, None)
            whole, text = chunk is None or len(text) > LONGEST_RECORD, text + (chunk or b"")
        if not text[skip:]:
            raise InputError(f"{self._source.name}: is empty: there is not even a header")
        shown: list[str] = []
        for comma, row in zip(self._commas, found, strict=True):
            if isinstance(row, str):
                continue
            names = [_value(text, span, errors="replace") for span in row[0]]
            if self._fields.text in names:
                return self._table(Dialect(comma), names), text[: row[1]], text[row[1] :]
            shown = max(shown, names, key=len)
        if not shown or b"\0" in text[:4]:
            raise InputError(f"{self._source.name}: no header can be read: give a table with one, in UTF-8")
        these = ", ".join(shown[:8])[:200]
        raise InputError(f"{self._source.name}: no column {self._fields.text!r} (it has {these}): give --text-field")

    def _table(self, dialect: Dialect, names: list[str]) -> Table:
        fields = self._fields
        wanted = [name for name in (fields.text, fields.title, fields.id, fields.dropped) if name is not None]
        twice = next((name for name in wanted if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"{self._source.name}: the column {twice!r} comes twice: rename one")
        columns = {name: names.index(name) for name in wanted if name in names}
        if fields.dropped is not None:
            columns.setdefault(fields.dropped, len(names))
        return Table(dialect, fields, len(names), columns)


def rows(dialect: Dialect, chunks: Iterable[bytes], text: bytes, number: int) -> Iterator[Piece]:
    """Cut bytes into rows, each with its line end; of a row whose quotes do not close, only the line is broken."""
    source, whole, at, more = iter(chunks), False, 0, False
    while True:
        full = whole or len(text) - at > LONGEST_RECORD
        found = dialect.row(text, at, whole=full) if at < len(text) else ""
        problem, end = None, 0
        if isinstance(found, tuple):
            end = found[1]
        elif found:
            problem, end = f"{found}, so only this line of the row is left", _end_of_line(text, at, whole=full)
        if not end:  # it is not here yet
            if whole:
                return
            chunk = next(source, None)
            whole, text, at = chunk is None, text[at:] + (chunk or b""), 0
            continue
        raw = text[at:end]
        at = end
        ended = raw.endswith((b"\n", b"\r")) or (whole and at == len(text))
        if not ended and problem is None:
            problem = f"a row of over {LONGEST_RECORD:,} bytes: no article is as long"
        yield Piece(number, raw, None if more else problem, more=more, passes=not more and not raw.strip(b" \r\n"))
        more = not ended
        number += raw.count(b"\n") if b"\r" not in raw else len(_LINE_END.findall(raw))


def _end_of_line(text: bytes, at: int, *, whole: bool) -> int:
    """Return where the next line starts; 0 where only more text can tell."""
    line = (_LAST_LINE if whole else _LINE).match(text, at)
    return line.end() if line else 0


def _widened(table: Table, pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Give rows that are broken before they are parsed the empty cell that the others get; not within quotes."""
    quoted = False
    for piece, after in pairwise(chain(pieces, [None])):
        assert piece is not None
        if piece.problem is None and not piece.more:
            yield piece
            continue
        begins = b'"' if quoted and piece.more else b""
        quoted = table.dialect.ends_in_quotes(begins + piece.raw)
        ends = not quoted and (after is None or not after.more)
        yield replace(piece, raw=table.with_empty_cell(piece.raw)) if ends else piece


def _value(raw: bytes, span: Span, errors: str = "strict") -> str:
    cell = raw[slice(*span)]
    if _QUOTED.fullmatch(cell):
        cell = cell[1:-1].replace(b'""', b'"')
    return cell.decode("utf-8", errors)


def _listed(texts: Iterable[str]) -> str:
    return json.dumps(list(texts), ensure_ascii=False)


def _texts(cell: str) -> list[str] | None:
    """Return the paragraphs that a cell lists, or None."""
    try:
        value = json.loads(cell or "[]")
    except ValueError:
        return None
    return value if isinstance(value, list) and all(isinstance(text, str) for text in value) else None
