import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records_support import rewritten, without_last

from noisefilter.errors import InputError
from noisefilter.records.record import Broken, Entry, Fields

FIELDS = Fields(text="body", title="headline", id="url")
KEEPING = Fields(text="body", title="headline", id="url", dropped="gone")
TEXT = 'The "river" rose, again.\n\nLatest News\n'
LEFT = 'The "river" rose, again.\n'

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


def table(rows, **style):
    """Write a table as Python's own csv does."""
    out = io.StringIO(newline="")
    csv.writer(out, **style).writerows(rows)
    return out.getvalue().encode()


def parsed(raw, **style):
    return list(csv.reader(io.StringIO(raw.decode(), newline=""), **style))


@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=5),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.booleans(),
)
def test_only_the_text_changes(others, quoting, end, comma, is_tsv):
    comma = "\t" if is_tsv else comma
    style = {"quoting": quoting, "lineterminator": end, "delimiter": comma}
    rows = [["a", "body", "b"], *([first, TEXT, second] for first, second in others)]
    raw, form = table(rows, **style), "tsv" if is_tsv else "csv"
    assert parsed(raw, delimiter=comma) == rows
    assert rewritten(raw, form, FIELDS)[0] == raw
    new, read = rewritten(raw, form, FIELDS, without_last)
    assert all(isinstance(entry, Entry) for entry in read[1:])
    changed = [rows[0], *([first, LEFT, second] for first, second in others)]
    assert parsed(new, delimiter=comma) == changed
    if quoting == csv.QUOTE_ALL:
        assert new == table(changed, **style)
    kept = parsed(rewritten(raw, form, KEEPING, without_last)[0], delimiter=comma)
    assert kept == [[*rows[0], "gone"], *([*row, '["Latest News"]'] for row in changed[1:])]


def test_cells_are_not_typed_and_not_quoted_anew():
    raw = b'id,"body",n,"m"\r\n007,"One.\nTwo.",1.0,"NA"\n,x,"a ""b""", 1e5 \n"1","",,\n'
    new, read = rewritten(raw, "csv", Fields(text="body"), without_last)
    assert new == raw.replace(b'"One.\nTwo."', b'"One."').replace(b",x,", b",,")
    assert [entry.name if entry else None for entry in read] == [None, "007", "a:4", "1"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\n\r\n", b"\xef\xbb\xbf \n"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
def test_marks_line_ends_and_blank_lines_stay(mark, end):
    raw = mark + b"body,n" + (end or b"\n") + b"One,1" + (end or b"\n") * 3 + b'"Two\n\nThree",2' + end
    assert rewritten(raw, "csv", FIELDS)[0] == raw
    new, read = rewritten(raw, "csv", FIELDS, without_last)
    assert new == raw.replace(b"Two\n\nThree", b"Two").replace(b"One,1", b",1")
    assert len([entry for entry in read if entry]) == 2
    kept = rewritten(raw, "csv", KEEPING)[0]
    assert kept == raw.replace(b"body,n", b"body,n,gone").replace(b",1", b",1,").replace(b",2", b",2,")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"x", "1 cells, but the header has 2: correct the row"),
        (b"x,y,z", "3 cells, but the header has 2"),
        (b'"a"b,1', "a quote within a quoted cell: write it twice"),
        (b"caf\xe9,1", "'body' is not UTF-8: convert the file"),
        (b"x" * 1_000_001 + b",1", "has a line of 1,000,001 characters"),
    ],
)
def test_a_broken_row_is_told_by_its_line_and_passes_or_is_left_out(row, problem):
    good = b'"One\n\nTwo",1\n'
    content = b"body,n\n" + good + row + b"\n" + good
    new, read = rewritten(content, "csv", FIELDS)
    assert [type(entry) for entry in read] == [type(None), Entry, Broken, Entry]
    assert str(read[2]).startswith(f"a:5: {problem}")
    assert new == content
    assert rewritten(content, "csv", FIELDS, skip=True)[0] == b"body,n\n" + good + good


def test_of_a_row_whose_quotes_do_not_close_only_the_line_is_broken():
    content = b'n,body\n1,"open\n2,x\n3,y\n'
    new, read = rewritten(content, "csv", FIELDS, skip=True)
    assert str(read[1]) == "a:2: a quote that is not closed, so only this line of the row is left"
    assert [entry.text for entry in read[2:]] == ["x", "y"]
    assert new == b"n,body\n2,x\n3,y\n"


def test_in_tsv_a_quote_that_does_not_close_is_a_character():
    content = b'n\tbody\n1\t"Rain," she said.\n2\t"It fell\n3\t"a\tb"\n'
    new, read = rewritten(content, "tsv", Fields(text="n", id="body"))
    assert [entry.name for entry in read[1:3]] == ['"Rain," she said.', '"It fell']
    assert new == content


def test_a_row_that_is_too_long_passes_in_pieces(monkeypatch):
    import noisefilter.records.delimited as module

    monkeypatch.setattr(module, "LONGEST_RECORD", 100)
    long = b"x" * 1000 + b",1\n"
    content = b"body,n\none,1\n" + long + b"two,2\n"
    chunks = [content[at : at + 30] for at in range(0, len(content), 30)]
    pieces = list(module.rows(module.Dialect(b","), chunks, b"", 1))
    assert b"".join(piece.raw for piece in pieces) == content
    assert max(len(piece.raw) for piece in pieces) <= 150
    assert [(piece.line, bool(piece.problem)) for piece in pieces if not piece.more] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
    ]


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=6), st.integers(1, 9))
def test_rows_lose_no_byte_wherever_the_bytes_are_cut(rows, size):
    from noisefilter.records.delimited import Dialect
    from noisefilter.records.delimited import rows as cut

    raw = table(rows)
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    pieces = list(cut(Dialect(b","), chunks, b"", 1))
    assert b"".join(piece.raw for piece in pieces) == raw
    assert [parsed(piece.raw)[0] for piece in pieces] == parsed(raw)


@pytest.mark.parametrize(
    "content",
    [
        b'1,""bad "rest\n2,3.5",x\n3,fine,y\n',
        b'1,""bad "rest\r\n2,3.5",x\r\n3,fine,y\r\n',
        b'1,""bad "rest\r2,3.5",x\r3,fine,y',
        b'1,"a"b',
    ],
)
@pytest.mark.parametrize("comma", [b",", b"\t"])
def test_which_rows_are_broken_does_not_depend_on_where_the_bytes_are_cut(content, comma):
    from noisefilter.records.delimited import Dialect
    from noisefilter.records.delimited import rows as cut

    raw = content.replace(b",", comma)
    at_once = list(cut(Dialect(comma), [raw], b"", 2))
    assert bool(at_once[0].problem) == (comma == b",")
    for size in range(1, len(raw)):
        chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
        assert list(cut(Dialect(comma), chunks, b"", 2)) == at_once


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty: there is not even a header"),
        (b"\n\n", "is empty: there is not even a header"),
        (b"url,text\n1,2\n", "no column 'body' (it has url, text): give --text-field"),
        (b"body,body\n1,2\n", "the column 'body' comes twice: rename one"),
        ("body,n\n".encode("utf-16"), "is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"),
        (b"\xfe\xff" + "body,n\n".encode("utf-16-be"), "is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"),
        ("body,n\n".encode("utf-16-le"), "no header can be read: give a table with one, in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used(content, problem):
    with pytest.raises(InputError) as caught:
        rewritten(content, "csv", FIELDS)
    assert str(caught.value) == f"a: {problem}"


def test_removed_paragraphs_join_those_of_an_earlier_run():
    content = b'gone,body\n"[""Old""]","One\n\nTwo"\n[],x\n7,y\n'
    new, read = rewritten(content, "csv", KEEPING, without_last)
    assert json.loads(parsed(new)[1][0]) == ["Old", "Two"]
    assert json.loads(parsed(new)[2][0]) == ["x"]
    assert str(read[3]) == "a:6: 'gone' holds something else: give another --keep-dropped"


@pytest.mark.parametrize(
    ("row", "new"),
    [
        (b"1,hello, world", b"1,hello, world,"),
        (b"hello", b"hello,"),
        (b'"1",x,"a\nb"', b'"1",x,"a\nb",'),
        (b'1,"a"b', b'1,"a"b,'),
        (b'"a"b,1', b'"a"b,1,'),
        (b'1,"a"b "c', b'1,"a"b "c,'),
        (b'1,"a\nb","c"d', b'1,"a\nb","c"d,'),
        (b'1,"c"d,"a\nb"', b'1,"c"d,"a\nb",'),
        (b'1,"open', b'1,"open'),
        (b'1,"a"b,"open, too', b'1,"a"b,"open, too'),
        (b" ", b" "),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_broken_row_gets_the_added_cell_too_but_not_within_quotes(row, new, end):
    header, good = b"id,body" + end, b"2,One" + end
    added = [header[: -len(end)] + b",gone" + end, new + end, good[: -len(end)] + b"," + end]
    content, read = rewritten(header + row + end + good, "csv", KEEPING)
    assert content == b"".join(added)
    assert not any(isinstance(entry, Entry) for entry in read[1:-1])
    again = rewritten(content, "csv", KEEPING)
    assert again[0] == content
    assert [type(entry) for entry in again[1]] == [type(entry) for entry in read]
    assert rewritten(header + row, "csv", KEEPING)[0] == b"".join(added[:2]).removesuffix(end)
    assert rewritten(header + row + end + good, "csv", FIELDS)[0] == header + row + end + good


def test_in_tsv_a_broken_row_gets_the_added_cell_too():
    content = b'id\tbody\n1\t"open\tx\n2\tOne\n'
    assert rewritten(content, "tsv", KEEPING)[0] == b'id\tbody\tgone\n1\t"open\tx\t\n2\tOne\t\n'


@pytest.mark.parametrize("comma", [b",", b"\t"])
@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize(
    ("row", "widened"), [(b"x" * 1000 + b",1", True), (b'"' + b"x" * 1000, False), (b'"' + b"x" * 1000 + b'",1', True)]
)
def test_a_row_that_is_too_long_gets_the_added_cell_at_its_end(monkeypatch, comma, ends, row, widened):
    import noisefilter.records.delimited as module

    monkeypatch.setattr(module, "LONGEST_RECORD", 100)
    dialect, row = module.Dialect(comma), row.replace(b",", comma) + b"\n" * ends
    table = module.Table(dialect, KEEPING, 2, {"body": 0, "gone": 2})
    chunks = [row[at : at + 30] for at in range(0, len(row), 30)]
    pieces = list(module.rows(dialect, chunks, b"", 1))
    assert len(pieces) > 1
    new = b"".join(piece.raw for piece in module._widened(table, pieces))
    assert new == (row.rstrip() + comma + b"\n" * ends if widened or comma == b"\t" else row)


def test_a_header_alone_is_a_table():
    assert rewritten(b"body,n", "csv", KEEPING)[0] == b"body,n,gone"
