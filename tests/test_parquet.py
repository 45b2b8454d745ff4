import builtins
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from records_support import reading, rewritten, without_last

from noisefilter.errors import InputError
from noisefilter.records.record import Entry, Fields

FIELDS = Fields(text="body", title="headline", id="url")
TEXT = "One.\n\nTwo."


def written(table, **more):
    out = io.BytesIO()
    pq.write_table(table, out, **more)
    return out.getvalue()


def others(rows):
    """Return columns of many types, as nested and odd as they come."""
    return {
        "url": pa.array([f"u{row}" if row % 3 else None for row in range(rows)]),
        "n": pa.array([float("nan") if row % 2 else -0.0 for row in range(rows)], pa.float32()),
        "when": pa.array(list(range(rows)), pa.timestamp("ns", tz="UTC")),
        "tags": pa.array([[{"a": row}] if row % 2 else None for row in range(rows)]),
        "kind": pa.array(["x", "y", None, "x"] * (rows // 4), pa.string()).dictionary_encode(),
        "raw": pa.array([b"\xff\0"] * rows),
    }


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.list_(pa.string()),
        pa.large_list(pa.string()),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
@pytest.mark.parametrize("packed", ["none", "snappy", "zstd", "gzip"])
def test_only_the_text_changes(kind, packed):
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    texts = [["One.", "Two."] if listed else TEXT, None, [] if listed else "", ["x"] if listed else "x"] * 25
    left = [["One."] if listed else "One.", None, [] if listed else "", [] if listed else ""] * 25
    plain = pa.array(texts, kind.value_type if pa.types.is_dictionary(kind) else kind)
    bodies = plain.dictionary_encode() if pa.types.is_dictionary(kind) else plain
    table = pa.table({**others(100), "body": bodies}).replace_schema_metadata({"made": "by us"})
    new, read = rewritten(written(table, compression=packed, row_group_size=30), "parquet", FIELDS, without_last)
    back = pq.read_table(io.BytesIO(new))
    assert back.schema.equals(pq.read_table(io.BytesIO(written(table))).schema, check_metadata=True)
    assert str(back.drop_columns("body").to_pylist()) == str(table.drop_columns("body").to_pylist())
    assert back["body"].to_pylist() == left
    file = pq.ParquetFile(io.BytesIO(new))
    assert file.metadata.row_group(0).column(0).compression == packed.upper().replace("NONE", "UNCOMPRESSED")
    assert file.metadata.num_row_groups == 1
    assert [entry.where for entry in read] == [f"a:{row}" for row in range(1, 101)]
    assert [entry.name for entry in read][:4] == ["a:1", "u1", "u2", "a:4"]


def test_what_was_removed_has_a_column_of_lists():
    keeping = Fields(text="body", dropped="gone")
    once = rewritten(written(pa.table({"body": [TEXT, None, "x"]})), "parquet", keeping, without_last)[0]
    assert pq.read_table(io.BytesIO(once))["gone"].to_pylist() == [["Two."], [], ["x"]]
    twice = rewritten(once, "parquet", keeping, without_last)[0]
    assert pq.read_table(io.BytesIO(twice))["gone"].to_pylist() == [["Two.", "One."], [], ["x"]]


def test_broken_rows_pass_or_are_left_out():
    content = written(pa.table({"body": [["x"], ["y", None], ["z"]], "n": [1, 2, 3]}))
    new, read = rewritten(content, "parquet", FIELDS)
    assert str(read[1]) == "a:2: 'body' lists null: give paragraphs, each a string"
    assert pq.read_table(io.BytesIO(new)).equals(pq.read_table(io.BytesIO(content)))
    new, _ = rewritten(content, "parquet", FIELDS, skip=True)
    assert pq.read_table(io.BytesIO(new))["n"].to_pylist() == [1, 3]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"url": ["u"], "text": ["x"]}, "no column 'body' (it has url, text): give --text-field"),
        ({"body": [1]}, "the column 'body' is int64: give one of strings or lists of them"),
        ({"body": [b"x"]}, "the column 'body' is binary: give one"),
        ({"body": ["x"], "gone": [1]}, "the column 'gone' is there: give another --keep-dropped"),
    ],
)
def test_a_table_that_cannot_be_used(table, problem):
    with pytest.raises(InputError) as caught:
        rewritten(written(pa.table(table)), "parquet", Fields(text="body", dropped="gone"))
    assert str(caught.value).startswith(f"a: {problem}")


@pytest.mark.parametrize("part", [0, 3, 100, -1])
def test_a_file_that_is_cut_off(part):
    content = written(pa.table({"body": ["x"] * 1000}))[:part]
    with pytest.raises(InputError, match=r"^a: not a Parquet file that can be read \(.*\): fetch it again$"):
        rewritten(content, "parquet", FIELDS)


def test_damage_within_is_told():
    content = bytearray(written(pa.table({"body": ["One river rose."] * 1000}), compression="gzip"))
    content[20:60] = bytes(40)
    with pytest.raises(InputError, match=r"^a: not a Parquet file that can be read"):
        rewritten(bytes(content), "parquet", FIELDS)


def test_an_empty_table_is_a_table():
    content = written(pa.table({"body": pa.array([], pa.string())}))
    new, read = rewritten(content, "parquet", FIELDS)
    assert read == []
    assert pq.read_table(io.BytesIO(new)).num_rows == 0


def test_rows_do_not_pile_up_in_one_batch():
    with reading(written(pa.table({"body": ["x"] * 1000})), "parquet", FIELDS) as source:
        batches = list(source.batches())
    assert max(len(batch.entries()) for batch in batches) <= 32
    assert all(isinstance(entry, Entry) for batch in batches for entry in batch.entries())


def test_without_pyarrow_a_line_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *more):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"^a: needs pyarrow: pip install 'noisefilter\[parquet\]'$"):
        rewritten(b"", "parquet", FIELDS)
