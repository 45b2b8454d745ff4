import json

import pytest
from records_support import reading

import noisefilter as nf
from noisefilter.bulk import BatchCleaner
from noisefilter.records.record import Edit, Entry, Fields, Texts

RULES = nf.Rules([nf.Rule("drop", literal="Tell a friend."), nf.Rule("drop", pattern="^Vote", source="u*")])
RECORDS = [
    {"id": "u1", "text": "Rain fell.\n\nTell a friend.\n\nIt rained on."},
    {"id": "u2", "text": ["Rain fell.", "Vote now!", "It rained on."], "title": "Rain"},
    {"text": ["Rain fell.", "Vote now!", "It rained on."]},
    {"text": ""},
    {"text": 7},
]


@pytest.fixture(scope="module")
def strict(default_model):
    return nf.NoiseFilter(default_model, loss_budget=0, rules=RULES)


def batch_of(records):
    content = "".join(f"{json.dumps(record)}\n" for record in records).encode()
    with reading(content, "jsonl", Fields()) as reader:
        return next(reader.batches())


def test_records_are_cleaned_counted_and_described(strict):
    result = BatchCleaner(strict, describe=lambda entry, cleaned: f"{entry.name} {len(cleaned.dropped)}\n")(
        batch_of(RECORDS)
    )
    rows = [json.loads(line) for line in result.chunk.splitlines()]
    assert [row["text"] for row in rows] == [
        "Rain fell.\n\nIt rained on.",
        ["Rain fell.", "It rained on."],
        *(record["text"] for record in RECORDS[2:]),
    ]
    assert [list(row) for row in rows] == [list(record) for record in RECORDS]
    assert result.notes == "u1 1\nu2 1\na:3 0\na:4 0\n"
    assert [str(problem).split(":")[1] for problem in result.broken] == ["5"]
    assert result.over_cap == ()
    assert (result.records, result.changed, result.paragraphs, result.dropped) == (5, 2, 9, 2)


def test_broken_records_are_left_out_if_they_are_to_be(strict):
    assert len(BatchCleaner(strict, skip=True)(batch_of(RECORDS)).chunk.splitlines()) == 4


def test_text_files_are_a_batch_too(strict):
    files = (Entry("a.txt", "a.txt", "Rain.\n\nTell a friend.\n", whole_file=True), Entry("b.txt", "b.txt", "Rain.\n"))
    result = BatchCleaner(strict)(Texts(files))
    assert result.chunk == [(files[0], Edit("Rain.\n", ("Tell a friend.",))), (files[1], None)]
