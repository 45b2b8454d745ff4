import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records_support import rewritten, without_last

from noisefilter.errors import InputError
from noisefilter.records import record
from noisefilter.records.jsonl import lines
from noisefilter.records.record import Broken, Entry, Fields

FIELDS = Fields(text="body", title="headline", id="url", dropped="gone")
TEXT = "The river rose.\n\nLatest News\n"
LEFT = "The river rose.\n"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
others = st.dictionaries(st.text(max_size=8).filter(lambda name: name not in ("body", "gone")), values, max_size=5)


def line(text, *, before="", after="", name='"body"'):
    return f"{{{before}{name}: {json.dumps(text)}{after}}}".encode()


@given(others, others, st.booleans(), st.sampled_from([None, 1]), st.sampled_from([b"\n", b"\r\n", b""]), st.booleans())
def test_only_the_text_changes(first, second, escaped, indent, end, listed):
    row = {**first, "body": ["One.", "Two."] if listed else TEXT, **{k: v for k, v in second.items() if k not in first}}
    separators = (",", ":") if indent else (", ", ": ")
    raw = json.dumps(row, ensure_ascii=escaped, separators=separators).encode(errors="surrogatepass") + end
    assert rewritten(raw, "jsonl", FIELDS)[0] == raw
    try:
        raw.decode()
    except UnicodeDecodeError:  # a lone surrogate, written as it is
        return
    new, read = rewritten(raw, "jsonl", FIELDS, without_last)
    if isinstance(read[0], Broken):
        assert "'headline'" in str(read[0])
        return
    assert new.endswith(end)
    parsed = json.loads(new)
    assert list(parsed) == [*row, "gone"]
    assert parsed.pop("gone") == (["Two."] if listed else ["Latest News"])
    assert repr(parsed) == repr({**row, "body": ["One."] if listed else LEFT})


@pytest.mark.parametrize(
    "others",
    [
        '"n": 1.0, "m": 1e400, "k": -0, "l": 123456789012345678901234567890',
        '"n": NaN, "m": -Infinity',
        '"s": "\\ud800", "t": "\\u00e9\\/"',
        '"a": {"body": "}", "b": [1, {"c": "\\\\\\"]"}]}',
        '"twice": 1, "twice": 2',
        '"n":\t1 ,  "m" :2',
        '"n": ' + "1" * 5000,
        '"type": "body", "x": "body"',
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "", " \n"])
def test_what_stands_around_the_text_stays_byte_for_byte(others, end):
    for raw in (f'{{{others}, "body": {json.dumps(TEXT)}}}{end}', f'{{"body":{json.dumps(TEXT)},{others}}}{end}'):
        plain = Fields(text="body", title="headline", id="url")
        new, read = rewritten(raw.encode(), "jsonl", plain, without_last)
        assert isinstance(read[0], Entry)
        assert new.decode() == raw.replace(json.dumps(TEXT), json.dumps(LEFT))
        assert rewritten(raw.encode(), "jsonl", plain)[0] == raw.encode()


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"{", "not JSON ("),
        (b'{"body": "x"} {"body": "y"}', "not JSON ("),
        (b'{"body": "\xff"}', "not UTF-8 (byte 10): convert the file"),
        (b'{"body": "a\tb"}', "not JSON (Invalid control character at character 12)"),
        (b"7", "not a JSON object: write one record a line"),
        (b'{"url": "u", "text": "x"}', "no field 'body' (it has url, text): give --text-field"),
        (b"{}", "no field 'body': give --text-field"),
        (b'{"body": 7}', "'body' is a number: give a string or a list of paragraphs"),
        (b'{"body": {"a": 1}}', "'body' is an object: give a string"),
        (b'{"body": true}', "'body' is true or false"),
        (b'{"body": ["x", null]}', "'body' lists null: give paragraphs, each a string"),
        (b'{"body": ["x", ["y"]]}', "'body' lists a list"),
        (b'{"body": "x", "headline": 7}', "'headline' is a number: give a string, or another --title-field"),
        (b'{"body": "x", "body": "y"}', "the field 'body' comes twice: leave one out"),
        (b'{"body": "x", "\\u0062ody": "y"}', "the field 'body' comes twice"),
        *(
            (b'{"body": "x", "gone": %b}' % value, "'gone' holds something else: give another --keep-dropped")
            for value in (b"7", b"0", b"false", b'""', b"{}", b'"x"', b"[null]")
        ),
        (b'{"body": ' + b"[" * 100_000 + b"}", "not JSON"),
        (b'{"body": "' + b"x" * 1_000_001 + b'"}', "has a line of 1,000,001 characters"),
    ],
)
def test_a_broken_record_is_told_by_its_line_and_passes_or_is_left_out(raw, problem):
    good = line(TEXT, after=', "url": 3') + b"\n"
    content = good + b"\n" + raw + b"\n" + good
    new, read = rewritten(content, "jsonl", FIELDS)
    assert [type(entry) for entry in read] == [Entry, type(None), Broken, Entry]
    assert str(read[2]).startswith(f"a:3: {problem}")
    assert "\n" not in str(read[2])
    assert new == content
    assert rewritten(content, "jsonl", FIELDS, skip=True)[0] == good + b"\n" + good


@pytest.mark.parametrize("text", ["null", '""', '" \\n "', "[]", '["", " "]'])
def test_no_text_is_nothing_to_clean(text):
    raw = f'{{"body": {text}}}'.encode()
    new, read = rewritten(raw, "jsonl", FIELDS, without_last)
    assert new == raw
    assert read[0].article.paragraphs == ()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"u"', "u"),
        ("7", "7"),
        ("1.0", "1.0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("null", "a:1"),
        ("true", "a:1"),
        ('""', "a:1"),
        ("[1]", "a:1"),
        ('1.0, "url": 2.50', "2.50"),
        ('"u", "url": 2.50', "2.50"),
        ('1.0, "url": "u"', "u"),
    ],
)
def test_an_article_is_called_by_its_id_or_its_line(written, name):
    entry = rewritten(line("x", after=f', "url": {written}, "headline": "T"'), "jsonl", FIELDS)[1][0]
    assert (entry.where, entry.name, entry.title, entry.article.source) == ("a:1", name, "T", name)


def test_removed_paragraphs_join_those_of_an_earlier_run():
    raw = line(TEXT, before='"gone": ["Old"], ') + b"\n"
    assert json.loads(rewritten(raw, "jsonl", FIELDS, without_last)[0])["gone"] == ["Old", "Latest News"]
    assert rewritten(raw, "jsonl", FIELDS)[0] == raw


def test_a_null_becomes_the_list_of_what_was_removed():
    raw = line(TEXT, before='"gone": null, ') + b"\n"
    assert json.loads(rewritten(raw, "jsonl", FIELDS, without_last)[0])["gone"] == ["Latest News"]
    assert rewritten(raw, "jsonl", FIELDS)[0] == raw


@pytest.mark.parametrize(
    ("field", "other"),
    [("a/b", r"a\/b"), ("\u0442\u0435\u043a\u0441\u0442", r"\u0442\u0435\u043a\u0441\u0442"), ("body", r"\u0062ody")],
)
def test_a_field_comes_twice_however_its_name_is_written(field, other):
    for names in ((field, other), (other, field), (other, other)):
        raw = "{{{}}}".format(", ".join(f'"{name}": "x"' for name in names)).encode()
        entry = rewritten(raw, "jsonl", Fields(text=field))[1][0]
        assert str(entry) == f"a:1: the field {field!r} comes twice: leave one out"
    assert isinstance(rewritten(f'{{"{other}": "x/\\/"}}'.encode(), "jsonl", Fields(text=field))[1][0], Entry)


def test_a_line_is_escaped_as_it_was():
    for raw in (b'{"body": "caf\xc3\xa9\\n\\nX"}', b'{"body": "caf\\u00e9\\n\\nX"}'):
        plain = Fields(text="body")
        assert rewritten(raw, "jsonl", plain, without_last)[0] == raw.replace(b"\\n\\nX", b"")


def test_byte_order_marks_and_blank_lines_stay():
    raw = b"\xef\xbb\xbf" + line(f"\u201c{TEXT}") + b"\r\n\r\n  \n" + line(TEXT)
    new, read = rewritten(raw, "jsonl", Fields(text="body"), without_last)
    assert new == raw.replace(rb"\n\nLatest News\n", rb"\n")
    assert [entry.where for entry in read if entry] == ["a:1", "a:4"]


def test_an_array_is_refused_with_a_word():
    with pytest.raises(InputError, match=r"^a: is one JSON array: write a record a line, for example with `jq"):
        rewritten(b'\n [\n{"body": "x"}]', "jsonl", FIELDS)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_refused_with_a_word(encoding):
    raw = ("\ufeff" + (line(TEXT).decode() + "\r\n") * 3).encode(encoding)
    with pytest.raises(InputError) as caught:
        rewritten(raw, "jsonl", FIELDS)
    assert str(caught.value) == "a: is UTF-16: convert it with `iconv -f UTF-16 -t UTF-8`"


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 7))
def test_lines_lose_no_byte_wherever_the_bytes_are_cut(parts, size):
    content = b"\n".join(parts)
    pieces = list(lines(content[at : at + size] for at in range(0, len(content), size)))
    assert b"".join(piece.raw for piece in pieces) == content
    assert [piece.line for piece in pieces] == list(range(1, len(pieces) + 1))
    assert all(piece.raw.find(b"\n") in (-1, len(piece.raw) - 1) for piece in pieces)


def test_a_line_that_is_too_long_passes_in_pieces(monkeypatch):
    import noisefilter.records.jsonl as module

    monkeypatch.setattr(module, "LONGEST_RECORD", 100)
    long = b'{"body": "' + b"x" * 1000 + b'"}\n'
    content = line("x") + b"\n" + long + line("y") + b"\n"
    pieces = list(module.lines(content[at : at + 30] for at in range(0, len(content), 30)))
    assert max(len(piece.raw) for piece in pieces) <= 130
    entries = record.Pieces("a", module.JsonLines(FIELDS), tuple(pieces)).entries()
    assert [type(entry) for entry in entries] == [Entry, *[Broken] * (len(pieces) - 2), Entry]
    assert [str(entry) for entry in entries if isinstance(entry, Broken) and not entry.more] == [
        "a:2: a line of over 100 bytes: no article is as long"
    ]
    assert entries[-1].where == "a:3"
    batch = record.Pieces("a", module.JsonLines(FIELDS), tuple(pieces))
    assert batch.rewritten([None] * len(pieces), ()) == content
    left_out = [at for at, entry in enumerate(entries) if isinstance(entry, Broken)]
    assert batch.rewritten([None] * len(pieces), left_out) == content.replace(long, b"")
