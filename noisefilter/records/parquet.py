"""Parquet: a record is a row; columns that are not the text's are handed through as they are."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from noisefilter.errors import InputError
from noisefilter.records.parquet_writer import (
    UNREADABLE,
    ParquetWriter,
    Rewritten,
    is_coded,
    paths_of,
    schema_of,
    values_of,
)
from noisefilter.records.record import Broken, Edit, Entry, Fields, understood
from noisefilter.records.streams import Source

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_ROWS = 32
_BATCH_BYTES = 1 << 18
_LOOK_ROWS = 4096
"""Rows of timestamps that are looked at together."""
_BUFFER_BYTES = 1 << 18
_CODECS = {"UNCOMPRESSED": "none", "UNKNOWN": "snappy"}


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
        columns = [values_of(rows, name) for name in (fields.text, fields.title, fields.id, fields.dropped)]
        for number, values in enumerate(zip(*columns, strict=True), first):
            yield self._entry(f"{self._source.name}:{number}", *values)

    def _entry(self, where: str, text: Any, title: Any, name: Any, dropped: Any) -> Entry | Broken:
        fields = self._fields
        for field, value in ((fields.text, text), (fields.title, title), (fields.dropped, dropped)):
            if value is UNREADABLE:
                return Broken(where, f"{field!r} is no text in UTF-8: convert the file")
        return understood(where, text, title, None if name is UNREADABLE else name, fields)

    def writer(self, stream: BinaryIO) -> "ParquetWriter":
        """Return what writes rows of the same columns, packed as they were, in groups of rows as they were."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        metadata = self._file.metadata
        schema = schema_of(self._file.schema_arrow, self._fields)
        stamped = {leaf.physical_type for leaf in self._leaves if _is_moment(leaf)}
        settings = {
            "compression": dict(zip(paths_of(schema), self._codecs(), strict=False)),
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


def _columns_of(paths: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the column that each leaf of the file is of; `names` are those of the columns, in order."""
    left = iter(names)
    name, owners = next(left, ""), []
    for path in paths:
        while not f"{path}.".startswith(f"{name}."):
            name = next(left, path)
        owners.append(name)
    return owners


def _plain(batch: "pa.RecordBatch", names: Collection[str] | None) -> "pa.RecordBatch":
    """Return the columns of these names (pyarrow gives `a.b` with `a`), no dictionary beside their values."""
    import pyarrow as pa  # noqa: PLC0415

    wanted = [at for at, name in enumerate(batch.schema.names) if names is None or name in names]
    columns = [batch.column(at) for at in wanted]
    columns = [column.dictionary_decode() if is_coded(column.type) else column for column in columns]
    return pa.RecordBatch.from_arrays(columns, [batch.schema.names[at] for at in wanted])


def _pieces(rows: "pa.RecordBatch") -> Iterator["pa.RecordBatch"]:
    """Yield the rows in pieces that are small, or of one row."""
    if len(rows) < 2 or rows.nbytes <= _BATCH_BYTES:
        yield rows
    else:
        half = len(rows) // 2
        yield from _pieces(rows.slice(0, half))
        yield from _pieces(rows.slice(half))


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


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow.types as kinds  # noqa: PLC0415

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def _is_list_of_texts(kind: "pa.DataType") -> bool:
    import pyarrow.types as kinds  # noqa: PLC0415

    is_list = kinds.is_list(kind) or kinds.is_large_list(kind)
    return bool(is_list and _is_text(kind.value_type))
