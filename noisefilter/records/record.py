"""What a record is to the cleaning: its text, title and name; and batches of records, told apart by no format."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from noisefilter.article import Article
from noisefilter.files import LONGEST_ARTICLE, LONGEST_LINE, seen_from_here

LONGEST_RECORD = LONGEST_ARTICLE
"""Bytes; a longer record is not looked at, and passes through in pieces."""

_BATCH_RECORDS = 32
_BATCH_BYTES = 1 << 18
_LINE_END = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields (or columns) of a record hold what.

    Attributes
    ----------
    text : str
        The text, a string or a list of paragraphs. Every record must have it.
    title, id : str
        The headline, and what the article is called; they may be missing.
    dropped : str or None
        Gets what was removed, a list of paragraphs.
    """

    text: str = "text"
    title: str = "title"
    id: str = "id"
    dropped: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What of a record (or of a text file) matters to the cleaning.

    Attributes
    ----------
    where : str
        File and line, for messages; of a text file, the file.
    name : str
        What the article is called: its id, or `where`.
    text : str or tuple of str
        The text, or the paragraphs if the record holds a list.
    title : str or None
    whole_file : bool
        True of a text file: lines can be told in it.
    """

    where: str
    name: str
    text: str | tuple[str, ...]
    title: str | None = None
    whole_file: bool = False

    @property
    def article(self) -> Article:
        """The article as the filter sees it."""
        if isinstance(self.text, str):
            source = seen_from_here(self.name) if self.whole_file else self.name
            return Article.from_text(self.text, self.title, source=source)
        return Article(self.title, self.text, source=self.name)


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be used.

    Attributes
    ----------
    where, what : str
        File and line; what is wrong and what to do.
    more : bool
        True if this is only more of the broken record before it: not to be told again.
    """

    where: str
    what: str
    more: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of a record: its new text, in the form of the old one, and what was removed."""

    text: str | tuple[str, ...]
    dropped: tuple[str, ...]


class Batch(Protocol):
    """Some records that follow each other; goes to a worker and is rewritten there."""

    def entries(self) -> Sequence[Entry | Broken | None]:
        """Return what each is; None is no record (a header, an empty line) and passes through."""

    def rewritten(self, edits: Sequence[Edit | None], left_out: Collection[int]) -> Any:
        """Return what a writer of the format takes: every record as it was, but for its edit; some left out."""


class Writer(Protocol):
    """Puts what batches were rewritten to into a stream."""

    def write(self, chunk: Any) -> None:
        """Write what a batch was rewritten to."""

    def __enter__(self) -> "Writer": ...

    def __exit__(self, kind: object, *_: object) -> None:
        """Write what comes at the end, unless the block failed."""


class Reader(Protocol):
    """Reads the records of one file, once."""

    def batches(self) -> Iterator[Batch]:
        """Yield the records; raise InputError where the file cannot be read on."""

    def writer(self, stream: Any) -> Writer:
        """Return what writes the same format; call it when the first batch was read, or all were."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one record, its line end with it.

    Attributes
    ----------
    line : int
        Where it starts, from 1.
    raw : bytes
    problem : str or None
        What is wrong with it, where that shows before it is parsed.
    more : bool
        True if it goes on with the broken piece before it.
    passes : bool
        True if it is no record: a header, an empty line.
    """

    line: int
    raw: bytes
    problem: str | None = None
    more: bool = False
    passes: bool = False


class Codec(Protocol):
    """How a record's bytes are understood."""

    def parse(self, raw: bytes, where: str) -> Entry | Broken | None:
        """Return what the record is."""

    def rewrite(self, raw: bytes, edit: Edit | None) -> bytes:
        """Return the record's bytes with its edit, every other byte as it was; None is a record as it was."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A batch of records that are bytes one after the other."""

    name: str
    codec: Codec
    pieces: tuple[Piece, ...]

    def entries(self) -> list[Entry | Broken | None]:
        """Parse the records."""
        return [self._entry(piece) for piece in self.pieces]

    def _entry(self, piece: Piece) -> Entry | Broken | None:
        where = f"{self.name}:{piece.line}"
        if piece.problem is not None or piece.more:
            return Broken(where, piece.problem or "", piece.more)
        return None if piece.passes else self.codec.parse(piece.raw, where)

    def rewritten(self, edits: Sequence[Edit | None], left_out: Collection[int]) -> bytes:
        """Return the bytes of the records."""
        return b"".join(
            piece.raw if piece.passes or piece.problem or piece.more else self.codec.rewrite(piece.raw, edit)
            for index, (piece, edit) in enumerate(zip(self.pieces, edits, strict=True))
            if index not in left_out
        )


@dataclass(frozen=True, slots=True)
class Texts:
    """A batch of text files."""

    files: tuple[Entry, ...]

    def entries(self) -> Sequence[Entry | Broken | None]:
        """Return the files."""
        return self.files

    def rewritten(self, edits: Sequence[Edit | None], left_out: Collection[int]) -> list[tuple[Entry, Edit | None]]:
        """Return what becomes of each file."""
        assert not left_out
        return list(zip(self.files, edits, strict=True))


def in_batches(name: str, codec: Codec, pieces: Iterable[Piece]) -> Iterator[Pieces]:
    """Put records into batches; which go together depends on the records alone."""
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece.raw)
        if len(batch) >= _BATCH_RECORDS or size >= _BATCH_BYTES:
            yield Pieces(name, codec, tuple(batch))
            batch, size = [], 0
    if batch:
        yield Pieces(name, codec, tuple(batch))


def understood(where: str, text: Any, title: Any, name: Any, fields: Fields) -> Entry | Broken:
    """Return the entry of a record's values.

    An empty text, white space and null are no paragraphs. A number is a name; what else is no string
    names nothing.
    """
    text = "" if text is None else text
    text = tuple(text) if isinstance(text, list) else text
    lines = text if isinstance(text, tuple) else (text,)
    problem = _no_text(lines, text, fields) or _too_long(lines)
    if problem is None and not isinstance(title, str | None):
        problem = f"{fields.title!r} is {_kind(title)}: give a string, or another --title-field"
    if problem is not None:
        return Broken(where, problem)
    if not any(line.strip() for line in lines):
        text = ()
    named = isinstance(name, str | int | float) and not isinstance(name, bool) and name != ""
    return Entry(where, str(name) if named else where, text, title or None)


def _no_text(lines: Sequence[Any], text: Any, fields: Fields) -> str | None:
    odd = [value for value in lines if not isinstance(value, str)]
    if not odd:
        return None
    if isinstance(text, tuple):
        return f"{fields.text!r} lists {_kind(odd[0])}: give paragraphs, each a string"
    return f"{fields.text!r} is {_kind(text)}: give a string or a list of paragraphs"


def _too_long(lines: Sequence[str]) -> str | None:
    if max(map(len, lines), default=0) <= LONGEST_LINE:
        return None
    longest = max(len(part) for line in lines for part in _LINE_END.split(line))
    if longest <= LONGEST_LINE:
        return None
    return f"has a line of {longest:,} characters (at most {LONGEST_LINE:,}): put each paragraph on a line"


def _kind(value: Any) -> str:
    """Return what a value is called in JSON."""
    kinds = {bool: "true or false", int: "a number", float: "a number", dict: "an object", list: "a list"}
    return "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")
