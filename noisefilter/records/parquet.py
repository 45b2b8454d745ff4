"""Parquet: a record is a row; columns that are not the text's are handed through as they are."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from noisefilter.errors import InputError
from noisefilter.records.record import Broken, Edit, Entry, Fields, understood
from noisefilter.records.streams import Source

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 32
_GROUP_BYTES = 8 << 20
_BUFFER_BYTES = 1 << 18
_UNREADABLE = object()
"""Stands for a value that Python cannot have: bytes that are no UTF-8, a date after the year 9999."""
_NO_VALUE = (ValueError, ArithmeticError, LookupError)
"""What pyarrow raises for it; a time zone that nobody knows is a LookupError."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A batch of rows."""

    name: str
    fields: Fields
    first: int
    rows: "pa.RecordBatch"

    def entries(self) -> list[Entry | Broken | None]:
        """Return what each row is; a row is called by its number, from 1."""
        fields = self.fields
        columns = [self._values(name) for name in (fields.text, fields.title, fields.id, fields.dropped)]
        return [
            self._entry(f"{self.name}:{number}", *values)
            for number, values in enumerate(zip(*columns, strict=True), self.first)
        ]

    def _entry(self, where: str, text: Any, title: Any, name: Any, dropped: Any) -> Entry | Broken:
        fields = self.fields
        for field, value in ((fields.text, text), (fields.title, title), (fields.dropped, dropped)):
            if value is _UNREADABLE:
                return Broken(where, f"{field!r} is no text in UTF-8: convert the file")
        return understood(where, text, title, None if name is _UNREADABLE else name, fields)

    def _values(self, name: str | None) -> list[Any]:
        if name not in self.rows.schema.names:
            return [None] * len(self.rows)
        column = self.rows.column(name)
        try:
            return list(column.to_pylist())
        except _NO_VALUE:
            return [_value(scalar) for scalar in column]

    def rewritten(self, edits: Sequence[Edit | None], left_out: Collection[int]) -> "pa.RecordBatch":
        """Return the rows with new texts."""
        import pyarrow as pa  # noqa: PLC0415

        columns = list(self.rows.columns)
        schema = _schema(self.rows.schema, self.fields)
        at = schema.names.index(self.fields.text)
        columns[at] = _changed(columns[at], [None if edit is None else edit.text for edit in edits])
        if self.fields.dropped is not None:
            at = schema.names.index(self.fields.dropped)
            if at == len(columns):
                columns.append(pa.array([[]] * len(self.rows), schema.field(at).type))
            removed = [
                None if edit is None or not edit.dropped else [*(old or ()), *edit.dropped]
                for old, edit in zip(self._values(self.fields.dropped), edits, strict=True)
            ]
            columns[at] = _changed(columns[at], removed)
        if left_out:  # in slices, which there are of every kind of column; `take` does not know them all
            kept = [(at, 1) for at in range(len(self.rows)) if at not in left_out]
            columns = [pa.concat_arrays([column.slice(*rows) for rows in ((0, 0), *kept)]) for column in columns]
        return pa.RecordBatch.from_arrays(columns, schema=schema)


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
            import pyarrow.parquet as pq  # noqa: PLC0415
        except ImportError:
            raise InputError(f"{source.name}: needs pyarrow: pip install pyarrow") from None
        self._errors = (pa.ArrowException, OSError)
        self._unable = pa.ArrowNotImplementedError
        try:
            self._file: pq.ParquetFile = pq.ParquetFile(source.seekable(), pre_buffer=False, buffer_size=_BUFFER_BYTES)
        except self._errors as error:
            raise self._damaged(error) from None
        self._refuse_columns()

    def batches(self) -> Iterator[Rows]:
        """Yield the rows."""
        first = 1
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
                yield Rows(self._source.name, self._fields, first, batch)
                first += len(batch)
                self._source.position = (self._source.size or 0) * first // (self._file.metadata.num_rows + 1)
        except self._errors as error:
            raise self._damaged(error) from None
        self._source.refuse_changed()

    def writer(self, stream: BinaryIO) -> "ParquetWriter":
        """Return what writes rows of the same columns, packed as they were."""
        metadata = self._file.metadata
        packed = metadata.row_group(0).column(0).compression if metadata.num_row_groups else "SNAPPY"
        return ParquetWriter(stream, _schema(self._file.schema_arrow, self._fields), packed)

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
    """Writes rows, some megabytes a row group."""

    def __init__(self, stream: BinaryIO, schema: "pa.Schema", packed: str) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415

        self._file = pq.ParquetWriter(stream, schema, compression=packed.lower().replace("uncompressed", "none"))
        self._held: list[pa.RecordBatch] = []
        self._size = 0

    def write(self, chunk: "pa.RecordBatch") -> None:
        """Write rows, once there are enough of them."""
        self._held.append(chunk)
        self._size += chunk.nbytes
        if self._size >= _GROUP_BYTES:
            self._flush()

    def __enter__(self) -> "ParquetWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
            self._file.close()
        else:
            self._file.is_open = False  # else it would write the file's end when it is collected

    def _flush(self) -> None:
        import pyarrow as pa  # noqa: PLC0415

        if self._held:
            self._file.write_table(pa.Table.from_batches(self._held))
        self._held, self._size = [], 0


def _schema(schema: "pa.Schema", fields: Fields) -> "pa.Schema":
    """Return the columns of the output: those of the input, and one for what was removed."""
    import pyarrow as pa  # noqa: PLC0415

    if fields.dropped is None or fields.dropped in schema.names:
        return schema
    return schema.append(pa.field(fields.dropped, pa.list_(pa.string())))


def _changed(column: "pa.Array[Any]", values: list[Any]) -> "pa.Array[Any]":
    """Return a column with other values; where there is None, that of before goes through as it is."""
    import pyarrow as pa  # noqa: PLC0415

    if all(value is None for value in values):
        return column
    coded = pa.types.is_dictionary(column.type)
    old = column.dictionary_decode() if coded else column
    new = pa.array(values, old.type)
    mixed = pa.concat_arrays([(old if value is None else new).slice(at, 1) for at, value in enumerate(values)])
    return mixed.dictionary_encode().cast(column.type) if coded else mixed


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
