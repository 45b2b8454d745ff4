"""Parquet: a record is a row; columns that are not the text's are handed through as they are."""

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from noisefilter.errors import InputError
from noisefilter.records.record import Broken, Edit, Entry, Fields, understood
from noisefilter.records.streams import Source

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_ROWS = 32
_BATCH_BYTES = 1 << 18
_LOOK_ROWS = 4096
"""Rows of timestamps that are looked at together."""
_GROUP_BYTES = 8 << 20
_BUFFER_BYTES = 1 << 18
_CODECS = {"UNCOMPRESSED": "none", "UNKNOWN": "snappy"}
_UNREADABLE = object()
"""Stands for a value that Python cannot have: bytes that are no UTF-8, a date after the year 9999."""
_NO_VALUE = (ValueError, ArithmeticError, LookupError)
"""What pyarrow raises for it; a time zone that nobody knows is a LookupError."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What becomes of some rows: their edits, and which of them are left out."""

    edits: Sequence[Edit | None]
    left_out: Collection[int]


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch of rows, without pyarrow: a worker that needs none starts sooner and is smaller."""

    read: tuple[Entry | Broken, ...]

    def entries(self) -> Sequence[Entry | Broken | None]:
        """Return what each row is."""
        return self.read

    def rewritten(self, edits: Sequence[Edit | None], left_out: Collection[int]) -> Rewritten:
        """Return what the writer does with the rows, which it reads for itself."""
        return Rewritten(tuple(edits), frozenset(left_out))


class ParquetReader:
    """Reads a Parquet file.

    Raises
    ------
    InputError
        If it is none, has no column of texts, or pyarrow is not installed.
    """

    def __init__(self, source: Source, fields: Fields) -> None:
        self._source = source
        self._fields = fields
        try:
            import pyarrow as pa  # noqa: PLC0415
            import pyarrow.parquet  # noqa: PLC0415
        except ImportError:
            raise InputError(f"{source.name}: needs pyarrow: pip install pyarrow") from None
        self._errors = (pa.ArrowException, OSError)
        self._unable = pa.ArrowNotImplementedError
        with self._telling():
            self._stream = source.seekable()
            self._file = self._opened(None)
            self._leaves = [self._file.schema.column(at) for at in range(len(self._file.schema))]
            self._columns = _columns_of([leaf.path for leaf in self._leaves], self._file.schema_arrow.names)
            self._refuse_columns()
            self._unit = self._lossless() if any(leaf.physical_type == "INT96" for leaf in self._leaves) else None
            self._file = self._opened(self._unit)

    def _opened(self, unit: str | None) -> "pq.ParquetFile":
        import pyarrow.parquet as pq  # noqa: PLC0415

        return pq.ParquetFile(
            self._stream, pre_buffer=False, buffer_size=_BUFFER_BYTES, coerce_int96_timestamp_unit=unit
        )

    def batches(self) -> Iterator[Rows]:
        """Yield the rows."""
        first = 1
        for rows in self._read(self._file, self._needed()):
            for piece in _pieces(rows):
                yield Rows(tuple(self._entries(piece, first)))
                first += len(piece)
                self._source.position = (self._source.size or 0) * first // (self._file.metadata.num_rows + 1)
        self._source.refuse_changed()

    def _entries(self, rows: "pa.RecordBatch", first: int) -> Iterator[Entry | Broken]:
        """Yield what each row is; a row is called by its number, from 1."""
        fields = self._fields
        columns = [_values(rows, name) for name in (fields.text, fields.title, fields.id, fields.dropped)]
        for number, values in enumerate(zip(*columns, strict=True), first):
            yield self._entry(f"{self._source.name}:{number}", *values)

    def _entry(self, where: str, text: Any, title: Any, name: Any, dropped: Any) -> Entry | Broken:
        fields = self._fields
        for field, value in ((fields.text, text), (fields.title, title), (fields.dropped, dropped)):
            if value is _UNREADABLE:
                return Broken(where, f"{field!r} is no text in UTF-8: convert the file")
        return understood(where, text, title, None if name is _UNREADABLE else name, fields)

    def writer(self, stream: BinaryIO) -> "ParquetWriter":
        """Return what writes rows of the same columns, packed as they were, in groups of rows as they were."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        metadata = self._file.metadata
        schema = _schema(self._file.schema_arrow, self._fields)
        stamped = {leaf.physical_type for leaf in self._leaves if _is_moment(leaf)}
        settings = {
            "compression": dict(zip(_paths(schema), self._codecs(), strict=False)),
            "use_deprecated_int96_timestamps": stamped == {"INT96"},  # which pyarrow has for all of them or for none
        }
        groups = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
        return ParquetWriter(pq.ParquetWriter(stream, schema, **settings), self._fields, groups, self._again())

    def _again(self) -> Iterator["pa.RecordBatch"]:
        """Yield all columns; the writer stops before the end."""
        own = self._opened(self._unit)  # of one file, two readings would have the batch size of whichever came last
        yield from self._read(own, None)
        raise self._damaged(ValueError("columns of different lengths"))

    def _needed(self) -> list[str]:
        fields, names = self._fields, self._file.schema_arrow.names
        wanted = (fields.text, fields.title, fields.id, fields.dropped)
        return list(dict.fromkeys(name for name in wanted if name is not None and name in names))

    def _read(
        self, file: "pq.ParquetFile", names: Collection[str] | None, most: int = _BATCH_ROWS
    ) -> Iterator["pa.RecordBatch"]:
        """Yield the rows of some columns, or of all, as few as make a batch; never of two row groups together."""
        with self._telling():
            for at in range(file.metadata.num_row_groups):
                group = file.metadata.row_group(at)
                leaves = [leaf for leaf, name in enumerate(self._columns) if names is None or name in names]
                size = sum(group.column(leaf).total_uncompressed_size for leaf in leaves)
                rows = max(1, min(most, _BATCH_BYTES * group.num_rows // max(size, 1)))
                for batch in file.iter_batches(rows, [at], names, use_threads=False):
                    yield _plain(batch, names)

    def _codecs(self) -> list[str]:
        """Return how each column is packed, as its first values are; what was removed, like the text."""
        metadata = self._file.metadata
        if not metadata.num_row_groups:
            return ["snappy"] * (len(self._leaves) + 1)
        group = metadata.row_group(0)
        found = [group.column(at).compression for at in range(len(self._leaves))]
        return [_CODECS.get(codec, codec) for codec in (*found, found[self._columns.index(self._fields.text)])]

    def _lossless(self) -> str:
        """Return the unit in which the old kind of timestamps, INT96, lose nothing."""
        leaves = zip(self._columns, self._leaves, strict=True)
        names = sorted({name for name, leaf in leaves if leaf.physical_type == "INT96"})
        able = {"us", "ns"}
        read = [self._read(self._opened(unit), names, _LOOK_ROWS) for unit in ("s", "us", "ns")]
        for batches in zip(*read, strict=True):
            able -= {unit for moments in zip(*map(_moments, batches), strict=True) for unit in _unfit(*moments)}
            if not able:
                raise InputError(
                    f"{self._source.name}: timestamps (INT96 in {', '.join(names)}) have nanoseconds and years "
                    "beyond 1677 to 2262, which pyarrow cannot hold together: write the file with timestamps of "
                    "microseconds"
                )
        return "us" if "us" in able else "ns"

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> InputError:
        what = " ".join(str(error).split())[:120]
        if isinstance(error, self._unable):
            return InputError(
                f"{self._source.name}: pyarrow cannot read this kind of column ({what}): write the file without it"
            )
        return InputError(f"{self._source.name}: not a Parquet file that can be read ({what}): fetch it again")

    def _refuse_columns(self) -> None:
        import pyarrow.types as kinds  # noqa: PLC0415

        name, fields, schema = self._source.name, self._fields, self._file.schema_arrow
        for field in (fields.text, fields.title, fields.id, fields.dropped):
            if field is not None and schema.names.count(field) > 1:
                raise InputError(f"{name}: the column {field!r} comes twice: rename one")
        if fields.text not in schema.names:
            shown = ", ".join(schema.names[:8])[:200]
            raise InputError(f"{name}: no column {fields.text!r} (it has {shown}): give --text-field")
        of_texts = schema.field(fields.text).type
        if kinds.is_dictionary(of_texts):
            of_texts = of_texts.value_type
        if not _is_text(of_texts) and not _is_list_of_texts(of_texts):
            raise InputError(f"{name}: the column {fields.text!r} is {of_texts}: give one of strings or lists of them")
        if fields.dropped in schema.names and not _is_list_of_texts(schema.field(fields.dropped).type):
            raise InputError(f"{name}: the column {fields.dropped!r} is there: give another --keep-dropped")


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
    schema = _schema(rows.schema, fields)
    at = schema.names.index(fields.text)
    columns[at] = _changed(columns[at], [None if edit is None else edit.text for edit in edits])
    if fields.dropped is not None:
        at = schema.names.index(fields.dropped)
        if at == len(columns):
            columns.append(pa.array([[]] * len(rows), schema.field(at).type))
        removed = [
            None if edit is None or not edit.dropped else [*(old or ()), *edit.dropped]
            for old, edit in zip(_values(rows, fields.dropped), edits, strict=True)
        ]
        columns[at] = _changed(columns[at], removed)
    return columns


def _values(rows: "pa.RecordBatch", name: str | None) -> list[Any]:
    if name not in rows.schema.names:
        return [None] * len(rows)
    column = rows.column(name)
    try:
        return list(column.to_pylist())
    except _NO_VALUE:
        return [_value(scalar) for scalar in column]


def _schema(schema: "pa.Schema", fields: Fields) -> "pa.Schema":
    """Return the columns of the output: those of the input, and one for what was removed."""
    import pyarrow as pa  # noqa: PLC0415

    if fields.dropped is None or fields.dropped in schema.names:
        return schema
    return schema.append(pa.field(fields.dropped, pa.list_(pa.string())))


def _columns_of(paths: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the column that each leaf of the file is of; `names` are those of the columns, in order."""
    left = iter(names)
    name, owners = next(left, ""), []
    for path in paths:
        while not f"{path}.".startswith(f"{name}."):
            name = next(left, path)
        owners.append(name)
    return owners


def _paths(schema: "pa.Schema") -> list[str]:
    """Return what pyarrow calls the leaves of these columns when it writes them."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    empty = io.BytesIO()
    pq.ParquetWriter(empty, schema).close()
    written = pq.ParquetFile(empty).schema
    return [written.column(at).path for at in range(len(written))]


def _plain(batch: "pa.RecordBatch", names: Collection[str] | None) -> "pa.RecordBatch":
    """Return the columns of these names (pyarrow gives `a.b` with `a`), no dictionary beside their values."""
    import pyarrow as pa  # noqa: PLC0415

    wanted = [at for at, name in enumerate(batch.schema.names) if names is None or name in names]
    columns = [batch.column(at) for at in wanted]
    columns = [column.dictionary_decode() if _is_coded(column.type) else column for column in columns]
    return pa.RecordBatch.from_arrays(columns, [batch.schema.names[at] for at in wanted])


def _pieces(rows: "pa.RecordBatch") -> Iterator["pa.RecordBatch"]:
    """Yield the rows in pieces that are small, or of one row."""
    if len(rows) < 2 or rows.nbytes <= _BATCH_BYTES:
        yield rows
    else:
        half = len(rows) // 2
        yield from _pieces(rows.slice(0, half))
        yield from _pieces(rows.slice(half))


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

    if not _is_coded(kind):
        return column
    coded = pa.concat_arrays(column.chunks).dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices.cast(kind.index_type), coded.dictionary, ordered=kind.ordered)


def _is_moment(leaf: Any) -> bool:
    return bool(leaf.physical_type == "INT96" or leaf.logical_type.type == "TIMESTAMP")


def _moments(part: Any) -> list["pa.Array[Any]"]:
    """Return the timestamps in rows or a column, whatever they are nested in."""
    import pyarrow as pa  # noqa: PLC0415

    if isinstance(part, pa.Array) and pa.types.is_timestamp(part.type):
        return [part]
    if isinstance(part, pa.RecordBatch):
        inner = part.columns
    elif pa.types.is_nested(part.type):
        inner = part.flatten()
    else:
        return []
    return [found for one in (inner if isinstance(inner, list) else [inner]) for found in _moments(one)]


def _unfit(*moments: "pa.Array[Any]") -> list[str]:
    """Return which of the units "us" and "ns" do not hold these timestamps, read in seconds and in these."""
    import pyarrow as pa  # noqa: PLC0415

    if moments[0].type == moments[-1].type:  # they are no INT96
        return []
    seconds, micro, nano = (each.drop_null().view(pa.int64()).to_numpy() for each in moments)
    fits = {  # what is too far off comes round, in pyarrow as in numpy
        "us": (micro // 10**6 == seconds) & (micro * 1000 == nano),
        "ns": nano // 10**9 == seconds,
    }
    return [unit for unit, each in fits.items() if not each.all()]


def _changed(column: "pa.Array[Any]", values: list[Any]) -> "pa.Array[Any]":
    """Return a column with other values; where there is None, that of before goes through as it is."""
    import pyarrow as pa  # noqa: PLC0415

    if all(value is None for value in values):
        return column
    new = pa.array(values, column.type)
    return pa.concat_arrays([(column if value is None else new).slice(at, 1) for at, value in enumerate(values)])


def _is_coded(kind: "pa.DataType") -> bool:
    import pyarrow.types as kinds  # noqa: PLC0415

    return bool(kinds.is_dictionary(kind))


def _value(scalar: "pa.Scalar[Any]") -> Any:
    try:
        return scalar.as_py()
    except _NO_VALUE:
        return _UNREADABLE


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow.types as kinds  # noqa: PLC0415

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def _is_list_of_texts(kind: "pa.DataType") -> bool:
    import pyarrow.types as kinds  # noqa: PLC0415

    is_list = kinds.is_list(kind) or kinds.is_large_list(kind)
    return bool(is_list and _is_text(kind.value_type))
