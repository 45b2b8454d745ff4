import gzip
import json

import pytest

from noisefilter.article import Label
from noisefilter.errors import LabelError
from noisefilter.kinds import KINDS
from noisefilter.labels import (
    LabelledParagraph,
    check_labels,
    label_stats,
    licence_of,
    parse_line,
    read_labels,
    refuse_overlap,
    split_lines,
)

LONG = "The harbour bridge will close on Monday for six weeks, the port authority said."
GOOD = {"text": LONG, "label": "content"}
ADVERT = {"text": "Advertisement", "label": "boilerplate", "kind": "ad_marker"}


def row(name="a", paragraphs=(GOOD,), **fields):
    return {"id": name, "title": "Flood", "site_style": name, "paragraphs": list(paragraphs), **fields}


@pytest.fixture
def write(tmp_path):
    def to_file(*rows, name="labels.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(entry if isinstance(entry, str) else json.dumps(entry) + "\n" for entry in rows))
        return path

    return to_file


def problems_of(*paths):
    return [str(problem) for problem in check_labels(paths)[1]]


def test_an_article_is_read(write):
    path = write(row("a", [GOOD, ADVERT], topic="weather", form="list", language="en", source="x"), "\n", row("b"))
    first, second = read_labels([path])
    assert (first.id, first.title, first.site, first.topic, first.form) == ("a", "Flood", "a", "weather", "list")
    assert first.paragraphs[1] == LabelledParagraph("Advertisement", Label.BOILERPLATE, "ad_marker")
    assert second.where == f"{path}:3"
    assert [p.text for p in first.article.paragraphs] == [LONG, "Advertisement"]
    assert first.article.title == "Flood"


@pytest.mark.parametrize(
    ("fields", "site"),
    [
        ({"site_style": "s", "domain": "d", "source": "q"}, "s"),
        ({"domain": "d", "source": "q"}, "d"),
        ({"source": "q"}, "q"),
    ],
)
def test_the_site_is_the_closest_name_given(fields, site):
    article, problems = parse_line(json.dumps({"id": "a", "paragraphs": [GOOD], **fields}), "f:1", strict=True)
    assert (article.site, problems) == (site, [])


def test_an_article_without_a_site_is_one_of_its_own_and_a_problem():
    line = json.dumps({"id": "a", "paragraphs": [GOOD]})
    article, problems = parse_line(line, "f:1", strict=True)
    assert article.site == "a"
    assert [problem.what.endswith("give site_style, domain or source") for problem in problems] == [True]
    assert parse_line(line, "f:1") == (article, [])


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_plain_and_gzipped_files_read_alike(tmp_path, pack, end):
    path = tmp_path / "labels"
    path.write_bytes(pack((json.dumps(row("a")) + end + json.dumps(row("b"))).encode()))
    assert [article.id for article in read_labels([path])] == ["a", "b"]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path, write):
    marked = tmp_path / "marked.jsonl"
    marked.write_bytes(b"\xef\xbb\xbf" + write(row("a"), row("b")).read_bytes())
    assert [article.id for article in read_labels([marked])] == ["a", "b"]
    assert problems_of(marked) == []
    lines = split_lines([marked], 0.5)
    assert sorted(ids(lines["train"] + lines["test"])) == ["a", "b"]
    assert licence_of(marked) == "licence not stated"


def test_separators_inside_a_text_do_not_end_the_line(tmp_path):
    path = tmp_path / "labels.jsonl"
    text = "one\u2028two\x85three\x0cfour"
    path.write_text(json.dumps(row("a", [{"text": text, "label": "content"}]), ensure_ascii=False), encoding="utf-8")
    assert read_labels([path])[0].paragraphs[0].text == text


BAD_LINES = [
    ("{", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ("[]", "not a JSON object: write one article a line"),
    ('"a"', "not a JSON object"),
    ({"paragraphs": [GOOD]}, "no id: give each article a string `id` of its own"),
    ({"id": 3, "paragraphs": [GOOD]}, "no id"),
    ({"id": "", "paragraphs": [GOOD]}, "no id"),
    ({"id": "a"}, "no paragraphs: give a list of {text, label, kind}"),
    ({"id": "a", "paragraphs": []}, "no paragraphs"),
    ({"id": "a", "paragraphs": "text"}, "no paragraphs"),
    (row(title=["Flood"]), "title is not a string"),
    (row(paragraphs=[GOOD, "text"]), "paragraphs[1]: no text: give {text, label, kind}"),
    (row(paragraphs=[{"label": "content"}]), "paragraphs[0]: no text"),
    (row(paragraphs=[{"text": 3, "label": "content"}]), "paragraphs[0]: no text"),
    (row(paragraphs=[{"text": "x"}]), "paragraphs[0]: unknown label None: use one of content, boilerplate, off_topic"),
    (row(paragraphs=[{"text": "x", "label": "noise"}]), "paragraphs[0]: unknown label 'noise'"),
    (row(paragraphs=[{"text": "x", "label": ["content"]}]), "paragraphs[0]: unknown label ['content']"),
    (row(paragraphs=[{**GOOD, "alt": "noise"}]), "paragraphs[0]: unknown alt 'noise'"),
    (row(paragraphs=[{**GOOD, "kind": ["list_item"]}]), "paragraphs[0]: kind is not a string"),
    (row(paragraphs=[{**GOOD, "alt": {}}]), "paragraphs[0]: unknown alt {}"),
]


@pytest.mark.parametrize(("bad", "message"), BAD_LINES)
def test_a_line_off_the_schema_is_named(write, bad, message):
    path = write(row("first"), bad if isinstance(bad, dict) else bad + "\n")
    with pytest.raises(LabelError) as caught:
        read_labels([path])
    assert str(caught.value).startswith(f"{path}:2: {message}")
    assert "\n" not in str(caught.value)
    articles, problems = check_labels([path])
    assert [article.id for article in articles] == ["first"]
    assert [str(problem) for problem in problems] == [str(caught.value)]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xff\xfe", "not UTF-8 at byte 0: convert it first"),
        (gzip.compress(b"{}" * 500, mtime=0)[:-9], "damaged gzip"),
        (b"\x1f\x8b\x08" + bytes(30), "damaged gzip"),
        (None, "no such file: check the path"),
        ("folder", "is a directory: name the label files in it"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, write, raw, message):
    path = tmp_path / "bad.jsonl"
    if raw == "folder":
        path.mkdir()
    elif raw is not None:
        path.write_bytes(raw)
    with pytest.raises(LabelError, match=message):
        read_labels([path])
    articles, problems = check_labels([path, write(row("a"))])
    assert [article.id for article in articles] == ["a"]
    assert [(problem.where, problem.what[: len(message)]) for problem in problems] == [(str(path), message)]


@pytest.mark.parametrize("use", [read_labels, check_labels, lambda paths: split_lines(paths, 0.5)])
def test_no_article_at_all_is_an_error(write, use):
    with pytest.raises(LabelError, match=r"labels\.jsonl: no article: give JSON lines"):
        use([write("\n\n")])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(colour="red"), "unknown field 'colour': use one of authors"),
        (row(paragraphs=[{**GOOD, "colour": "red"}]), "paragraphs[0]: unknown field 'colour': use alt, kind"),
        (row(paragraphs=[{**GOOD, "kind": "byline"}]), "paragraphs[0]: unknown kind 'byline' of content"),
        (row(paragraphs=[{**ADVERT, "kind": "banner"}]), "paragraphs[0]: unknown kind 'banner' of boilerplate"),
        (row(paragraphs=[{"text": " \n", "label": "content"}]), "paragraphs[0]: empty text: leave the paragraph out"),
    ],
)
def test_checking_finds_what_reading_lets_pass(write, bad, message):
    path = write(bad)
    assert [problem.startswith(f"{path}:1: {message}") for problem in problems_of(path)] == [True]
    assert [article.id for article in read_labels([path])] == ["a"]


@pytest.mark.parametrize(("label", "kind"), [(label, kind) for label in Label for kind in sorted(KINDS[label])])
def test_every_kind_passes(write, label, kind):
    assert problems_of(write(row(paragraphs=[{"text": "x", "label": label, "kind": kind}]))) == []


def test_older_names_of_kinds_are_read_as_ours(write):
    path = write(row(paragraphs=[{"text": "x", "label": "boilerplate", "kind": "dup_headline"}]))
    assert problems_of(path) == []
    assert read_labels([path])[0].paragraphs[0].kind == "duplicate_headline"


def test_an_id_that_comes_twice_is_found(write):
    path = write(row("a"), row("b"), row("a"))
    assert problems_of(path) == [f"{path}:3: id 'a' stands at {path}:1 already: rename it"]


@pytest.mark.parametrize("names", [("train.jsonl", "test.jsonl"), ("train/a.jsonl", "test/a.jsonl")])
def test_a_paragraph_in_two_files_is_found(write, names):
    paths = [write(row(name), name=name) for name in names]
    (problem,) = problems_of(*paths)
    assert all(f"{path}:1" in problem for path in paths)
    assert f"on both sides of a split: {LONG[:60]!r}: keep it on one side" in problem


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (LONG, LONG.replace(" ", "\u00a0"), True),
        (LONG, LONG.upper(), False),
        ("Nine words are too few to be any copy.", "Nine words are too few to be any copy.", False),
    ],
)
def test_copies_across_files_are_told_by_their_words(write, one, other, found):
    paths = [
        write(row(name, [{"text": text, "label": "content"}]), name=f"{name}.jsonl")
        for name, text in (("train", one), ("test", other))
    ]
    assert bool(problems_of(*paths)) is found


def test_a_site_on_both_sides_is_found(write):
    other = {"text": "Something else.", "label": "content"}
    paths = [write(row("a", site_style="s"), name="train.jsonl")]
    paths.append(write(row("b", [other], site_style="s"), name="test.jsonl"))
    (problem,) = problems_of(*paths)
    assert "'site s'" in problem


def test_copies_within_a_file_are_no_problem(write):
    assert problems_of(write(row("a"), row("b"))) == []


@pytest.mark.parametrize(
    ("reasons", "found"), [((None, None), True), (("here it is news", None), True), (("news", "insert"), False)]
)
def test_two_labels_need_a_reason(write, reasons, found):
    one = {**GOOD, "reason": reasons[0]}
    other = {"text": LONG.replace("'", "’"), "label": "off_topic", "reason": reasons[1]}
    path = write(row("a", [one]), row("b", [other]))
    problems = problems_of(path)
    assert bool(problems) is found
    where = f"is content (at {path}:1) and off_topic (at {path}:2): correct one, or give each a `reason`"
    assert all(where in problem for problem in problems)


def test_an_ambiguous_copy_needs_no_reason(write):
    assert problems_of(write(row("a"), row("b", [{"text": LONG, "label": "ambiguous"}]))) == []


@pytest.mark.parametrize(
    ("label", "alt", "scored"),
    [
        ("content", None, True),
        ("content", "boilerplate", False),
        ("boilerplate", "content", False),
        ("boilerplate", "off_topic", True),
        ("off_topic", "ambiguous", True),
        ("ambiguous", None, False),
        ("ambiguous", "content", False),
    ],
)
def test_a_second_label_across_the_border_is_not_scored(label, alt, scored):
    assert LabelledParagraph("x", Label(label), alt=alt and Label(alt)).scored is scored


def ids(lines):
    return [json.loads(line)["id"] for line in lines]


@pytest.fixture
def many(write):
    return write(*(row(f"{site}/{at}", site_style=f"site {site}") for site in range(40) for at in range(3)))


def test_a_split_keeps_sites_apart_and_loses_nothing(many):
    sides = split_lines([many], 0.3)
    sites = {side: {name.split("/")[0] for name in ids(lines)} for side, lines in sides.items()}
    assert not sites["train"] & sites["test"]
    assert 4 <= len(sites["test"]) <= 20
    assert sorted(sides["train"] + sides["test"]) == sorted(many.read_text().split("\n")[:-1])


def test_a_site_stays_on_its_side(many, write):
    before = split_lines([many], 0.3)
    more = write(*(row(f"{site}/9", site_style=f"site {site}") for site in range(20, 90)), name="more.jsonl")
    after = split_lines([more, many], 0.3)
    larger = split_lines([many], 0.5)
    assert set(before["test"]) <= set(after["test"])
    assert set(before["train"]) <= set(after["train"])
    assert set(before["test"]) < set(larger["test"])
    assert split_lines([many], 0.3, seed=1) != before
    assert split_lines([many], 0)["test"] == split_lines([many], 1)["train"] == []


def test_a_site_with_a_lone_surrogate_has_a_side_too(write):
    path = write(row("a\ud800", site_style="s\ud800"))
    sides = split_lines([path], 1)
    assert (ids(sides["test"]), sides["train"]) == (["a\ud800"], [])


def test_an_id_that_comes_twice_is_not_read_as_two_articles(write):
    with pytest.raises(LabelError, match=r"more\.jsonl:1: id 'a' stands at .*labels\.jsonl:1 already"):
        read_labels([write(row("a")), write(row("a", site_style="z"), name="more.jsonl")])


def test_an_empty_file_beside_others_is_a_problem(write):
    assert problems_of(write(row("a")), write("\n", name="empty.jsonl"))[0].endswith(
        "empty.jsonl: no article: fill it, or leave it out"
    )


def test_overlap_with_the_test_set_is_refused(write):
    train = read_labels([write(row("a"), row("b"), name="train.jsonl")])
    refuse_overlap(train, read_labels([write(row("c"))]), "test.jsonl")
    with pytest.raises(LabelError, match=r"test\.jsonl: id 'b' is in the training data too"):
        refuse_overlap(train, read_labels([write(row("b", site_style="z"))]), "test.jsonl")
    with pytest.raises(LabelError, match=r"test\.jsonl: site 'a' is in the training data too"):
        refuse_overlap(train, read_labels([write(row("z", site_style="a"))]), "test.jsonl")


def test_statistics_count(write):
    item = {"text": "One.", "label": "content", "kind": "list_item"}
    path = write(row("a", [GOOD, ADVERT, ADVERT, item], topic="weather"), row("b", topic="weather", form="list"))
    stats = label_stats(read_labels([path]))
    assert stats["articles"] == stats["sites"] == 2
    assert (stats["articles without noise"], stats["paragraphs"]) == (1, 5)
    assert (stats["distinct noise paragraphs"], stats["hard content paragraphs"]) == (1, 1)
    assert stats["labels"] == {"content": 3, "boilerplate": 2}
    assert stats["kinds"] == {"boilerplate/ad_marker": 2, "content/list_item": 1}
    assert (stats["topics"], stats["forms"]) == ({"weather": 2}, {"list": 1, "none": 1})


def test_licences_are_listed(write):
    assert licence_of(write(row("a", license="CC0-1.0"), row("b"))) == "CC0-1.0, licence not stated"
