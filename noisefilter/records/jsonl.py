"""JSON lines: a record is a line, and of a record that changes only the text's own bytes change."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

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

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_KEY = re.compile(rb"[\s,]*+(" + _STRING + rb")\s*+:\s*+", re.DOTALL)
_PLAIN_VALUE = re.compile(_STRING + rb'|[^\s,\[\]{}"]++', re.DOTALL)
_TOKEN = re.compile(rb'[\[{]|[\]}]|[^\[\]{}"]++|' + _STRING, re.DOTALL)


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A record's line as JSON."""

    fields: Fields

    def parse(self, raw: bytes, where: str) -> Entry | Broken | None:
        """Return what the record of a line is."""
        if not raw.removeprefix(BYTE_ORDER_MARK).strip():
            return None
        try:
            row = _loads(raw.removeprefix(BYTE_ORDER_MARK))
        except UnicodeDecodeError as error:
            return Broken(where, f"not UTF-8 (byte {error.start}): convert the file")
        except json.JSONDecodeError as error:
            what = error.msg.removesuffix(" at")
            return Broken(where, f"not JSON ({what} at character {error.pos + 1}): write one record a line")
        except RecursionError:
            return Broken(where, "not JSON that can be read: it is nested too deeply")
        if not isinstance(row, dict):
            return Broken(where, "not a JSON object: write one record a line")
        return self._entry(row, raw, where)

    def _entry(self, row: dict[str, Any], raw: bytes, where: str) -> Entry | Broken | None:
        fields = self.fields
        if fields.text not in row:
            return Broken(where, f"no field {fields.text!r}{_those_of(row)}: give --text-field")
        for field in (fields.text, fields.dropped):
            if field is not None and _may_come_twice(raw, field) and _names(raw).count(field) > 1:
                return Broken(where, f"the field {field!r} comes twice: leave one out")
        removed = None if fields.dropped is None else row.get(fields.dropped)
        if removed is not None and not _is_texts(removed):
            return Broken(where, f"{fields.dropped!r} holds something else: give another --keep-dropped")
        name = row.get(fields.id)
        if isinstance(name, float):  # as it is written: a long number is not what a parser makes of it
            name = {key: raw[start:end] for key, start, end in _members(raw)}[fields.id].decode()
        return understood(where, row[fields.text], row.get(fields.title), name, fields)

    def rewrite(self, raw: bytes, edit: Edit | None) -> bytes:
        """Return the line with another text, and with what was removed in a field of its own."""
        if edit is None:
            return raw
        spans = {key: (start, end) for key, start, end in _members(raw)}
        start, end = spans[self.fields.text]
        pieces = [(start, end, _dumps(edit.text, raw))]
        if self.fields.dropped is not None and edit.dropped:
            pieces.append(self._dropped(raw, edit, spans))
        for start, end, value in sorted(pieces, reverse=True):
            raw = raw[:start] + value + raw[end:]
        return raw

    def _dropped(self, raw: bytes, edit: Edit, spans: dict[str, tuple[int, int]]) -> tuple[int, int, bytes]:
        assert self.fields.dropped is not None
        if self.fields.dropped in spans:
            start, end = spans[self.fields.dropped]
            return start, end, _dumps([*(_loads(raw[start:end]) or []), *edit.dropped], raw)
        first, last = next(iter(spans.values()))[0], max(end for _, end in spans.values())
        blank = b" " if raw[first - 1 : first] == b" " else b""
        name = _dumps(self.fields.dropped, raw)
        return last, last, b"," + blank + name + b":" + blank + _dumps(list(edit.dropped), raw)


class JsonLinesReader:
    """Reads JSON lines."""

    def __init__(self, source: Source, fields: Fields) -> None:
        self._source = source
        self._codec = JsonLines(fields)

    def batches(self) -> Iterator[Pieces]:
        """Yield the lines."""
        return in_batches(self._source.name, self._codec, self._checked(lines(self._source.chunks_of_text())))

    def _checked(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        first = True
        for piece in pieces:
            begins = piece.raw[:64].removeprefix(BYTE_ORDER_MARK).lstrip()[:1]
            if first and begins == b"[":
                raise InputError(
                    f"{self._source.name}: is one JSON array: write a record a line, for example with `jq -c '.[]'`"
                )
            first = first and not begins
            yield piece

    def writer(self, stream: BinaryIO) -> BytesWriter:
        """Return what writes JSON lines."""
        return BytesWriter(stream)


def lines(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Cut bytes into lines, each with its end; a line that is too long comes in pieces."""
    number, held, over = 1, bytearray(), False
    for chunk in chunks:
        start = 0
        while start < len(chunk):
            end = chunk.find(b"\n", start) + 1
            held += chunk[start : end or len(chunk)]
            start = end or len(chunk)
            if not end and len(held) <= LONGEST_RECORD:
                continue
            yield _piece(number, bytes(held), over=over)
            over = not end
            number += bool(end)
            held.clear()
    if held:
        yield _piece(number, bytes(held), over=over)


def _piece(number: int, raw: bytes, *, over: bool) -> Piece:
    too_long = len(raw) > LONGEST_RECORD and not over
    problem = f"a line of over {LONGEST_RECORD:,} bytes: no article is as long" if too_long else None
    return Piece(number, raw, problem, more=over)


def _loads(raw: bytes) -> Any:
    """Return what JSON says; what orjson is too strict for (NaN, 1e400, lone surrogates), the json module reads."""
    try:
        return orjson.loads(raw)
    except json.JSONDecodeError:
        return json.loads(raw.decode("utf-8"), parse_int=float)


def _dumps(value: Any, raw: bytes) -> bytes:
    """Return a value as JSON, escaped where the line that it goes into is."""
    if not raw.removeprefix(BYTE_ORDER_MARK).isascii():
        try:
            return json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # a lone surrogate
            pass
    return json.dumps(value).encode()


def _members(line: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield the name of each member of the line's object, and the place of its value; the line is JSON."""
    at = line.index(b"{") + 1
    while key := _KEY.match(line, at):
        at = _end_of_value(line, key.end())
        yield json.loads(key[1]), key.end(), at


def _end_of_value(line: bytes, at: int) -> int:
    if plain := _PLAIN_VALUE.match(line, at):
        return plain.end()
    depth = 0
    while True:
        token = _TOKEN.match(line, at)
        assert token is not None
        at = token.end()
        depth += (token[0] in (b"[", b"{")) - (token[0] in (b"]", b"}"))
        if not depth:
            return at


def _names(line: bytes) -> list[str]:
    return [key for key, _, _ in _members(line)]


def _may_come_twice(raw: bytes, field: str) -> bool:
    """Tell whether it is worth looking: not if the name is there once, and no escape can spell it another way."""
    written = json.dumps(field, ensure_ascii=False).encode(errors="replace")
    escape = b"\\u00" if field.isascii() else b"\\u"
    return raw.count(written) != 1 or escape in raw or ("/" in field and b"\\/" in raw)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _those_of(row: dict[str, Any]) -> str:
    shown = ", ".join(list(row)[:8])
    return f" (it has {shown[:200]})" if shown else ""
