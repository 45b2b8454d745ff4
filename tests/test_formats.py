import io

import pytest

from noisefilter.records.delimited import DelimitedReader
from noisefilter.records.formats import Form, form_of, reader_of
from noisefilter.records.jsonl import JsonLinesReader
from noisefilter.records.record import Fields
from noisefilter.records.streams import Source


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.txt", Form.TEXT),
        ("data/A.TXT.GZ", Form.TEXT),
        ("a.jsonl", Form.JSONL),
        ("a.b.ndjson.zst", Form.JSONL),
        ("a.csv", Form.CSV),
        ("a.tsv.gz", Form.TSV),
        ("a.parquet", Form.PARQUET),
        ("a.json", None),
        ("a", None),
        ("a.gz", None),
        (".csv", None),
        ("csv", None),
        ("-", None),
        ("", None),
    ],
)
def test_a_name_tells_the_format(name, form):
    assert form_of(name) is form


@pytest.mark.parametrize(
    ("form", "kind"), [(Form.JSONL, JsonLinesReader), (Form.CSV, DelimitedReader), (Form.TSV, DelimitedReader)]
)
def test_each_format_has_a_reader(form, kind):
    assert isinstance(reader_of(Source("a", None, io.BytesIO()), form, Fields()), kind)
