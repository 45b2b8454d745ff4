"""Which format a file is in, and what reads it."""

from enum import StrEnum
from pathlib import PurePath

from noisefilter.records.record import Fields, Reader
from noisefilter.records.streams import PACKED, Source


class Form(StrEnum):
    """How a file holds its articles."""

    TEXT = "text"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"


_ENDINGS = {
    ".txt": Form.TEXT,
    ".text": Form.TEXT,
    ".jsonl": Form.JSONL,
    ".ndjson": Form.JSONL,
    ".csv": Form.CSV,
    ".tsv": Form.TSV,
    ".parquet": Form.PARQUET,
}
ENDINGS = tuple(_ENDINGS)
"""How the names of files end that are looked for in a folder, packed or not."""


def form_of(name: str) -> Form | None:
    """Return the format that a file's name tells, None if it tells none."""
    path = PurePath(name.lower())
    if path.suffix in PACKED:
        path = path.with_suffix("")
    return _ENDINGS.get(path.suffix)


def reader_of(source: Source, form: Form, fields: Fields) -> Reader:
    """Return what reads the records of a file.

    Raises
    ------
    InputError
        If the file is of another format, or what reads it is not installed.
    """
    if form is Form.PARQUET:
        from noisefilter.records.parquet import ParquetReader  # noqa: PLC0415

        return ParquetReader(source, fields)
    if form is Form.JSONL:
        from noisefilter.records.jsonl import JsonLinesReader  # noqa: PLC0415

        return JsonLinesReader(source, fields)
    from noisefilter.records.delimited import DelimitedReader  # noqa: PLC0415

    return DelimitedReader(source, fields, b"\t" if form is Form.TSV else None)
