"""Parquet, written: the rows of a file read again, with what became of them."""

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from noisefilter.records.record import Edit, Fields

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_GROUP_BYTES = 8 << 20
UNREADABLE = object()
"""Stands for a value that Python cannot have: bytes that are no UTF-8, a date after the year 9999."""
_NO_VALUE = (ValueError, ArithmeticError, LookupError)
"""What pyarrow raises for it; a time zone that nobody knows is a LookupError."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What becomes of some rows: their edits, and which of them are left out."""

    edits: Sequence[Edit | None]
    left_out: Collection[int]


class ParquetWriter:
    """Writes rows as they are read again, with their edits.

    A row group ends where one of the input does, and after some megabytes.

    Parameters
    ----------
    file : pyarrow.parquet.ParquetWriter
    fields : Fields
    groups : iterable of int
        Rows of each row group of the input.
    rows : iterator of RecordBatch
        The input, all columns.
    """

    def __init__(
        self, file: "pq.ParquetWriter", fields: Fields, groups: Iterable[int], rows: Iterator["pa.RecordBatch"]
    ) -> None:
        self._file = file
        self._fields = fields
        self._groups = (size for size in groups if size)
        self._left = 0
        self._rows = rows
        self._rest: pa.RecordBatch | None = None
        self._held: list[list[pa.Array[Any]]] = []
        self._size = 0

    def write(self, chunk: Rewritten) -> None:
        """Write rows, once there are enough of them."""
        at = 0
        while at < len(chunk.edits):
            rows = self._next(len(chunk.edits) - at)
            stop = at + len(rows)
            columns = _edited(rows, chunk.edits[at:stop], self._fields)
            self._hold(_without(columns, [row - at for row in chunk.left_out if at <= row < stop]))
            self._left = (self._left or next(self._groups)) - len(rows)
            if not self._left or self._size >= _GROUP_BYTES:
                self._flush()
            at = stop

    def __enter__(self) -> "ParquetWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
            self._file.close()
        else:
            self._file.is_open = False  # else it would write the file's end when it is collected

    def _next(self, most: int) -> "pa.RecordBatch":
        rows = self._rest or next(self._rows)
        self._rest = rows.slice(most) if len(rows) > most else None
        return rows.slice(0, most)

    def _hold(self, columns: list["pa.Array[Any]"]) -> None:
        if len(columns[0]):
            self._held.append(columns)
            self._size += sum(column.nbytes for column in columns)

    def _flush(self) -> None:
        import pyarrow as pa  # noqa: PLC0415

        if self._held:
            columns = [pa.chunked_array(parts) for parts in zip(*self._held, strict=True)]
            self._put(pa.Table.from_arrays(columns, self._file.schema.names))
        self._held, self._size = [], 0

    def _put(self, table: "pa.Table") -> None:
        """Write a row group; several, if one has more words than its dictionary can number."""
        import pyarrow as pa  # noqa: PLC0415

        schema = self._file.schema
        try:
            columns = [_coded(column, kind) for column, kind in zip(table.columns, schema.types, strict=True)]
        except pa.ArrowInvalid:
            half = len(table) // 2
            self._put(table.slice(0, half))
            self._put(table.slice(half))
        else:
            self._file.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=len(table))


def _edited(rows: "pa.RecordBatch", edits: Sequence[Edit | None], fields: Fields) -> list["pa.Array[Any]"]:
    """Return the columns of the output."""
    import pyarrow as pa  # noqa: PLC0415

    columns = list(rows.columns)
    schema = schema_of(rows.schema, fields)
    at = schema.names.index(fields.text)
    columns[at] = _changed(columns[at], [None if edit is None else edit.text for edit in edits])
    if fields.dropped is not None:
        at = schema.names.index(fields.dropped)
        if at == len(columns):
            columns.append(pa.array([[]] * len(rows), schema.field(at).type))
        removed = [
            None if edit is None or not edit.dropped else [*(old or ()), *edit.dropped]
            for old, edit in zip(values_of(rows, fields.dropped), edits, strict=True)
        ]
        columns[at] = _changed(columns[at], removed)
    return columns


def values_of(rows: "pa.RecordBatch", name: str | None) -> list[Any]:
    """Return a column's values as Python has them; None in each row where there is no such column."""
    if name not in rows.schema.names:
        return [None] * len(rows)
    column = rows.column(name)
    try:
        return list(column.to_pylist())
    except _NO_VALUE:
        return [_value(scalar) for scalar in column]


def _value(scalar: "pa.Scalar[Any]") -> Any:
    try:
        return scalar.as_py()
    except _NO_VALUE:
        return UNREADABLE


def schema_of(schema: "pa.Schema", fields: Fields) -> "pa.Schema":
    """Return the columns of the output: those of the input, and one for what was removed."""
    import pyarrow as pa  # noqa: PLC0415

    if fields.dropped is None or fields.dropped in schema.names:
        return schema
    return schema.append(pa.field(fields.dropped, pa.list_(pa.string())))


def paths_of(schema: "pa.Schema") -> list[str]:
    """Return what pyarrow calls the leaves of these columns when it writes them."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    empty = io.BytesIO()
    pq.ParquetWriter(empty, schema).close()
    written = pq.ParquetFile(empty).schema
    return [written.column(at).path for at in range(len(written))]


def _without(columns: list["pa.Array[Any]"], left_out: Collection[int]) -> list["pa.Array[Any]"]:
    """Leave rows out: in slices, which there are of every kind of column; `take` does not know them all."""
    import pyarrow as pa  # noqa: PLC0415

    if not left_out:
        return columns
    kept = [(at, 1) for at in range(len(columns[0])) if at not in left_out]
    return [pa.concat_arrays([column.slice(*rows) for rows in ((0, 0), *kept)]) for column in columns]


def _coded(column: "pa.ChunkedArray[Any]", kind: "pa.DataType") -> Any:
    """Return a column with a dictionary, if it is of that kind."""
    import pyarrow as pa  # noqa: PLC0415

    if not is_coded(kind):
        return column
    coded = pa.concat_arrays(column.chunks).dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices.cast(kind.index_type), coded.dictionary, ordered=kind.ordered)


def _changed(column: "pa.Array[Any]", values: list[Any]) -> "pa.Array[Any]":
    """Return a column with other values; where there is None, that of before goes through as it is."""
    import pyarrow as pa  # noqa: PLC0415

    if all(value is None for value in values):
        return column
    new = pa.array(values, column.type)
    return pa.concat_arrays([(column if value is None else new).slice(at, 1) for at, value in enumerate(values)])


def is_coded(kind: "pa.DataType") -> bool:
    """Tell whether a column holds a dictionary and numbers into it."""
    import pyarrow.types as kinds  # noqa: PLC0415

    return bool(kinds.is_dictionary(kind))
