"""Files of many articles through the real executable: what changes, and what does not."""

import gzip
import io
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from cli_records_support import CLEANED_LINES, FIELDS, LINES, columns, json_line, table
from cli_support import CLEAN, EXECUTABLE, NOISE, NOISY, files_in, noisefilter

BROKEN = ["{", "[1]", '{"url": "x"}', '{"body": 7}', '{"body": "x", "body": "y"}']


def unpacked(raw):
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)) as stream:
        return stream.read().decode()


@pytest.fixture
def folder(tmp_path):
    """A folder of articles in every format, in ``in``."""
    (tmp_path / "in" / "sub" / ".hidden").mkdir(parents=True)
    for name, content in {
        "lines.jsonl.gz": gzip.compress(LINES.encode()),
        "noisy.txt": NOISY.encode(),
        "picture.png": b"\0",
        "sub/.hidden/noisy.txt": NOISY.encode(),
        "sub/a.csv": table(",", NOISY, CLEAN, "", NOISY),
        "sub/b.tsv": table("\t", NOISY, CLEAN),
        "sub/c.parquet": columns(NOISY, None, CLEAN),
        "sub/d.txt.gz": gzip.compress(NOISY.encode()),
    }.items():
        (tmp_path / "in" / name).write_bytes(content)
    return tmp_path


def test_a_folder_is_cleaned_into_another_the_same_by_any_number_of_jobs(folder):
    before = files_in(folder)
    for jobs in (1, 2):
        arguments = ["in/", "-o", f"out{jobs}", "--decisions", f"d{jobs}.jsonl", "--jobs", jobs, *FIELDS]
        run = noisefilter("clean", *arguments, cwd=folder)
        assert (run.stdout, run.messages) == (
            "",
            ["noisefilter: in/: 1 file was left out: their names tell no format"],
        )
    after = files_in(folder)
    assert {name: after[name] for name in before} == before
    one, two = files_in(folder / "out1"), files_in(folder / "out2")
    assert one == two
    assert after["d1.jsonl"] == after["d2.jsonl"]
    assert gzip.decompress(one.pop("lines.jsonl.gz")).decode() == CLEANED_LINES
    assert gzip.decompress(one.pop("sub/d.txt.gz")).decode() == CLEAN
    back = pq.read_table(io.BytesIO(one.pop("sub/c.parquet")))
    assert back.to_pydict() == {"n": [1.5] * 3, "body": [CLEAN, None, CLEAN]}
    assert one == {
        "noisy.txt": CLEAN.encode(),
        "sub/a.csv": table(",", CLEAN, CLEAN, "", CLEAN),
        "sub/b.tsv": table("\t", CLEAN, CLEAN),
    }
    articles = [json.loads(row)["article"] for row in after["d1.jsonl"].decode().split("\n")[:-1]]
    assert list(dict.fromkeys(articles)) == [
        *("u0", "u1", "u2", "u4", "in/noisy.txt", "u3", "in/sub/c.parquet:1", "in/sub/c.parquet:3", "in/sub/d.txt.gz")
    ]


def test_json_lines_from_gzip_to_zstandard_with_all_that_was_removed(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(LINES.encode()))
    arguments = ["a.jsonl.gz", "-o", "clean.jsonl.zst", "--decisions", "d.jsonl.gz", "--keep-dropped", "gone"]
    assert noisefilter("clean", *arguments, *FIELDS, cwd=tmp_path).stderr == ""
    new = unpacked((tmp_path / "clean.jsonl.zst").read_bytes())
    removed = [f',"gone":{json.dumps(texts)}' for texts in ([*NOISE], [NOISE[0]])]
    lines, plain = new.split("\n"), CLEANED_LINES.split("\n")
    assert [line.replace(removed[0], "").replace(removed[1], "") for line in lines] == plain
    assert [("gone" in line) for line in lines] == [True, False, False, True, False, True]
    rows = [json.loads(row) for row in gzip.decompress((tmp_path / "d.jsonl.gz").read_bytes()).splitlines()]
    assert {row["article"] for row in rows} == {"u0", "u1", "u2", "u4"}
    assert [row["text"] for row in rows if row["drop"]] == [*NOISE, NOISE[0], *NOISE]


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [("jsonl", gzip.compress(LINES.encode(), mtime=0), CLEANED_LINES.encode()), ("parquet", columns(NOISY), None)],
)
def test_stdin_to_stdout(form, content, expected):
    done = subprocess.run(
        [EXECUTABLE, "clean", "--format", form, *FIELDS], input=content, capture_output=True, check=True
    )
    assert done.stderr == b""
    if expected is None:
        assert pq.read_table(io.BytesIO(done.stdout))["body"].to_pylist() == [CLEAN]
    else:
        assert done.stdout == expected


@pytest.mark.parametrize("on_error", ["keep", "skip", "stop"])
def test_broken_records(tmp_path, on_error):
    good = json_line(NOISY, 0)
    content = good + "".join(f"{line}\n" for line in BROKEN) + good
    (tmp_path / "a.jsonl").write_text(content, encoding="utf-8")
    arguments = ["a.jsonl", "-o", "b.jsonl", "--on-error", on_error, *FIELDS]
    run = noisefilter("clean", *arguments, cwd=tmp_path, code=3)
    places = [message.split(": ")[1] for message in run.messages]
    if on_error == "stop":
        assert places == ["a.jsonl:2"]
        assert files_in(tmp_path) == {"a.jsonl": content.encode()}
        return
    assert places == [*(f"a.jsonl:{line}" for line in range(2, 7)), "a.jsonl"]
    what = "passed through as they were" if on_error == "keep" else "left out"
    assert run.messages[-1].endswith(f"5 of 7 records could not be used and were {what}")
    cleaned = good.replace(json.dumps(NOISY), json.dumps(CLEAN))
    kept = content.replace(good, cleaned) if on_error == "keep" else cleaned * 2
    assert (tmp_path / "b.jsonl").read_text(encoding="utf-8") == kept


def test_in_place_changes_files_once(tmp_path):
    (tmp_path / "noisy.jsonl").write_text(LINES, encoding="utf-8")
    (tmp_path / "clean.csv").write_bytes(table(",", CLEAN))
    untouched = (tmp_path / "clean.csv").stat()
    run = noisefilter("clean", "--in-place", ".", *FIELDS, cwd=tmp_path, code=1)
    assert run.messages == ["noisefilter: ./noisy.jsonl: dropped 7 of 27 paragraphs, in 3 records"]
    assert files_in(tmp_path) == {"noisy.jsonl": CLEANED_LINES.encode(), "clean.csv": table(",", CLEAN)}
    written = (tmp_path / "noisy.jsonl").stat()
    assert noisefilter("clean", "--in-place", "noisy.jsonl", "clean.csv", *FIELDS, cwd=tmp_path).stderr == ""
    for name, before in (("noisy.jsonl", written), ("clean.csv", untouched)):
        after = (tmp_path / name).stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_packed_file_stays_packed_however_its_name_is_written(tmp_path):
    (tmp_path / "A.JSONL.GZ").write_bytes(gzip.compress(LINES.encode()))
    noisefilter("clean", "--in-place", "A.JSONL.GZ", *FIELDS, cwd=tmp_path, code=1)
    assert gzip.decompress((tmp_path / "A.JSONL.GZ").read_bytes()).decode() == CLEANED_LINES


def test_a_row_of_parquet_that_is_no_utf_8_passes_as_it_was(tmp_path):
    texts = [NOISY.encode(), b"caf\xe9", NOISY.encode()]
    pq.write_table(pa.table({"body": pa.array(texts).view(pa.string())}), tmp_path / "a.parquet")
    arguments = ["a.parquet", "-o", "b.parquet", "--jobs", "2", *FIELDS]
    run = noisefilter("clean", *arguments, cwd=tmp_path, code=3)
    assert run.messages[0] == "noisefilter: a.parquet:2: 'body' is no text in UTF-8: convert the file"
    back = pq.read_table(tmp_path / "b.parquet")["body"].cast(pa.binary()).to_pylist()
    assert back == [CLEAN.encode(), b"caf\xe9", CLEAN.encode()]


def test_check_lists_what_would_go_by_line(tmp_path):
    (tmp_path / "a.jsonl").write_text(LINES, encoding="utf-8")
    run = noisefilter("check", "a.jsonl", *FIELDS, "--jobs", "2", cwd=tmp_path, code=1)
    assert run.stderr == ""
    places = [line.split(" ", 3) for line in run.stdout.split("\n")[:-1]]
    assert [(place, text) for place, _, _, text in places] == [
        *(("a.jsonl:1:", text) for text in NOISE),
        ("a.jsonl:4:", NOISE[0]),
        *(("a.jsonl:6:", text) for text in NOISE),
    ]


def test_explain_is_for_one_article_of_text():
    run = noisefilter("explain", "a.csv.gz", code=3)
    assert run.messages == [
        "noisefilter: a.csv.gz: explain takes one article of plain text: for records use clean --decisions"
    ]


def test_files_that_cannot_be_read_are_told_and_the_others_done(tmp_path):
    whole = gzip.compress(LINES.encode())
    packed = zstandard.ZstdCompressor().compress(LINES.encode())
    contents = {
        "array.jsonl": b'[{"body": "x"}]',
        "cut.jsonl.gz": whole[:-30],
        "cut.jsonl.zst": packed[:-30],
        "cut.parquet": columns(NOISY)[:-30],
        "column.csv": b"url,text\n1,2\n",
        "data.json": b"{}",
        "good.csv": table(",", NOISY),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "out").mkdir()
    run = noisefilter("clean", *contents, "missing.jsonl", "-o", "out", *FIELDS, cwd=tmp_path, code=3)
    assert [message.removeprefix("noisefilter: ")[:50] for message in run.messages] == [
        message[:50]
        for message in (
            "array.jsonl: is one JSON array: write a record a line, for example with",
            "cut.jsonl.gz: ends early, the gzip data are cut off: fetch it again",
            "cut.jsonl.zst: ends early, the Zstandard data are cut off: fetch it again",
            "cut.parquet: not a Parquet file that can be read (",
            "column.csv: no column 'body' (it has url, text): give --text-field",
            "data.json: is it JSON lines? then say --format jsonl",
            "missing.jsonl: no such file: check the path",
        )
    ]
    assert files_in(tmp_path / "out") == {"good.csv": table(",", CLEAN)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.jsonl", "-o", "a.jsonl"], "a.jsonl is an input: choose another -o, or --in-place"),
        (["a.jsonl", "-o", "."], "a.jsonl is an input"),
        (["a.jsonl", "-o", "x.jsonl.xz"], "x.jsonl.xz: .xz is not written"),
        (["a.jsonl", "-o", "missing/../a.jsonl"], "a.jsonl is an input"),
        (["sub", "-o", "sub"], "sub is in sub, which is read: choose a folder beside it"),
        (["sub", "-o", "sub/out"], "sub/out is in sub, which is read"),
        ([".", "-o", "out"], "out is in ., which is read"),
        (["sub", "-o", "a.jsonl"], "a.jsonl is not a folder"),
        (["a.jsonl", "-o", "b.csv"], "b.csv would be csv by its name and a.jsonl is jsonl: formats are not converted"),
        (["a.jsonl", "b.csv"], "only text, or only JSON lines, can be joined on stdout: give -o a folder"),
        (["a.jsonl", "--diff"], "--diff shows text files: for a.jsonl use check, or --decisions"),
        (["a.jsonl", "--decisions", "a.jsonl"], "--decisions a.jsonl is an input or a result: give another file"),
        (["a.jsonl", "--keep-dropped", "text"], "--keep-dropped text is a field that is read"),
        (["a.jsonl", "--keep-dropped", "\udcff"], "--keep-dropped '\\udcff' is no name of a field"),
        (["a.jsonl", "--on-error", "ignore"], "--on-error"),
        (["a.jsonl", "--format", "xml"], "--format"),
        (["a.jsonl", "--jobs", "0"], "--jobs"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors_come_before_anything_is_done(tmp_path, arguments, message):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.jsonl").write_text(LINES, encoding="utf-8")
    (tmp_path / "sub" / "a.txt").write_text(NOISY, encoding="utf-8")
    before = files_in(tmp_path)
    run = noisefilter("clean", *arguments, cwd=tmp_path, code=2)
    assert run.stdout == ""
    assert message in run.messages[-1]
    assert files_in(tmp_path) == before


PASS_THROUGH = """
import sys
from noisefilter.records.formats import form_of, reader_of
from noisefilter.records.record import Edit, Entry, Fields
from noisefilter.records.streams import Source, packing
from noisefilter.files import replacing
from pathlib import Path

name, out = sys.argv[1:]
with Source(name, Path(name)) as source, replacing(Path(out)) as new, packing(new.stream, out) as stream:
    reader = reader_of(source, form_of(name), Fields(dropped="gone"))
    with reader.writer(stream) as writer:
        for batch in reader.batches():
            entries = batch.entries()
            edits = [isinstance(entry, Entry) and Edit(entry.text[:9], (entry.text[9:],)) or None for entry in entries]
            writer.write(batch.rewritten(edits, ()))
print(next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def _written(folder, name, records):
    """Write so many records of some 2 KB, a few of a megabyte among them."""
    texts = (f"{at} " + "The river rose. " * (60_000 if at % 5000 == 2 else 125) for at in range(records))
    path = folder / name
    if name.endswith(".parquet"):
        with pq.ParquetWriter(path, pa.schema({"text": pa.string()})) as writer:
            writer.write_table(pa.table({"text": list(texts)}))
    elif name.endswith(".jsonl.zst"):
        with zstandard.open(path, "wt", encoding="utf-8") as stream:
            stream.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    else:
        with path.open("w", encoding="utf-8") as stream:
            if name.endswith(".csv"):
                stream.write("text\n")
            quote = json.dumps if name.endswith("jsonl") else str
            before, after = ('{"text": ', "}") if name.endswith("jsonl") else ("", "")
            stream.writelines(f"{before}{quote(text)}{after}\n" for text in texts)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.zst", "a.csv", "a.parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    peaks = []
    for records in (2_000, 20_000):
        _written(tmp_path, name, records)
        done = subprocess.run(
            [sys.executable, "-c", PASS_THROUGH, name, f"out-{name}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(float(done.stdout))
    assert peaks[1] < (200 if "parquet" in name else 60)  # megabytes; pyarrow alone takes 60
    assert peaks[1] < peaks[0] + 40
