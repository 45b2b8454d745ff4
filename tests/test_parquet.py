import builtins
import io
import pickle
import random
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from records_support import reading, rewritten, without_last

from noisefilter.errors import InputError
from noisefilter.records.record import Broken, Edit, Entry, Fields

FIELDS = Fields(text="body", title="headline", id="url")
TEXT = "One.\n\nTwo."


def written(table, **more):
    out = io.BytesIO()
    pq.write_table(table, out, **more)
    return out.getvalue()


def groups_of(content):
    """Return the rows of each row group."""
    metadata = pq.ParquetFile(io.BytesIO(content)).metadata
    return [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]


def leaves_of(content):
    """Return what Parquet itself has as the columns, and how each is packed."""
    file = pq.ParquetFile(io.BytesIO(content))
    leaves = [file.schema.column(at) for at in range(len(file.schema))]
    packed = [file.metadata.row_group(0).column(at).compression for at in range(len(leaves))]
    return {leaf.path: (leaf.physical_type, codec) for leaf, codec in zip(leaves, packed, strict=True)}


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
    assert groups_of(new) == [30, 30, 30, 10]
    assert [entry.where for entry in read] == [f"a:{row}" for row in range(1, 101)]
    assert [entry.name for entry in read][:4] == ["a:1", "u1", "u2", "a:4"]


def test_what_was_removed_has_a_column_of_lists():
    keeping = Fields(text="body", dropped="gone")
    once = rewritten(written(pa.table({"body": [TEXT, None, "x"]})), "parquet", keeping, without_last)[0]
    assert pq.read_table(io.BytesIO(once))["gone"].to_pylist() == [["Two."], [], ["x"]]
    twice = rewritten(once, "parquet", keeping, without_last)[0]
    assert pq.read_table(io.BytesIO(twice))["gone"].to_pylist() == [["Two.", "One."], [], ["x"]]


def test_where_nothing_was_removed_the_list_of_an_earlier_run_stays():
    gone = pa.array([None, [], None, ["Old", None]], pa.list_(pa.string()))
    content = written(pa.table({"body": ["", "", TEXT, TEXT], "gone": gone}))
    new = rewritten(content, "parquet", Fields(text="body", dropped="gone"), without_last)[0]
    assert pq.read_table(io.BytesIO(new))["gone"].to_pylist() == [None, [], ["Two."], ["Old", None, "Two."]]


def test_columns_of_one_name_stay_apart():
    columns = [pa.array([1, 2]), pa.array([TEXT, "x"]), pa.array(["u", "v"]), pa.array([[3], None])]
    table = pa.table(columns, names=["n", "body", "n", "n"])
    content = written(table)
    assert pq.ParquetFile(io.BytesIO(rewritten(content, "parquet", FIELDS)[0])).read().equals(table)
    keeping = Fields(text="body", dropped="gone")
    back = pq.ParquetFile(io.BytesIO(rewritten(content, "parquet", keeping, without_last)[0])).read()
    assert back.schema.names == ["n", "body", "n", "n", "gone"]
    assert [column.to_pylist() for column in back.columns] == [
        *([1, 2], ["One.", ""], ["u", "v"], [[3], None], [["Two."], ["x"]])
    ]


def damaged(kind):
    """Return a column of three texts, the second of which is no UTF-8."""
    listed = pa.types.is_list(kind)
    plain = pa.array([b"One.\n\nTwo.", b"caf\xe9", b"x"]).view(pa.string())
    if listed:
        return pa.ListArray.from_arrays([0, 1, 2, 3], plain)
    return plain.dictionary_encode() if pa.types.is_dictionary(kind) else plain.cast(kind)


def raw_of(column):
    """Return the bytes of a column's texts."""
    column = column.combine_chunks()
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return (plain.flatten() if pa.types.is_list(plain.type) else plain).cast(pa.binary()).to_pylist()


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.list_(pa.string()), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_a_text_that_is_no_utf_8_is_broken_and_keeps_its_bytes(kind):
    listed = pa.types.is_list(kind)

    def shortened(entry):
        return Edit(("One.",) if listed else "One.", ("Two.",)) if entry.where == "a:1" else None

    content = written(pa.table({"body": damaged(kind), "n": [1, 2, 3]}))
    new, read = rewritten(content, "parquet", FIELDS, shortened)
    assert [type(entry) for entry in read] == [Entry, Broken, Entry]
    assert str(read[1]) == "a:2: 'body' is no text in UTF-8: convert the file"
    back = pq.read_table(io.BytesIO(new))
    assert back.schema.field("body").type == kind
    assert raw_of(back["body"]) == [b"One.", b"caf\xe9", b"x"]
    left = pq.read_table(io.BytesIO(rewritten(content, "parquet", FIELDS, shortened, skip=True)[0]))
    assert (left["body"].to_pylist(), left["n"].to_pylist()) == ([["One."], ["x"]] if listed else ["One.", "x"], [1, 3])


@pytest.mark.parametrize(("name", "kind"), [("headline", pa.string()), ("gone", pa.list_(pa.string()))])
def test_a_title_or_a_removed_paragraph_that_is_no_utf_8_is_broken(name, kind):
    content = written(pa.table({"body": [TEXT] * 3, name: damaged(kind)}))
    new, read = rewritten(content, "parquet", Fields("body", "headline", dropped="gone"), without_last)
    assert [type(entry) for entry in read] == [Entry, Broken, Entry]
    assert str(read[1]) == f"a:2: {name!r} is no text in UTF-8: convert the file"
    back = pq.read_table(io.BytesIO(new))
    assert back["body"].to_pylist() == ["One.", TEXT, "One."]
    assert b"caf\xe9" in raw_of(back[name])


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (damaged(pa.string()), ["One.\n\nTwo.", "a:2", "x"]),
        (pa.array([1, 1 << 61, 2], pa.timestamp("us")), ["a:1", "a:2", "a:3"]),
        (pa.array([1, 1 << 30, 2], pa.date32()), ["a:1", "a:2", "a:3"]),
        (pa.array([1, 2, 3], pa.timestamp("us", tz="Nowhere/At_All")), ["a:1", "a:2", "a:3"]),
    ],
    ids=["bytes", "moment", "date", "zone"],
)
def test_an_id_that_python_cannot_have_names_nothing(ids, names):
    content = written(pa.table({"body": [TEXT] * 3, "url": ids}))
    new, read = rewritten(content, "parquet", FIELDS, without_last)
    assert [entry.name for entry in read] == names
    back = pq.read_table(io.BytesIO(new))
    assert back["body"].to_pylist() == ["One."] * 3
    assert back["url"].equals(pq.read_table(io.BytesIO(content))["url"])


def test_words_in_lists_pass_through_row_groups():
    coded = pa.list_(pa.dictionary(pa.int32(), pa.string()))
    tags = pa.array([["a", "b"], None] * 500, pa.list_(pa.string())).cast(coded)
    content = written(pa.table({"body": ["x"] * 1000, "tags": tags}), row_group_size=300)
    back = pq.ParquetFile(io.BytesIO(rewritten(content, "parquet", FIELDS, without_last)[0]))
    assert back.schema_arrow.field("tags").type == coded
    read = [row for batch in back.iter_batches(100) for row in batch.column("tags").to_pylist()]
    assert read == [["a", "b"], None] * 500


def test_a_kind_of_column_that_pyarrow_cannot_read_is_told(monkeypatch):
    def unable(*_, **__):
        raise pa.ArrowNotImplementedError("Nested data conversions\nnot implemented")

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", unable)
    told = r"^a: pyarrow cannot read this kind of column \(Nested data .*\): write the file without it$"
    with pytest.raises(InputError, match=told):
        rewritten(written(pa.table({"body": ["x"]})), "parquet", FIELDS)


def test_broken_rows_pass_or_are_left_out():
    content = written(pa.table({"body": [["x"], ["y", None], ["z"]], "n": [1, 2, 3]}))
    new, read = rewritten(content, "parquet", FIELDS)
    assert str(read[1]) == "a:2: 'body' lists null: give paragraphs, each a string"
    assert pq.read_table(io.BytesIO(new)).equals(pq.read_table(io.BytesIO(content)))
    new, _ = rewritten(content, "parquet", FIELDS, skip=True)
    assert pq.read_table(io.BytesIO(new))["n"].to_pylist() == [1, 3]


@pytest.mark.parametrize("broken", [[1], [0, 1, 2, 3]], ids=["one", "all"])
def test_broken_rows_are_left_out_whatever_the_columns_are(broken):
    view = pa.array(["a", None, "c", "d"], pa.string_view())
    bodies = [["x", None] if row in broken else ["x"] for row in range(4)]
    table = pa.table({"body": bodies, **others(4), "view": view})
    new, _ = rewritten(written(table), "parquet", FIELDS, skip=True)
    back = pq.read_table(io.BytesIO(new))
    assert back.schema == pq.read_table(io.BytesIO(written(table))).schema
    assert str(back.to_pylist()) == str([row for at, row in enumerate(table.to_pylist()) if at not in broken])


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


def test_big_rows_are_a_batch_each_and_other_columns_go_to_none():
    few, many = "One river rose. " * 10, "One river rose. " * 30_000
    table = pa.table(
        {"body": [few] * 300 + [many] * 5, "raw": [b"x"] * 300 + [b"x" * 400_000 + b"%d" % at for at in range(5)]}
    )
    content = written(table, row_group_size=310)
    with reading(content, "parquet", FIELDS) as source:
        batches = list(source.batches())
    assert [len(batch.entries()) for batch in batches][-5:] == [1] * 5
    assert max(len(batch.entries()) for batch in batches[:-5]) > 1
    sent = [pickle.dumps(batch) for batch in batches]
    assert max(map(len, sent)) < 600_000
    assert not any(b"pyarrow" in batch for batch in sent)
    assert pq.read_table(io.BytesIO(rewritten(content, "parquet", FIELDS)[0])).equals(table)


def test_big_cells_beside_the_text_are_never_many_in_memory(monkeypatch):
    sizes = []
    real = pq.ParquetWriter.write_table

    def write_table(self, table, **more):
        sizes.append(table.nbytes)
        real(self, table, **more)

    table = pa.table({"body": [TEXT] * 32, "raw": [random.Random(at).randbytes(2_000_000) for at in range(32)]})
    content = written(table)
    monkeypatch.setattr(pq.ParquetWriter, "write_table", write_table)
    new, _ = rewritten(content, "parquet", FIELDS)
    assert max(sizes) < 12_000_000
    assert pq.read_table(io.BytesIO(new)).equals(table)


def test_reading_ahead_changes_no_byte():
    texts = [f"{at} " + "One river rose. " * 40 * (at % 7) for at in range(500)]
    content = written(pa.table({"body": texts, "raw": [random.Random(at).randbytes(40_000) for at in range(500)]}))
    with reading(content, "parquet", FIELDS) as source, source.writer(out := io.BytesIO()) as writer:
        for batch in list(source.batches()):
            writer.write(batch.rewritten([None] * len(batch.entries()), ()))
    assert out.getvalue() == rewritten(content, "parquet", FIELDS)[0]


def test_a_dictionary_does_not_go_with_every_batch():
    words = pa.array([f"{at % 100} " + "One river rose. " * 100 for at in range(1000)])
    kind = pa.dictionary(pa.int8(), pa.string(), ordered=True)
    coded = words.dictionary_encode()
    bodies = pa.DictionaryArray.from_arrays(coded.indices.cast(pa.int8()), coded.dictionary, ordered=True)
    content = written(pa.table({"body": bodies, "again": bodies}))
    with reading(content, "parquet", FIELDS) as source:
        assert all(len(pickle.dumps(batch)) < 80_000 for batch in source.batches())
    new, _ = rewritten(content, "parquet", FIELDS, lambda entry: Edit(f"{entry.where} {entry.text}", ()))
    back = pq.read_table(io.BytesIO(new))
    assert back.schema.types == [kind, kind]
    assert back["body"].to_pylist() == [f"a:{at} {word}" for at, word in enumerate(words.to_pylist(), 1)]
    assert back["again"].to_pylist() == words.to_pylist()


@pytest.mark.parametrize("skip", [False, True])
def test_row_groups_are_those_of_the_input(skip):
    bodies = [["x", None] if at in (3, *range(20, 30)) else ["x"] for at in range(100)]
    table = pa.table({"body": bodies, "n": list(range(100)), "when": pa.array(range(100), pa.timestamp("us"))})
    new, _ = rewritten(written(table, row_group_size=10), "parquet", FIELDS, skip=skip)
    assert groups_of(new) == ([9, *[10] * 8] if skip else [10] * 10)
    rows = [at for at in range(100) if not skip or None not in bodies[at]]
    assert pq.read_table(io.BytesIO(new))["n"].to_pylist() == rows
    assert leaves_of(new)["when"][0] == "INT64"


def test_every_column_is_packed_as_it_was():
    columns = {"a.b": [1], "body": [TEXT], "a": [{"b": ["x"], "c": 2.5}], "raw": [b"y"]}
    codecs = {
        "a.b": "gzip",
        "body": "zstd",
        "a.b.bag.item": "brotli",
        "a.b.list.item": "lz4",
        "a.c": "none",
        "raw": "snappy",
    }
    content = written(pa.table(columns), compression=codecs, use_compliant_nested_type=False)
    new, _ = rewritten(content, "parquet", Fields(text="body", dropped="gone"), without_last)
    assert {path: packed for path, (_, packed) in leaves_of(new).items()} == {
        "a.b": "GZIP",
        "body": "ZSTD",
        "a.b.list.element": "LZ4",
        "a.c": "UNCOMPRESSED",
        "raw": "SNAPPY",
        "gone.list.element": "ZSTD",
    }


LONG_AGO = datetime(1, 1, 1, 12, 0, 0, 1)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999)


def int96_read(content, unit):
    return pq.ParquetFile(io.BytesIO(content), coerce_int96_timestamp_unit=unit).read()


@pytest.mark.parametrize(
    ("unit", "moments"),
    [("us", [LONG_AGO, LAST, None, datetime(1969, 12, 31, 5)]), ("ns", [1, -1, None, 10**18 + 1]), ("us", [None] * 4)],
    ids=["far", "fine", "none"],
)
def test_timestamps_in_int96_stay(unit, moments):
    when = pa.array(moments, pa.timestamp(unit))
    nested = pa.StructArray.from_arrays([when, pa.array([1, 2, 3, 4])], ["when", "n"])
    lists = pa.ListArray.from_arrays([0, 1, 2, 2, 4], when)
    table = pa.table({"body": [TEXT] * 4, "when": when, "nested": nested, "lists": lists, "url": when})
    content = written(table, use_deprecated_int96_timestamps=True, compression="gzip", row_group_size=3)
    new, read = rewritten(content, "parquet", FIELDS, without_last)
    assert len(read) == 4
    assert leaves_of(new) == leaves_of(content)
    assert int96_read(new, unit).drop_columns("body").equals(table.drop_columns("body"))
    assert int96_read(new, unit)["body"].to_pylist() == ["One."] * 4
    assert pq.read_table(io.BytesIO(new))["when"].equals(pq.read_table(io.BytesIO(content))["when"])


def test_timestamps_that_no_one_unit_holds_are_refused():
    moments = pa.table(
        {
            "body": [TEXT] * 2,
            "fine": pa.array([1, 2], pa.timestamp("ns")),
            "far": pa.array([LAST] * 2, pa.timestamp("us")),
        }
    )
    content = written(moments, use_deprecated_int96_timestamps=True)
    told = r"^a: timestamps \(INT96 in far, fine\) have nanoseconds .*: write the file with timestamps of microseconds$"
    with pytest.raises(InputError, match=told):
        rewritten(content, "parquet", FIELDS)


def test_without_pyarrow_a_line_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *more):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"^a: needs pyarrow: pip install pyarrow$"):
        rewritten(b"", "parquet", FIELDS)
