import pickle
import re
import textwrap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from noisefilter.article import Article, Label

ODD = [
    "\ufeff", "\r\n", "\n", "\r", "\n\n", "\r\n\r\n", "\0", "\u2028", "\u2029", "\x85", "\x0c", "\x0b", "\x1c", " ",
    "\t", "\u00a0", "\u200b", "é", "😀", "Flood.", "the river rose ",
    "A headline that fills most of the line that it is printed on today",
    "goes on in lower case for as long as the line before it went on",
]  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(ODD), max_size=30).map("".join))

BRIDGE = [
    (
        "The harbour bridge will close on Monday for six weeks, the port authority said, after divers found cracks in "
        "two of its eleven piers and a third that had shifted by the width of a hand since the last inspection."
    ),
    (
        "Lorries will be sent over the northern ring road, which already carries twice the traffic that it was built "
        "for, and the council has asked the army whether a floating bridge could be laid for ambulances."
    ),
    (
        "“We know what that means for the villages,” said the port's director, who promised a second meeting with "
        "residents before the end of the month and a telephone line for people who cannot get to work."
    ),
    (
        "Ferries will run every half hour from six in the morning until the last of the repairs is done, and tickets "
        "that were bought for the bridge stay valid on them."
    ),
]


def texts_of(text):
    return [paragraph.text for paragraph in Article.from_text(text).paragraphs]


def unwrapped(texts):
    return [re.sub(r"\s+", " ", text) for text in texts]


def gaps_of(article):
    edges = [0, *(edge for p in article.paragraphs for edge in (p.start, p.end)), len(article.text)]
    assert edges == sorted(edges)
    return [article.text[edges[at] : edges[at + 1]] for at in range(0, len(edges), 2)]


@given(TEXTS)
@example("\ufeff\r\n\r\n\rone\0\u2028two\n\n\n\n\n\nthree\x85\x0cfour")
@example("\ufeff")
@example("\ufeff\ufeffone")
def test_split_loses_nothing(text):
    article = Article.from_text(text)
    gaps = gaps_of(article)
    rejoined = gaps[0] + "".join(p.text + gap for p, gap in zip(article.paragraphs, gaps[1:], strict=True))
    assert rejoined.encode() == text.encode()
    assert all(p.text == text[p.start : p.end] for p in article.paragraphs)


@given(TEXTS)
def test_outside_paragraphs_stand_only_line_ends_blanks_and_mark(text):
    article = Article.from_text(text)
    first, *others = gaps_of(article)
    assert not first.removeprefix("\ufeff").strip()
    assert not any(gap.strip() for gap in others)
    assert all(p.text.strip() and p.text == p.text.strip("\r\n") for p in article.paragraphs)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("count", range(1, 7))
def test_any_run_of_line_ends_separates(end, count):
    article = Article.from_text(f"One.{end * count}Two.")
    assert [p.text for p in article.paragraphs] == ["One.", "Two."]
    assert gaps_of(article) == ["", end * count, ""]


@pytest.mark.parametrize("character", ["\0", "\u2028", "\u2029", "\x85", "\x0c", "\x0b", "\x1c", "\x1d", "\x1e"])
def test_only_line_ends_separate(character):
    text = f"The river{character}rose."
    assert texts_of(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\r\n\u00a0", []),
        ("\ufeff", []),
        ("\ufeffOne.\n", ["One."]),
        ("One.\nTwo.", ["One.", "Two."]),
        ("One.\r\n\rTwo.\n", ["One.", "Two."]),
        ("Costa beats Lindqvist in Tampa\nThe flyweight won by submission in the third round.", None),
        ("Latest News\nRebels free hostages in the north of the country after talks", None),
        ("HEADLINE\n\nBody.\nMore body.", ["HEADLINE", "Body.", "More body."]),
    ],
)
def test_a_line_is_a_paragraph(text, expected):
    assert texts_of(text) == (text.split("\n") if expected is None else expected)


@pytest.mark.parametrize(
    ("width", "separator"),
    [(60, "\n\n"), (72, "\n"), (72, "\n\n"), (72, "\n\n\n"), (79, "\n"), (79, "\n\n"), (100, "\n\n")],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_hard_wrapped_article_is_not_cut_into_lines(separator, width, end):
    wrapped = [textwrap.fill(text, width, break_on_hyphens=False) for text in BRIDGE]
    text = separator.join(wrapped).replace("\n", end)
    assert unwrapped(texts_of(text)) == BRIDGE


def test_headline_above_hard_wrapped_article_stands_alone():
    wrapped = "\n\n".join(textwrap.fill(text, 72) for text in BRIDGE)
    assert unwrapped(texts_of(f"Harbour bridge to close for six weeks\n\n{wrapped}\n"))[1:] == BRIDGE


@pytest.mark.parametrize(
    "lines",
    [
        [
            "Ministers agree on a plan to share the water of the river",
            "Rovers come from behind to beat Albion in the last minute",
            "Three hurt as a crane falls on a market hall in the south",
            "Singer cancels the rest of her tour after a fall on stage",
            "Central bank leaves its rate where it was for a third time",
        ],
        [
            "Kestrel Records – Album of the Year – Ines Okafor, “Low Tide”",
            "Kestrel Records – Song of the Year – Jonas Brandt, “Ferry Men”",
            "Harbour Sound – Best New Artist – The Northern Ring Road Band",
        ],
        [
            "1. Flood closes the harbour bridge and the northern ring road",
            "2. Port authority asks the army for a floating bridge to help",
            "3. Residents of four villages meet the director of the port",
        ],
        [
            "READ MORE: Five things to do in town with children this weekend",
            "READ MORE: What the closure of the bridge means for the commuters",
        ],
        ["Home News Sport Weather Travel Food Opinion Podcasts", "Sign in Subscribe Newsletters Jobs Puzzles Archive"],
    ],
    ids=["headlines", "winners", "numbered", "cues", "menus"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_like_length_are_not_joined(lines, end):
    assert texts_of(end.join(lines)) == lines


@pytest.mark.parametrize("separator", ["\n", "\n\n", "\r\n"])
def test_corpus_paragraphs_on_their_lines_stay_apart(corpus, separator):
    joined = [
        entry.id
        for entry in corpus
        if texts_of(separator.join(p.text for p in entry.paragraphs)) != [p.text for p in entry.paragraphs]
    ]
    assert joined == []


@given(st.lists(st.text(), max_size=6), st.none() | st.text())
def test_given_paragraphs_are_taken_as_they_are(paragraphs, title):
    article = Article(title, paragraphs)
    assert [p.text for p in article.paragraphs] == paragraphs
    assert all(p.text == article.text[p.start : p.end] for p in article.paragraphs)
    assert article.title == title


def test_one_string_is_not_a_list_of_paragraphs():
    with pytest.raises(TypeError, match=r"Article\.from_text"):
        Article(paragraphs="The river rose.")


@pytest.mark.parametrize("wrong", [{"title": 5}, {"source": 5}, {"title": b"Flood"}])
def test_title_and_source_are_strings(wrong):
    with pytest.raises(TypeError, match="title and source are strings, or None"):
        Article(**wrong)


def test_article_does_not_change():
    article = Article("Flood", ["The river rose."])
    with pytest.raises(AttributeError, match="does not change"):
        article.title = "Drought"
    assert article.title == "Flood"


def test_articles_compare_by_what_they_hold():
    article = Article.from_text("One.\n\nTwo.", "Flood", source="a.txt")
    assert pickle.loads(pickle.dumps(article)) == article
    assert hash(article) == hash(Article.from_text("One.\n\nTwo.", "Flood", source="a.txt"))
    assert article != Article.from_text("One.\n\nTwo.", "Flood", source="b.txt")
    assert article != Article.from_text("One.\nTwo.", "Flood", source="a.txt")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_numbers_count_every_line_end(end):
    article = Article.from_text(end.join(["\ufeffOne.", "", "Two.", "", "", "Three."]))
    assert [article.line_of(p) for p in article.paragraphs] == [1, 3, 6]


def test_subset_keeps_order_title_and_source():
    article = Article.from_text("One.\nTwo.\nThree.", "Flood", source="a.txt")
    subset = article.subset({2, 0})
    assert ([p.text for p in subset.paragraphs], subset.title, subset.source) == (["One.", "Three."], "Flood", "a.txt")


@pytest.mark.parametrize(
    ("text", "dropped", "expected"),
    [
        ("A.\n\nB.\n\nC.\n", {1}, "A.\n\nC.\n"),
        ("A.\nB.\n\nC.", {1}, "A.\n\nC."),
        ("A.\r\n\r\nB.\r\nC.\r\n", {2}, "A.\r\n\r\nB.\r\n"),
        ("\ufeffA.\nB.\n", {0}, "\ufeffB.\n"),
        ("A.\nB.", {1}, "A."),
        ("A.\n\n\nB.\n", set(), "A.\n\n\nB.\n"),
        ("A.\n\nB.\n", {0, 1}, "\n"),
    ],
)
def test_taking_paragraphs_out(text, dropped, expected):
    assert Article.from_text(text).without(dropped) == expected


def is_subsequence(part, whole):
    characters = iter(whole)
    return all(character in characters for character in part)


SHARE = (
    "Share this story with everyone you know who has ever crossed the bridge, or has wanted to cross it, or who has "
    "heard of it from others"
)
WRAPPED = [
    "The harbour bridge will close on Monday for six weeks, the port said",
    "after divers found cracks in two of its eleven piers and the council",
]
LINES = st.sampled_from(["Advertisement", "© 2021 Harbour Post", "Ferries will run.", *WRAPPED])
ENDS = st.sampled_from(["\n", "\n\n", "\r\n", "\n\n\n"])


@given(st.lists(st.tuples(LINES, ENDS), min_size=1, max_size=8), st.sets(st.integers(0, 7)), st.booleans())
def test_what_is_left_splits_as_it_stood(pieces, dropped, mark):
    text = "\ufeff" * mark + "".join(line + end for line, end in pieces)
    article = Article.from_text(text)
    left = article.without(dropped)
    assert is_subsequence(left, text)
    assert texts_of(left) == [p.text for at, p in enumerate(article.paragraphs) if at not in dropped]


@pytest.mark.parametrize(
    ("label", "noise"),
    [(Label.CONTENT, False), (Label.BOILERPLATE, True), (Label.OFF_TOPIC, True), (Label.AMBIGUOUS, False)],
)
def test_noise_is_boilerplate_or_off_topic(label, noise):
    assert label.is_noise is noise
